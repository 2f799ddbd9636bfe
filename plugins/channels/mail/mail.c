#include "mail.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ENCODED_BYTES                                                                                        \
    39                 /* a word: 52 base64 characters and 12 of frame, under the 75 of RFC 2047 section 2 */
#define PLAIN_LIMIT 60 /* bytes of a header value that is left as it is, so that its line keeps under 78 */
#define BODY_COLUMN 76 /* RFC 2045 section 6.7 and 6.8 */

/* A text that grows. */
struct text {
    char *data;
    size_t size;
    size_t capacity;
    bool failed;
    const char *line_end;
};

static void add_bytes(struct text *text, const char *bytes, size_t size)
{
    if (text->failed)
        return;
    if (text->size + size + 1 > text->capacity) {
        size_t capacity = (text->size + size + 1) * 2;
        char *data = realloc(text->data, capacity);
        if (data == NULL) {
            text->failed = true;
            return;
        }
        text->data = data;
        text->capacity = capacity;
    }
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static void add(struct text *text, const char *string)
{
    add_bytes(text, string, strlen(string));
}

static void end_line(struct text *text)
{
    add(text, text->line_end);
}

static void add_base64(struct text *text, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (i + 1 < size)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (i + 2 < size)
            group |= bytes[i + 2];
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63],
                        i + 1 < size ? digits[group >> 6 & 63] : '=',
                        i + 2 < size ? digits[group & 63] : '='};
        add_bytes(text, four, 4);
    }
}

static bool is_plain(const char *value)
{
    for (const unsigned char *p = (const unsigned char *)value; *p != '\0'; p++) {
        if (*p < 0x20 || *p >= 0x7F)
            return false;
    }
    return strlen(value) <= PLAIN_LIMIT && strstr(value, "=?") == NULL;
}

/* A header value that people read: as it is where it is short ASCII, else as encoded words (RFC 2047), split
 * between characters and folded. */
static void add_words(struct text *text, const char *value)
{
    if (is_plain(value)) {
        add(text, value);
        return;
    }
    size_t left = strlen(value);
    bool first = true;
    while (left > 0) {
        size_t size = left < ENCODED_BYTES ? left : ENCODED_BYTES;
        while (size < left && size > 1 && ((unsigned char)value[size] & 0xC0) == 0x80)
            size--;
        unsigned char piece[ENCODED_BYTES];
        for (size_t i = 0; i < size; i++) {
            unsigned char byte = (unsigned char)value[i];
            piece[i] = byte < 0x20 || byte == 0x7F ? ' ' : byte;
        }
        if (!first) {
            end_line(text);
            add(text, " ");
        }
        add(text, "=?UTF-8?B?");
        add_base64(text, piece, size);
        add(text, "?=");
        first = false;
        value += size;
        left -= size;
    }
}

/* A display name: quoted where it is plain, because atoms allow little (RFC 5322 section 3.2.3). */
static void add_mailbox(struct text *text, const char *name, const char *address)
{
    if (name[0] != '\0' && is_plain(name)) {
        add(text, "\"");
        for (const char *p = name; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                add(text, "\\");
            add_bytes(text, p, 1);
        }
        add(text, "\" ");
    } else if (name[0] != '\0') {
        add_words(text, name);
        end_line(text);
        add(text, " ");
    }
    add(text, "<");
    add(text, address);
    add(text, ">");
    end_line(text);
}

static void add_date(struct text *text, int64_t at_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL)
        return;
    char line[64];
    snprintf(line, sizeof line, "Date: %s, %d %s %d %02d:%02d:%02d +0000", days[utc.tm_wday], utc.tm_mday,
             months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    add(text, line);
    end_line(text);
}

/* Base64, where most of the text is not ASCII. */
static void add_body_base64(struct text *text, const char *body)
{
    const unsigned char *bytes = (const unsigned char *)body;
    size_t left = strlen(body);
    const size_t row = BODY_COLUMN / 4 * 3;
    while (left > 0) {
        size_t size = left < row ? left : row;
        add_base64(text, bytes, size);
        end_line(text);
        bytes += size;
        left -= size;
    }
}

/* Quoted-printable, which people can read in the raw message; soft line breaks keep under the column limit.
 */
