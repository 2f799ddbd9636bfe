/*
 * The messages of docs/box-protocol.md, made as the client library and the service make them, and written out
 * byte by byte with what the bytes are. The page holds each between "<!-- NAME -->" and "<!-- end -->".
 */
#ifndef GUIKA_TESTS_DOCS_BOX_PAGE_H
#define GUIKA_TESTS_DOCS_BOX_PAGE_H

#include "rpc/bytes.h"
#include "rpc/message.h"

#include <stdio.h>

/* One message of the page. */
struct box_page_message {
    const char *name;
    struct gk_rpc_message message;
};

enum { BOX_PAGE_MESSAGES = 10 };

/* The messages in the order of the page. What they point at is static. */
const struct box_page_message *box_page_messages(void);

/* The encoded message; the caller's to free. */
uint8_t *box_page_encode(const struct gk_rpc_message *message, size_t *ret_size);

/* Writes the message's bytes as lines of hexadecimal digits, one line a field, and beside each what it is. */
void box_page_write(const struct gk_rpc_message *message, FILE *to);

#endif
