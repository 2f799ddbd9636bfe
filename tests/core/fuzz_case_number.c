/* What somebody types at a box or a desk: a case number, a code, a telephone number. */
#include "core/case_number.h"
#include "core/security/pickup_code.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    uint8_t id[GK_CASE_ID_SIZE];
    char tail[GK_PICKUP_TAIL + 1];

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    const size_t read = gk_case_number_read(text, id);

    assert(read == 0 || read == 4 || read == GK_CASE_ID_SIZE);
    assert(!gk_pickup_telephone_tail(text, tail) || strspn(tail, "0123456789") == GK_PICKUP_TAIL);
    free(text);
    return 0;
}
