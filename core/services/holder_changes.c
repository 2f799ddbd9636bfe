/* ReissueCode and Cancel: what a holder may change about a card of theirs. */
#include "core/found_card.h"
#include "core/found_card_claim.h"
#include "core/found_card_pickup.h"
#include "core/holdings.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/services/holder.h"
#include "core/task.h"
#include "core/watches.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct change {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    bool reissue; /* else cancel */
    uint8_t contact_token[GK_TOKEN_SIZE];
    uint8_t id[GK_CASE_ID_SIZE]; /* of a case, or of a watch */
    bool is_theirs;              /* a card of that case id is the contact's */
    enum gk_status status;
    struct gk_error error;
};

static bool compare_case(void *context, const guika_v1_internal_FoundCard *card)
{
    struct change *change = context;

    change->is_theirs = memcmp(card->case_id, change->id, GK_CASE_ID_SIZE) == 0;
    return !change->is_theirs;
}

/* Is the case one of the contact's own? */
static enum gk_status find_case(struct change *change)
{
    const struct gk_services *services = change->services;
    struct gk_owner owners[GK_OWNERS_MAX];
    size_t count = 0;
    enum gk_status status = gk_holdings_owners(services->registry, services->store, change->contact_token,
                                               owners, &count, &change->error);

    for (size_t i = 0; i < count && status == GK_OK && !change->is_theirs; i++) {
        status = gk_holdings_of_owner(services->registry, services->store, &owners[i], compare_case, change,
                                      &change->error);
    }
    sodium_memzero(owners, sizeof owners);
    return status;
}

static enum gk_status apply_cancel(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct change *change = context;

    if (change->is_theirs) {
        return gk_found_card_give_up(transaction, change->id, error);
    }
    gk_transaction_audit(transaction, "holder", "watch.cancel",
                         (struct gk_bytes){change->id, GK_WATCH_ID_SIZE}, "");
    return gk_watches_end(transaction, change->contact_token, change->id, error);
}

static enum gk_status apply_reissue(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct change *change = context;
    const struct gk_services *services = change->services;

    return gk_found_card_reissue(transaction, services->keys, "holder", change->id,
                                 services->retention->code_ms, error);
}

static enum gk_status reissue(struct change *change)
{
    if (!change->is_theirs) {
        return gk_error_set(&change->error, GK_NOT_FOUND, "you have no such card; see ListMyCards");
    }
    return gk_store_commit_and_wait(change->services->store, apply_reissue, change, &change->error);
}

/* [worker] */
static void run_change(struct gk_task *task)
{
    struct change *change = gk_container_of(task, struct change, task);

    change->status = find_case(change);
    if (change->status == GK_OK) {
        change->status = change->reissue ? reissue(change)
                                         : gk_store_commit_and_wait(change->services->store, apply_cancel,
                                                                    change, &change->error);
    }
}

static void on_changed(struct gk_task *task)
{
    struct change *change = gk_container_of(task, struct change, task);
    const guika_v1_CancelResponse cancelled = {0};
    const guika_v1_ReissueMyCodeResponse reissued = {0};

    if (change->status != GK_OK) {
        gk_rpc_fail(change->call, change->status, "%s", change->error.message);
    } else if (change->reissue) {
        change->services->on_notice_due(change->services->on_notice_due_context);
        guika_v1_holder_service_reissue_code_reply(change->call, &reissued);
    } else {
        guika_v1_holder_service_cancel_reply(change->call, &cancelled);
    }
    sodium_memzero(change, sizeof *change);
    free(change);
}

static void start(struct gk_rpc_call *call, const struct gk_services *services, const char *id, bool reissue)
{
    const struct gk_session *session = gk_holder_session(call, services);
    uint8_t bytes[GK_CASE_ID_SIZE];

    if (session == NULL) {
        return;
    }
    if (!gk_hex_decode(id, bytes, sizeof bytes)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT,
                    "the id must be one that ListMyCards gave, 32 hexadecimal digits");
        return;
    }
    struct change *change = gk_allocate(sizeof *change);

    change->call = call;
    change->services = services;
    change->reissue = reissue;
    memcpy(change->contact_token, session->contact_token, GK_TOKEN_SIZE);
    memcpy(change->id, bytes, sizeof bytes);
    change->task.run = run_change;
    change->task.done = on_changed;
    gk_task_start(services->loop, &change->task);
}

void gk_holder_reissue_code(struct gk_rpc_call *call, const guika_v1_ReissueMyCodeRequest *request,
                            void *context)
{
    start(call, context, request->case_id, true);
}

void gk_holder_cancel(struct gk_rpc_call *call, const guika_v1_CancelRequest *request, void *context)
{
    start(call, context, request->id, false);
}
