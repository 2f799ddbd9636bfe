/* ListClaims and ResolveClaim: reports of lost cards that a person has to decide. */
#include "core/difficult.h"
#include "core/found_card.h"
#include "core/found_card_claim.h"
#include "core/memory.h"
#include "core/security/contact_seal.h"
#include "core/security/hex.h"
#include "core/services/holder.h"
#include "core/store/record.h"
#include "core/task.h"
#include "core/watches.h"
#include "guika/v1/operator.rpc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- ListClaims --- */

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    guika_v1_ListClaimsResponse response;
    enum gk_status status;
    struct gk_error error;
};

/* Enough to know the contact again, not enough to write to it. */
static void mask_contact(const char *address, char *ret_masked, size_t size)
{
    const char *colon = strchr(address, ':');
    const char *text = colon == NULL ? address : colon + 1;
    const char *at = strchr(text, '@');
    const size_t length = strlen(text);

    if (at != NULL) {
        (void)snprintf(ret_masked, size, "%.1s***%s", text, at);
    } else {
        (void)snprintf(ret_masked, size, "%.3s***%s", text, text + (length > 4 ? length - 4 : length));
    }
}

static bool is_unclaimed(const guika_v1_internal_FoundCard *card)
{
    return card->state == guika_v1_CardState_CARD_STATE_DIFFICULT &&
           card->reason == guika_v1_Reason_REASON_UNREGISTERED;
}

/* The found cards of the watch's numbers that are nobody's yet. */
static void add_cases(struct gk_store *store, const guika_v1_internal_WatchRecord *watch, guika_v1_Claim *row)
{
    const pb_size_t room = sizeof row->case_ids / sizeof row->case_ids[0];

    for (pb_size_t i = 0; i < watch->card_tokens_count; i++) {
        guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;

        if (gk_record_read(store, GK_FAMILY_CLAIMS, (struct gk_bytes){watch->card_tokens[i], GK_TOKEN_SIZE},
                           guika_v1_internal_ClaimRecord_fields, &claims, NULL) != GK_OK) {
            continue;
        }
        for (pb_size_t j = 0; j < claims.case_ids_count && row->case_ids_count < room; j++) {
            guika_v1_internal_FoundCard card = {0};

            if (gk_record_read(store, GK_FAMILY_FOUND_CARDS,
                               (struct gk_bytes){claims.case_ids[j], GK_CASE_ID_SIZE},
                               guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK &&
                is_unclaimed(&card)) {
                gk_hex_encode(claims.case_ids[j], GK_CASE_ID_SIZE, row->case_ids[row->case_ids_count++]);
            }
        }
    }
}

static void fill_claim(const struct gk_services *services, const guika_v1_internal_WatchRecord *watch,
                       guika_v1_Claim *row)
{
    guika_v1_internal_WatchDescription description = guika_v1_internal_WatchDescription_init_zero;
    char address[GK_ADDRESS_SIZE];

    gk_hex_encode(watch->watch_id, GK_WATCH_ID_SIZE, row->watch_id);
    row->reason = watch->for_operator;
    row->kind = watch->kind;
    row->filed_at_ms = watch->filed_at_ms;
    gk_holder_last_four(services->keys, (struct gk_bytes){watch->watch_id, GK_WATCH_ID_SIZE},
                        (struct gk_bytes){watch->sealed_mask.bytes, watch->sealed_mask.size}, row->last_four);
    if (gk_watches_describe(services->keys, watch, &description)) {
        memcpy(row->line, description.line, sizeof row->line);
        memcpy(row->lost_on, description.lost_on, sizeof row->lost_on);
        memcpy(row->name, description.name, sizeof row->name);
    }
    if (gk_contact_open(services->keys, watch->contact_token,
                        (struct gk_bytes){watch->sealed_contact.bytes, watch->sealed_contact.size}, address,
                        NULL) == GK_OK) {
        mask_contact(address, row->contact, sizeof row->contact);
        sodium_memzero(address, sizeof address);
    }
    add_cases(services->store, watch, row);
}

/* The mark's value is the token of the watch's contact, its key ends with the watch id. */
static enum gk_status read_watch(struct gk_store *store, const uint8_t *watch_id,
                                 const uint8_t *contact_token, guika_v1_internal_WatchRecord *ret_watch,
                                 struct gk_error *error)
{
    uint8_t key[GK_TOKEN_SIZE + GK_WATCH_ID_SIZE];

    memcpy(key, contact_token, GK_TOKEN_SIZE);
    memcpy(key + GK_TOKEN_SIZE, watch_id, GK_WATCH_ID_SIZE);
    return gk_record_read(store, GK_FAMILY_WATCHES, (struct gk_bytes){key, sizeof key},
                          guika_v1_internal_WatchRecord_fields, ret_watch, error);
}

static bool list_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;
    guika_v1_ListClaimsResponse *response = &listing->response;
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;

    if (key.size > GK_WATCH_ID_SIZE && value.size == GK_TOKEN_SIZE &&
        read_watch(listing->services->store, key.data + key.size - GK_WATCH_ID_SIZE, value.data, &watch,
                   NULL) == GK_OK) {
        fill_claim(listing->services, &watch, &response->claims[response->claims_count++]);
    }
    return response->claims_count < sizeof response->claims / sizeof response->claims[0];
}

