#include "core/recognition/descriptor.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#define FIELD_LONGEST 64 /* characters of a number as it stands in a bar code (guika/issuer.h) */

static const enum guika_symbology symbologies[] = {
    [GK_BARCODE_EAN] = GUIKA_CODE_EAN,         [GK_BARCODE_CODE39] = GUIKA_CODE_39,
    [GK_BARCODE_CODE128] = GUIKA_CODE_128,     [GK_BARCODE_ITF] = GUIKA_CODE_ITF,
    [GK_BARCODE_CODABAR] = GUIKA_CODE_CODABAR, [GK_BARCODE_QR] = GUIKA_CODE_QR,
};

#define SIZE_1_0 offsetof(struct guika_issuer, barcodes)

const struct gk_plugin_kind *gk_descriptor_kind(void)
{
    static const struct gk_plugin_kind kind = {.symbol = "guika_issuer",
                                               .word = "issuer",
                                               .abi_major = GUIKA_ISSUER_ABI_MAJOR,
                                               .abi_minor = GUIKA_ISSUER_ABI_MINOR,
                                               .smallest_struct = SIZE_1_0,
                                               .check = gk_rules_check_descriptor};
    return &kind;
}

uint32_t gk_descriptor_size(uint16_t minor)
{
    static const uint32_t sizes[] = {SIZE_1_0, sizeof(struct guika_issuer)};
    assert(minor < sizeof sizes / sizeof *sizes);
    return sizes[minor];
}

const struct guika_barcode *gk_descriptor_barcodes(const struct guika_issuer *issuer, size_t *ret_count)
{
    bool has = issuer->struct_size >= gk_descriptor_size(1);
    *ret_count = has ? issuer->barcode_count : 0;
    return has ? issuer->barcodes : NULL;
}

bool gk_descriptor_has_barcodes(const struct guika_issuer *issuer)
{
    return issuer != NULL && issuer->struct_size >= gk_descriptor_size(1) && issuer->barcode_count > 0;
}

struct guika_masking gk_descriptor_masking(const struct guika_issuer *issuer)
{
    return issuer->struct_size >= gk_descriptor_size(1) ? issuer->masking : (struct guika_masking){0, 0};
}

bool gk_descriptor_cut(const struct guika_barcode *field, const struct gk_barcode *code,
                       char ret_number[GK_NUMBER_SIZE])
{
    char cut[FIELD_LONGEST + 1], number[GK_NUMBER_SIZE];
    assert((size_t)code->symbology < sizeof symbologies / sizeof *symbologies);
    if (code->is_part ||
        (field->symbology != GUIKA_CODE_ANY && field->symbology != symbologies[code->symbology])) {
        return false;
    }
    const char *at = field->marker == NULL ? code->text : strstr(code->text, field->marker);
    if (at == NULL) {
        return false;
    }
    at += field->marker == NULL ? 0 : strlen(field->marker);
    if (strnlen(at, field->skip) < field->skip) {
        return false;
    }
    at += field->skip;
    size_t length = 0;
    while (length < FIELD_LONGEST && at[length] != '\0' &&
           (field->length > 0
                ? length < field->length
                : isalnum((unsigned char)at[length]) || at[length] == ' ' || at[length] == '-')) {
        cut[length] = at[length];
        length++;
    }
    cut[length] = '\0';
    if (length < field->length || gk_rules_canonical(cut, number) == 0) {
        return false;
    }
    memcpy(ret_number, number, sizeof number);
    return true;
}
