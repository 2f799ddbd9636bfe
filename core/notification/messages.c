#include "core/notification/messages.h"

#include "core/notification/message_templates.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define MAX_NESTING 4  /* brackets within brackets in a template */
#define ISSUER_SIZE 97 /* bytes with the terminator: a longer name would not fit into a subject */

enum {
    FIELD_ISSUER,
    FIELD_LAST_FOUR,
    FIELD_PLACE,
    FIELD_MAP_URL,
    FIELD_OPENING_HOURS,
    FIELD_COLLECTING,
    FIELD_CASE,
    FIELD_CODE,
    FIELD_CODE_EXPIRES,
    FIELD_TAIL_DIGITS
};

/* Decodes the UTF-8 character at `text`. Returns its length in bytes, 0 where the bytes are none (overlong
 * forms, surrogates and code points over U+10FFFF are none: RFC 3629). */
static size_t decode_character(const unsigned char *text, uint32_t *ret_code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80             ? 1
                    : (text[0] & 0xE0) == 0xC0 ? 2
                    : (text[0] & 0xF0) == 0xE0 ? 3
                    : (text[0] & 0xF8) == 0xF0 ? 4
                                               : 0;
    if (length == 0)
        return 0;
    uint32_t code = length == 1 ? text[0] : text[0] & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3Fu);
    }
    if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return length;
}

/* Spaces and controls of C0 and C1, and the line and paragraph separators. */
static bool is_space_or_control(uint32_t code)
{
    return code <= 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029;
}

