#include "core/enquiry_answer.h"

#include "core/codes.h"
#include "core/found_card_issuer.h"
#include "core/holdings.h"
#include "core/notification/messages.h"
#include "core/notification/outbox.h"
#include "core/security/contact_seal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000 };

/* What an answer is found with. */
struct inquest {
    struct gk_store *store;
    struct gk_registry *registry;
    const struct gk_keys *keys;
    int64_t now_ms;
    struct gk_enquiry_answer *answer;
    size_t first; /* of the card tokens, those of the number that is registered; */
    size_t count;
};

/* --- which card is told of --- */

struct latest {
    const char *box_id; /* told of before others; empty: any */
    guika_v1_internal_FoundCard card;
    bool found;
    unsigned rank;
};

/* It is here and somebody's, even where staff have to place it before it can be collected. */
static bool is_at_hand(const guika_v1_internal_FoundCard *card)
{
    return card->stored_at_ms != 0 && card->place.kind != guika_v1_internal_Place_Kind_PLACE_FINDER &&
           (card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
            card->state == guika_v1_CardState_CARD_STATE_NOTIFIED);
}

/* Of those in the box that was asked about the one found last; else of those that can be collected; else of
 * all. */
static bool keep_latest(void *context, const guika_v1_internal_FoundCard *card)
{
    struct latest *latest = context;
    const bool in_box =
        latest->box_id[0] != '\0' && strcmp(gk_found_card_place_id(card), latest->box_id) == 0;
    const unsigned rank = 2U * in_box + gk_found_card_is_collectable(card);

    if (is_at_hand(card) && (!latest->found || rank > latest->rank ||
                             (rank == latest->rank && card->received_at_ms > latest->card.received_at_ms))) {
        latest->card = *card;
        latest->found = true;
        latest->rank = rank;
    }
    return true;
}

/* --- the notice --- */

/* One message a contact and day: the message's id says which. */
static void name_notice(const struct inquest *inquest, const uint8_t *contact_token, uint8_t ret_id[16])
{
    uint8_t subject[GK_TOKEN_SIZE + 8];
    const uint64_t day = (uint64_t)(inquest->answer->record.asked_at_ms / DAY_MS);

    memcpy(subject, contact_token, GK_TOKEN_SIZE);
    for (unsigned i = 0; i < 8; i++) {
        subject[GK_TOKEN_SIZE + i] = (uint8_t)(day >> (56 - 8 * i));
    }
    gk_keys_message_id(inquest->keys, "enquiry", (struct gk_bytes){subject, sizeof subject}, ret_id);
}

static guika_v1_internal_NoticeRecord *begin_notice(struct inquest *inquest, const char *template_id)
{
    guika_v1_internal_NoticeRecord *notice = &inquest->answer->notices[inquest->answer->notice_count++];

    (void)snprintf(notice->template_id, sizeof notice->template_id, "%s", template_id);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_DUE;
    notice->created_at_ms = inquest->now_ms;
    notice->due_at_ms = inquest->now_ms;
    return notice;
}

static void describe_case(guika_v1_internal_NoticeRecord *notice, const guika_v1_internal_FoundCard *card)
{
    notice->case_id.size = GK_CASE_ID_SIZE;
    memcpy(notice->case_id.bytes, card->case_id, GK_CASE_ID_SIZE);
    (void)snprintf(notice->box_id, sizeof notice->box_id, "%s", gk_found_card_place_id(card));
    memcpy(notice->issuer, card->issuer, sizeof notice->issuer);
    notice->sealed_mask.size = card->sealed_mask.size;
    memcpy(notice->sealed_mask.bytes, card->sealed_mask.bytes, card->sealed_mask.size);
}

static void tell_owner(struct inquest *inquest, const struct gk_owner *owner, const uint8_t *contact_token,
                       const struct latest *latest)
{
    guika_v1_internal_NoticeRecord *notice =
        begin_notice(inquest, latest->found ? GK_MESSAGE_ENQUIRY_FOUND : GK_MESSAGE_ENQUIRY_NOT_FOUND);

    name_notice(inquest, contact_token, notice->notice_id);
    memcpy(notice->issuer_account, owner->issuer_account, sizeof notice->issuer_account);
    notice->holder_token.size = GK_TOKEN_SIZE;
    memcpy(notice->holder_token.bytes, owner->token, GK_TOKEN_SIZE);
    notice->contact = owner->contact;
    if (latest->found) {
        describe_case(notice, &latest->card);
    }
}

/* --- by a number --- */

/* Names the day's message by the holder's first contact, by the holder where that is no telephone and no
 * mail. */
