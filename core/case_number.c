#include "core/case_number.h"

#include "core/security/hex.h"

#include <sodium.h>
#include <string.h>

enum { NUMBER_SIZE = 4 /* bytes of a case id that make its number */ };

size_t gk_case_number_read(const char *text, uint8_t ret_id[GK_CASE_ID_SIZE])
{
    char digits[2 * GK_CASE_ID_SIZE + 1];
    size_t count = 0;

    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '-') {
            continue;
        }
        if (count == 2 * GK_CASE_ID_SIZE) {
            return 0;
        }
        digits[count++] = *text;
    }
    digits[count] = '\0';
    return (count == 2 * NUMBER_SIZE || count == 2 * GK_CASE_ID_SIZE) &&
                   gk_hex_decode(digits, ret_id, count / 2)
               ? count / 2
               : 0;
}

struct named {
    uint8_t *case_id;
    bool found;
};

static bool take_first(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct named *named = context;

    (void)value;
    if (key.size == GK_CASE_ID_SIZE) {
        memcpy(named->case_id, key.data, GK_CASE_ID_SIZE);
        named->found = true;
    }
    return false;
}

enum gk_status gk_case_number_find(struct gk_store *store, const char *text,
                                   uint8_t ret_case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    uint8_t wanted[GK_CASE_ID_SIZE];
    uint8_t found[GK_CASE_ID_SIZE];
    struct named named = {found, false};
    const size_t size = gk_case_number_read(text, wanted);

    if (size == 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a case number is 8 hexadecimal digits, as A1B2-C3D4, or a whole case id of 32");
    }
    const enum gk_status status = gk_store_scan(store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){wanted, size},
                                                (struct gk_bytes){NULL, 0}, false, take_first, &named, error);

    if (status != GK_OK) {
        return status;
    }
    if (!named.found) {
        return gk_error_set(error, GK_NOT_FOUND, "there is no such case");
    }
    memcpy(ret_case_id, found, GK_CASE_ID_SIZE);
    return GK_OK;
}

enum gk_status gk_case_number_draw(struct gk_store *store, uint8_t ret_case_id[GK_CASE_ID_SIZE],
                                   struct gk_error *error)
{
    uint8_t other[GK_CASE_ID_SIZE];
    struct named named;
    enum gk_status status;

    do {
        named = (struct named){other, false};
        randombytes_buf(ret_case_id, GK_CASE_ID_SIZE);
        status = gk_store_scan(store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){ret_case_id, NUMBER_SIZE},
                               (struct gk_bytes){NULL, 0}, false, take_first, &named, error);
    } while (status == GK_OK && named.found);
    return status;
}
