/*
 * Making a notice ready to leave: who it is for, where it goes, what it says. Runs on workers and keeps
 * nothing.
 */
#include "core/notification/messages.h"
#include "core/notification/outbox_internal.h"
#include "core/security/contact_seal.h"
#include "core/store/record.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a notice is made from, as the store and the registry have it. */
struct parts {
    guika_v1_internal_NoticeRecord notice;
    guika_v1_internal_HolderContacts holder;
    guika_v1_internal_BoxRecord box;
    struct gk_issuer_name issuer;
    struct gk_outbox_pickup pickup;
    char mask[sizeof((guika_v1_internal_NoticeRecord *)NULL)->sealed_mask.bytes + 1];
};

struct settling {
    const struct gk_outbox_options *options;
    const struct gk_outbox_attempt *attempt;
};

static enum gk_status settle(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct settling *settling = context;
    return gk_outbox_settle(settling->options, transaction, settling->attempt, error);
}

/* The notice cannot leave by its contact; with `for_good`, by none. */
static enum gk_outbox_prepared turn_away(const struct gk_outbox_options *options,
                                         struct gk_outbox_attempt *attempt, bool for_good, const char *detail,
                                         struct gk_error *error)
{
    attempt->outcome = guika_v1_internal_CompleteNoticeRequest_Outcome_REFUSED;
    if (for_good)
        attempt->contact_count = 0;
    snprintf(attempt->detail, sizeof attempt->detail, "%s", detail);
    struct settling settling = {options, attempt};
    return gk_store_commit_and_wait(options->store, settle, &settling, error) == GK_OK ? GK_OUTBOX_MOVED
                                                                                       : GK_OUTBOX_FAILED;
}

static bool is_known_channel(const struct gk_outbox_options *options, const char *channel, size_t length)
{
    for (size_t i = 0; i < options->setting_count; i++) {
        const char *known = options->settings[i].channel;
        if (strlen(known) == length && memcmp(known, channel, length) == 0)
            return true;
    }
    return false;
}

/* Splits CHANNEL:ADDRESS. False where it is not of that form or nobody configured the channel. */
static bool read_contact(const struct gk_outbox_options *options, const char *contact,
                         guika_v1_internal_LeaseNoticeResponse *response)
{
    const char *colon = strchr(contact, ':');
    size_t length = colon != NULL ? (size_t)(colon - contact) : 0;
    if (length == 0 || length >= sizeof response->channel || !is_known_channel(options, contact, length))
        return false;
    memcpy(response->channel, contact, length);
    response->channel[length] = '\0';
    snprintf(response->address, sizeof response->address, "%s", colon + 1);
    return true;
}

static enum gk_status open_mask(const struct gk_outbox_options *options, struct parts *parts,
                                struct gk_error *error)
{
    const guika_v1_internal_NoticeRecord *notice = &parts->notice;
    if (notice->sealed_mask.size == 0)
        return GK_OK;
    if (notice->sealed_mask.size < GK_SEAL_OVERHEAD)
        return gk_error_set(error, GK_DATA_LOSS, "the mask is shorter than its seal");
    struct gk_bytes context = {notice->case_id.bytes, notice->case_id.size};
    if (context.size == 0)
        context = (struct gk_bytes){notice->notice_id, sizeof notice->notice_id};
    struct gk_bytes sealed = {notice->sealed_mask.bytes, notice->sealed_mask.size};
    return gk_keys_open_sealed(options->keys, GK_SEAL_MASK, context, sealed, (uint8_t *)parts->mask, error);
}

/* To the operator: the name in it is the box's. */
static bool tells_of_box(const guika_v1_internal_NoticeRecord *notice)
{
    return strncmp(notice->template_id, GK_MESSAGE_BOX_PREFIX, sizeof GK_MESSAGE_BOX_PREFIX - 1) == 0;
}