static void add_body_quoted(struct text *text, const char *body)
{
    size_t column = 0;
    for (const unsigned char *p = (const unsigned char *)body; *p != '\0'; p++) {
        if (*p == '\n') {
            end_line(text);
            column = 0;
            continue;
        }
        bool before_end = p[1] == '\n' || p[1] == '\0';
        bool literal = (*p > 0x20 && *p < 0x7F && *p != '=') || (*p == ' ' && !before_end);
        /* A dot or "From " at the start of a line is what careless relays change. */
        if (column == 0 && (*p == '.' || *p == 'F'))
            literal = false;
        size_t width = literal ? 1 : 3;
        if (column + width > BODY_COLUMN - 1) {
            add(text, "=");
            end_line(text);
            column = 0;
        }
        char code[4];
        snprintf(code, sizeof code, literal ? "%c" : "=%02X", *p);
        add_bytes(text, code, width);
        column += width;
    }
    if (column > 0)
        end_line(text);
}

static bool is_mostly_ascii(const char *body)
{
    size_t other = 0, size = 0;
    for (; body[size] != '\0'; size++)
        other += (unsigned char)body[size] >= 0x80;
    return other * 6 < size;
}

char *guika_mail_compose(const struct guika_mail_sender *sender, const struct guika_notice *notice,
                         const char *line_end, size_t *ret_size)
{
    struct text text = {.line_end = line_end};
    bool quoted = is_mostly_ascii(notice->text);
    add(&text, "Message-ID: <");
    add(&text, notice->message_id);
    add(&text, strrchr(sender->address, '@'));
    add(&text, ">");
    end_line(&text);
    add_date(&text, notice->created_at_ms);
    add(&text, "From: ");
    add_mailbox(&text, sender->name, sender->address);
    add(&text, "To: ");
    add_mailbox(&text, notice->name, notice->address);
    add(&text, "Subject: ");
    add_words(&text, notice->subject);
    end_line(&text);
    add(&text, "MIME-Version: 1.0");
    end_line(&text);
    add(&text, "Content-Type: text/plain; charset=utf-8");
    end_line(&text);
    add(&text, quoted ? "Content-Transfer-Encoding: quoted-printable" : "Content-Transfer-Encoding: base64");
    end_line(&text);
    add(&text, "Content-Language: ");
    add(&text, strcmp(notice->language, "zh") == 0 ? "zh" : "en");
    end_line(&text);
    add(&text, "Auto-Submitted: auto-generated"); /* RFC 3834: no vacation answers */
    end_line(&text);
    end_line(&text);
    (quoted ? add_body_quoted : add_body_base64)(&text, notice->text);
    if (text.failed) {
        free(text.data);
        return NULL;
    }
    *ret_size = text.size;
    return text.data;
}

/* --- addresses and settings --- */

static bool is_dot_atom(const char *text, size_t size)
{
    if (size == 0 || size > 64 || text[0] == '.' || text[size - 1] == '.')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '.' && text[i + 1] == '.')
            return false;
        if (!isalnum((unsigned char)text[i]) && strchr(".!#$%&'*+-/=?^_`{|}~", text[i]) == NULL)
            return false;
    }
    return true;
}

static bool is_domain(const char *domain)
{
    size_t label = 0;
    for (const char *p = domain;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > 63 || p[-1] == '-')
                return false;
            if (*p == '\0')
                return true;
            label = 0;
        } else if (isalnum((unsigned char)*p) || (*p == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
}

bool guika_mail_accepts_address(const char *address)
{
    const char *at = strrchr(address, '@');
    return at != NULL && strlen(address) < GUIKA_MAIL_ADDRESS_SIZE &&
           is_dot_atom(address, (size_t)(at - address)) && is_domain(at + 1);
}

bool guika_mail_read_sender(const char *text, struct guika_mail_sender *ret_sender)
{
    struct guika_mail_sender sender = {.name = ""};
    const char *open = strchr(text, '<');
    size_t name_size = 0, address_size = strlen(text);
    const char *address = text;
    if (open != NULL) {
        const char *close = strchr(open, '>');
        if (close == NULL || close[1] != '\0')
            return false;
        address = open + 1;
        address_size = (size_t)(close - address);
        name_size = (size_t)(open - text);
    }
    while (name_size > 0 && text[name_size - 1] == ' ')
        name_size--;
    if (name_size >= sizeof sender.name || address_size >= sizeof sender.address)
        return false;
    memcpy(sender.name, text, name_size);
    memcpy(sender.address, address, address_size);
    if (!guika_mail_accepts_address(sender.address))
        return false;
    *ret_sender = sender;
    return true;
}

const char *guika_mail_setting(const struct guika_pair *settings, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(settings[i].name, name) == 0)
            return settings[i].value[0] != '\0' ? settings[i].value : NULL;
    }
    return NULL;
}
