/*
 * The tables of templates, one file a language. Only messages.c reads them.
 */
#ifndef GUIKA_CORE_NOTIFICATION_MESSAGE_TEMPLATES_H
#define GUIKA_CORE_NOTIFICATION_MESSAGE_TEMPLATES_H

#include <stddef.h>

struct gk_message_template {
    const char *id;
    const char *subject;
    const char *text;
};

/* The table of a language; `ret_count` is its length. [any] */
const struct gk_message_template *gk_message_templates_zh(size_t *ret_count);
const struct gk_message_template *gk_message_templates_en(size_t *ret_count);

#endif
