/* A line of words with one space between each, read from the left. For the small text files of a box. */
#ifndef GUIKA_CLIENTS_C_LINE_H
#define GUIKA_CLIENTS_C_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the word at `*at`, which moves behind the space after it. False where there is none, or it does not
 * fit into `size` bytes with the terminator. [any] */
bool gk_line_word(const char **at, char *ret_word, size_t size);

/* Takes a word that is a decimal number of digits alone, at most `largest`. [any] */
bool gk_line_number(const char **at, uint64_t largest, uint64_t *ret_number);

/* Takes a word that is exactly `size` bytes in hexadecimal, at most 16. [any] */
bool gk_line_hex(const char **at, uint8_t *ret_bytes, size_t size);

#endif
