#include "core/decision.h"

#include "core/registry/match.h"
#include "core/same_number.h"

#include <assert.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    ASKED_MAX = 2, /* a finder does not wait for a third round of pictures */
    FRAMES_MAX = 8,
    CANDIDATES_MAX = 20,
};

/* The bit of a lamp in a set; 0 for a number that is no lamp. */
static uint32_t lamp_bit(guika_v1_Lamp lamp)
{
    return lamp > guika_v1_Lamp_LAMP_UNSPECIFIED && lamp <= guika_v1_Lamp_LAMP_BOTTOM ? 1U << (unsigned)lamp
                                                                                      : 0;
}

/* Another picture that the box can take and has not: the reader's wish first, then any other lamp, then the
 * other side. */
static bool find_view(const struct gk_evidence *evidence, guika_v1_Side *ret_side, guika_v1_Lamp *ret_lamp)
{
    uint32_t front = evidence->abilities.front_lamps;
    uint32_t back = evidence->abilities.back_lamps;
    const bool wants_back = evidence->read.wanted_side == guika_v1_Side_SIDE_BACK;

    for (size_t i = 0; i < evidence->frame_count; i++) {
        const guika_v1_Frame *frame = &evidence->frames[i];
        const guika_v1_Lamp lamp =
            frame->lamp == guika_v1_Lamp_LAMP_UNSPECIFIED ? guika_v1_Lamp_LAMP_DIFFUSE : frame->lamp;

        if (frame->side == guika_v1_Side_SIDE_BACK) {
            back &= ~lamp_bit(lamp);
        } else {
            front &= ~lamp_bit(lamp);
        }
    }
    const uint32_t lamps = wants_back && back != 0 ? back : front != 0 ? front : back;

    if (lamps == 0) {
        return false;
    }
    *ret_side =
        lamps == front && !(wants_back && back != 0) ? guika_v1_Side_SIDE_FRONT : guika_v1_Side_SIDE_BACK;
    *ret_lamp = (lamps & lamp_bit(evidence->read.wanted_lamp)) != 0 ? evidence->read.wanted_lamp
                                                                    : (guika_v1_Lamp)__builtin_ctz(lamps);
    return true;
}

static bool may_ask(const struct gk_evidence *evidence)
{
    return evidence->may_ask && evidence->asked < ASKED_MAX && evidence->frame_count < FRAMES_MAX &&
           evidence->read.another_frame_may_help;
}

static void keep(struct gk_found_card_decision *decision, guika_v1_CardState state, guika_v1_Zone zone)
{
    decision->card.state = state;
    decision->card.decided_zone = zone;
    decision->card.has_place = true;
    decision->card.place.kind = guika_v1_internal_Place_Kind_PLACE_SLOT;
    decision->deposit.answer.decision = guika_v1_DepositResponse_Decision_KEEP;
    decision->deposit.answer.zone = zone;
}

static void give_back(struct gk_found_card_decision *decision, guika_v1_DepositResponse_GiveBackReason reason)
{
    decision->card.state = guika_v1_CardState_CARD_STATE_GIVEN_BACK;
    decision->card.has_place = true;
    decision->card.place.kind = guika_v1_internal_Place_Kind_PLACE_FINDER;
    decision->deposit.answer.decision = guika_v1_DepositResponse_Decision_GIVE_BACK;
    decision->deposit.answer.give_back_reason = reason;
}

static void seal_mask(const struct gk_keys *keys, struct gk_found_card_decision *decision, const char *masked)
{
    const struct gk_bytes plain = {(const uint8_t *)masked, strlen(masked)};

    gk_keys_seal(keys, GK_SEAL_MASK, (struct gk_bytes){decision->card.case_id, GK_CASE_ID_SIZE}, plain,
                 decision->card.sealed_mask.bytes);
    decision->card.sealed_mask.size = (pb_size_t)(plain.size + GK_SEAL_OVERHEAD);
}

/* What candidates are sealed with: the case id and their name, which keeps them apart from the mask. */
struct candidates_context {
    uint8_t bytes[GK_CASE_ID_SIZE + sizeof "candidates" - 1];
};

