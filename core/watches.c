#include "core/watches.h"

#include "core/found_card.h"
#include "core/security/contact_seal.h"
#include "core/store/record.h"

#include <sodium.h>
#include <string.h>

bool gk_watches_may_claim(guika_v1_CardKind kind)
{
    return kind == guika_v1_CardKind_CARD_KIND_TRANSIT || kind == guika_v1_CardKind_CARD_KIND_PARKING ||
           kind == guika_v1_CardKind_CARD_KIND_CAMPUS;
}

/* --- records --- */

static void make_key(const uint8_t contact_token[GK_TOKEN_SIZE], const uint8_t watch_id[GK_WATCH_ID_SIZE],
                     uint8_t ret_key[GK_WATCH_KEY_SIZE])
{
    memcpy(ret_key, contact_token, GK_TOKEN_SIZE);
    memcpy(ret_key + GK_TOKEN_SIZE, watch_id, GK_WATCH_ID_SIZE);
}

static enum gk_status get_watch(struct gk_transaction *transaction,
                                const uint8_t contact_token[GK_TOKEN_SIZE],
                                const uint8_t watch_id[GK_WATCH_ID_SIZE],
                                guika_v1_internal_WatchRecord *ret_watch, struct gk_error *error)
{
    uint8_t key[GK_WATCH_KEY_SIZE];

    make_key(contact_token, watch_id, key);
    return gk_record_get(transaction, GK_FAMILY_WATCHES, (struct gk_bytes){key, sizeof key},
                         guika_v1_internal_WatchRecord_fields, ret_watch, error);
}

enum { MARK_SIZE = sizeof GK_CLAIM_PREFIX - 1 + GK_WATCH_ID_SIZE };

/* The key in meta by which operators find a watch. */
static void make_mark(const uint8_t watch_id[GK_WATCH_ID_SIZE], uint8_t ret_mark[MARK_SIZE])
{
    memcpy(ret_mark, GK_CLAIM_PREFIX, sizeof GK_CLAIM_PREFIX - 1);
    memcpy(ret_mark + sizeof GK_CLAIM_PREFIX - 1, watch_id, GK_WATCH_ID_SIZE);
}

static void unmark(struct gk_transaction *transaction, const uint8_t watch_id[GK_WATCH_ID_SIZE])
{
    uint8_t mark[MARK_SIZE];

    make_mark(watch_id, mark);
    gk_transaction_delete(transaction, GK_FAMILY_META, (struct gk_bytes){mark, sizeof mark});
}

enum gk_status gk_watches_put(struct gk_transaction *transaction, const guika_v1_internal_WatchRecord *watch,
                              struct gk_error *error)
{
    const struct gk_bytes token = {watch->contact_token, GK_TOKEN_SIZE};
    uint8_t mark[MARK_SIZE];
    uint8_t key[GK_WATCH_KEY_SIZE];

    make_mark(watch->watch_id, mark);
    if (watch->state == guika_v1_internal_WatchRecord_State_WATCH_WAITING &&
        watch->for_operator != guika_v1_WatchReason_WATCH_REASON_NONE) {
        gk_transaction_put(transaction, GK_FAMILY_META, (struct gk_bytes){mark, sizeof mark}, token);
    } else {
        unmark(transaction, watch->watch_id);
    }
    make_key(watch->contact_token, watch->watch_id, key);
    return gk_record_put(transaction, GK_FAMILY_WATCHES, (struct gk_bytes){key, sizeof key},
                         guika_v1_internal_WatchRecord_fields, watch, error);
}

/* The claim record of a number; empty where there is none. */
static enum gk_status get_claims(struct gk_transaction *transaction, const uint8_t card_token[GK_TOKEN_SIZE],
                                 guika_v1_internal_ClaimRecord *ret_claims, struct gk_error *error)
{
    const enum gk_status status =
        gk_record_get(transaction, GK_FAMILY_CLAIMS, (struct gk_bytes){card_token, GK_TOKEN_SIZE},
                      guika_v1_internal_ClaimRecord_fields, ret_claims, error);

    return status == GK_NOT_FOUND ? GK_OK : status;
}

static enum gk_status put_claims(struct gk_transaction *transaction, const uint8_t card_token[GK_TOKEN_SIZE],
                                 const guika_v1_internal_ClaimRecord *claims, struct gk_error *error)
{
    const struct gk_bytes key = {card_token, GK_TOKEN_SIZE};

    if (claims->watchers_count == 0 && claims->case_ids_count == 0) {
        gk_transaction_delete(transaction, GK_FAMILY_CLAIMS, key);
        return GK_OK;
    }
    return gk_record_put(transaction, GK_FAMILY_CLAIMS, key, guika_v1_internal_ClaimRecord_fields, claims,
                         error);
}

