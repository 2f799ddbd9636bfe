#include "core/found_card.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/security/issuer_keys.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    LIST_DEFAULT = 50,
    LIST_MAX = 100,
    TIME_KEY_SIZE = 8 + GK_CASE_ID_SIZE,
};

bool gk_services_is_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

/* --- AddBox, AddIssuer: what is added, and its credential, in one write --- */

struct adding {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_AddBoxRequest *box;       /* else NULL */
    const guika_v1_AddIssuerRequest *issuer; /* else NULL */
    struct gk_principal principal;
    char token[GK_CREDENTIAL_SIZE];
    uint8_t hash[GK_TOKEN_SIZE];
    struct gk_issuer_terms terms; /* of an issuer */
    char index_key[GK_INDEX_KEY_TEXT_SIZE];
    enum gk_status status;
    struct gk_error error;
};

static enum gk_status put_credential(struct gk_transaction *transaction, const struct adding *adding,
                                     struct gk_error *error)
{
    guika_v1_internal_CredentialRecord record = {0};

    record.role = (uint32_t)adding->principal.role;
    record.issued_at_ms = gk_transaction_now_ms(transaction);
    (void)snprintf(record.id, sizeof record.id, "%s", adding->principal.id);
    return gk_record_put(transaction, GK_FAMILY_CREDENTIALS,
                         (struct gk_bytes){adding->hash, sizeof adding->hash},
                         guika_v1_internal_CredentialRecord_fields, &record, error);
}

static void audit(struct gk_transaction *transaction, const struct adding *adding, const char *action)
{
    char actor[GK_PRINCIPAL_ID_SIZE + 9];

    (void)snprintf(actor, sizeof actor, "operator:%.39s", gk_rpc_call_principal(adding->call)->id);
    gk_transaction_audit(
        transaction, actor, action,
        (struct gk_bytes){(const uint8_t *)adding->principal.id, strlen(adding->principal.id)}, "");
}

static enum gk_status apply_box(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct adding *adding = context;
    const struct gk_bytes key = {(const uint8_t *)adding->box->box_id, strlen(adding->box->box_id)};
    guika_v1_internal_BoxRecord record = {0};
    struct gk_value before = {NULL, 0};
    enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_BOXES, key, &before, error);

    if (status == GK_OK) {
        gk_value_free(&before);
        return gk_error_set(error, GK_ALREADY_EXISTS, "there is a box \"%s\" already", adding->box->box_id);
    }
    if (status != GK_NOT_FOUND) {
        return status;
    }
    record.has_described = true;
    record.described = *adding->box;
    record.added_at_ms = gk_transaction_now_ms(transaction);
    status =
        gk_record_put(transaction, GK_FAMILY_BOXES, key, guika_v1_internal_BoxRecord_fields, &record, error);
    if (status != GK_OK) {
        return status;
    }
    audit(transaction, adding, "box.add");
    return put_credential(transaction, adding, error);
}

static enum gk_status apply_issuer_credential(void *context, struct gk_transaction *transaction,
                                              struct gk_error *error)
{
    const struct adding *adding = context;
    const enum gk_status status =
        gk_registry_set_terms(transaction, adding->issuer->issuer_id, &adding->terms, error);

    if (status != GK_OK) {
        return status;
    }
    audit(transaction, adding, "issuer.add");
    return put_credential(transaction, adding, error);
}

/* The key is made first: a record never names one that is not there. */
static enum gk_status add_issuer(struct adding *adding)
{
    const guika_v1_AddIssuerRequest *request = adding->issuer;
    struct gk_registry *registry = adding->services->registry;
    enum gk_status status = gk_registry_check_account(request->issuer_id, request->bindings,
                                                      request->bindings_count, &adding->error);

    adding->terms.policy = request->policy;
    if (status == GK_OK && request->own_index_key) {
        adding->terms.key_epoch = 1;
        if (request->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED) {
            adding->terms.policy = guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER;
        }
        status = gk_issuer_keys_make(gk_keys_issuers(adding->services->keys), request->issuer_id, 1,
                                     adding->index_key, &adding->error);
    }
    if (status == GK_OK) {
        status =
            gk_registry_add_account(registry, request->issuer_id, request->bindings, request->bindings_count,
                                    apply_issuer_credential, adding, &adding->error);
    }
    if (status == GK_OK) {
        gk_registry_terms_set(registry, request->issuer_id, &adding->terms);
    }
    return status;
}

/* [worker] */
static void run_adding(struct gk_task *task)
{
    struct adding *adding = gk_container_of(task, struct adding, task);
    struct gk_services *services = adding->services;

    gk_keys_credential_hash(services->keys, adding->token, adding->hash);
    adding->status = adding->box != NULL
                         ? gk_store_commit_and_wait(services->store, apply_box, adding, &adding->error)
                         : add_issuer(adding);
}