static struct candidates_context candidates_context(const uint8_t *case_id)
{
    struct candidates_context context;

    memcpy(context.bytes, case_id, GK_CASE_ID_SIZE);
    memcpy(context.bytes + GK_CASE_ID_SIZE, "candidates", sizeof "candidates" - 1);
    return context;
}

/* The likeliest, masked, for the person who looks at the card. */
static void seal_candidates(const struct gk_keys *keys, struct gk_found_card_decision *decision,
                            const guika_v1_internal_CompleteRecognitionRequest *read)
{
    const struct candidates_context context = candidates_context(decision->card.case_id);
    guika_v1_internal_MaskedCandidates kept = {0};
    uint8_t plain[guika_v1_internal_MaskedCandidates_size];
    pb_ostream_t stream = pb_ostream_from_buffer(plain, sizeof plain);
    const size_t room = sizeof kept.items / sizeof kept.items[0];

    static_assert(guika_v1_internal_MaskedCandidates_size + GK_SEAL_OVERHEAD <=
                      sizeof decision->card.sealed_candidates.bytes,
                  "the longest candidates fit");
    for (size_t i = 0; i < read->candidates_count && i < room; i++) {
        guika_v1_internal_MaskedCandidate *item = &kept.items[kept.items_count++];

        (void)snprintf(item->issuer, sizeof item->issuer, "%s", read->candidates[i].issuer);
        (void)snprintf(item->scheme, sizeof item->scheme, "%s", read->candidates[i].scheme);
        (void)snprintf(item->masked, sizeof item->masked, "%s", read->candidates[i].masked);
        item->probability = read->candidates[i].probability;
    }
    decision->card.sealed_candidates.size = 0;
    if (kept.items_count > 0 && pb_encode(&stream, guika_v1_internal_MaskedCandidates_fields, &kept)) {
        gk_keys_seal(keys, GK_SEAL_MASK, (struct gk_bytes){context.bytes, sizeof context.bytes},
                     (struct gk_bytes){plain, stream.bytes_written}, decision->card.sealed_candidates.bytes);
        decision->card.sealed_candidates.size = (pb_size_t)(stream.bytes_written + GK_SEAL_OVERHEAD);
    }
}

bool gk_decision_candidates(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                            guika_v1_internal_MaskedCandidates *ret_candidates)
{
    const struct candidates_context context = candidates_context(card->case_id);
    const struct gk_bytes sealed = {card->sealed_candidates.bytes, card->sealed_candidates.size};
    guika_v1_internal_MaskedCandidates candidates = {0};
    uint8_t plain[sizeof card->sealed_candidates.bytes];

    if (sealed.size <= GK_SEAL_OVERHEAD ||
        gk_keys_open_sealed(keys, GK_SEAL_MASK, (struct gk_bytes){context.bytes, sizeof context.bytes},
                            sealed, plain, NULL) != GK_OK) {
        return false;
    }
    pb_istream_t stream = pb_istream_from_buffer(plain, sealed.size - GK_SEAL_OVERHEAD);

    if (!pb_decode(&stream, guika_v1_internal_MaskedCandidates_fields, &candidates)) {
        return false;
    }
    *ret_candidates = candidates;
    return true;
}

/* What is known of the number: its token, never itself. */
static void describe(const struct gk_keys *keys, struct gk_found_card_decision *decision,
                     const guika_v1_internal_Candidate *candidate, const struct gk_registration *registration)
{
    guika_v1_internal_FoundCard *card = &decision->card;

    (void)snprintf(card->issuer, sizeof card->issuer, "%s", candidate->issuer);
    (void)snprintf(card->scheme, sizeof card->scheme, "%s", candidate->scheme);
    card->kind = candidate->kind;
    card->card_token.size = GK_TOKEN_SIZE;
    memcpy(card->card_token.bytes, registration->card_token, GK_TOKEN_SIZE);
    card->own_key = registration->own_key;
    card->key_epoch = registration->registered ? registration->key_epoch : gk_keys_epoch(keys);
    card->base_epoch = registration->base_epoch;
    seal_mask(keys, decision, candidate->masked);
}

