/*
 * What a holder reads: the text of a notice, made from a template and a few fields.
 *
 * Templates are data, one file a language (messages_zh.c, messages_en.c). In a template, {place} stands for a
 * field, and what is in [brackets] is left out where a field inside it is empty. Nothing here is kept: a text
 * is made when a courier takes the notice.
 *
 * Values come from issuers and operators and go into mail headers and SMS gateways, so every one is cleaned:
 * one line, valid UTF-8, no control characters, none that turn the direction of writing.
 */
#ifndef GUIKA_CORE_NOTIFICATION_MESSAGES_H
#define GUIKA_CORE_NOTIFICATION_MESSAGES_H

#include "rpc/status.h"

#include <stddef.h>
#include <stdint.h>

#define GK_MESSAGE_CARD_FOUND "card_found"
#define GK_MESSAGE_CARD_MOVED "card_moved"       /* ... to where it can be collected now */
#define GK_MESSAGE_CARD_REMINDER "card_reminder" /* its retention ends soon */
#define GK_MESSAGE_CARD_EXPIRED "card_expired"   /* it is not kept for the holder any longer */
#define GK_MESSAGE_NEW_CODE "new_code"           /* on request */
#define GK_MESSAGE_ENQUIRY_FOUND "enquiry_found"
#define GK_MESSAGE_ENQUIRY_NOT_FOUND "enquiry_not_found"
#define GK_MESSAGE_CONTACT_CODE "contact_code"

/* To the operator; the name in them is the box's. All begin with GK_MESSAGE_BOX_PREFIX. */
#define GK_MESSAGE_BOX_PREFIX "box_"
#define GK_MESSAGE_BOX_SILENT "box_silent"
#define GK_MESSAGE_BOX_HEARD "box_heard"
#define GK_MESSAGE_BOX_FULL "box_full"
#define GK_MESSAGE_BOX_ROOM "box_room"
#define GK_MESSAGE_BOX_LOOK "box_look" /* what it did while its line was down */

/* Sizes in bytes with the terminator, as courier.options has them. */
#define GK_MESSAGE_SUBJECT_SIZE 257
#define GK_MESSAGE_TEXT_SIZE 8193
#define GK_MESSAGE_VALUE_SIZE 513
#define GK_MESSAGE_FIELD_COUNT 10

/* The same words in both languages; either may be empty or NULL, then the other stands in. */
struct gk_local_words {
    const char *zh;
    const char *en;
};

/* What a text is made from. Strings are borrowed, UTF-8, and may be NULL or empty but for the template. */
struct gk_message_input {
    const char *template_id; /* one of the GK_MESSAGE_ above */
    const char *language;    /* the holder's, BCP 47; empty: zh */
    const char *name;        /* the holder's */
    struct gk_local_words issuer;
    struct gk_local_words place;
    struct gk_local_words opening_hours;
    struct gk_local_words collecting;
    const char *map_url;
    const char *mask;           /* the masked number; its last four characters at most are used */
    const uint8_t *case_id;     /* 16 bytes, or NULL: no case number */
    const char *code;           /* of pickup, 6 or 8 digits; or the one that proves a contact */
    unsigned tail_digits;       /* of the holder's telephone number, entered with the code; 0: none */
    int64_t code_expires_at_ms; /* 0: not told */
};

/* One field for gateways that send templates by id. */
struct gk_message_field {
    const char
        *name; /* "issuer", "last_four", "place", "map_url", "opening_hours", "collecting", "case_number",
                 "code", "code_expires" (local time, "2026-03-01 18:00"), "tail_digits" */
    char value[GK_MESSAGE_VALUE_SIZE]; /* may be empty */
};

struct gk_message {
    const char *language; /* "zh" or "en": the one chosen */
    char subject[GK_MESSAGE_SUBJECT_SIZE];
    char text[GK_MESSAGE_TEXT_SIZE]; /* lines end with \n */
    struct gk_message_field fields[GK_MESSAGE_FIELD_COUNT];
};

/* Makes the text. INVALID_ARGUMENT for a template that does not exist; INTERNAL where a template does not fit
 * (a bug). `ret_message` is written on success alone. [any] */
enum gk_status gk_message_make(const struct gk_message_input *input, struct gk_message *ret_message,
                               struct gk_error *error);

/* Copies `text` into `ret_clean` (`size` bytes, at least 1), as values are cleaned: control characters and
 * line ends become one space, bytes that are no UTF-8 and direction marks go, spaces at both ends go; cut at
 * a whole character. [any] */
void gk_message_clean(const char *text, char *ret_clean, size_t size);

/* The case number that people say to each other: the first 8 hexadecimal digits of the case id, "A1B2-C3D4".
 * Writes 10 bytes. [any] */
void gk_message_case_number(const uint8_t case_id[16], char ret_number[10]);

#endif
