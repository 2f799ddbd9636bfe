/* Ids as hexadecimal text. */
#ifndef GUIKA_CORE_SECURITY_HEX_H
#define GUIKA_CORE_SECURITY_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes 2 * size lower-case digits and the terminator to `ret_text`. [any] */
void gk_hex_encode(const uint8_t *bytes, size_t size, char *ret_text);

/* Reads exactly 2 * size digits, of either case, and then the terminator. False where `text` is anything
 * else; `ret_bytes` is then untouched. [any] */
bool gk_hex_decode(const char *text, uint8_t *ret_bytes, size_t size);

#endif