static void reply_added(struct adding *adding)
{
    if (adding->box != NULL) {
        guika_v1_AddBoxResponse response = {0};

        (void)snprintf(response.token, sizeof response.token, "%s", adding->token);
        guika_v1_operator_service_add_box_reply(adding->call, &response);
    } else {
        guika_v1_AddIssuerResponse response = {0};

        (void)snprintf(response.token, sizeof response.token, "%s", adding->token);
        (void)snprintf(response.index_key, sizeof response.index_key, "%s", adding->index_key);
        guika_v1_operator_service_add_issuer_reply(adding->call, &response);
        sodium_memzero(&response, sizeof response);
    }
}

static void on_added(struct gk_task *task)
{
    struct adding *adding = gk_container_of(task, struct adding, task);

    if (adding->status == GK_OK) {
        gk_credentials_add(adding->services->credentials, adding->hash, &adding->principal);
        gk_log(adding->services->log, GK_LOG_INFO, adding->box != NULL ? "box_added" : "issuer_added",
               {"id", adding->principal.id}, {"by", gk_rpc_call_principal(adding->call)->id});
        reply_added(adding);
    } else {
        gk_rpc_fail(adding->call, adding->status, "%s", adding->error.message);
    }
    sodium_memzero(adding, sizeof *adding);
    free(adding);
}

static struct adding *begin_adding(struct gk_rpc_call *call, struct gk_services *services, enum gk_role role,
                                   const char *role_name, const char *id)
{
    struct adding *adding = gk_allocate(sizeof *adding);

    adding->call = call;
    adding->services = services;
    adding->principal.role = role;
    (void)snprintf(adding->principal.id, sizeof adding->principal.id, "%s", id);
    gk_credential_make(role_name, adding->token);
    adding->task.run = run_adding;
    adding->task.done = on_added;
    return adding;
}

static void on_add_box(struct gk_rpc_call *call, const guika_v1_AddBoxRequest *request, void *context)
{
    struct gk_services *services = context;

    if (!gk_services_is_name(request->box_id)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "box_id must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    if (request->place.zh[0] == '\0' && request->place.en[0] == '\0') {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT,
                    "place must be given in Chinese or English: holders are told it");
        return;
    }
    struct adding *adding = begin_adding(call, services, GK_ROLE_BOX, "box", request->box_id);

    adding->box = request;
    gk_task_start(services->loop, &adding->task);
}

static void on_add_issuer(struct gk_rpc_call *call, const guika_v1_AddIssuerRequest *request, void *context)
{
    struct gk_services *services = context;

    if (request->policy > guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "there is no policy %d", (int)request->policy);
        return;
    }
    struct adding *adding = begin_adding(call, services, GK_ROLE_ISSUER, "issuer", request->issuer_id);

    adding->issuer = request;
    gk_task_start(services->loop, &adding->task);
}

/* --- ListFound --- */

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_ListFoundRequest *request;
    size_t limit;
    uint8_t start[TIME_KEY_SIZE];
    size_t start_size;
    guika_v1_ListFoundResponse response;
    uint8_t last[TIME_KEY_SIZE]; /* of the last row */
    enum gk_status status;
    struct gk_error error;
};

