/* Where the number sits in a bar code's text, as issuers declare it. */
#include "core/recognition/descriptor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void expect_cut(struct guika_barcode field, enum gk_barcode_symbology symbology, const char *text,
                       const char *wanted)
{
    struct gk_barcode code = {.symbology = symbology};
    char number[GK_NUMBER_SIZE] = "untouched";
    snprintf(code.text, sizeof code.text, "%s", text);
    assert_int_equal(gk_descriptor_cut(&field, &code, number), wanted != NULL);
    assert_string_equal(number, wanted == NULL ? "untouched" : wanted);
}

static void test_number_is_cut_behind_marker_and_skip(void **state)
{
    (void)state;
    const char *address = "https://card.example/c?n=2021-000128&v=2";
    expect_cut((struct guika_barcode){.marker = "?n="}, GK_BARCODE_QR, address, "2021000128");
    expect_cut((struct guika_barcode){.marker = "?n=", .length = 4}, GK_BARCODE_QR, address, "2021");
    expect_cut((struct guika_barcode){.skip = 1, .length = 10}, GK_BARCODE_CODABAR, "A2021000128B",
               "2021000128");
    expect_cut((struct guika_barcode){0}, GK_BARCODE_CODE128, "lib 0041 7723", "LIB00417723");
}

static void test_what_the_field_does_not_describe_is_left_alone(void **state)
{
    (void)state;
    expect_cut((struct guika_barcode){.marker = "?m="}, GK_BARCODE_QR, "x?n=12", NULL);
    expect_cut((struct guika_barcode){.marker = "?n="}, GK_BARCODE_QR, "x?n=", NULL);
    expect_cut((struct guika_barcode){.skip = 5}, GK_BARCODE_QR, "1234", NULL);
    expect_cut((struct guika_barcode){.length = 10}, GK_BARCODE_QR, "123456789", NULL);
    expect_cut((struct guika_barcode){.symbology = GUIKA_CODE_EAN}, GK_BARCODE_QR, "123456789", NULL);
    expect_cut((struct guika_barcode){0}, GK_BARCODE_QR, "123456789012345678901234567890123", NULL);
}

static void test_the_symbology_is_the_declared_one(void **state)
{
    (void)state;
    static const enum guika_symbology declared[] = {GUIKA_CODE_EAN, GUIKA_CODE_39,      GUIKA_CODE_128,
                                                    GUIKA_CODE_ITF, GUIKA_CODE_CODABAR, GUIKA_CODE_QR};
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++) {
        for (int seen = GK_BARCODE_EAN; seen <= GK_BARCODE_QR; seen++) {
            expect_cut((struct guika_barcode){.symbology = declared[i]}, (enum gk_barcode_symbology)seen,
                       "20210128", (size_t)seen == i ? "20210128" : NULL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_is_cut_behind_marker_and_skip),
        cmocka_unit_test(test_what_the_field_does_not_describe_is_left_alone),
        cmocka_unit_test(test_the_symbology_is_the_declared_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
