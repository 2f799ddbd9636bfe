#include "clients/c/line.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

enum { HEX_MOST = 16 /* bytes */ };

bool gk_line_word(const char **at, char *ret_word, size_t size)
{
    const size_t length = strcspn(*at, " \n");

    if (length == 0 || length >= size) {
        return false;
    }
    memcpy(ret_word, *at, length);
    ret_word[length] = '\0';
    *at += length + ((*at)[length] == ' ');
    return true;
}

bool gk_line_number(const char **at, uint64_t largest, uint64_t *ret_number)
{
    char word[24];
    uint64_t number = 0;

    if (!gk_line_word(at, word, sizeof word)) {
        return false;
    }
    for (const char *digit = word; *digit != '\0'; digit++) {
        const uint64_t value = (uint64_t)(*digit - '0');

        if (*digit < '0' || *digit > '9' || value > largest || number > (largest - value) / 10) {
            return false;
        }
        number = number * 10 + value;
    }
    *ret_number = number;
    return true;
}

bool gk_line_hex(const char **at, uint8_t *ret_bytes, size_t size)
{
    char word[2 * HEX_MOST + 1];
    size_t length = 0;

    assert(size <= HEX_MOST);
    return gk_line_word(at, word, sizeof word) &&
           sodium_hex2bin(ret_bytes, size, word, strlen(word), NULL, &length, NULL) == 0 && length == size;
}
