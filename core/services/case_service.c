/* What is known of found cards: ShowCard, ListHandOver. */
#include "core/case_number.h"
#include "core/memory.h"
#include "core/notification/messages.h"
#include "core/pickup.h"
#include "core/security/hex.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { LIST_DEFAULT = 50, LIST_MAX = 100 };

/* --- ShowCard --- */

struct showing {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_ShowCardRequest *request;
    guika_v1_ShowCardResponse response;
    enum gk_status status;
    struct gk_error error;
};

static bool has_telephone(const struct gk_services *services, const guika_v1_internal_FoundCard *card)
{
    char tail[5] = "";

    if (card->holder_token.size == GK_TOKEN_SIZE) {
        guika_v1_internal_HolderContacts *holder = gk_allocate(sizeof *holder);

        if (gk_registry_holder(services->registry, card->issuer_account, card->holder_token.bytes, holder,
                               NULL) == GK_OK) {
            gk_pickup_tail_of(holder, tail);
        }
        sodium_memzero(holder, sizeof *holder);
        free(holder);
    }
    return tail[0] != '\0';
}

static void fill_shown(const struct gk_services *services, const guika_v1_internal_FoundCard *card,
                       guika_v1_ShowCardResponse *response)
{
    const bool code_is_out = gk_found_card_is_collectable(card) && card->issue > 0;

    response->has_card = true;
    gk_operator_fill_row(services->keys, card, &response->card);
    gk_message_case_number(card->case_id, response->case_number);
    response->place = (guika_v1_PlaceKind)card->place.kind;
    (void)snprintf(response->location, sizeof response->location, "%s",
                   card->place.location[0] != '\0' ? card->place.location : card->indexed_place);
    response->uncertain = card->place.uncertain;
    response->issue = card->issue;
    response->code_expires_at_ms = code_is_out ? card->code_expires_at_ms : 0;
    response->failed_tries = card->failed_tries;
    response->locked_until_ms = card->locked_until_ms;
    response->open = card->opened_at_ms != 0;
    response->remind_at_ms = card->remind_at_ms;
    response->expires_at_ms = card->expires_at_ms;
    response->closed_at_ms = card->closed_at_ms;
    response->erase_at_ms = card->erase_at_ms;
    memcpy(response->issuer_account, card->issuer_account, sizeof response->issuer_account);
    response->code_is_short = has_telephone(services, card);
}

/* [worker] */
static void run_showing(struct gk_task *task)
{
    struct showing *showing = gk_container_of(task, struct showing, task);
    struct gk_store *store = showing->services->store;
    guika_v1_internal_FoundCard card = {0};
    uint8_t case_id[GK_CASE_ID_SIZE];

    showing->status = gk_case_number_find(store, showing->request->case_number, case_id, &showing->error);
    if (showing->status == GK_OK) {
        showing->status =
            gk_record_read(store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){case_id, sizeof case_id},
                           guika_v1_internal_FoundCard_fields, &card, &showing->error);
    }
    if (showing->status == GK_OK) {
        fill_shown(showing->services, &card, &showing->response);
    }
}

static void on_shown(struct gk_task *task)
{
    struct showing *showing = gk_container_of(task, struct showing, task);

    if (showing->status != GK_OK) {
        gk_rpc_fail(showing->call, showing->status, "%s", showing->error.message);
    } else {
        guika_v1_operator_service_show_card_reply(showing->call, &showing->response);
    }
    free(showing);
}

void gk_operator_show_card(struct gk_rpc_call *call, const guika_v1_ShowCardRequest *request, void *context)
{
    const struct gk_services *services = context;
    struct showing *showing = gk_allocate(sizeof *showing);

    showing->call = call;
    showing->services = services;
    showing->request = request;
    showing->task.run = run_showing;
    showing->task.done = on_shown;
    gk_task_start(services->loop, &showing->task);
}

/* --- ListHandOver --- */

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_ListHandOverRequest *request;
    size_t limit;
    int64_t now_ms;
    uint8_t start[GK_HAND_OVER_KEY_SIZE]; /* the last row of the page before */
    size_t start_size;
    uint8_t last[GK_HAND_OVER_KEY_SIZE];
    guika_v1_ListHandOverResponse response;
    enum gk_status status;
    struct gk_error error;
};