/* An issuer may register the number by a token yet: then the card is found by these. */
static void keep_own_tokens(struct gk_registry *registry, struct gk_found_card_decision *decision,
                            const guika_v1_internal_Candidate *candidate)
{
    guika_v1_internal_FoundCard *card = &decision->card;
    const size_t room = sizeof card->own_tokens / sizeof card->own_tokens[0];

    card->own_tokens_count = (pb_size_t)gk_registry_own_tokens(registry, candidate->scheme, candidate->number,
                                                               card->own_tokens, room);
}

/* The notice is written with the decision and waits for STORED. */
static void write_notice(const struct gk_keys *keys, struct gk_found_card_decision *decision, int64_t now_ms)
{
    guika_v1_internal_FoundCard *card = &decision->card;
    guika_v1_internal_NoticeRecord *notice = &decision->notice;

    gk_found_card_decision_notice_id(keys, card, notice->notice_id);
    card->notice_id.size = sizeof notice->notice_id;
    memcpy(card->notice_id.bytes, notice->notice_id, sizeof notice->notice_id);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_HELD;
    (void)snprintf(notice->template_id, sizeof notice->template_id, "card_found");
    notice->case_id.size = GK_CASE_ID_SIZE;
    memcpy(notice->case_id.bytes, card->case_id, GK_CASE_ID_SIZE);
    memcpy(notice->issuer_account, card->issuer_account, sizeof notice->issuer_account);
    notice->holder_token.size = GK_TOKEN_SIZE;
    memcpy(notice->holder_token.bytes, card->holder_token.bytes, GK_TOKEN_SIZE);
    memcpy(notice->box_id, card->box_id, sizeof notice->box_id);
    memcpy(notice->issuer, card->issuer, sizeof notice->issuer);
    notice->sealed_mask.size = card->sealed_mask.size;
    memcpy(notice->sealed_mask.bytes, card->sealed_mask.bytes, card->sealed_mask.size);
    notice->created_at_ms = now_ms;
    decision->has_notice = true;
}

/* Whose the card is. */
static void attribute(struct gk_found_card_decision *decision, const struct gk_registration *registration)
{
    guika_v1_internal_FoundCard *card = &decision->card;

    (void)snprintf(card->issuer_account, sizeof card->issuer_account, "%s", registration->issuer_account);
    card->holder_token.size = GK_TOKEN_SIZE;
    memcpy(card->holder_token.bytes, registration->holder_token, GK_TOKEN_SIZE);
}

/* How the holder is told. The service has no contact of a holder whose card the issuer registered by a token
 * of its own, so a notice could reach nobody. */
static guika_v1_IssuerPolicy policy_of(const struct gk_registration *registration)
{
    const bool at_once = registration->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED ||
                         registration->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE;

    if (!at_once) {
        return registration->policy;
    }
    return registration->own_key ? guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER
                                 : guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE;
}

/* The issuer's name of the holder rests with the card: the list that it came from may be replaced before the
 * issuer asks. */
static enum gk_status seal_reference(struct gk_registry *registry, const struct gk_keys *keys,
                                     struct gk_found_card_decision *decision, struct gk_error *error)
{
    guika_v1_internal_FoundCard *card = &decision->card;
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    const enum gk_status status =
        gk_registry_holder(registry, card->issuer_account, card->holder_token.bytes, &contacts, error);

    if (status == GK_OK) {
        const struct gk_bytes plain = {(const uint8_t *)contacts.reference, strlen(contacts.reference)};

        gk_keys_seal(keys, GK_SEAL_CONTACTS, (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE}, plain,
                     card->sealed_reference.bytes);
        card->sealed_reference.size = (pb_size_t)(plain.size + GK_SEAL_OVERHEAD);
    }
    sodium_memzero(&contacts, sizeof contacts);
    return status == GK_NOT_FOUND
               ? gk_error_set(error, GK_UNAVAILABLE, "the issuer's list was just replaced; try again")
               : status;
}

