/* Whether bytes are text. */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_UTF8_H
#define GUIKA_CLIENTS_CLI_REGISTRY_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True where the bytes are well-formed UTF-8 (Unicode 15, table 3-7) without a NUL. */
bool gk_utf8_is_text(const char *bytes, size_t size);

#endif
