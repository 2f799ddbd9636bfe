/* The operator's queue of difficult cards; core/difficult.c does the work. */
#include "core/decision.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

enum {
    LIST_MAX = 50,
    QUEUE_KEY_SIZE = 8 + GK_CASE_ID_SIZE,
};

/* Reads a case id; false where the call was refused for it. */
static bool take_case(struct gk_rpc_call *call, const char *text, uint8_t ret_case_id[GK_CASE_ID_SIZE])
{
    if (gk_hex_decode(text, ret_case_id, GK_CASE_ID_SIZE)) {
        return true;
    }
    gk_rpc_fail(call, GK_INVALID_ARGUMENT, "case_id must be %d hexadecimal digits", 2 * GK_CASE_ID_SIZE);
    return false;
}

static void actor_of(const struct gk_rpc_call *call, const char *role, char ret_actor[49])
{
    (void)snprintf(ret_actor, 49, "%s:%.38s", role, gk_rpc_call_principal(call)->id);
}

static void fill_card(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                      guika_v1_DifficultCard *ret_card)
{
    guika_v1_internal_MaskedCandidates candidates = {0};

    ret_card->has_card = true;
    gk_operator_fill_row(keys, card, &ret_card->card);
    ret_card->has_picture = card->pictures > 0;
    (void)snprintf(ret_card->proposed_by, sizeof ret_card->proposed_by, "%s", card->proposed_by);
    if (!gk_decision_candidates(keys, card, &candidates)) {
        return;
    }
    for (size_t i = 0; i < candidates.items_count; i++) {
        const guika_v1_internal_MaskedCandidate *from = &candidates.items[i];
        guika_v1_DifficultCandidate *to = &ret_card->candidates[ret_card->candidates_count++];

        (void)snprintf(to->issuer, sizeof to->issuer, "%s", from->issuer);
        (void)snprintf(to->scheme, sizeof to->scheme, "%s", from->scheme);
        (void)snprintf(to->masked_number, sizeof to->masked_number, "%s", from->masked);
        to->probability = from->probability;
    }
}

/* --- ListDifficult, GetDifficult --- */

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_ListDifficultRequest *request; /* NULL: one card */
    size_t limit;
    uint8_t start[QUEUE_KEY_SIZE];
    size_t start_size;
    uint8_t last[QUEUE_KEY_SIZE]; /* of the last row */
    uint8_t case_id[GK_CASE_ID_SIZE];
    guika_v1_ListDifficultResponse response;
    enum gk_status status;
    struct gk_error error;
};

static bool is_wanted(const guika_v1_ListDifficultRequest *request, const guika_v1_internal_FoundCard *card)
{
    return (request->reason == guika_v1_Reason_REASON_UNSPECIFIED || request->reason == card->reason) &&
           (request->box_id[0] == '\0' || strcmp(request->box_id, card->box_id) == 0);
}

static bool list_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;
    guika_v1_ListDifficultResponse *response = &listing->response;
    guika_v1_internal_FoundCard card = {0};

    (void)value;
    if (key.size != QUEUE_KEY_SIZE ||
        (listing->start_size > 0 && memcmp(key.data, listing->start, QUEUE_KEY_SIZE) == 0)) {
        return true;
    }
    if (response->cards_count == listing->limit) {
        gk_hex_encode(listing->last, QUEUE_KEY_SIZE, response->next_page_token);
        return false;
    }
    if (gk_record_read(listing->services->store, GK_FAMILY_FOUND_CARDS,
                       (struct gk_bytes){key.data + 8, GK_CASE_ID_SIZE}, guika_v1_internal_FoundCard_fields,
                       &card, NULL) == GK_OK &&
        is_wanted(listing->request, &card)) {
        fill_card(listing->services->keys, &card, &response->cards[response->cards_count++]);
        memcpy(listing->last, key.data, QUEUE_KEY_SIZE);
    }
    return true;
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    listing->status = gk_store_scan(listing->services->store, GK_FAMILY_DIFFICULT, (struct gk_bytes){NULL, 0},
                                    (struct gk_bytes){listing->start, listing->start_size}, false, list_one,
                                    listing, &listing->error);
}

/* [worker] */
static void run_getting(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);
    guika_v1_internal_FoundCard card = {0};

    listing->status = gk_record_read(listing->services->store, GK_FAMILY_FOUND_CARDS,
                                     (struct gk_bytes){listing->case_id, GK_CASE_ID_SIZE},
                                     guika_v1_internal_FoundCard_fields, &card, &listing->error);
    if (listing->status == GK_OK) {
        fill_card(listing->services->keys, &card, &listing->response.cards[0]);
    } else if (listing->status == GK_NOT_FOUND) {
        (void)gk_error_set(&listing->error, GK_NOT_FOUND, "there is no such case");
    }
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else if (listing->request == NULL) {
        guika_v1_operator_service_get_difficult_reply(listing->call, &listing->response.cards[0]);
    } else {
        guika_v1_operator_service_list_difficult_reply(listing->call, &listing->response);
    }
    free(listing);
}