/* Marks that reorder or hide what is read around them, and the byte order mark. */
static bool is_direction_mark(uint32_t code)
{
    return code == 0x200E || code == 0x200F || code == 0x061C || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

void gk_message_clean(const char *text, char *ret_clean, size_t size)
{
    const unsigned char *from = (const unsigned char *)(text != NULL ? text : "");
    size_t written = 0;
    bool space = false;
    while (*from != '\0') {
        uint32_t code = 0;
        size_t length = decode_character(from, &code);
        if (length == 0 || is_direction_mark(code)) {
            from += length == 0 ? 1 : length;
            continue;
        }
        if (is_space_or_control(code)) {
            space = written > 0;
        } else {
            if (written + space + length >= size)
                break;
            if (space)
                ret_clean[written++] = ' ';
            space = false;
            memcpy(ret_clean + written, from, length);
            written += length;
        }
        from += length;
    }
    ret_clean[written] = '\0';
}

void gk_message_case_number(const uint8_t case_id[16], char ret_number[10])
{
    snprintf(ret_number, 10, "%02X%02X-%02X%02X", case_id[0], case_id[1], case_id[2], case_id[3]);
}

/* The last four letters or digits that `mask` shows, however much it shows; a `*` or anything that is not
 * ASCII stands for a hidden one and ends them. */
static void last_four(const char *mask, char ret_four[5])
{
    size_t kept = 0;
    char reversed[4];
    for (size_t i = mask != NULL ? strlen(mask) : 0;
         i > 0 && kept < 4 && mask[i - 1] != '*' && (unsigned char)mask[i - 1] < 0x80; i--) {
        if (isalnum((unsigned char)mask[i - 1]))
            reversed[kept++] = mask[i - 1];
    }
    for (size_t i = 0; i < kept; i++)
        ret_four[i] = reversed[kept - 1 - i];
    ret_four[kept] = '\0';
}

static bool is_chinese(const char *language)
{
    return language == NULL || language[0] == '\0' ||
           (strncasecmp(language, "zh", 2) == 0 && !isalpha((unsigned char)language[2]));
}

static void choose_words(const struct gk_local_words *words, bool chinese, char *ret_value, size_t size)
{
    gk_message_clean(chinese ? words->zh : words->en, ret_value, size);
    if (ret_value[0] == '\0')
        gk_message_clean(chinese ? words->en : words->zh, ret_value, size);
}

/* Until when, in the time of where the service stands. */
static void fill_code(const struct gk_message_input *input, struct gk_message_field *fields)
{
    const time_t expires = (time_t)(input->code_expires_at_ms / 1000);
    struct tm local;
    gk_message_clean(input->code, fields[FIELD_CODE].value, GK_MESSAGE_VALUE_SIZE);
    if (input->code_expires_at_ms != 0 && localtime_r(&expires, &local) != NULL)
        (void)strftime(fields[FIELD_CODE_EXPIRES].value, GK_MESSAGE_VALUE_SIZE, "%Y-%m-%d %H:%M", &local);
    if (input->tail_digits > 0)
        snprintf(fields[FIELD_TAIL_DIGITS].value, GK_MESSAGE_VALUE_SIZE, "%u", input->tail_digits);
}

static void fill_fields(const struct gk_message_input *input, bool chinese, struct gk_message *message)
{
    static const char *const names[GK_MESSAGE_FIELD_COUNT] = {
        "issuer",     "last_four",   "place", "map_url",      "opening_hours",
        "collecting", "case_number", "code",  "code_expires", "tail_digits"};
    struct gk_message_field *fields = message->fields;
    for (size_t i = 0; i < GK_MESSAGE_FIELD_COUNT; i++) {
        fields[i].name = names[i];
        fields[i].value[0] = '\0';
    }
    choose_words(&input->issuer, chinese, fields[FIELD_ISSUER].value, ISSUER_SIZE);
    choose_words(&input->place, chinese, fields[FIELD_PLACE].value, GK_MESSAGE_VALUE_SIZE);
    choose_words(&input->opening_hours, chinese, fields[FIELD_OPENING_HOURS].value, GK_MESSAGE_VALUE_SIZE);
    choose_words(&input->collecting, chinese, fields[FIELD_COLLECTING].value, GK_MESSAGE_VALUE_SIZE);
    gk_message_clean(input->map_url, fields[FIELD_MAP_URL].value, GK_MESSAGE_VALUE_SIZE);
    last_four(input->mask, fields[FIELD_LAST_FOUR].value);
    if (input->case_id != NULL)
        gk_message_case_number(input->case_id, fields[FIELD_CASE].value);
    if (input->code != NULL && input->code[0] != '\0')
        fill_code(input, fields);
}

/* The value of the placeholder {name...} at `brace`; `ret_end` is set behind its closing brace. */
static const char *look_up(const struct gk_message *message, const char *holder_name, const char *brace,
                           const char **ret_end)
{
    const char *close = strchr(brace, '}');
    if (close == NULL)
        return NULL;
    size_t length = (size_t)(close - brace - 1);
    *ret_end = close + 1;
    if (length == 4 && strncmp(brace + 1, "name", 4) == 0)
        return holder_name;
    for (size_t i = 0; i < GK_MESSAGE_FIELD_COUNT; i++) {
        const struct gk_message_field *field = &message->fields[i];
        if (strlen(field->name) == length && strncmp(brace + 1, field->name, length) == 0)
            return field->value;
    }
    return NULL;
}

/* Writes `pattern` with its fields into `out`. False where the pattern is malformed or does not fit. Values
 * are copied, never read as a pattern again. */
static bool expand(const struct gk_message *message, const char *holder_name, const char *pattern, char *out,
                   size_t size)
{
    struct {
        size_t start;
        bool drop;
    } brackets[MAX_NESTING];
    size_t depth = 0, written = 0;
    for (const char *p = pattern; *p != '\0';) {
        const char *piece = p;
        size_t length = 1;
        if (*p == '[') {
            if (depth == MAX_NESTING)
                return false;
            brackets[depth].start = written;
            brackets[depth++].drop = false;
            p++;
            continue;
        }
        if (*p == ']') {
            if (depth-- == 0)
                return false;
            if (brackets[depth].drop)
                written = brackets[depth].start;
            p++;
            continue;
        }
        if (*p == '{') {
            piece = look_up(message, holder_name, p, &p);
            if (piece == NULL)
                return false;
            length = strlen(piece);
            if (length == 0 && depth > 0)
                brackets[depth - 1].drop = true;
        } else {
            p++;
        }
        if (written + length >= size)
            return false;
        memcpy(out + written, piece, length);
        written += length;
    }
    out[written] = '\0';
    return depth == 0;
}

enum gk_status gk_message_make(const struct gk_message_input *input, struct gk_message *ret_message,
                               struct gk_error *error)
{
    bool chinese = is_chinese(input->language);
    size_t count = 0;
    const struct gk_message_template *templates =
        chinese ? gk_message_templates_zh(&count) : gk_message_templates_en(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(templates[i].id, input->template_id) != 0)
            continue;
        struct gk_message message = {.language = chinese ? "zh" : "en"};
        char holder_name[GK_MESSAGE_VALUE_SIZE];
        gk_message_clean(input->name, holder_name, sizeof holder_name);
        fill_fields(input, chinese, &message);
        if (!expand(&message, holder_name, templates[i].subject, message.subject, sizeof message.subject) ||
            !expand(&message, holder_name, templates[i].text, message.text, sizeof message.text))
            return gk_error_set(error, GK_INTERNAL, "template %s (%s) does not fit", templates[i].id,
                                message.language);
        *ret_message = message;
        return GK_OK;
    }
    return gk_error_set(error, GK_INVALID_ARGUMENT, "no template named \"%.32s\"", input->template_id);
}
