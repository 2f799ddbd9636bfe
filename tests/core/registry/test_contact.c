#include "core/registry/contact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void reads(const char *text, const char *wanted)
{
    struct gk_contact contact;

    if (!gk_contact_read(text, &contact)) {
        fail_msg("\"%s\" is no contact", text);
    }
    assert_string_equal(contact.text, wanted);
}

static void refuses(const char *text)
{
    struct gk_contact contact = {.text = "untouched"};

    if (gk_contact_read(text, &contact)) {
        fail_msg("\"%s\" is read as \"%s\"", text, contact.text);
    }
    assert_string_equal(contact.text, "untouched");
}

static void test_mail_is_compared_in_small_letters_and_without_its_channel(void **state)
{
    (void)state;
    reads("Ada.Lovelace@Holders.EXAMPLE", "ada.lovelace@holders.example");
    reads("smtp:ada@holders.example", "ada@holders.example");
    reads(" mailto:ada@holders.example\n", "ada@holders.example");
}

static void test_telephone_is_compared_in_one_form_however_it_is_written(void **state)
{
    static const char *const same[] = {"13800138000",         "138 0013 8000",      "+86 138-0013-8000",
                                       "0086 13800138000",    "sms:+8613800138000", "tel:+86-138-0013-8000",
                                       "+86(0)138 0013 8000 "};

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        reads(same[i], "+8613800138000");
    }
    reads("010-6552 9988", "+861065529988");
    reads("+86 010 6552 9988", "+861065529988");
    reads("+44 (0)20 7946 0958", "+442079460958");
    reads("00442079460958", "+442079460958");
    reads("+852 2766 1234", "+85227661234");
}

static void test_what_is_neither_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "@",
        "a@",
        "@b.example",
        "a@b@c.example",
        "a b@c.example",
        "a@b.example, c@d.example",
        "smtp:",
        "webpush:endpoint-1",
        "12345678", /* eight digits without a country: which? */
        "6250941006528599" /* a card's number */,
        "+12",
        "+1234567890123456",
        "+0123456789",
        "+86 138 0013 800a",
        "a@b.example\r\nBcc: c@d.example",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refuses(texts[i]);
    }
}

static void test_too_long_is_refused(void **state)
{
    char text[200];

    (void)state;
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    text[100] = '@';
    refuses(text);
    memset(text, '1', 60);
    text[60] = '\0';
    refuses(text);
}

static void test_address_has_the_usual_channel(void **state)
{
    struct gk_contact contact;
    char address[129];

    (void)state;
    assert_true(gk_contact_read("Ada@holders.example", &contact));
    gk_contact_address(&contact, address);
    assert_string_equal(address, "smtp:ada@holders.example");
    assert_true(gk_contact_read("13800138000", &contact));
    gk_contact_address(&contact, address);
    assert_string_equal(address, "sms:+8613800138000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mail_is_compared_in_small_letters_and_without_its_channel),
        cmocka_unit_test(test_telephone_is_compared_in_one_form_however_it_is_written),
        cmocka_unit_test(test_what_is_neither_is_refused),
        cmocka_unit_test(test_too_long_is_refused),
        cmocka_unit_test(test_address_has_the_usual_channel),
    };

    return cmocka_run_group_tests_name("core/registry/contact", tests, NULL, NULL);
}