static void start(struct listing *listing, struct gk_rpc_call *call, struct gk_services *services,
                  void (*run)(struct gk_task *task))
{
    listing->call = call;
    listing->services = services;
    listing->task.run = run;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}

void gk_operator_list_difficult(struct gk_rpc_call *call, const guika_v1_ListDifficultRequest *request,
                                void *context)
{
    uint8_t page[QUEUE_KEY_SIZE];
    const bool has_page = request->page_token[0] != '\0';

    if (request->limit > LIST_MAX) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "limit must be 0 to %d, not %u", LIST_MAX,
                    (unsigned)request->limit);
        return;
    }
    if (has_page && !gk_hex_decode(request->page_token, page, sizeof page)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "page_token must be one that ListDifficult gave");
        return;
    }
    struct listing *listing = gk_allocate(sizeof *listing);

    if (has_page) {
        memcpy(listing->start, page, sizeof page);
        listing->start_size = sizeof page;
    }
    listing->request = request;
    listing->limit = request->limit == 0 ? LIST_MAX : request->limit;
    start(listing, call, context, run_listing);
}

void gk_operator_get_difficult(struct gk_rpc_call *call, const guika_v1_DifficultCaseRequest *request,
                               void *context)
{
    uint8_t case_id[GK_CASE_ID_SIZE];

    if (take_case(call, request->case_id, case_id)) {
        struct listing *listing = gk_allocate(sizeof *listing);

        memcpy(listing->case_id, case_id, sizeof case_id);
        start(listing, call, context, run_getting);
    }
}

/* --- GetPicture: the view is written down before the picture is given --- */

struct viewing {
    struct gk_commit commit;
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    uint8_t case_id[GK_CASE_ID_SIZE];
    char actor[49];
    struct gk_value picture;
    enum gk_status status;
    struct gk_error error;
};

static void end_viewing(struct viewing *viewing)
{
    if (viewing->status != GK_OK) {
        gk_rpc_fail(viewing->call, viewing->status, "%s", viewing->error.message);
    } else {
        const guika_v1_GetPictureResponse response = {
            .picture = {viewing->picture.data, viewing->picture.size}};

        guika_v1_operator_service_get_picture_reply(viewing->call, &response);
    }
    gk_value_free(&viewing->picture);
    free(viewing);
}

/* [worker] */
static void run_viewing(struct gk_task *task)
{
    struct viewing *viewing = gk_container_of(task, struct viewing, task);

    viewing->status = gk_picture_vault_get(viewing->services->vault, viewing->case_id, 0, &viewing->picture,
                                           &viewing->error);
}

static void on_viewed(struct gk_task *task)
{
    end_viewing(gk_container_of(task, struct viewing, task));
}

static enum gk_status apply_viewing(struct gk_commit *commit, struct gk_transaction *transaction,
                                    struct gk_error *error)
{
    const struct viewing *viewing = gk_container_of(commit, struct viewing, commit);

    return gk_found_card_view(transaction, viewing->case_id, viewing->actor, error);
}

static void on_view_written(struct gk_commit *commit)
{
    struct viewing *viewing = gk_container_of(commit, struct viewing, commit);

    if (commit->status != GK_OK) {
        viewing->status = commit->status;
        viewing->error = commit->error;
        end_viewing(viewing);
        return;
    }
    viewing->task.run = run_viewing;
    viewing->task.done = on_viewed;
    gk_task_start(viewing->services->loop, &viewing->task);
}

void gk_operator_get_picture(struct gk_rpc_call *call, const guika_v1_GetPictureRequest *request,
                             void *context)
{
    uint8_t case_id[GK_CASE_ID_SIZE];

    if (!take_case(call, request->case_id, case_id)) {
        return;
    }
    struct gk_services *services = context;
    struct viewing *viewing = gk_allocate(sizeof *viewing);

    viewing->call = call;
    viewing->services = services;
    memcpy(viewing->case_id, case_id, sizeof case_id);
    actor_of(call, "viewer", viewing->actor);
    viewing->commit.apply = apply_viewing;
    viewing->commit.done = on_view_written;
    gk_commit_start(services->store, services->mailbox, &viewing->commit);
}

/* --- Resolve, Retry --- */

struct settling {
    struct gk_rpc_call *call;
    struct gk_services *services;
    bool is_retry;
};