static enum gk_status make_text(const struct parts *parts, guika_v1_internal_LeaseNoticeResponse *response,
                                struct gk_error *error)
{
    const guika_v1_AddBoxRequest *box = &parts->box.described;
    const guika_v1_internal_NoticeRecord *notice = &parts->notice;
    const struct gk_message_input input = {
        .template_id = notice->template_id,
        .language = parts->holder.language,
        .name = tells_of_box(notice) ? notice->box_id : parts->holder.name,
        .issuer = {parts->issuer.zh, parts->issuer.en},
        .place = {box->place.zh, box->place.en},
        .opening_hours = {box->opening_hours.zh, box->opening_hours.en},
        .collecting = {box->collecting.zh, box->collecting.en},
        .map_url = box->map_url,
        .mask = parts->mask,
        .case_id = notice->case_id.size == 16 ? notice->case_id.bytes : NULL,
        .code = parts->pickup.code,
        .tail_digits = parts->pickup.tail_digits,
        .code_expires_at_ms = parts->pickup.expires_at_ms,
    };
    struct gk_message message;
    enum gk_status status = gk_message_make(&input, &message, error);
    if (status != GK_OK)
        return status;
    gk_message_clean(parts->holder.name, response->name, sizeof response->name);
    snprintf(response->language, sizeof response->language, "%s", message.language);
    snprintf(response->template_id, sizeof response->template_id, "%s", notice->template_id);
    memcpy(response->subject, message.subject, sizeof message.subject);
    memcpy(response->text, message.text, sizeof message.text);
    response->fields_count = GK_MESSAGE_FIELD_COUNT;
    for (size_t i = 0; i < GK_MESSAGE_FIELD_COUNT; i++) {
        snprintf(response->fields[i].name, sizeof response->fields[i].name, "%s", message.fields[i].name);
        memcpy(response->fields[i].value, message.fields[i].value, sizeof message.fields[i].value);
    }
    return GK_OK;
}

static enum gk_status read_box(const struct gk_outbox_options *options, struct parts *parts,
                               struct gk_error *error)
{
    const char *box_id = parts->pickup.place_id[0] != '\0' ? parts->pickup.place_id : parts->notice.box_id;
    if (box_id[0] == '\0')
        return GK_OK;
    const enum gk_status status = gk_record_read(options->store, GK_FAMILY_BOXES,
                                                 (struct gk_bytes){(const uint8_t *)box_id, strlen(box_id)},
                                                 guika_v1_internal_BoxRecord_fields, &parts->box, error);
    /* A card that has expired may lie in a bag or a depot: the text then names no place. */
    const bool needs_none = strcmp(parts->notice.template_id, GK_MESSAGE_CARD_EXPIRED) == 0;
    return status == GK_NOT_FOUND && needs_none ? GK_OK : status;
}

/* Of a card that its holder is to fetch. */
static bool carries_code(const guika_v1_internal_NoticeRecord *notice)
{
    return notice->case_id.size == sizeof notice->case_id.bytes &&
           strcmp(notice->template_id, GK_MESSAGE_CARD_EXPIRED) != 0;
}

/* Who is written to: a contact that the notice names itself, with the code that proves it; else a holder. */
static enum gk_status read_receiver(const struct gk_outbox_options *options, struct parts *parts,
                                    struct gk_error *error)
{
    const guika_v1_internal_NoticeRecord *notice = &parts->notice;
    if (notice->sealed_contact.size == 0 && notice->holder_token.size == GK_TOKEN_SIZE)
        return options->holder(options->context, notice->issuer_account, notice->holder_token.bytes,
                               &parts->holder, error);
    if (notice->contact_token.size != GK_TOKEN_SIZE)
        return gk_error_set(error, GK_NOT_FOUND, "no holder");
    enum gk_status status =
        gk_contact_open(options->keys, notice->contact_token.bytes,
                        (struct gk_bytes){notice->sealed_contact.bytes, notice->sealed_contact.size},
                        parts->holder.contacts[0], error);
    if (status != GK_OK)
        return status;
    parts->holder.contacts_count = 1;
    memcpy(parts->holder.language, notice->language, sizeof parts->holder.language);
    return tells_of_box(notice) ? GK_OK
                                : options->contact_code(options->context, notice->contact_token.bytes,
                                                        parts->pickup.code, error);
}

