#include "clients/cli/registry/utf8.h"

/* One row of table 3-7 of the Unicode standard: what may follow a first byte. */
struct shape {
    unsigned char first_low, first_high;
    unsigned char second_low, second_high; /* the bytes after the second are 80..BF */
    size_t length;
};

static const struct shape SHAPES[] = {
    {0x01, 0x7F, 0, 0, 1},       {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* Bytes of the character that `text` begins with; 0: it is none. */
static size_t character_size(const unsigned char *text, size_t size)
{
    for (size_t i = 0; i < sizeof SHAPES / sizeof SHAPES[0]; i++) {
        const struct shape *shape = &SHAPES[i];

        if (text[0] < shape->first_low || text[0] > shape->first_high) {
            continue;
        }
        if (shape->length > size) {
            return 0;
        }
        for (size_t j = 1; j < shape->length; j++) {
            const unsigned char low = j == 1 ? shape->second_low : 0x80;
            const unsigned char high = j == 1 ? shape->second_high : 0xBF;

            if (text[j] < low || text[j] > high) {
                return 0;
            }
        }
        return shape->length;
    }
    return 0;
}

bool gk_utf8_is_text(const char *bytes, size_t size)
{
    while (size > 0) {
        const size_t character = character_size((const unsigned char *)bytes, size);

        if (character == 0) {
            return false;
        }
        bytes += character;
        size -= character;
    }
    return true;
}