static enum gk_status name_contact(const struct inquest *inquest, const struct gk_owner *owner,
                                   uint8_t ret_token[GK_TOKEN_SIZE], struct gk_error *error)
{
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    const enum gk_status status =
        gk_registry_holder(inquest->registry, owner->issuer_account, owner->token, &contacts, error);

    if (status == GK_OK && (contacts.contacts_count == 0 ||
                            !gk_registry_contact_token(inquest->registry, contacts.contacts[0], ret_token))) {
        memcpy(ret_token, owner->token, GK_TOKEN_SIZE);
    }
    sodium_memzero(&contacts, sizeof contacts);
    return status;
}

/* What was found of the registered number, under whichever of its tokens. */
static enum gk_status visit_found(const struct inquest *inquest, struct latest *latest,
                                  struct gk_error *error)
{
    const guika_v1_internal_EnquiryRecord *record = &inquest->answer->record;
    enum gk_status status = GK_OK;

    for (size_t i = 0; status == GK_OK && i < inquest->count; i++) {
        status = gk_holdings_of_card(inquest->store, record->card_tokens[inquest->first + i].bytes,
                                     keep_latest, latest, error);
    }
    return status;
}

static enum gk_status apply_ask_issuer(void *context, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    return gk_found_card_ask_issuer(transaction, context, error);
}

/* Of a card that its issuer registered by a token of its own nobody else can reach the holder: where it waits
 * until its holder asks, the issuer learns of it now. */
static enum gk_status ask_issuer(const struct inquest *inquest, struct gk_error *error)
{
    struct latest latest = {.box_id = inquest->answer->record.box_id};
    const enum gk_status status = visit_found(inquest, &latest, error);

    return status == GK_OK && latest.found
               ? gk_store_commit_and_wait(inquest->store, apply_ask_issuer, latest.card.case_id, error)
               : status;
}

static enum gk_status answer_by_card(struct inquest *inquest, const struct gk_registration *registration,
                                     struct gk_error *error)
{
    struct latest latest = {.box_id = inquest->answer->record.box_id};
    struct gk_owner owner = {.contact = 0};
    uint8_t contact_token[GK_TOKEN_SIZE];
    enum gk_status status;

    memcpy(owner.issuer_account, registration->issuer_account, sizeof owner.issuer_account);
    memcpy(owner.token, registration->holder_token, GK_TOKEN_SIZE);
    status = name_contact(inquest, &owner, contact_token, error);
    if (status == GK_NOT_FOUND || status == GK_DATA_LOSS) {
        return GK_OK; /* there is nobody to tell */
    }
    if (status == GK_OK) {
        status = visit_found(inquest, &latest, error);
    }
    if (status == GK_OK) {
        tell_owner(inquest, &owner, contact_token, &latest);
    }
    return status;
}

/* Which tokens are of one number and one key's owner: the service's come scheme by scheme, all index keys of
 * one together, and issuers' own after them one by one. */
static void name_tokens(struct inquest *inquest, size_t index, bool own_key)
{
    const size_t bases = inquest->answer->record.bases > 1 ? inquest->answer->record.bases : 1;

    inquest->first = own_key ? index : index - index % bases;
    inquest->count = own_key ? 1 : bases;
    if (inquest->count > inquest->answer->record.card_tokens_count - inquest->first) {
        inquest->count = inquest->answer->record.card_tokens_count - inquest->first;
    }
}

static enum gk_status find_by_card(struct inquest *inquest, struct gk_error *error)
{
    const guika_v1_internal_EnquiryRecord *record = &inquest->answer->record;

    for (size_t i = 0; i < record->card_tokens_count; i++) {
        struct gk_registration registration = {0};
        const enum gk_status status =
            gk_registry_look_up_token(inquest->registry, record->card_tokens[i].bytes, &registration, error);

        if (status != GK_OK) {
            return status;
        }
        if (registration.registered && !registration.cancelled) {
            name_tokens(inquest, i, registration.own_key);
            return registration.own_key ? ask_issuer(inquest, error)
                                        : answer_by_card(inquest, &registration, error);
        }
    }
    return GK_OK;
}

/* --- by a contact --- */

/* Of all that can be reached there, the one whose card was found last, else the first. */
static enum gk_status answer_owners(struct inquest *inquest, const struct gk_owner *owners, size_t count,
                                    struct gk_error *error)
{
    struct latest latest = {.box_id = inquest->answer->record.box_id};
    const struct gk_owner *told = &owners[0];

    for (size_t i = 0; i < count; i++) {
        const struct latest before = latest;
        const enum gk_status status =
            gk_holdings_of_owner(inquest->registry, inquest->store, &owners[i], keep_latest, &latest, error);

        if (status != GK_OK) {
            return status;
        }
        if (latest.found && (!before.found || memcmp(latest.card.case_id, before.card.case_id,
                                                     sizeof latest.card.case_id) != 0)) {
            told = &owners[i];
        }
    }
    tell_owner(inquest, told, inquest->answer->record.contact_token.bytes, &latest);
    return GK_OK;
}

