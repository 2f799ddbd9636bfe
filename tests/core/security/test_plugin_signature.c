#include "core/security/plugin_signature.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct maker {
    char secret[GK_PLUGIN_KEY_TEXT_SIZE];
    char public[GK_PLUGIN_KEY_TEXT_SIZE];
    struct gk_plugin_key key;
};

static struct maker make(void)
{
    struct maker maker;

    gk_plugin_key_make(maker.secret, maker.public);
    assert_int_equal(gk_plugin_key_read(maker.public, &maker.key, NULL), GK_OK);
    return maker;
}

static struct gk_bytes bytes(const char *text)
{
    return (struct gk_bytes){(const uint8_t *)text, strlen(text)};
}

static void expect(const struct gk_plugin_key *key, const char *file, const char *signature,
                   const char *words)
{
    char id[GK_PLUGIN_KEY_ID_SIZE] = "untouched";
    struct gk_error error = {0};

    assert_int_equal(gk_plugin_verify(key, 1, bytes(file), bytes(signature), id, &error),
                     GK_PERMISSION_DENIED);
    assert_string_equal(id, "untouched");
    if (strstr(error.message, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.message, words);
    }
}

static void test_what_was_signed_is_taken_and_its_signer_named(void **state)
{
    const struct maker one = make(), two = make();
    const struct gk_plugin_key keys[] = {one.key, two.key};
    char signature[GK_PLUGIN_SIGNATURE_SIZE], id[GK_PLUGIN_KEY_ID_SIZE];
    char with_line_feed[GK_PLUGIN_SIGNATURE_SIZE + 1];

    (void)state;
    assert_int_equal(gk_plugin_sign(two.secret, bytes("the plugin"), signature, NULL), GK_OK);
    assert_int_equal(gk_plugin_verify(keys, 2, bytes("the plugin"), bytes(signature), id, NULL), GK_OK);
    assert_string_equal(id, two.key.id);
    (void)snprintf(with_line_feed, sizeof with_line_feed, "%s\n", signature);
    assert_int_equal(gk_plugin_verify(keys, 2, bytes("the plugin"), bytes(with_line_feed), id, NULL), GK_OK);
}

static void test_anything_else_is_refused_with_its_reason(void **state)
{
    const struct maker one = make(), two = make();
    char signature[GK_PLUGIN_SIGNATURE_SIZE], other[GK_PLUGIN_SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(gk_plugin_sign(one.secret, bytes("the plugin"), signature, NULL), GK_OK);
    assert_int_equal(gk_plugin_sign(two.secret, bytes("the plugin"), other, NULL), GK_OK);
    expect(&one.key, "the plugin", "", "it is not signed");
    expect(&one.key, "the plug1n", signature, "not of this file");
    expect(&one.key, "the plugin", other, two.key.id);
    expect(&one.key, "the plugin", "guika-signature 0123456789abcdef AAAA", "damaged");
    signature[strlen(signature) - 5] = '!';
    expect(&one.key, "the plugin", signature, "damaged");
    /* The other's signature under the name of a key that is trusted. */
    memcpy(strchr(other, ' ') + 1, one.key.id, strlen(one.key.id));
    expect(&one.key, "the plugin", other, "not of this file");
}

static void test_keys_are_read_as_they_are_printed_and_no_other_way(void **state)
{
    static const char *const wrong[] = {"", "AAAA", "not base64 at all, but long enough to be it", NULL};
    struct gk_plugin_key key = {.id = "untouched"};
    struct gk_error error = {0};
    char signature[GK_PLUGIN_SIGNATURE_SIZE];
    const struct maker one = make();

    (void)state;
    for (size_t i = 0; wrong[i] != NULL; i++) {
        assert_int_equal(gk_plugin_key_read(wrong[i], &key, &error), GK_INVALID_ARGUMENT);
        assert_int_equal(gk_plugin_sign(wrong[i], bytes("x"), signature, &error), GK_INVALID_ARGUMENT);
    }
    assert_string_equal(key.id, "untouched");
    assert_int_equal(gk_plugin_sign(one.public, bytes("x"), signature, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_plugin_key_read(one.secret, &key, &error), GK_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_signed_is_taken_and_its_signer_named),
        cmocka_unit_test(test_anything_else_is_refused_with_its_reason),
        cmocka_unit_test(test_keys_are_read_as_they_are_printed_and_no_other_way),
    };

    if (sodium_init() < 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("core/security/plugin_signature", tests, NULL, NULL);
}
