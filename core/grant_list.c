#include "core/grant_list.h"

#include "core/memory.h"
#include "core/store/record.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* One box's list in the making. */
struct making {
    const struct gk_pickup_parts *parts;
    const char *box_id;
    int64_t now_ms;
    const struct gk_grant_list *before;
    struct gk_grant_list list;
};

struct cases {
    size_t count;
    uint8_t (*ids)[GK_CASE_ID_SIZE];
};

static bool collect_case(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct cases *cases = context;

    (void)value;
    memcpy(cases->ids[cases->count++], key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE);
    return cases->count < GK_GRANTS_PER_BOX;
}

static bool is_granted(const guika_v1_internal_FoundCard *card, int64_t now_ms)
{
    return gk_found_card_is_collectable(card) &&
           card->place.kind == guika_v1_internal_Place_Kind_PLACE_COMPARTMENT && !card->place.uncertain &&
           card->kind != guika_v1_CardKind_CARD_KIND_ID && card->issue > 0 &&
           now_ms < card->code_expires_at_ms;
}

static const struct gk_granted *find_before(const struct making *making, const struct gk_granted *item)
{
    const struct gk_grant_list *before = making->before;

    for (size_t i = 0; before != NULL && i < before->count; i++) {
        if (memcmp(before->items[i].case_id, item->case_id, sizeof item->case_id) == 0 &&
            memcmp(before->items[i].salt, item->salt, sizeof item->salt) == 0) {
            return &before->items[i];
        }
    }
    return NULL;
}

/* The code that a notice of the card carries, as the box's verifier takes it. */
static enum gk_status make_verifier(const struct making *making, const guika_v1_internal_FoundCard *card,
                                    struct gk_granted *item, unsigned *ret_digits, struct gk_error *error)
{
    const struct gk_pickup_binding binding = {card->case_id, card->issue, making->box_id,
                                              card->place.compartment};
    char tail[5];
    char code[GK_PICKUP_CODE_SIZE];
    char text[GK_GRANT_CODE_SIZE];
    enum gk_status status = gk_pickup_find_tail(making->parts, card, tail, error);

    if (status != GK_OK) {
        return status;
    }
    *ret_digits = tail[0] == '\0' ? GK_PICKUP_LONG : GK_PICKUP_SHORT;
    gk_pickup_code_make(making->parts->keys, &binding, *ret_digits, code);
    (void)gk_grant_code(code, tail, text);
    gk_keys_grant_salt(making->parts->keys, &binding, text, item->salt);
    const struct gk_granted *known = find_before(making, item);

    if (known != NULL) {
        memcpy(item->verifier, known->verifier, sizeof item->verifier);
    } else {
        status = gk_grant_verifier(text, item->salt, item->verifier, error);
    }
    sodium_memzero(code, sizeof code);
    sodium_memzero(text, sizeof text);
    return status;
}

static enum gk_status make_grant(const struct making *making, const guika_v1_internal_FoundCard *card,
                                 struct gk_granted *item, struct gk_error *error)
{
    const int64_t step = making->now_ms / GK_GRANT_STEP_MS;
    const int64_t longest_ms = step * GK_GRANT_STEP_MS + GK_GRANT_LIFE_MS;
    unsigned digits = 0;

    memcpy(item->case_id, card->case_id, sizeof item->case_id);
    const enum gk_status status = make_verifier(making, card, item, &digits, error);

    if (status != GK_OK) {
        return status;
    }
    guika_v1_PickupGrant grant = {
        .issue = card->issue,
        .opening = card->fencing_token,
        .not_before_ms = step * GK_GRANT_STEP_MS,
        .expires_at_ms = card->code_expires_at_ms < longest_ms ? card->code_expires_at_ms : longest_ms,
        .failed_tries = card->failed_tries,
        .locked_until_ms = card->locked_until_ms,
        .code_digits = digits,
    };

    (void)snprintf(grant.box_id, sizeof grant.box_id, "%s", making->box_id);
    memcpy(grant.case_id, card->case_id, sizeof grant.case_id);
    memcpy(grant.compartment, card->place.compartment, sizeof grant.compartment);
    if (strcmp(card->box_id, making->box_id) == 0) {
        memcpy(grant.deposit_id, card->deposit_id, sizeof grant.deposit_id);
    }
    memcpy(grant.salt, item->salt, sizeof grant.salt);
    memcpy(grant.verifier, item->verifier, sizeof grant.verifier);
    return gk_keys_sign_grant(making->parts->keys, &grant, &item->grant, error);
}

static enum gk_status look_at(struct making *making, const uint8_t *case_id, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = gk_record_read(making->parts->store, GK_FAMILY_FOUND_CARDS,
                                           (struct gk_bytes){case_id, GK_CASE_ID_SIZE},
                                           guika_v1_internal_FoundCard_fields, &card, error);

    if (status == GK_OK && is_granted(&card, making->now_ms)) {
        status = make_grant(making, &card, &making->list.items[making->list.count], error);
        making->list.count += status == GK_OK;
    }
    return status == GK_NOT_FOUND ? GK_OK : status; /* it was erased since the scan */
}

static uint64_t version_of(const struct gk_grant_list *list)
{
    crypto_generichash_state state;
    uint8_t hash[32];
    uint64_t version = 0;

    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < list->count; i++) {
        (void)crypto_generichash_update(&state, list->items[i].grant.signature,
                                        sizeof list->items[i].grant.signature);
    }
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    for (unsigned i = 0; i < sizeof version; i++) {
        version = version << 8 | hash[i];
    }
    return version == 0 ? 1 : version;
}

enum gk_status gk_grant_list_make(const struct gk_pickup_parts *parts, const char *box_id, int64_t now_ms,
                                  const struct gk_grant_list *before, const atomic_bool *stop,
                                  struct gk_grant_list *ret_list, struct gk_error *error)
{
    struct making making = {.parts = parts, .box_id = box_id, .now_ms = now_ms, .before = before};
    uint8_t prefix[GK_PLACE_KEY_SIZE];
    const struct gk_bytes here = {prefix, gk_found_card_place_key(box_id, NULL, prefix)};
    struct cases cases = {.ids = gk_allocate(GK_GRANTS_PER_BOX * sizeof *cases.ids)};
    enum gk_status status = gk_store_scan(parts->store, GK_FAMILY_BY_PLACE, here, (struct gk_bytes){NULL, 0},
                                          false, collect_case, &cases, error);

    making.list.items = gk_allocate((cases.count + 1) * sizeof *making.list.items);
    for (size_t i = 0; status == GK_OK && i < cases.count; i++) {
        status = atomic_load(stop) ? gk_error_set(error, GK_CANCELLED, "the service stops")
                                   : look_at(&making, cases.ids[i], error);
    }
    free(cases.ids);
    if (status != GK_OK) {
        gk_grant_list_clear(&making.list);
        return status;
    }
    making.list.version = version_of(&making.list);
    *ret_list = making.list;
    return GK_OK;
}

void gk_grant_list_clear(struct gk_grant_list *list)
{
    free(list->items);
    *list = (struct gk_grant_list){0};
}
