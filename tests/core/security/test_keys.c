#include "core/security/keys.h"

#include "tests/core/security/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char *directory;
    char *path; /* of the keys, made by setup */
    struct gk_keys *keys;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->directory = scratch_make();
    fixture->path = scratch_path(fixture->directory, "keys");
    *state = fixture;
    return gk_keys_generate(fixture->path, NULL) == GK_OK &&
                   gk_keys_open(fixture->path, &fixture->keys, NULL) == GK_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_keys_close(fixture->keys);
    free(fixture->path);
    scratch_remove(fixture->directory);
    free(fixture);
    return 0;
}

static struct gk_bytes text(const char *from)
{
    return (struct gk_bytes){.data = (const uint8_t *)from, .size = strlen(from)};
}

static const char *const files[] = {"index.key", "seal.key",  "spool.key",
                                    "token.key", "audit.key", "grant.key"};

/* --- files --- */

static void test_key_files_are_the_owners_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stat found;

    assert_int_equal(stat(fixture->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    for (size_t i = 0; i < 4; i++) {
        char *path = scratch_path(fixture->path, files[i]);

        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(found.st_mode & 0777, 0600);
        assert_int_equal(found.st_size, 32);
        free(path);
    }
    assert_int_equal(gk_keys_epoch(fixture->keys), 1);
}

static void test_keys_are_never_overwritten(void **state)
{
    struct fixture *fixture = *state;
    uint8_t before[GK_TOKEN_SIZE];
    uint8_t after[GK_TOKEN_SIZE];
    char *seal = scratch_path(fixture->path, "seal.key");
    char *index = scratch_path(fixture->path, "index.key");
    struct gk_error error = {0};

    gk_keys_card_token(fixture->keys, "iso7812", "4111111111111111", before);
    assert_int_equal(gk_keys_generate(fixture->path, &error), GK_ALREADY_EXISTS);
    assert_non_null(strstr(error.message, "index.key"));
    /* Even where one is missing; nothing is made then. */
    assert_int_equal(unlink(seal), 0);
    assert_int_equal(gk_keys_generate(fixture->path, NULL), GK_ALREADY_EXISTS);
    assert_int_not_equal(access(seal, F_OK), 0);
    assert_int_equal(access(index, F_OK), 0);
    gk_keys_card_token(fixture->keys, "iso7812", "4111111111111111", after);
    assert_memory_equal(before, after, sizeof before);
    free(seal);
    free(index);
}

static void assert_refused(struct fixture *fixture, const char *word)
{
    struct gk_keys *keys = NULL;
    struct gk_error error = {0};

    assert_int_equal(gk_keys_open(fixture->path, &keys, &error), GK_FAILED_PRECONDITION);
    assert_null(keys);
    if (strstr(error.message, word) == NULL) {
        fail_msg("\"%s\" does not name \"%s\"", error.message, word);
    }
}

static void test_a_missing_short_long_or_shared_key_file_is_refused(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < 4; i++) {
        char *path = scratch_path(fixture->path, files[i]);
        char *aside = scratch_path(fixture->path, "aside");

        assert_int_equal(chmod(path, 0640), 0);
        assert_refused(fixture, "640");
        assert_int_equal(chmod(path, 0604), 0);
        assert_refused(fixture, files[i]);
        assert_int_equal(chmod(path, 0600), 0);
        assert_int_equal(truncate(path, 33), 0);
        assert_refused(fixture, "33 bytes");
        assert_int_equal(truncate(path, 31), 0);
        assert_refused(fixture, "31 bytes");
        assert_int_equal(truncate(path, 32), 0);
        assert_int_equal(rename(path, aside), 0);
        assert_refused(fixture, files[i]);
        assert_int_equal(symlink(aside, path), 0);
        assert_refused(fixture, files[i]);
        assert_int_equal(rename(aside, path), 0);
        free(path);
        free(aside);
    }
}

/* --- tokens --- */

static void test_the_same_keys_give_the_same_tokens_and_others_do_not(void **state)
{
    struct fixture *fixture = *state;
    char *elsewhere = scratch_path(fixture->directory, "elsewhere");
    struct gk_keys *again = NULL;
    struct gk_keys *others = NULL;
    uint8_t tokens[3][GK_TOKEN_SIZE];

    assert_int_equal(gk_keys_open(fixture->path, &again, NULL), GK_OK);
    assert_int_equal(gk_keys_generate(elsewhere, NULL), GK_OK);
    assert_int_equal(gk_keys_open(elsewhere, &others, NULL), GK_OK);
    gk_keys_card_token(fixture->keys, "iso7812", "4111111111111111", tokens[0]);
    gk_keys_card_token(again, "iso7812", "4111111111111111", tokens[1]);
    gk_keys_card_token(others, "iso7812", "4111111111111111", tokens[2]);
    assert_memory_equal(tokens[0], tokens[1], GK_TOKEN_SIZE);
    assert_memory_not_equal(tokens[0], tokens[2], GK_TOKEN_SIZE);
    gk_keys_close(again);
    gk_keys_close(others);
    free(elsewhere);
}