/* Everything behind the notice itself. */
static enum gk_outbox_prepared fill(const struct gk_outbox_options *options, struct parts *parts,
                                    guika_v1_internal_LeaseNoticeResponse *response,
                                    struct gk_outbox_attempt *attempt, struct gk_error *error)
{
    const guika_v1_internal_NoticeRecord *notice = &parts->notice;
    enum gk_status status = read_receiver(options, parts, error);
    if (status == GK_NOT_FOUND)
        return turn_away(options, attempt, true,
                         notice->sealed_contact.size == 0 ? "the holder is not registered any more"
                                                          : "the code has run out",
                         error);
    if (status == GK_DATA_LOSS)
        return turn_away(options, attempt, true, "the holder's record does not open", error);
    if (status != GK_OK)
        return GK_OUTBOX_FAILED;
    attempt->contact_count = parts->holder.contacts_count;
    if (notice->contact >= attempt->contact_count)
        return turn_away(options, attempt, true, "no contact", error);
    if (!read_contact(options, parts->holder.contacts[notice->contact], response))
        return turn_away(options, attempt, false, "no such channel", error);
    if (open_mask(options, parts, error) != GK_OK)
        return turn_away(options, attempt, true, "the mask does not open", error);
    if (options->pickup != NULL && carries_code(notice)) {
        status = options->pickup(options->context, notice, &parts->holder, &parts->pickup, error);
        const bool is_answer = strcmp(notice->template_id, GK_MESSAGE_ENQUIRY_FOUND) == 0;
        if (status == GK_FAILED_PRECONDITION && is_answer)
            status = GK_OK;
        if (status == GK_NOT_FOUND || status == GK_FAILED_PRECONDITION)
            return turn_away(options, attempt, true, "the card cannot be collected any more", error);
        if (status != GK_OK)
            return GK_OUTBOX_FAILED;
    }
    status = read_box(options, parts, error);
    if (status == GK_NOT_FOUND || status == GK_DATA_LOSS)
        return turn_away(options, attempt, true, "no such box", error);
    if (status != GK_OK)
        return GK_OUTBOX_FAILED;
    options->issuer_name(options->context, notice->issuer, &parts->issuer);
    if (make_text(parts, response, error) != GK_OK)
        return turn_away(options, attempt, true, "no such template", error);
    sodium_bin2hex(response->message_id, sizeof response->message_id, notice->notice_id, GK_NOTICE_ID_SIZE);
    response->created_at_ms = notice->created_at_ms;
    return GK_OUTBOX_READY;
}

enum gk_outbox_prepared gk_outbox_prepare(const struct gk_outbox_options *options,
                                          const uint8_t notice_id[GK_NOTICE_ID_SIZE], int64_t now_ms,
                                          guika_v1_internal_LeaseNoticeResponse *ret_response,
                                          struct gk_outbox_attempt *ret_attempt, struct gk_error *error)
{
    struct parts *parts = calloc(1, sizeof *parts);
    if (parts == NULL) {
        gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a notice");
        return GK_OUTBOX_FAILED;
    }
    enum gk_outbox_prepared prepared = GK_OUTBOX_STALE;
    enum gk_status status =
        gk_record_read(options->store, GK_FAMILY_OUTBOX, (struct gk_bytes){notice_id, GK_NOTICE_ID_SIZE},
                       guika_v1_internal_NoticeRecord_fields, &parts->notice, error);
    if (status == GK_OK && parts->notice.state == guika_v1_internal_NoticeRecord_State_NOTICE_DUE &&
        parts->notice.due_at_ms <= now_ms) {
        *ret_attempt = (struct gk_outbox_attempt){.contact = parts->notice.contact, .now_ms = now_ms};
        memcpy(ret_attempt->notice_id, notice_id, GK_NOTICE_ID_SIZE);
        prepared = fill(options, parts, ret_response, ret_attempt, error);
    } else if (status != GK_OK && status != GK_NOT_FOUND && status != GK_DATA_LOSS) {
        prepared = GK_OUTBOX_FAILED;
    }
    sodium_memzero(parts, sizeof *parts);
    free(parts);
    return prepared;
}
