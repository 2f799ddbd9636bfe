/* ListMyCards: what belongs to a proven contact. */
#include "core/found_card.h"
#include "core/holdings.h"
#include "core/memory.h"
#include "core/notification/messages.h"
#include "core/pickup.h"
#include "core/security/hex.h"
#include "core/services/holder.h"
#include "core/store/record.h"
#include "core/task.h"
#include "core/watches.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    uint8_t contact_token[GK_TOKEN_SIZE];
    guika_v1_ListMyCardsResponse response;
    enum gk_status status;
    struct gk_error error;
};

/* Where it lies, as the operator described the box or desk. */
static void fill_place(const struct gk_services *services, const guika_v1_internal_FoundCard *card,
                       guika_v1_MyCard *row)
{
    guika_v1_internal_BoxRecord *box = gk_allocate(sizeof *box);
    const char *place = gk_found_card_place_id(card);

    if (gk_record_read(services->store, GK_FAMILY_BOXES,
                       (struct gk_bytes){(const uint8_t *)place, strlen(place)},
                       guika_v1_internal_BoxRecord_fields, box, NULL) == GK_OK) {
        row->has_place = row->has_opening_hours = row->has_collecting = true;
        row->place = box->described.place;
        row->opening_hours = box->described.opening_hours;
        row->collecting = box->described.collecting;
        memcpy(row->map_url, box->described.map_url, sizeof row->map_url);
    }
    free(box);
}

/* The code in force, as a message would carry it. */
static void fill_code(const struct gk_services *services, const guika_v1_internal_FoundCard *card,
                      guika_v1_MyCard *row)
{
    const struct gk_pickup_parts parts = {services->store, services->keys, services->registry,
                                          services->retention};
    guika_v1_internal_HolderContacts *holder = gk_allocate(sizeof *holder);
    struct gk_outbox_pickup pickup = {.tail_digits = 0};

    if (gk_holdings_contacts(services->registry, services->store, services->keys, card->issuer_account,
                             card->holder_token.bytes, holder, NULL) == GK_OK &&
        gk_pickup_tell(&parts, card->case_id, holder, &pickup, NULL) == GK_OK) {
        (void)snprintf(row->pickup_code, sizeof row->pickup_code, "%s", pickup.code);
        row->telephone_digits = pickup.tail_digits;
        row->code_expires_at_ms = pickup.expires_at_ms;
    }
    sodium_memzero(&pickup, sizeof pickup);
    sodium_memzero(holder, sizeof *holder);
    free(holder);
}

static void fill_issuer(const struct gk_services *services, const guika_v1_internal_FoundCard *card,
                        guika_v1_MyCard *row)
{
    guika_v1_internal_ShelfIssuer issuer;

    if (gk_shelf_find(services->shelf, card->issuer, &issuer)) {
        row->has_issuer = true;
        (void)snprintf(row->issuer.zh, sizeof row->issuer.zh, "%s", issuer.name_zh);
        (void)snprintf(row->issuer.en, sizeof row->issuer.en, "%s", issuer.name_en);
    }
}

static void fill_row(const struct gk_services *services, const guika_v1_internal_FoundCard *card,
                     guika_v1_MyCard *row)
{
    *row = (guika_v1_MyCard)guika_v1_MyCard_init_zero;
    gk_hex_encode(card->case_id, GK_CASE_ID_SIZE, row->case_id);
    gk_message_case_number(card->case_id, row->case_number);
    row->state = card->state;
    row->kind = card->kind;
    row->found_at_ms = card->received_at_ms;
    gk_holder_last_four(services->keys, (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                        (struct gk_bytes){card->sealed_mask.bytes, card->sealed_mask.size}, row->last_four);
    fill_issuer(services, card, row);
    if (gk_found_card_is_collectable(card)) {
        fill_place(services, card, row);
        fill_code(services, card, row);
    }
}

/* Found last comes first; what was found longest ago gives way. */
static bool add_card(void *context, const guika_v1_internal_FoundCard *card)
{
    struct listing *listing = context;
    guika_v1_ListMyCardsResponse *response = &listing->response;
    const pb_size_t room = sizeof response->cards / sizeof response->cards[0];
    pb_size_t at = response->cards_count;

    if (card->stored_at_ms == 0 || card->state == guika_v1_CardState_CARD_STATE_GIVEN_BACK) {
        return true; /* it is not here (yet) */
    }
    while (at > 0 && response->cards[at - 1].found_at_ms < card->received_at_ms) {
        at--;
    }
    if (at == room) {
        return true;
    }
    response->cards_count = response->cards_count == room ? room : response->cards_count + 1;
    memmove(&response->cards[at + 1], &response->cards[at],
            (response->cards_count - at - 1U) * sizeof response->cards[0]);
    fill_row(listing->services, card, &response->cards[at]);
    return true;
}

static void describe_watch(const struct gk_keys *keys, const guika_v1_internal_WatchRecord *watch,
                           guika_v1_MyWatch *row)
{
    const struct gk_bytes context = {watch->watch_id, GK_WATCH_ID_SIZE};
    guika_v1_internal_WatchDescription description = guika_v1_internal_WatchDescription_init_zero;

    gk_hex_encode(watch->watch_id, GK_WATCH_ID_SIZE, row->watch_id);
    row->kind = watch->kind;
    row->filed_at_ms = watch->filed_at_ms;
    gk_holder_last_four(keys, context, (struct gk_bytes){watch->sealed_mask.bytes, watch->sealed_mask.size},
                        row->last_four);
    if (gk_watches_describe(keys, watch, &description)) {
        memcpy(row->line, description.line, sizeof row->line);
    }
    if (watch->case_id.size == GK_CASE_ID_SIZE) {
        gk_hex_encode(watch->case_id.bytes, GK_CASE_ID_SIZE, row->case_id);
    }
}

static bool add_watch(void *context, const guika_v1_internal_WatchRecord *watch)
{
    struct listing *listing = context;
    guika_v1_ListMyCardsResponse *response = &listing->response;

    describe_watch(listing->services->keys, watch, &response->watches[response->watches_count++]);
    return response->watches_count < sizeof response->watches / sizeof response->watches[0];
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);
    const struct gk_services *services = listing->services;
    struct gk_owner owners[GK_OWNERS_MAX];
    size_t count = 0;

    listing->status = gk_holdings_owners(services->registry, services->store, listing->contact_token, owners,
                                         &count, &listing->error);
    for (size_t i = 0; i < count && listing->status == GK_OK; i++) {
        listing->status = gk_holdings_of_owner(services->registry, services->store, &owners[i], add_card,
                                               listing, &listing->error);
    }
    if (listing->status == GK_OK) {
        listing->status =
            gk_watches_each(services->store, listing->contact_token, add_watch, listing, &listing->error);
    }
    sodium_memzero(owners, sizeof owners);
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else {
        guika_v1_holder_service_list_my_cards_reply(listing->call, &listing->response);
    }
    free(listing);
}

void gk_holder_list_my_cards(struct gk_rpc_call *call, const guika_v1_ListMyCardsRequest *request,
                             void *context)
{
    const struct gk_services *services = context;
    const struct gk_session *session = gk_holder_session(call, services);

    (void)request;
    if (session == NULL) {
        return;
    }
    struct listing *listing = gk_allocate(sizeof *listing);

    listing->call = call;
    listing->services = services;
    memcpy(listing->contact_token, session->contact_token, GK_TOKEN_SIZE);
    listing->task.run = run_listing;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}