static bool is_wanted(const struct listing *listing, const guika_v1_internal_FoundCard *card)
{
    const char *account = listing->request->issuer_account;

    return account[0] == '\0' || strcmp(account, card->issuer_account) == 0;
}

/* When the card's retention ended, of its row: 8 bytes, big-endian. */
static int64_t ended_at_ms(struct gk_bytes key)
{
    uint64_t at_ms = 0;

    for (size_t i = 0; i < 8; i++) {
        at_ms = at_ms << 8 | key.data[i];
    }
    return (int64_t)at_ms;
}

static void fill_hand_over(const struct gk_services *services, const guika_v1_internal_FoundCard *card,
                           guika_v1_HandOverRow *row)
{
    guika_v1_FoundCardRow shown = {0};

    gk_operator_fill_row(services->keys, card, &shown);
    memcpy(row->case_id, shown.case_id, sizeof row->case_id);
    row->kind = card->kind;
    memcpy(row->issuer, card->issuer, sizeof row->issuer);
    memcpy(row->issuer_account, card->issuer_account, sizeof row->issuer_account);
    memcpy(row->masked_number, shown.masked_number, sizeof row->masked_number);
    memcpy(row->found_in, card->box_id, sizeof row->found_in);
    row->received_at_ms = card->received_at_ms;
    row->expired_at_ms = card->expires_at_ms;
    row->place = (guika_v1_PlaceKind)card->place.kind;
    (void)snprintf(row->location, sizeof row->location, "%s", gk_found_card_place_id(card));
    memcpy(row->compartment, card->place.compartment, sizeof row->compartment);
    row->reason = card->reason;
}

static bool list_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;
    guika_v1_internal_FoundCard card = {0};

    (void)value;
    if (key.size != GK_HAND_OVER_KEY_SIZE || (listing->start_size == GK_HAND_OVER_KEY_SIZE &&
                                              memcmp(key.data, listing->start, GK_HAND_OVER_KEY_SIZE) == 0)) {
        return true;
    }
    if (ended_at_ms(key) > listing->now_ms) {
        return false; /* the others have time yet */
    }
    if (gk_record_read(listing->services->store, GK_FAMILY_FOUND_CARDS,
                       (struct gk_bytes){key.data + 8, GK_CASE_ID_SIZE}, guika_v1_internal_FoundCard_fields,
                       &card, NULL) != GK_OK ||
        !is_wanted(listing, &card)) {
        return true;
    }
    if (listing->response.cards_count == listing->limit) {
        gk_hex_encode(listing->last, GK_HAND_OVER_KEY_SIZE, listing->response.next_page_token);
        return false;
    }
    fill_hand_over(listing->services, &card, &listing->response.cards[listing->response.cards_count++]);
    memcpy(listing->last, key.data, GK_HAND_OVER_KEY_SIZE);
    return true;
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    listing->status = gk_store_scan(listing->services->store, GK_FAMILY_HAND_OVER, (struct gk_bytes){NULL, 0},
                                    (struct gk_bytes){listing->start, listing->start_size}, false, list_one,
                                    listing, &listing->error);
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else {
        guika_v1_operator_service_list_hand_over_reply(listing->call, &listing->response);
    }
    free(listing);
}

void gk_operator_list_hand_over(struct gk_rpc_call *call, const guika_v1_ListHandOverRequest *request,
                                void *context)
{
    const struct gk_services *services = context;
    const size_t token = strlen(request->page_token);
    uint8_t start[GK_HAND_OVER_KEY_SIZE];

    if (request->limit > LIST_MAX) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "limit must be 0 to %d, not %u", LIST_MAX,
                    (unsigned)request->limit);
        return;
    }
    if (token != 0 && (token != 2 * GK_HAND_OVER_KEY_SIZE ||
                       !gk_hex_decode(request->page_token, start, GK_HAND_OVER_KEY_SIZE))) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "page_token must be one that ListHandOver gave");
        return;
    }
    struct listing *listing = gk_allocate(sizeof *listing);

    listing->call = call;
    listing->services = services;
    listing->request = request;
    listing->limit = request->limit == 0 ? LIST_DEFAULT : request->limit;
    listing->now_ms = gk_clock_now_ms(&services->clock);
    if (token != 0) {
        memcpy(listing->start, start, sizeof start);
        listing->start_size = sizeof start;
    }
    listing->task.run = run_listing;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}
