/* ExportHolder, ForgetHolder; core/holder_rights.c does the work. */
#include "core/holder_rights.h"
#include "core/memory.h"
#include "core/services/admin_methods.h"
#include "core/services/operator_methods.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>

struct errand {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_HolderRequest *request;
    char actor[49];
    struct gk_holder_export found;
    struct gk_holder_forgotten forgotten;
    enum gk_status status;
    struct gk_error error;
};

static struct gk_holder_rights rights_of(const struct gk_services *services)
{
    return (struct gk_holder_rights){services->registry, services->store, services->keys};
}

static void start(struct gk_rpc_call *call, const guika_v1_HolderRequest *request,
                  struct gk_services *services, void (*run)(struct gk_task *task),
                  void (*done)(struct gk_task *task))
{
    if (request->issuer_id[0] == '\0' || request->holder_id[0] == '\0') {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "issuer_id and holder_id must be given");
        return;
    }
    struct errand *errand = gk_allocate(sizeof *errand);

    errand->call = call;
    errand->services = services;
    errand->request = request;
    (void)snprintf(errand->actor, sizeof errand->actor, "operator:%.38s", gk_rpc_call_principal(call)->id);
    errand->task.run = run;
    errand->task.done = done;
    gk_task_start(services->loop, &errand->task);
}

/* [worker] */
static void run_export(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);
    const struct gk_holder_rights rights = rights_of(errand->services);

    errand->status = gk_holder_export(&rights, errand->request->issuer_id, errand->request->holder_id,
                                      errand->actor, &errand->found, &errand->error);
}

static void reply_export(struct errand *errand)
{
    const struct gk_holder_export *found = &errand->found;
    guika_v1_ExportHolderResponse *response = gk_allocate(sizeof *response);
    const size_t room = sizeof response->cases / sizeof response->cases[0];

    (void)snprintf(response->name, sizeof response->name, "%s", found->contacts.name);
    (void)snprintf(response->language, sizeof response->language, "%s", found->contacts.language);
    for (pb_size_t i = 0; i < found->contacts.contacts_count; i++) {
        (void)snprintf(response->contacts[i], sizeof response->contacts[i], "%s",
                       found->contacts.contacts[i]);
    }
    response->contacts_count = found->contacts.contacts_count;
    response->cards = (uint32_t)found->cards;
    response->cancelled_cards = (uint32_t)found->cancelled;
    for (size_t i = 0; i < found->case_count && i < room; i++) {
        gk_operator_fill_row(errand->services->keys, &found->cases[i],
                             &response->cases[response->cases_count++]);
    }
    guika_v1_admin_service_export_holder_reply(errand->call, response);
    sodium_memzero(response, sizeof *response);
    free(response);
}

static void on_exported(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);

    if (errand->status != GK_OK) {
        gk_rpc_fail(errand->call, errand->status, "%s", errand->error.message);
    } else {
        reply_export(errand);
    }
    free(errand->found.cases);
    sodium_memzero(errand, sizeof *errand);
    free(errand);
}

/* [worker] */
static void run_forget(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);
    const struct gk_holder_rights rights = rights_of(errand->services);

    errand->status = gk_holder_forget(&rights, errand->request->issuer_id, errand->request->holder_id,
                                      errand->actor, &errand->forgotten, &errand->error);
}

static void on_forgotten(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);

    if (errand->status != GK_OK) {
        gk_rpc_fail(errand->call, errand->status, "%s", errand->error.message);
    } else {
        const guika_v1_ForgetHolderResponse response = {(uint32_t)errand->forgotten.cards,
                                                        (uint32_t)errand->forgotten.cases,
                                                        (uint32_t)errand->forgotten.notices};

        guika_v1_admin_service_forget_holder_reply(errand->call, &response);
    }
    free(errand);
}

void gk_admin_export_holder(struct gk_rpc_call *call, const guika_v1_HolderRequest *request, void *context)
{
    start(call, request, context, run_export, on_exported);
}

void gk_admin_forget_holder(struct gk_rpc_call *call, const guika_v1_HolderRequest *request, void *context)
{
    start(call, request, context, run_forget, on_forgotten);
}
