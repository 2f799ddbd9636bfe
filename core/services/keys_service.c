/* RotateKeys, GetKeys; core/rotation.c does the work. */
#include "core/memory.h"
#include "core/services/admin_methods.h"
#include "core/task.h"

#include <stdio.h>

struct rotating {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    char actor[49];
    uint32_t epoch;
    enum gk_status status;
    struct gk_error error;
};

static enum gk_status apply_begin(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct rotating *rotating = context;

    (void)error;
    gk_transaction_audit(transaction, rotating->actor, "keys.begin_rotation", (struct gk_bytes){NULL, 0}, "");
    return GK_OK;
}

/* [worker] */
static void run_rotating(struct gk_task *task)
{
    struct rotating *rotating = gk_container_of(task, struct rotating, task);
    const struct gk_services *services = rotating->services;

    rotating->status = gk_store_commit_and_wait(services->store, apply_begin, rotating, &rotating->error);
    if (rotating->status == GK_OK) {
        rotating->status = gk_keys_add_epoch(services->keys_directory, &rotating->epoch, &rotating->error);
    }
}

static void on_made(struct gk_task *task)
{
    struct rotating *rotating = gk_container_of(task, struct rotating, task);
    struct gk_services *services = rotating->services;

    services->rotating = rotating->status == GK_OK;
    if (rotating->status != GK_OK) {
        gk_rpc_fail(rotating->call, rotating->status, "%s", rotating->error.message);
    } else {
        const guika_v1_RotateKeysResponse response = {rotating->epoch};

        gk_log(services->log, GK_LOG_WARNING, "keys_made", {"by", rotating->actor});
        guika_v1_admin_service_rotate_keys_reply(rotating->call, &response);
        services->start_again(services->start_again_context);
    }
    free(rotating);
}

void gk_admin_rotate_keys(struct gk_rpc_call *call, const guika_v1_RotateKeysRequest *request, void *context)
{
    struct gk_services *services = context;

    (void)request;
    if (services->rotating || gk_keys_newest(services->keys) > gk_keys_epoch(services->keys)) {
        gk_rpc_fail(call, GK_FAILED_PRECONDITION, "a rotation is under way already; see guika key status");
        return;
    }
    struct rotating *rotating = gk_allocate(sizeof *rotating);

    services->rotating = true;
    rotating->call = call;
    rotating->services = services;
    (void)snprintf(rotating->actor, sizeof rotating->actor, "operator:%.38s",
                   gk_rpc_call_principal(call)->id);
    rotating->task.run = run_rotating;
    rotating->task.done = on_made;
    gk_task_start(services->loop, &rotating->task);
}

void gk_admin_get_keys(struct gk_rpc_call *call, const guika_v1_GetKeysRequest *request, void *context)
{
    const struct gk_services *services = context;
    const guika_v1_GetKeysResponse response = {gk_keys_epoch(services->keys), gk_keys_newest(services->keys)};

    (void)request;
    guika_v1_admin_service_get_keys_reply(call, &response);
}