static void unseal_mask(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                        char ret_masked[33])
{
    uint8_t plain[sizeof card->sealed_mask.bytes] = {0};

    if (card->sealed_mask.size <= GK_SEAL_OVERHEAD || card->sealed_mask.size - GK_SEAL_OVERHEAD >= 33) {
        return;
    }
    if (gk_keys_open_sealed(keys, GK_SEAL_MASK, (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                            (struct gk_bytes){card->sealed_mask.bytes, card->sealed_mask.size}, plain,
                            NULL) == GK_OK) {
        memcpy(ret_masked, plain, card->sealed_mask.size - GK_SEAL_OVERHEAD);
    }
}

void gk_operator_fill_row(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                          guika_v1_FoundCardRow *row)
{
    gk_hex_encode(card->case_id, GK_CASE_ID_SIZE, row->case_id);
    row->state = card->state;
    row->reason = card->reason;
    (void)snprintf(row->box_id, sizeof row->box_id, "%s", card->box_id);
    (void)snprintf(row->deposit_id, sizeof row->deposit_id, "%s", card->deposit_id);
    row->zone = card->place.zone;
    (void)snprintf(row->compartment, sizeof row->compartment, "%s", card->place.compartment);
    row->misplaced = card->place.misplaced;
    row->received_at_ms = card->received_at_ms;
    (void)snprintf(row->issuer, sizeof row->issuer, "%s", card->issuer);
    row->kind = card->kind;
    unseal_mask(keys, card, row->masked_number);
    row->notice_delivered = card->notice_delivered;
    row->disposition = card->disposition;
}

static bool is_wanted(const guika_v1_ListFoundRequest *request, const guika_v1_internal_FoundCard *card)
{
    return (request->state == guika_v1_CardState_CARD_STATE_UNSPECIFIED || request->state == card->state) &&
           (request->reason == guika_v1_Reason_REASON_UNSPECIFIED || request->reason == card->reason) &&
           (request->box_id[0] == '\0' || strcmp(request->box_id, card->box_id) == 0);
}

static bool list_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;
    guika_v1_internal_FoundCard card = {0};

    (void)value;
    if (key.size != TIME_KEY_SIZE ||
        (listing->start_size == TIME_KEY_SIZE && memcmp(key.data, listing->start, TIME_KEY_SIZE) == 0)) {
        return true;
    }
    if (listing->response.cards_count == listing->limit) {
        gk_hex_encode(listing->last, TIME_KEY_SIZE, listing->response.next_page_token);
        return false;
    }
    if (gk_record_read(listing->services->store, GK_FAMILY_FOUND_CARDS,
                       (struct gk_bytes){key.data + 8, GK_CASE_ID_SIZE}, guika_v1_internal_FoundCard_fields,
                       &card, NULL) == GK_OK &&
        is_wanted(listing->request, &card)) {
        gk_operator_fill_row(listing->services->keys, &card,
                             &listing->response.cards[listing->response.cards_count++]);
        memcpy(listing->last, key.data, TIME_KEY_SIZE);
    }
    return true;
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    listing->status = gk_store_scan(
        listing->services->store, GK_FAMILY_FOUND_BY_TIME, (struct gk_bytes){NULL, 0},
        (struct gk_bytes){listing->start, listing->start_size}, true, list_one, listing, &listing->error);
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else {
        guika_v1_operator_service_list_found_reply(listing->call, &listing->response);
    }
    free(listing);
}

static void on_list_found(struct gk_rpc_call *call, const guika_v1_ListFoundRequest *request, void *context)
{
    struct gk_services *services = context;

    if (request->limit > LIST_MAX) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "limit must be 0 to %d, not %u", LIST_MAX,
                    (unsigned)request->limit);
        return;
    }
    struct listing *listing = gk_allocate(sizeof *listing);

    if (request->page_token[0] != '\0') {
        if (strlen(request->page_token) != 2 * TIME_KEY_SIZE ||
            !gk_hex_decode(request->page_token, listing->start, TIME_KEY_SIZE)) {
            free(listing);
            gk_rpc_fail(call, GK_INVALID_ARGUMENT, "page_token must be one that ListFound gave");
            return;
        }
        listing->start_size = TIME_KEY_SIZE;
    }
    listing->call = call;
    listing->services = services;
    listing->request = request;
    listing->limit = request->limit == 0 ? LIST_DEFAULT : request->limit;
    listing->task.run = run_listing;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}

struct gk_rpc_binding gk_operator_service(struct gk_services *services)
{
    static const struct guika_v1_operator_service_handlers handlers = {
        .add_box = on_add_box,
        .add_issuer = on_add_issuer,
        .set_issuer = gk_operator_set_issuer,
        .list_found = on_list_found,
        .get_statistics = gk_operator_get_statistics,
        .list_audit = gk_operator_list_audit,
        .list_boxes = gk_operator_list_boxes,
        .list_plugins = gk_operator_list_plugins,
        .release_plugin = gk_operator_release_plugin,
        .list_claims = gk_operator_list_claims,
        .resolve_claim = gk_operator_resolve_claim,
        .add_operator = gk_operator_add_operator,
        .list_difficult = gk_operator_list_difficult,
        .get_difficult = gk_operator_get_difficult,
        .get_picture = gk_operator_get_picture,
        .resolve = gk_operator_resolve,
        .retry = gk_operator_retry,
        .discard = gk_operator_discard,
        .hand_to_issuer = gk_operator_hand_to_issuer,
        .add_desk = gk_operator_add_desk,
        .add_staff = gk_operator_add_staff,
        .show_card = gk_operator_show_card,
        .move_card = gk_operator_move_card,
        .reissue_code = gk_operator_reissue_code,
        .hand_out = gk_operator_hand_out,
        .list_hand_over = gk_operator_list_hand_over,
        .close_card = gk_operator_close_card,
    };

    return (struct gk_rpc_binding){&guika_v1_operator_service, &handlers, services};
}