enum gk_status gk_decision_accept(struct gk_registry *registry, const struct gk_keys *keys,
                                  const struct gk_registration *registration, int64_t now_ms,
                                  struct gk_found_card_decision *decision, struct gk_error *error)
{
    guika_v1_internal_FoundCard *card = &decision->card;

    card->state = guika_v1_CardState_CARD_STATE_IDENTIFIED;
    card->reason = guika_v1_Reason_REASON_UNSPECIFIED;
    card->disposition = guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
    card->decided_at_ms = now_ms;
    card->own_key = registration->own_key;
    card->key_epoch = registration->key_epoch;
    card->base_epoch = registration->base_epoch;
    card->card_token.size = GK_TOKEN_SIZE;
    memcpy(card->card_token.bytes, registration->card_token, GK_TOKEN_SIZE);
    card->own_tokens_count = 0;
    attribute(decision, registration);
    card->policy = policy_of(registration);
    if (card->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE) {
        write_notice(keys, decision, now_ms);
        return GK_OK;
    }
    return card->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER || registration->own_key
               ? seal_reference(registry, keys, decision, error)
               : GK_OK;
}

static enum gk_status decide_accepted(struct gk_registry *registry, const struct gk_keys *keys,
                                      const struct gk_evidence *evidence,
                                      struct gk_found_card_decision *decision,
                                      const struct gk_registration *registration, struct gk_error *error)
{
    const enum gk_status status =
        gk_decision_accept(registry, keys, registration, evidence->now_ms, decision, error);

    keep(decision, guika_v1_CardState_CARD_STATE_IDENTIFIED,
         evidence->abilities.normal_full ? guika_v1_Zone_ZONE_DIFFICULT : guika_v1_Zone_ZONE_NORMAL);
    return status;
}

void gk_decision_cancelled(const struct gk_registration *registration,
                           struct gk_found_card_decision *decision)
{
    decision->card.reason = guika_v1_Reason_REASON_CANCELLED;
    decision->card.disposition = guika_v1_Disposition_DISPOSITION_DESTROY;
    decision->card.own_tokens_count = 0;
    decision->card.card_token.size = GK_TOKEN_SIZE;
    memcpy(decision->card.card_token.bytes, registration->card_token, GK_TOKEN_SIZE);
    attribute(decision, registration);
}

static bool ask_for_frames(const struct gk_evidence *evidence, struct gk_found_card_decision *decision)
{
    guika_v1_DepositResponse *answer = &decision->deposit.answer;

    if (!may_ask(evidence) || !find_view(evidence, &answer->wanted_side, &answer->wanted_lamp)) {
        return false;
    }
    decision->card.state = guika_v1_CardState_CARD_STATE_RECEIVED;
    decision->card.has_place = true;
    decision->card.place.kind = guika_v1_internal_Place_Kind_PLACE_SLOT;
    answer->decision = guika_v1_DepositResponse_Decision_MORE_FRAMES;
    answer->sequence = evidence->asked + 1;
    return true;
}

