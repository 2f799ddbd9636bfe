/*
 * Text of a bar code, cut as an issuer declares. Bytes: symbology of the field and of the code, skip, length,
 * length of the marker, marker, text.
 */
#include "core/recognition/descriptor.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char marker[33], number[GK_NUMBER_SIZE], again[GK_NUMBER_SIZE];
    struct gk_barcode code = {0};
    if (size < 5 || size < 5 + (size_t)(data[4] % sizeof marker)) {
        return 0;
    }
    size_t marker_size = data[4] % sizeof marker, text_size = size - 5 - marker_size;
    memcpy(marker, data + 5, marker_size);
    marker[marker_size] = '\0';
    text_size = text_size < sizeof code.text ? text_size : sizeof code.text - 1;
    memcpy(code.text, data + 5 + marker_size, text_size);
    code.symbology = (enum gk_barcode_symbology)(data[1] % (GK_BARCODE_QR + 1));
    code.is_part = data[1] >= 0x80;
    const struct guika_barcode field = {.symbology = (enum guika_symbology)(data[0] % (GUIKA_CODE_QR + 1)),
                                        .marker = marker_size == 0 ? NULL : marker,
                                        .skip = data[2] % 201,
                                        .length = data[3] % 65};
    if (gk_descriptor_cut(&field, &code, number) &&
        (strlen(number) == 0 || gk_rules_canonical(number, again) != strlen(number) ||
         strcmp(number, again) != 0)) {
        abort();
    }
    return 0;
}