static int compare_times(const void *left, const void *right)
{
    const guika_v1_Claim *a = left;
    const guika_v1_Claim *b = right;

    return (a->filed_at_ms > b->filed_at_ms) - (a->filed_at_ms < b->filed_at_ms);
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);
    const struct gk_bytes prefix = {(const uint8_t *)GK_CLAIM_PREFIX, strlen(GK_CLAIM_PREFIX)};

    listing->status = gk_store_scan(listing->services->store, GK_FAMILY_META, prefix,
                                    (struct gk_bytes){NULL, 0}, false, list_one, listing, &listing->error);
    qsort(listing->response.claims, listing->response.claims_count, sizeof listing->response.claims[0],
          compare_times);
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else {
        guika_v1_operator_service_list_claims_reply(listing->call, &listing->response);
    }
    free(listing);
}

void gk_operator_list_claims(struct gk_rpc_call *call, const guika_v1_ListClaimsRequest *request,
                             void *context)
{
    struct gk_services *services = context;
    struct listing *listing = gk_allocate(sizeof *listing);

    (void)request;
    listing->call = call;
    listing->services = services;
    listing->task.run = run_listing;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}

/* --- ResolveClaim --- */

struct resolving {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    char actor[GK_PRINCIPAL_ID_SIZE + 9];
    uint8_t watch_id[GK_WATCH_ID_SIZE];
    uint8_t case_id[GK_CASE_ID_SIZE];
    bool granted;
    uint8_t contact_token[GK_TOKEN_SIZE];
    enum gk_status status;
    struct gk_error error;
};

static enum gk_status apply_resolving(void *context, struct gk_transaction *transaction,
                                      struct gk_error *error)
{
    const struct resolving *resolving = context;

    if (resolving->granted) {
        return gk_found_card_grant(transaction, resolving->services->keys, resolving->case_id,
                                   resolving->contact_token, resolving->watch_id, resolving->actor, error);
    }
    gk_transaction_audit(transaction, resolving->actor, "watch.refuse",
                         (struct gk_bytes){resolving->watch_id, GK_WATCH_ID_SIZE}, "");
    return gk_watches_end(transaction, resolving->contact_token, resolving->watch_id, error);
}

/* A list may have come since the card was found: then it is that holder's. */
static enum gk_status check_registry(struct resolving *resolving)
{
    const struct gk_services *services = resolving->services;
    struct gk_registration registration = {0};
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = gk_record_read(services->store, GK_FAMILY_FOUND_CARDS,
                                           (struct gk_bytes){resolving->case_id, GK_CASE_ID_SIZE},
                                           guika_v1_internal_FoundCard_fields, &card, &resolving->error);