/* The code's own message: to the contact that it proves and to no other. */
static void send_code(struct inquest *inquest, const struct gk_owner *owner)
{
    const guika_v1_internal_EnquiryRecord *record = &inquest->answer->record;
    guika_v1_internal_NoticeRecord *notice = begin_notice(inquest, GK_MESSAGE_CONTACT_CODE);
    uint8_t subject[GK_TOKEN_SIZE + GK_NONCE_SIZE];

    memcpy(subject, record->contact_token.bytes, GK_TOKEN_SIZE);
    memcpy(subject + GK_TOKEN_SIZE, inquest->answer->nonce, GK_NONCE_SIZE);
    gk_keys_message_id(inquest->keys, "contact_code", (struct gk_bytes){subject, sizeof subject},
                       notice->notice_id);
    notice->contact_token.size = GK_TOKEN_SIZE;
    memcpy(notice->contact_token.bytes, record->contact_token.bytes, GK_TOKEN_SIZE);
    if (owner != NULL && owner->address[0] != '\0') {
        /* As it is registered: its channel may not be the usual one. */
        notice->sealed_contact.size = (pb_size_t)gk_contact_seal(
            inquest->keys, record->contact_token.bytes, owner->address, notice->sealed_contact.bytes);
        memcpy(notice->language, owner->language, sizeof notice->language);
    } else {
        notice->sealed_contact.size = record->sealed_contact.size;
        memcpy(notice->sealed_contact.bytes, record->sealed_contact.bytes, record->sealed_contact.size);
        memcpy(notice->language, record->language, sizeof notice->language);
    }
}

static enum gk_status find_by_contact(struct inquest *inquest, struct gk_error *error)
{
    const guika_v1_internal_EnquiryRecord *record = &inquest->answer->record;
    struct gk_owner owners[GK_OWNERS_MAX];
    size_t count = 0;
    enum gk_status status = gk_holdings_owners(inquest->registry, inquest->store, record->contact_token.bytes,
                                               owners, &count, error);

    if (status == GK_OK && record->kind != guika_v1_internal_EnquiryRecord_Kind_ENQUIRY_STATUS) {
        if (count > 0 || record->kind == guika_v1_internal_EnquiryRecord_Kind_ENQUIRY_CODE_TO_WATCH) {
            send_code(inquest, count > 0 ? &owners[0] : NULL);
        }
    } else if (status == GK_OK && count > 0) {
        status = answer_owners(inquest, owners, count, error);
    }
    sodium_memzero(owners, sizeof owners);
    return status;
}

enum gk_status gk_enquiry_answer_find(struct gk_store *store, struct gk_registry *registry,
                                      const struct gk_keys *keys, int64_t now_ms,
                                      struct gk_enquiry_answer *answer, struct gk_error *error)
{
    struct inquest inquest = {
        .store = store, .registry = registry, .keys = keys, .now_ms = now_ms, .answer = answer};
    enum gk_status status = GK_OK;

    answer->notice_count = 0;
    memset(answer->notices, 0, sizeof answer->notices);
    randombytes_buf(answer->nonce, sizeof answer->nonce);
    if (answer->record.contact_token.size == GK_TOKEN_SIZE) {
        status = find_by_contact(&inquest, error);
    }
    return status == GK_OK ? find_by_card(&inquest, error) : status;
}

/* --- writing --- */

static enum gk_status write_notice(struct gk_transaction *transaction,
                                   const guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    struct gk_value told = {NULL, 0};
    const enum gk_status status =
        gk_transaction_get(transaction, GK_FAMILY_OUTBOX,
                           (struct gk_bytes){notice->notice_id, sizeof notice->notice_id}, &told, error);

    if (status == GK_OK) {
        gk_value_free(&told);
        return GK_OK;
    }
    return status == GK_NOT_FOUND ? gk_outbox_add(transaction, notice, error) : status;
}

enum gk_status gk_enquiry_answer_write(struct gk_transaction *transaction,
                                       const struct gk_enquiry_answer *answer, struct gk_error *error)
{
    enum gk_status status = GK_OK;

    gk_transaction_delete(transaction, GK_FAMILY_ENQUIRIES,
                          (struct gk_bytes){answer->key, sizeof answer->key});
    if (answer->record.kind != guika_v1_internal_EnquiryRecord_Kind_ENQUIRY_STATUS) {
        /* For every contact, known or not: a try must not show which it is. */
        status = gk_codes_issue(transaction, answer->record.contact_token.bytes, answer->nonce, error);
    }
    for (size_t i = 0; i < answer->notice_count && status == GK_OK; i++) {
        status = write_notice(transaction, &answer->notices[i], error);
    }
    return status;
}
