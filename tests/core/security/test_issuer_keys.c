#include "core/security/issuer_keys.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NUMBER "6250941006528599"

static struct gk_issuer_keys *open_keys(const char *directory)
{
    struct gk_issuer_keys *keys = NULL;
    struct gk_error error = {0};

    if (gk_issuer_keys_open(directory, &keys, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    return keys;
}

static void test_both_sides_make_the_same_tokens(void **state)
{
    char *directory = scratch_make();
    struct gk_issuer_keys *keys = open_keys(directory);
    char text[GK_INDEX_KEY_TEXT_SIZE];
    struct gk_index_key key;
    uint8_t token[GK_TOKEN_SIZE];
    uint8_t other[GK_TOKEN_SIZE];
    struct gk_blocks blocks;
    struct gk_error error;

    (void)state;
    assert_int_equal(gk_issuer_keys_make(keys, "a.bank", 1, text, &error), GK_OK);
    gk_issuer_keys_close(keys);
    keys = open_keys(directory); /* as after a restart */
    assert_int_equal(gk_index_key_read(text, &key, &error), GK_OK);
    assert_string_equal(key.issuer_id, "a.bank");
    assert_int_equal(key.epoch, 1);
    assert_true(gk_issuer_keys_tokens(keys, "a.bank", 1, "iso7812", NUMBER, token, &blocks));
    gk_index_key_card_token(&key, "iso7812", NUMBER, other);
    assert_memory_equal(token, other, sizeof token);
    assert_int_equal(blocks.count, 3);
    const struct gk_blocks same = gk_index_key_blocks(&key, "iso7812", NUMBER);

    assert_memory_equal(&blocks, &same, sizeof blocks);
    gk_index_key_card_token(&key, "octopus", NUMBER, other);
    assert_memory_not_equal(token, other, sizeof token);
    assert_false(gk_issuer_keys_tokens(keys, "a.bank", 2, "iso7812", NUMBER, token, NULL));
    assert_false(gk_issuer_keys_tokens(keys, "a", 1, "iso7812", NUMBER, token, NULL));
    gk_issuer_keys_close(keys);
    scratch_remove(directory);
}

static void test_keys_of_issuers_and_epochs_differ_and_none_is_overwritten(void **state)
{
    char *directory = scratch_make();
    struct gk_issuer_keys *keys = open_keys(directory);
    char texts[4][GK_INDEX_KEY_TEXT_SIZE];
    char again[GK_INDEX_KEY_TEXT_SIZE];

    (void)state;
    assert_int_equal(gk_issuer_keys_make(keys, "bank", 1, texts[0], NULL), GK_OK);
    assert_int_equal(gk_issuer_keys_make(keys, "bank", 2, texts[1], NULL), GK_OK);
    assert_int_equal(gk_issuer_keys_make(keys, "metro", 1, texts[2], NULL), GK_OK);
    assert_string_not_equal(texts[0], texts[1]);
    assert_string_not_equal(texts[0] + strlen("guika-index-key:bank:1"),
                            texts[2] + strlen("guika-index-key:metro:1"));
    assert_int_equal(gk_issuer_keys_make(keys, "bank", 1, again, NULL), GK_OK);
    assert_string_equal(again, texts[0]);
    gk_issuer_keys_close(keys);
    scratch_remove(directory);
}

static void test_key_file_that_others_may_read_is_refused(void **state)
{
    char *directory = scratch_make();
    struct gk_issuer_keys *keys = open_keys(directory);
    struct gk_issuer_keys *none = NULL;
    char text[GK_INDEX_KEY_TEXT_SIZE];
    char path[512];
    struct gk_error error;
    struct stat found;

    (void)state;
    assert_int_equal(gk_issuer_keys_make(keys, "bank", 1, text, NULL), GK_OK);
    gk_issuer_keys_close(keys);
    (void)snprintf(path, sizeof path, "%s/issuers/bank.1.key", directory);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(found.st_size, 32);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(gk_issuer_keys_open(directory, &none, &error), GK_FAILED_PRECONDITION);
    assert_non_null(strstr(error.message, "mode 600"));
    assert_null(none);
    scratch_remove(directory);
}

static void test_text_that_is_no_key_is_refused_without_repeating_it(void **state)
{
    static const char *const bad[] = {
        "",
        "guika-index-key:",
        "guika-index-key:bank:1:",
        "guika-index-key:bank:0:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "guika-index-key:bank:x:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "guika-index-key:bank:-1:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "guika-index-key:bank:4294967296:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "guika-index-key::1:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        "guika-index-key:bank:1:00112233445566778899aabbccddeeff00112233445566778899aabbccddee",
        "guika-index-key:bank:1:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00",
        "guika-index-key:bank:1:zz112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
        ("guika-index-key:abcdefghijklmnopqrstuvwxyzabcdefg:1:"
         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gk_index_key key;
        struct gk_error error;

        assert_int_equal(gk_index_key_read(bad[i], &key, &error), GK_INVALID_ARGUMENT);
        assert_null(strstr(error.message, "001122"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_sides_make_the_same_tokens),
        cmocka_unit_test(test_keys_of_issuers_and_epochs_differ_and_none_is_overwritten),
        cmocka_unit_test(test_key_file_that_others_may_read_is_refused),
        cmocka_unit_test(test_text_that_is_no_key_is_refused_without_repeating_it),
    };

    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