uint32_t gk_watches_base(const guika_v1_internal_WatchRecord *watch, size_t index)
{
    return index < watch->card_bases_count && watch->card_bases[index] != 0 ? watch->card_bases[index] : 1;
}

/* --- filing --- */

/* One that went home, was destroyed or is erased is not. */
static bool lies_here(struct gk_transaction *transaction, const uint8_t *case_id)
{
    guika_v1_internal_FoundCard card = {0};

    return gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){case_id, GK_CASE_ID_SIZE},
                         guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK &&
           !gk_found_card_is_closed(&card);
}

/* A card of the number lies here, whosever it is. One that does not any more does not count: the number may
 * be lost again. */
static bool is_here_already(struct gk_transaction *transaction, const guika_v1_internal_ClaimRecord *claims)
{
    for (pb_size_t i = 0; i < claims->case_ids_count; i++) {
        if (lies_here(transaction, claims->case_ids[i])) {
            return true;
        }
    }
    return false;
}

/* Joins those who watch for the number. A full record takes no more: an operator sees the watch anyway,
 * because it has rivals. */
static enum gk_status join(struct gk_transaction *transaction, guika_v1_internal_WatchRecord *watch,
                           const uint8_t card_token[GK_TOKEN_SIZE], uint32_t base, struct gk_error *error)
{
    guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;
    const enum gk_status status = get_claims(transaction, card_token, &claims, error);

    if (status != GK_OK) {
        return status;
    }
    if (is_here_already(transaction, &claims)) {
        watch->for_operator = guika_v1_WatchReason_WATCH_REASON_LATE;
    }
    if (claims.watchers_count < sizeof claims.watchers / sizeof claims.watchers[0]) {
        guika_v1_internal_Watcher *watcher = &claims.watchers[claims.watchers_count++];

        memcpy(watcher->contact_token, watch->contact_token, GK_TOKEN_SIZE);
        memcpy(watcher->watch_id, watch->watch_id, GK_WATCH_ID_SIZE);
        watcher->filed_at_ms = watch->filed_at_ms;
    } else {
        watch->for_operator = guika_v1_WatchReason_WATCH_REASON_RIVAL;
    }
    claims.base_epoch = base;
    return put_claims(transaction, card_token, &claims, error);
}

enum gk_status gk_watches_file(struct gk_transaction *transaction, guika_v1_internal_WatchRecord *watch,
                               struct gk_error *error)
{
    enum gk_status status = GK_OK;

    watch->filed_at_ms = gk_transaction_now_ms(transaction);
    watch->state = guika_v1_internal_WatchRecord_State_WATCH_WAITING;
    watch->for_operator = watch->card_tokens_count == 0 ? guika_v1_WatchReason_WATCH_REASON_DESCRIPTION
                                                        : guika_v1_WatchReason_WATCH_REASON_NONE;
    for (pb_size_t i = 0; i < watch->card_tokens_count && status == GK_OK; i++) {
        status = join(transaction, watch, watch->card_tokens[i], gk_watches_base(watch, i), error);
    }
    if (status != GK_OK) {
        return status;
    }
    gk_transaction_count(transaction, "", "watches");
    gk_transaction_audit(transaction, "holder", "watch.file",
                         (struct gk_bytes){watch->watch_id, GK_WATCH_ID_SIZE}, "");
    return gk_watches_put(transaction, watch, error);
}

/* --- a card is found --- */

/* One contact alone watches for it; two watches of one contact are no rivals. */
static bool is_one_contact(const guika_v1_internal_ClaimRecord *claims)
{
    for (pb_size_t i = 1; i < claims->watchers_count; i++) {
        if (memcmp(claims->watchers[i].contact_token, claims->watchers[0].contact_token, GK_TOKEN_SIZE) !=
            0) {
            return false;
        }
    }
    return claims->watchers_count > 0;
}

