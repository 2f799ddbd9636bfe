#include "core/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    LINE_SIZE = 1024, /* bytes; a longer line is cut */
    ID_DIGITS = 32,
    KEY_DIGITS = 64,
    DIGITS_HIDDEN = 9, /* the shortest run of digits that could be a card number: an Octopus number with its
                          check digit */
};

struct line {
    char text[LINE_SIZE];
    size_t used;
};

static void put(struct line *line, char character)
{
    if (line->used < sizeof line->text - 2) {
        line->text[line->used++] = character;
    }
}

static void put_text(struct line *line, const char *text)
{
    while (*text != '\0') {
        put(line, *text++);
    }
}

static size_t digits_at(const char *text)
{
    return strspn(text, "0123456789");
}

static size_t hex_digits_at(const char *text)
{
    return strspn(text, "0123456789abcdef");
}

/* The length of one of our own ids or public keys that begins at `at` in `value`: 32 or 64 hexadecimal digits
 * and no more, longer than any card number. 0: none does. */
static size_t own_digits_at(const char *value, const char *at)
{
    const size_t count = at > value && hex_digits_at(at - 1) > 0 ? 0 : hex_digits_at(at);

    return count == ID_DIGITS || count == KEY_DIGITS ? count : 0;
}

static bool is_control(char character)
{
    return (unsigned char)character < ' ' || character == 0x7f;
}

static bool needs_quotes(const char *value)
{
    const char *at = value;

    while (*at != '\0' && strchr(" \"=\\", *at) == NULL && !is_control(*at)) {
        at++;
    }
    return *at != '\0' || at == value;
}

static void put_value(struct line *line, const char *value)
{
    const bool quoted = needs_quotes(value);

    if (quoted) {
        put(line, '"');
    }
    for (const char *at = value; *at != '\0';) {
        const size_t digits = digits_at(at);
        const size_t own = own_digits_at(value, at);

        if (own == 0 && digits >= DIGITS_HIDDEN) {
            put_text(line, "[digits]");
            at += digits;
        } else if (own > 0 || digits > 0) {
            for (size_t i = 0; i < (own > 0 ? own : digits); i++) {
                put(line, *at++);
            }
        } else {
            if (*at == '"' || *at == '\\') {
                put(line, '\\');
            }
            put(line, is_control(*at) ? ' ' : *at);
            at++;
        }
    }
    if (quoted) {
        put(line, '"');
    }
}

static void put_time(struct line *line)
{
    struct timespec now;
    struct tm utc;
    char text[40];
    char milliseconds[8];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(milliseconds, sizeof milliseconds, ".%03dZ", (int)(now.tv_nsec / 1000000 % 1000));
    put_text(line, "time=");
    put_text(line, text);
    put_text(line, milliseconds);
}

void gk_log_write(const struct gk_log *log, enum gk_log_level level, const char *event,
                  const struct gk_log_pair *pairs)
{
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    struct line line = {.used = 0};

    if (level < log->level) {
        return;
    }
    put_time(&line);
    put_text(&line, " level=");
    put_text(&line, levels[level]);
    put_text(&line, " program=");
    put_text(&line, log->program);
    put_text(&line, " event=");
    put_text(&line, event);
    for (; pairs->key != NULL; pairs++) {
        if (pairs->value != NULL) {
            put(&line, ' ');
            put_text(&line, pairs->key);
            put(&line, '=');
            put_value(&line, pairs->value);
        }
    }
    line.text[line.used++] = '\n';
    (void)fwrite(line.text, 1, line.used, stderr);
    (void)fflush(stderr);
}

const char *gk_log_number(int64_t number, char text[24])
{
    (void)snprintf(text, 24, "%lld", (long long)number);
    return text;
}
