/* AdminService: backups. core/backup.c does the work. */
#include "core/backup.h"
#include "core/memory.h"
#include "core/services/admin_methods.h"
#include "core/task.h"

#include <stdio.h>

struct errand {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const char *directory;
    char actor[49];
    struct gk_backup_summary summary;
    enum gk_status status;
    struct gk_error error;
};

static void start(struct gk_rpc_call *call, struct gk_services *services, const char *directory,
                  void (*run)(struct gk_task *task), void (*done)(struct gk_task *task))
{
    struct errand *errand = gk_allocate(sizeof *errand);

    errand->call = call;
    errand->services = services;
    errand->directory = directory;
    (void)snprintf(errand->actor, sizeof errand->actor, "operator:%.38s", gk_rpc_call_principal(call)->id);
    errand->task.run = run;
    errand->task.done = done;
    gk_task_start(services->loop, &errand->task);
}

/* [worker] */
static void run_backup(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);
    const struct gk_services *services = errand->services;

    errand->status = gk_backup_write(services->store, services->keys, services->data_directory,
                                     errand->directory, errand->actor, &errand->summary, &errand->error);
}

static void on_backed_up(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);

    if (errand->status != GK_OK) {
        gk_rpc_fail(errand->call, errand->status, "%s", errand->error.message);
    } else {
        const guika_v1_BackupResponse response = {errand->summary.files, errand->summary.bytes,
                                                  errand->summary.pictures};

        gk_log(errand->services->log, GK_LOG_INFO, "backed_up", {"directory", errand->directory},
               {"by", errand->actor});
        guika_v1_admin_service_backup_reply(errand->call, &response);
    }
    free(errand);
}

static void on_backup(struct gk_rpc_call *call, const guika_v1_BackupRequest *request, void *context)
{
    start(call, context, request->directory, run_backup, on_backed_up);
}

static enum gk_status apply_restore(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)error;
    gk_transaction_audit(transaction, context, "store.restore", (struct gk_bytes){NULL, 0}, "");
    return GK_OK;
}

/* [worker] */
static void run_restore(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);
    const struct gk_services *services = errand->services;

    errand->status =
        gk_backup_stage(services->keys, errand->directory, services->data_directory, &errand->error);
    if (errand->status == GK_OK) {
        errand->status =
            gk_store_commit_and_wait(services->store, apply_restore, errand->actor, &errand->error);
    }
}

static void on_staged(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);
    struct gk_services *services = errand->services;

    if (errand->status != GK_OK) {
        gk_rpc_fail(errand->call, errand->status, "%s", errand->error.message);
    } else {
        const guika_v1_RestoreResponse response = {0};

        gk_log(services->log, GK_LOG_WARNING, "restoring", {"directory", errand->directory},
               {"by", errand->actor});
        guika_v1_admin_service_restore_reply(errand->call, &response);
        services->start_again(services->start_again_context);
    }
    free(errand);
}

static void on_restore(struct gk_rpc_call *call, const guika_v1_RestoreRequest *request, void *context)
{
    start(call, context, request->directory, run_restore, on_staged);
}

struct gk_rpc_binding gk_admin_service(struct gk_services *services)
{
    static const struct guika_v1_admin_service_handlers handlers = {
        .backup = on_backup,
        .restore = on_restore,
        .rotate_keys = gk_admin_rotate_keys,
        .get_keys = gk_admin_get_keys,
        .retire_keys = gk_admin_retire_keys,
        .export_holder = gk_admin_export_holder,
        .forget_holder = gk_admin_forget_holder,
    };

    return (struct gk_rpc_binding){&guika_v1_admin_service, &handlers, services};
}