void gk_watches_note_case(struct gk_transaction *transaction, guika_v1_internal_ClaimRecord *claims,
                          const uint8_t case_id[16])
{
    const pb_size_t room = sizeof claims->case_ids / sizeof claims->case_ids[0];
    pb_size_t left_out = 0;

    for (pb_size_t i = 0; i < claims->case_ids_count; i++) {
        if (memcmp(claims->case_ids[i], case_id, sizeof claims->case_ids[0]) == 0) {
            return;
        }
    }
    if (claims->case_ids_count == room) {
        while (left_out < room && lies_here(transaction, claims->case_ids[left_out])) {
            left_out++;
        }
        left_out = left_out < room ? left_out : 0;
        claims->case_ids_count--;
        memmove(claims->case_ids[left_out], claims->case_ids[left_out + 1],
                (size_t)(claims->case_ids_count - left_out) * sizeof claims->case_ids[0]);
    }
    memcpy(claims->case_ids[claims->case_ids_count++], case_id, sizeof claims->case_ids[0]);
}

static enum gk_status mark_rivals(struct gk_transaction *transaction,
                                  const guika_v1_internal_ClaimRecord *claims, struct gk_error *error)
{
    enum gk_status status = GK_OK;

    for (pb_size_t i = 0; i < claims->watchers_count && status == GK_OK; i++) {
        const guika_v1_internal_Watcher *watcher = &claims->watchers[i];
        guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;

        status = get_watch(transaction, watcher->contact_token, watcher->watch_id, &watch, error);
        if (status == GK_OK && watch.for_operator == guika_v1_WatchReason_WATCH_REASON_NONE) {
            watch.for_operator = guika_v1_WatchReason_WATCH_REASON_RIVAL;
            status = gk_watches_put(transaction, &watch, error);
        }
    }
    return status;
}

enum gk_status gk_watches_found(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card,
                                bool *ret_claimed, uint8_t ret_contact_token[GK_TOKEN_SIZE],
                                struct gk_error *error)
{
    guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;
    const uint8_t *token = card->card_token.bytes;
    enum gk_status status;

    *ret_claimed = false;
    if (!gk_watches_may_claim(card->kind) || card->card_token.size != GK_TOKEN_SIZE) {
        return GK_OK;
    }
    status = get_claims(transaction, token, &claims, error);
    if (status != GK_OK) {
        return status;
    }
    gk_watches_note_case(transaction, &claims, card->case_id);
    claims.base_epoch = card->base_epoch;
    status = put_claims(transaction, token, &claims, error);
    if (status != GK_OK || claims.watchers_count == 0) {
        return status;
    }
    const guika_v1_internal_Watcher first = claims.watchers[0];

    /* A watch that came while a card of that number lay here already is late, and not for the next one. */
    if (!is_one_contact(&claims) || first.filed_at_ms >= card->received_at_ms) {
        return mark_rivals(transaction, &claims, error);
    }
    status = gk_watches_match(transaction, first.contact_token, first.watch_id, card->case_id, error);
    if (status == GK_OK) {
        memcpy(ret_contact_token, first.contact_token, GK_TOKEN_SIZE);
        *ret_claimed = true;
    }
    return status;
}

/* --- the end of a watch --- */

/* Takes it out of the claim records of its numbers. */
static enum gk_status leave(struct gk_transaction *transaction, const guika_v1_internal_WatchRecord *watch,
                            struct gk_error *error)
{
    enum gk_status status = GK_OK;

    for (pb_size_t i = 0; i < watch->card_tokens_count && status == GK_OK; i++) {
        guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;
        pb_size_t kept = 0;

        status = get_claims(transaction, watch->card_tokens[i], &claims, error);
        for (pb_size_t j = 0; j < claims.watchers_count; j++) {
            if (memcmp(claims.watchers[j].watch_id, watch->watch_id, GK_WATCH_ID_SIZE) != 0) {
                claims.watchers[kept++] = claims.watchers[j];
            }
        }
        claims.watchers_count = kept;
        if (status == GK_OK) {
            status = put_claims(transaction, watch->card_tokens[i], &claims, error);
        }
    }
    return status;
}

enum gk_status gk_watches_get(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                              const uint8_t watch_id[GK_WATCH_ID_SIZE],
                              guika_v1_internal_WatchRecord *ret_watch, struct gk_error *error)
{
    const enum gk_status status = get_watch(transaction, contact_token, watch_id, ret_watch, error);

    if (status == GK_NOT_FOUND ||
        (status == GK_OK && ret_watch->state != guika_v1_internal_WatchRecord_State_WATCH_WAITING)) {
        return gk_error_set(error, GK_NOT_FOUND, "there is no such watch, or it has ended");
    }
    return status;
}