static void decide_difficult(const struct gk_evidence *evidence, struct gk_found_card_decision *decision)
{
    const bool can_give_back = evidence->abilities.can_give_back && !evidence->in_box;
    const bool is_settled = decision->card.reason == guika_v1_Reason_REASON_UNREGISTERED ||
                            decision->card.reason == guika_v1_Reason_REASON_CANCELLED;

    if (!is_settled && ask_for_frames(evidence, decision)) {
        return;
    }
    if (can_give_back && decision->card.reason == guika_v1_Reason_REASON_NOT_A_CARD) {
        give_back(decision, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_NOT_A_CARD);
    } else if (can_give_back && evidence->abilities.difficult_full) {
        give_back(decision, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_BOX_FULL);
    } else {
        keep(decision, guika_v1_CardState_CARD_STATE_DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
    }
}

static enum gk_status look_up(struct gk_registry *registry,
                              const guika_v1_internal_CompleteRecognitionRequest *read,
                              struct gk_registration *registrations, struct gk_error *error)
{
    for (size_t i = 0; i < read->candidates_count; i++) {
        const enum gk_status status =
            gk_registry_look_up(registry, &read->candidates[i], &registrations[i], error);

        if (status != GK_OK) {
            return status;
        }
    }
    return GK_OK;
}

static void begin_record(const struct gk_evidence *evidence, struct gk_found_card_decision *decision)
{
    guika_v1_internal_DepositRecord *deposit = &decision->deposit;

    deposit->has_answer = true;
    deposit->answer = (guika_v1_DepositResponse){0};
    deposit->frames = (uint32_t)evidence->frame_count;
    memcpy(deposit->case_id, decision->card.case_id, GK_CASE_ID_SIZE);
    (void)sodium_bin2hex(deposit->answer.case_id, sizeof deposit->answer.case_id, decision->card.case_id,
                         GK_CASE_ID_SIZE);
    decision->card.decided_at_ms = evidence->now_ms;
}

/* Why the reader thinks the card difficult. What only the registry can know, and what is no reason at all, it
 * cannot say: a reader may be another's code gone wrong. */
static guika_v1_Reason reader_reason(const guika_v1_internal_CompleteRecognitionRequest *read)
{
    const bool is_its_own = read->reason <= guika_v1_Reason_REASON_AMBIGUOUS ||
                            read->reason == guika_v1_Reason_REASON_SEVERAL_CARDS;

    return is_its_own ? read->reason : guika_v1_Reason_REASON_UNREADABLE;
}

/* Should a watch claim the card, which only the write itself can know. */
static void prepare_claim(const struct gk_keys *keys, const struct gk_evidence *evidence,
                          struct gk_found_card_decision *decision)
{
    decision->claimed_zone =
        evidence->abilities.normal_full ? guika_v1_Zone_ZONE_DIFFICULT : guika_v1_Zone_ZONE_NORMAL;
    gk_found_card_decision_notice_id(keys, &decision->card, decision->claim_notice_id);
}

/* A number that was not read with certainty is not to be found again by it. */
static bool is_certain(const struct gk_match *match)
{
    return match->accepted || match->reason == guika_v1_Reason_REASON_UNREGISTERED ||
           match->reason == guika_v1_Reason_REASON_CANCELLED;
}

enum gk_status gk_decision_make(struct gk_registry *registry, struct gk_store *store,
                                const struct gk_keys *keys, const struct gk_evidence *evidence,
                                struct gk_found_card_decision *decision, struct gk_error *error)
{
    const guika_v1_internal_CompleteRecognitionRequest *read = &evidence->read;
    struct gk_registration registrations[CANDIDATES_MAX] = {0};
    const enum gk_status status = look_up(registry, read, registrations, error);

    if (status != GK_OK) {
        return status;
    }
    const struct gk_match match =
        gk_match_decide(read->candidates, registrations, read->candidates_count, reader_reason(read),
                        evidence->threshold, evidence->registered_share);
    const bool full = evidence->abilities.normal_full && evidence->abilities.difficult_full;

    begin_record(evidence, decision);
    decision->card.reason = match.reason;
    if (is_certain(&match)) {
        const guika_v1_internal_Candidate *candidate = &read->candidates[match.candidate];

        describe(keys, decision, candidate, &registrations[match.candidate]);
        decision->tokens = gk_keys_card_tokens(keys, candidate->scheme, candidate->number);
        if (!registrations[match.candidate].registered) {
            keep_own_tokens(registry, decision, candidate);
        }
    }
    if (match.reason == guika_v1_Reason_REASON_CANCELLED) {
        gk_decision_cancelled(&registrations[match.candidate], decision);
    }
    if (full && evidence->abilities.can_give_back && !evidence->in_box) {
        give_back(decision, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_BOX_FULL);
    } else if (match.accepted) {
        return decide_accepted(registry, keys, evidence, decision, &registrations[match.candidate], error);
    } else {
        prepare_claim(keys, evidence, decision);
        seal_candidates(keys, decision, read);
        decide_difficult(evidence, decision);
    }
    return match.reason == guika_v1_Reason_REASON_UNREGISTERED
               ? gk_same_number_gather(store, &decision->tokens, error)
               : GK_OK;
}