static void test_tokens_of_different_uses_and_parts_differ(void **state)
{
    struct fixture *fixture = *state;
    const struct gk_keys *keys = fixture->keys;
    uint8_t tokens[9][GK_TOKEN_SIZE];

    memset(tokens, 0, sizeof tokens);
    gk_keys_card_token(keys, "ab", "c1", tokens[0]);
    gk_keys_card_token(keys, "a", "bc1", tokens[1]);
    gk_keys_holder_token(keys, "ab", "c1", tokens[2]);
    gk_keys_holder_token(keys, "a", "bc1", tokens[3]);
    gk_keys_block_token(keys, 1, "ab", "c1", 2, tokens[4]);
    gk_keys_block_token(keys, 1, "ab", "c1", 1, tokens[5]);
    gk_keys_block_token(keys, 1, "ab", "c12", 1, tokens[6]);
    gk_keys_message_id(keys, "ab", text("c1"), tokens[7]);
    gk_keys_credential_hash(keys, "c1", tokens[8]);
    for (size_t i = 0; i < 9; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(tokens[i], tokens[j], 16);
        }
    }
}

static void test_numbers_of_one_block_share_its_token(void **state)
{
    struct fixture *fixture = *state;
    uint8_t tokens[3][GK_TOKEN_SIZE];

    gk_keys_block_token(fixture->keys, 1, "campus", "20240001", 6, tokens[0]);
    gk_keys_block_token(fixture->keys, 1, "campus", "20240099", 6, tokens[1]);
    gk_keys_block_token(fixture->keys, 1, "campus", "20240199", 6, tokens[2]);
    assert_memory_equal(tokens[0], tokens[1], GK_TOKEN_SIZE);
    assert_memory_not_equal(tokens[0], tokens[2], GK_TOKEN_SIZE);
}

static void test_a_message_id_is_stable(void **state)
{
    struct fixture *fixture = *state;
    uint8_t ids[3][16];

    gk_keys_message_id(fixture->keys, "card_found", text("case"), ids[0]);
    gk_keys_message_id(fixture->keys, "card_found", text("case"), ids[1]);
    gk_keys_message_id(fixture->keys, "enquiry", text("case"), ids[2]);
    assert_memory_equal(ids[0], ids[1], 16);
    assert_memory_not_equal(ids[0], ids[2], 16);
}

static void digest_two(const struct gk_keys *keys, const char *first, const char *second, uint8_t ret[32])
{
    struct gk_digest *digest = gk_digest_start(keys);

    gk_digest_add(digest, text(first));
    gk_digest_add(digest, text(second));
    gk_digest_finish(digest, ret);
}

static void test_a_digest_knows_where_one_part_ends(void **state)
{
    struct fixture *fixture = *state;
    uint8_t digests[4][32];

    digest_two(fixture->keys, "ab", "c", digests[0]);
    digest_two(fixture->keys, "ab", "c", digests[1]);
    digest_two(fixture->keys, "a", "bc", digests[2]);
    digest_two(fixture->keys, "", "abc", digests[3]);
    assert_memory_equal(digests[0], digests[1], 32);
    assert_memory_not_equal(digests[0], digests[2], 32);
    assert_memory_not_equal(digests[0], digests[3], 32);
    assert_memory_not_equal(digests[2], digests[3], 32);
}

/* --- sealing --- */

