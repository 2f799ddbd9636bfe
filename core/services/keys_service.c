/* RotateKeys, GetKeys, RetireKeys; core/rotation.c, core/key_census.c and core/retirement.c do the work. */
#include "core/key_census.h"
#include "core/memory.h"
#include "core/retirement.h"
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

/* --- what is needed --- */

struct asking {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    char actor[49];
    bool retire;
    struct gk_key_census census;
    uint32_t lowest;
    enum gk_status status;
    struct gk_error error;
};

static enum gk_status apply_note(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct asking *asking = context;

    (void)error;
    gk_retirement_note(transaction, asking->lowest);
    gk_transaction_audit(transaction, asking->actor, "keys.begin_retirement", (struct gk_bytes){NULL, 0}, "");
    return GK_OK;
}

/* [worker] */
static void run_asking(struct gk_task *task)
{
    struct asking *asking = gk_container_of(task, struct asking, task);
    const struct gk_services *services = asking->services;

    asking->status = gk_key_census_take(services->store, &asking->census, &asking->error);
    if (asking->status != GK_OK || !asking->retire) {
        return;
    }
    asking->lowest = gk_key_census_lowest(&asking->census, gk_keys_epoch(services->keys));
    const uint32_t kept = gk_keys_lowest(services->keys);

    if (kept == gk_keys_epoch(services->keys)) {
        asking->status =
            gk_error_set(&asking->error, GK_FAILED_PRECONDITION, "there is no older index key to retire");
    } else if (asking->lowest <= kept) {
        asking->status =
            gk_error_set(&asking->error, GK_FAILED_PRECONDITION,
                         "records still need the index key of epoch %u, and with it all later ones; "
                         "see guika key status",
                         (unsigned)kept);
    } else {
        asking->status = gk_store_commit_and_wait(services->store, apply_note, asking, &asking->error);
    }
}

static void fill_uses(const struct asking *asking, guika_v1_GetKeysResponse *response)
{
    uint64_t needed_by = 0;

    for (uint32_t epoch = 1; epoch <= response->epoch; epoch++) {
        const struct gk_key_use *counted = &asking->census.epochs[epoch];
        guika_v1_KeyUse *use = &response->uses[response->uses_count++];

        needed_by += counted->cards + counted->found_cards + counted->watches + counted->claims;
        *use = (guika_v1_KeyUse){.epoch = epoch,
                                 .retired = epoch < gk_keys_lowest(asking->services->keys),
                                 .lists = counted->lists,
                                 .cards = counted->cards,
                                 .found_cards = counted->found_cards,
                                 .watches = counted->watches,
                                 .claims = counted->claims,
                                 .needed_by = needed_by};
    }
}

static void on_asked(struct gk_task *task)
{
    struct asking *asking = gk_container_of(task, struct asking, task);
    struct gk_services *services = asking->services;

    if (asking->status != GK_OK) {
        gk_rpc_fail(asking->call, asking->status, "%s", asking->error.message);
    } else if (asking->retire) {
        const guika_v1_RetireKeysResponse response = {asking->lowest};

        gk_log(services->log, GK_LOG_WARNING, "keys_to_be_retired", {"by", asking->actor});
        guika_v1_admin_service_retire_keys_reply(asking->call, &response);
        services->start_again(services->start_again_context);
    } else {
        guika_v1_GetKeysResponse response = {.epoch = gk_keys_epoch(services->keys),
                                             .newest = gk_keys_newest(services->keys)};

        fill_uses(asking, &response);
        guika_v1_admin_service_get_keys_reply(asking->call, &response);
    }
    free(asking);
}

static void ask(struct gk_rpc_call *call, struct gk_services *services, bool retire)
{
    struct asking *asking = gk_allocate(sizeof *asking);

    asking->call = call;
    asking->services = services;
    asking->retire = retire;
    (void)snprintf(asking->actor, sizeof asking->actor, "operator:%.38s", gk_rpc_call_principal(call)->id);
    asking->task.run = run_asking;
    asking->task.done = on_asked;
    gk_task_start(services->loop, &asking->task);
}

void gk_admin_get_keys(struct gk_rpc_call *call, const guika_v1_GetKeysRequest *request, void *context)
{
    (void)request;
    ask(call, context, false);
}

void gk_admin_retire_keys(struct gk_rpc_call *call, const guika_v1_RetireKeysRequest *request, void *context)
{
    struct gk_services *services = context;

    (void)request;
    if (services->rotating || gk_keys_newest(services->keys) > gk_keys_epoch(services->keys)) {
        gk_rpc_fail(call, GK_FAILED_PRECONDITION, "a rotation is under way; see guika key status");
        return;
    }
    ask(call, services, true);
}
