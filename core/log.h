/*
 * Structured logs of the programs: one line an event, `time=... level=... event=... key=value ...`, to
 * standard error.
 *
 * Values are quoted where they need it. No card number, contact, token or text of a notice is ever passed in;
 * as a second line of defence, runs of nine or more digits in a value are written as "[digits]".
 */
#ifndef GUIKA_CORE_LOG_H
#define GUIKA_CORE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum gk_log_level { GK_LOG_DEBUG, GK_LOG_INFO, GK_LOG_WARNING, GK_LOG_ERROR };

struct gk_log {
    enum gk_log_level level; /* what lies below is not written */
    const char *program;     /* borrowed */
};

/* One key and its value; a NULL value leaves the pair out. */
struct gk_log_pair {
    const char *key;
    const char *value;
};

/* Writes one line with the pairs up to the first whose key is NULL. [any] */
void gk_log_write(const struct gk_log *log, enum gk_log_level level, const char *event,
                  const struct gk_log_pair *pairs);

/* gk_log(log, GK_LOG_INFO, "box_added", {"box", box_id}, {"by", actor}); */
#define gk_log(log, level, event, ...)                                                                       \
    gk_log_write((log), (level), (event), (const struct gk_log_pair[]){__VA_ARGS__, {NULL, NULL}})

/* Decimal text of a number, for a pair's value: gk_log(log, ..., {"cards", gk_log_number(n, (char[24]){0})}).
 */
const char *gk_log_number(int64_t number, char text[24]);

#endif