static void erase(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                  const uint8_t watch_id[GK_WATCH_ID_SIZE])
{
    uint8_t key[GK_WATCH_KEY_SIZE];

    unmark(transaction, watch_id);
    make_key(contact_token, watch_id, key);
    gk_transaction_delete(transaction, GK_FAMILY_WATCHES, (struct gk_bytes){key, sizeof key});
}

enum gk_status gk_watches_end(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                              const uint8_t watch_id[GK_WATCH_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;
    enum gk_status status = gk_watches_get(transaction, contact_token, watch_id, &watch, error);

    if (status == GK_OK) {
        status = leave(transaction, &watch, error);
    }
    if (status != GK_OK) {
        return status;
    }
    erase(transaction, contact_token, watch_id);
    return GK_OK;
}

enum gk_status gk_watches_match(struct gk_transaction *transaction,
                                const uint8_t contact_token[GK_TOKEN_SIZE],
                                const uint8_t watch_id[GK_WATCH_ID_SIZE], const uint8_t case_id[16],
                                struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;
    enum gk_status status = gk_watches_get(transaction, contact_token, watch_id, &watch, error);

    if (status == GK_OK) {
        status = leave(transaction, &watch, error);
    }
    if (status != GK_OK) {
        return status;
    }
    watch.state = guika_v1_internal_WatchRecord_State_WATCH_MATCHED;
    watch.sealed_description.size = 0;
    watch.case_id.size = sizeof watch.case_id.bytes;
    memcpy(watch.case_id.bytes, case_id, sizeof watch.case_id.bytes);
    return gk_watches_put(transaction, &watch, error);
}

/* --- reading --- */

struct visiting {
    bool (*visit)(void *context, const guika_v1_internal_WatchRecord *watch);
    void *context;
};

static bool visit_watch(void *context, struct gk_bytes key, struct gk_bytes value)
{
    const struct visiting *visiting = context;
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;

    (void)key;
    return gk_record_decode(value, guika_v1_internal_WatchRecord_fields, &watch, NULL) != GK_OK ||
           visiting->visit(visiting->context, &watch);
}

enum gk_status gk_watches_each(struct gk_store *store, const uint8_t contact_token[GK_TOKEN_SIZE],
                               bool (*visit)(void *context, const guika_v1_internal_WatchRecord *watch),
                               void *context, struct gk_error *error)
{
    struct visiting visiting = {visit, context};

    return gk_store_scan(store, GK_FAMILY_WATCHES, (struct gk_bytes){contact_token, GK_TOKEN_SIZE},
                         (struct gk_bytes){NULL, 0}, false, visit_watch, &visiting, error);
}

static bool take_first(void *context, const guika_v1_internal_WatchRecord *watch)
{
    *(guika_v1_internal_WatchRecord *)context = *watch;
    return false;
}

enum gk_status gk_watches_holder(struct gk_store *store, const struct gk_keys *keys,
                                 const uint8_t contact_token[GK_TOKEN_SIZE],
                                 guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    enum gk_status status = gk_watches_each(store, contact_token, take_first, &watch, error);

    if (status != GK_OK) {
        return status;
    }
    if (watch.sealed_contact.size == 0) {
        return gk_error_set(error, GK_NOT_FOUND, "nothing is watched for by this contact any more");
    }
    status = gk_contact_open(keys, contact_token,
                             (struct gk_bytes){watch.sealed_contact.bytes, watch.sealed_contact.size},
                             contacts.contacts[0], error);
    if (status != GK_OK) {
        return status;
    }
    contacts.contacts_count = 1;
    memcpy(contacts.language, watch.language, sizeof contacts.language);
    *ret_contacts = contacts;
    return GK_OK;
}

bool gk_watches_describe(const struct gk_keys *keys, const guika_v1_internal_WatchRecord *watch,
                         guika_v1_internal_WatchDescription *ret_description)
{
    const struct gk_bytes sealed = {watch->sealed_description.bytes, watch->sealed_description.size};
    uint8_t plain[sizeof watch->sealed_description.bytes];

    if (sealed.size <= GK_SEAL_OVERHEAD ||
        gk_keys_open_sealed(keys, GK_SEAL_CONTACTS, (struct gk_bytes){watch->watch_id, GK_WATCH_ID_SIZE},
                            sealed, plain, NULL) != GK_OK) {
        return false;
    }
    const enum gk_status status =
        gk_record_decode((struct gk_bytes){plain, sealed.size - GK_SEAL_OVERHEAD},
                         guika_v1_internal_WatchDescription_fields, ret_description, NULL);

    sodium_memzero(plain, sizeof plain);
    return status == GK_OK;
}