    if (status == GK_OK && card.card_token.size == GK_TOKEN_SIZE) {
        status = gk_registry_look_up_token(services->registry, card.card_token.bytes, &registration,
                                           &resolving->error);
    }
    if (status == GK_NOT_FOUND) {
        return gk_error_set(&resolving->error, GK_NOT_FOUND, "there is no such case");
    }
    return status == GK_OK && registration.registered
               ? gk_error_set(&resolving->error, GK_FAILED_PRECONDITION,
                              "the card is registered by now: try it again instead")
               : status;
}

/* [worker] */
static void run_resolving(struct gk_task *task)
{
    struct resolving *resolving = gk_container_of(task, struct resolving, task);
    struct gk_store *store = resolving->services->store;
    uint8_t mark[sizeof GK_CLAIM_PREFIX - 1 + GK_WATCH_ID_SIZE];
    struct gk_value token = {NULL, 0};

    memcpy(mark, GK_CLAIM_PREFIX, sizeof GK_CLAIM_PREFIX - 1);
    memcpy(mark + sizeof GK_CLAIM_PREFIX - 1, resolving->watch_id, GK_WATCH_ID_SIZE);
    resolving->status =
        gk_store_get(store, GK_FAMILY_META, (struct gk_bytes){mark, sizeof mark}, &token, &resolving->error);
    if (resolving->status == GK_OK && token.size == GK_TOKEN_SIZE) {
        memcpy(resolving->contact_token, token.data, GK_TOKEN_SIZE);
    } else if (resolving->status == GK_OK || resolving->status == GK_NOT_FOUND) {
        resolving->status = gk_error_set(&resolving->error, GK_NOT_FOUND,
                                         "there is no such claim, or it is resolved; see ListClaims");
    }
    gk_value_free(&token);
    if (resolving->status == GK_OK && resolving->granted) {
        resolving->status = check_registry(resolving);
    }
    if (resolving->status == GK_OK) {
        resolving->status = gk_store_commit_and_wait(store, apply_resolving, resolving, &resolving->error);
    }
}

static void on_resolved(struct gk_task *task)
{
    struct resolving *resolving = gk_container_of(task, struct resolving, task);
    const guika_v1_ResolveClaimResponse response = {0};

    if (resolving->status != GK_OK) {
        gk_rpc_fail(resolving->call, resolving->status, "%s", resolving->error.message);
    } else {
        if (resolving->granted) {
            gk_difficult_erase(resolving->services->difficult, resolving->case_id);
        }
        resolving->services->on_notice_due(resolving->services->on_notice_due_context);
        guika_v1_operator_service_resolve_claim_reply(resolving->call, &response);
    }
    free(resolving);
}

void gk_operator_resolve_claim(struct gk_rpc_call *call, const guika_v1_ResolveClaimRequest *request,
                               void *context)
{
    struct gk_services *services = context;
    struct resolving *resolving = gk_allocate(sizeof *resolving);

    resolving->granted = request->case_id[0] != '\0';
    if (!gk_hex_decode(request->watch_id, resolving->watch_id, GK_WATCH_ID_SIZE) ||
        (resolving->granted && !gk_hex_decode(request->case_id, resolving->case_id, GK_CASE_ID_SIZE))) {
        free(resolving);
        gk_rpc_fail(
            call, GK_INVALID_ARGUMENT,
            "watch_id must be one that ListClaims gave, and case_id a case's, 32 hexadecimal digits each");
        return;
    }
    resolving->call = call;
    resolving->services = services;
    (void)snprintf(resolving->actor, sizeof resolving->actor, "operator:%.39s",
                   gk_rpc_call_principal(call)->id);
    resolving->task.run = run_resolving;
    resolving->task.done = on_resolved;
    gk_task_start(services->loop, &resolving->task);
}