static void test_sealed_data_opens_for_its_use_and_context_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct gk_bytes plain = text("someone@example.org");
    uint8_t sealed[64];
    uint8_t opened[64];
    const struct gk_bytes whole = {.data = sealed, .size = plain.size + GK_SEAL_OVERHEAD};
    struct gk_error error = {0};

    gk_keys_seal(fixture->keys, GK_SEAL_CONTACTS, text("holder"), plain, sealed);
    assert_null(memmem(sealed, whole.size, "example", 7));
    assert_int_equal(
        gk_keys_open_sealed(fixture->keys, GK_SEAL_CONTACTS, text("holder"), whole, opened, NULL), GK_OK);
    assert_memory_equal(opened, plain.data, plain.size);
    assert_int_equal(
        gk_keys_open_sealed(fixture->keys, GK_SEAL_CONTACTS, text("another"), whole, opened, &error),
        GK_DATA_LOSS);
    assert_int_equal(gk_keys_open_sealed(fixture->keys, GK_SEAL_MASK, text("holder"), whole, opened, &error),
                     GK_DATA_LOSS);
    const struct gk_bytes cut = {.data = sealed, .size = GK_SEAL_OVERHEAD - 1};

    assert_int_equal(
        gk_keys_open_sealed(fixture->keys, GK_SEAL_CONTACTS, text("holder"), cut, opened, &error),
        GK_DATA_LOSS);
    for (size_t i = 0; i < whole.size; i++) {
        sealed[i] ^= 1;
        assert_int_equal(
            gk_keys_open_sealed(fixture->keys, GK_SEAL_CONTACTS, text("holder"), whole, opened, &error),
            GK_DATA_LOSS);
        sealed[i] ^= 1;
    }
}

static void test_sealing_twice_gives_different_bytes_and_nothing_can_be_sealed(void **state)
{
    struct fixture *fixture = *state;
    uint8_t sealed[2][GK_SEAL_OVERHEAD];
    uint8_t nothing[1];
    const struct gk_bytes whole = {.data = sealed[0], .size = GK_SEAL_OVERHEAD};

    for (size_t i = 0; i < 2; i++) {
        gk_keys_seal(fixture->keys, GK_SEAL_MASK, text("case"), (struct gk_bytes){0}, sealed[i]);
    }
    assert_memory_not_equal(sealed[0], sealed[1], GK_SEAL_OVERHEAD);
    assert_int_equal(gk_keys_open_sealed(fixture->keys, GK_SEAL_MASK, text("case"), whole, nothing, NULL),
                     GK_OK);
}

static void test_what_a_box_spools_opens_with_the_services_key_alone(void **state)
{
    struct fixture *fixture = *state;
    const char *entry = "a deposit";
    const size_t size = strlen(entry);
    uint8_t key[GK_SPOOL_KEY_SIZE];
    uint8_t sealed[64 + crypto_box_SEALBYTES];
    uint8_t opened[64];
    const struct gk_bytes whole = {.data = sealed, .size = size + crypto_box_SEALBYTES};

    gk_keys_spool_public(fixture->keys, key);
    assert_int_equal(crypto_box_seal(sealed, (const uint8_t *)entry, size, key), 0);
    assert_int_equal(gk_keys_open_spooled(fixture->keys, whole, opened, NULL), GK_OK);
    assert_memory_equal(opened, entry, size);
    sealed[whole.size - 1] ^= 1;
    assert_int_equal(gk_keys_open_spooled(fixture->keys, whole, opened, NULL), GK_DATA_LOSS);
    const struct gk_bytes cut = {.data = sealed, .size = crypto_box_SEALBYTES - 1};

    assert_int_equal(gk_keys_open_spooled(fixture->keys, cut, opened, NULL), GK_DATA_LOSS);
}

static void test_a_credential_names_its_role_and_is_never_the_same(void **state)
{
    char texts[2][GK_CREDENTIAL_SIZE];

    (void)state;
    gk_credential_make("box", texts[0]);
    gk_credential_make("box", texts[1]);
    assert_int_equal(strlen(texts[0]), strlen("gk_box_") + 43);
    assert_memory_equal(texts[0], "gk_box_", 7);
    assert_string_not_equal(texts[0], texts[1]);
    gk_credential_make("twelve_chars", texts[0]);
    assert_int_equal(strlen(texts[0]), 3 + 12 + 1 + 43);
}

#define KEYS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEYS_TEST(test_key_files_are_the_owners_alone),
        KEYS_TEST(test_keys_are_never_overwritten),
        KEYS_TEST(test_a_missing_short_long_or_shared_key_file_is_refused),
        KEYS_TEST(test_the_same_keys_give_the_same_tokens_and_others_do_not),
        KEYS_TEST(test_tokens_of_different_uses_and_parts_differ),
        KEYS_TEST(test_numbers_of_one_block_share_its_token),
        KEYS_TEST(test_a_message_id_is_stable),
        KEYS_TEST(test_a_digest_knows_where_one_part_ends),
        KEYS_TEST(test_sealed_data_opens_for_its_use_and_context_alone),
        KEYS_TEST(test_sealing_twice_gives_different_bytes_and_nothing_can_be_sealed),
        KEYS_TEST(test_what_a_box_spools_opens_with_the_services_key_alone),
        KEYS_TEST(test_a_credential_names_its_role_and_is_never_the_same),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