static void on_settled(void *context, const struct gk_difficult_result *result)
{
    struct settling *settling = context;
    guika_v1_ResolveResponse response = {0};

    if (result->status != GK_OK) {
        gk_rpc_fail(settling->call, result->status, "%s", result->error.message);
    } else if (result->settled == GK_SETTLED_DISAGREED) {
        gk_rpc_fail(settling->call, GK_FAILED_PRECONDITION,
                    "the first operator typed another number: both have to look at the card again");
    } else {
        response.has_card = true;
        response.needs_second = result->settled == GK_SETTLED_PROPOSED;
        fill_card(settling->services->keys, &result->card, &response.card);
        if (settling->is_retry) {
            guika_v1_operator_service_retry_reply(settling->call, &response);
        } else {
            guika_v1_operator_service_resolve_reply(settling->call, &response);
        }
    }
    free(settling);
}

static struct settling *begin_settling(struct gk_rpc_call *call, struct gk_services *services, bool is_retry)
{
    struct settling *settling = gk_allocate(sizeof *settling);

    *settling = (struct settling){call, services, is_retry};
    return settling;
}

void gk_operator_resolve(struct gk_rpc_call *call, const guika_v1_ResolveRequest *request, void *context)
{
    struct gk_services *services = context;
    uint8_t case_id[GK_CASE_ID_SIZE];
    char actor[49];

    if (!take_case(call, request->case_id, case_id)) {
        return;
    }
    if (request->number[0] == '\0') {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "number must be given, as the card has it");
        return;
    }
    actor_of(call, "operator", actor);
    gk_difficult_resolve(services->difficult, case_id, actor, request->scheme, request->number, on_settled,
                         begin_settling(call, services, false));
}

void gk_operator_retry(struct gk_rpc_call *call, const guika_v1_DifficultCaseRequest *request, void *context)
{
    struct gk_services *services = context;
    uint8_t case_id[GK_CASE_ID_SIZE];
    char actor[49];

    if (take_case(call, request->case_id, case_id)) {
        actor_of(call, "operator", actor);
        gk_difficult_retry(services->difficult, case_id, actor, on_settled,
                           begin_settling(call, services, true));
    }
}

/* --- Discard, HandToIssuer --- */

struct closing {
    struct gk_commit commit;
    struct gk_rpc_call *call;
    struct gk_services *services;
    uint8_t case_id[GK_CASE_ID_SIZE];
    guika_v1_CardState state;
    const char *issuer;
    char actor[49];
};

static enum gk_status apply_closing(struct gk_commit *commit, struct gk_transaction *transaction,
                                    struct gk_error *error)
{
    const struct closing *closing = gk_container_of(commit, struct closing, commit);

    return gk_found_card_close(transaction, closing->case_id, closing->state, closing->actor, closing->issuer,
                               error);
}

static void on_case_closed(struct gk_commit *commit)
{
    struct closing *closing = gk_container_of(commit, struct closing, commit);
    const guika_v1_CloseCaseResponse response = {0};

    if (commit->status != GK_OK) {
        gk_rpc_fail(closing->call, commit->status, "%s", commit->error.message);
    } else {
        gk_difficult_erase(closing->services->difficult, closing->case_id);
        if (closing->state == guika_v1_CardState_CARD_STATE_DESTROYED) {
            guika_v1_operator_service_discard_reply(closing->call, &response);
        } else {
            guika_v1_operator_service_hand_to_issuer_reply(closing->call, &response);
        }
    }
    free(closing);
}

static void close_case(struct gk_rpc_call *call, struct gk_services *services, const char *case_text,
                       guika_v1_CardState state, const char *issuer)
{
    uint8_t case_id[GK_CASE_ID_SIZE];

    if (!take_case(call, case_text, case_id)) {
        return;
    }
    struct closing *closing = gk_allocate(sizeof *closing);

    closing->call = call;
    closing->services = services;
    memcpy(closing->case_id, case_id, sizeof case_id);
    closing->state = state;
    closing->issuer = issuer;
    actor_of(call, "operator", closing->actor);
    closing->commit.apply = apply_closing;
    closing->commit.done = on_case_closed;
    gk_commit_start(services->store, services->mailbox, &closing->commit);
}

void gk_operator_discard(struct gk_rpc_call *call, const guika_v1_DifficultCaseRequest *request,
                         void *context)
{
    close_case(call, context, request->case_id, guika_v1_CardState_CARD_STATE_DESTROYED, "");
}

void gk_operator_hand_to_issuer(struct gk_rpc_call *call, const guika_v1_HandToIssuerRequest *request,
                                void *context)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    if (request->issuer_id[strspn(request->issuer_id, allowed)] != '\0') {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "issuer_id must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    close_case(call, context, request->case_id, guika_v1_CardState_CARD_STATE_HANDED_OVER,
               request->issuer_id);
}
