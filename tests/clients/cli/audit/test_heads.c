#include "clients/cli/audit/heads.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ENTRIES = 20, HEADS = 3 };

static const uint64_t signed_over[HEADS] = {5, 12, 17};

/* A chain of entries and heads signed over some of them. */
struct world {
    char *directory;
    struct gk_keys *keys;
    uint8_t public_key[GK_AUDIT_PUBLIC_SIZE];
    guika_v1_internal_AuditEntry entries[ENTRIES];
    char lines[HEADS * GK_AUDIT_LINE_SIZE];
};

/* Links the entries from `first` on. */
static void link_entries(struct world *world, size_t first)
{
    for (size_t i = first; i < ENTRIES; i++) {
        if (i > 0) {
            memcpy(world->entries[i].previous, world->entries[i - 1].hash, GK_AUDIT_HASH_SIZE);
        }
        gk_audit_hash(&world->entries[i], world->entries[i].hash);
    }
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char line[GK_AUDIT_LINE_SIZE];

    world->directory = scratch_make();
    char *path = scratch_path(world->directory, "keys");

    assert_int_equal(gk_keys_generate(path, NULL), GK_OK);
    assert_int_equal(gk_keys_open(path, &world->keys, NULL), GK_OK);
    free(path);
    gk_audit_public_write(world->keys, line);
    assert_int_equal(gk_audit_public_read(line, world->public_key, NULL), GK_OK);
    for (size_t i = 0; i < ENTRIES; i++) {
        world->entries[i].sequence = i + 1;
        world->entries[i].at_ms = 1000 + (int64_t)i;
        strcpy(world->entries[i].actor, "box:library");
        strcpy(world->entries[i].action, "found_card.identify");
    }
    link_entries(world, 0);
    for (size_t i = 0; i < HEADS; i++) {
        struct gk_signed_head head = {.sequence = signed_over[i], .at_ms = 2000};

        memcpy(head.hash, world->entries[signed_over[i] - 1].hash, sizeof head.hash);
        gk_audit_head_sign(world->keys, &head, line);
        strcat(world->lines, line);
        strcat(world->lines, "\n");
    }
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    gk_keys_close(world->keys);
    scratch_remove(world->directory);
    free(world);
    return 0;
}

static enum gk_status read_text(const struct world *world, const char *text, struct gk_heads **ret_heads,
                                struct gk_error *error)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

    assert_non_null(file);
    const enum gk_status status = gk_heads_read(file, world->public_key, ret_heads, error);

    (void)fclose(file);
    return status;
}

/* Holds the first `count` entries, but for `without` (SIZE_MAX: none), against the heads. */
static enum gk_status check(const struct world *world, size_t count, size_t without, struct gk_error *error)
{
    struct gk_heads *heads = NULL;
    uint64_t entries;
    enum gk_status status = read_text(world, world->lines, &heads, error);

    for (size_t i = 0; status == GK_OK && i < count; i++) {
        if (i != without) {
            status = gk_heads_check(heads, &world->entries[i], error);
        }
    }
    if (status == GK_OK) {
        status = gk_heads_end(heads, &entries, error);
    }
    gk_heads_free(heads);
    return status;
}

static void assert_found(const struct world *world, size_t count, size_t without, const char *words)
{
    struct gk_error error = {0};

    assert_int_equal(check(world, count, without, &error), GK_DATA_LOSS);
    if (strstr(error.message, words) == NULL) {
        fail_msg("\"%s\" is missing in: %s", words, error.message);
    }
}

static void test_whole_chain_agrees(void **state)
{
    assert_int_equal(check(*state, ENTRIES, SIZE_MAX, NULL), GK_OK);
}

static void test_every_changed_field_of_every_entry_is_found(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < ENTRIES; i++) {
        const guika_v1_internal_AuditEntry before = world->entries[i];

        world->entries[i].actor[0] ^= 1;
        assert_found(world, ENTRIES, SIZE_MAX, "was changed");
        world->entries[i] = before;
        world->entries[i].at_ms++;
        assert_found(world, ENTRIES, SIZE_MAX, "was changed");
        world->entries[i] = before;
        world->entries[i].detail[0] = 'x';
        assert_found(world, ENTRIES, SIZE_MAX, "was changed");
        world->entries[i] = before;
        world->entries[i].hash[0] ^= 1;
        assert_found(world, ENTRIES, SIZE_MAX, "was changed");
        world->entries[i] = before;
    }
}

static void test_missing_entry_is_found(void **state)
{
    for (size_t i = 0; i < ENTRIES - 1; i++) {
        assert_found(*state, ENTRIES, i, "is missing");
    }
}

/* Whoever has the store can compute all hashes anew; not the signatures. */
static void test_chain_that_was_made_anew_is_found_by_the_heads(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < signed_over[HEADS - 1]; i++) {
        const struct world before = *world;

        strcpy(world->entries[i].actor, "box:somewhere");
        link_entries(world, i);
        assert_found(world, ENTRIES, SIZE_MAX, "is not the one that a head was signed over");
        *world = before;
    }
    /* What came after the last head nobody has signed. */
    strcpy(world->entries[signed_over[HEADS - 1]].actor, "box:somewhere");
    link_entries(world, signed_over[HEADS - 1]);
    assert_int_equal(check(world, ENTRIES, SIZE_MAX, NULL), GK_OK);
}

static void test_cut_before_the_last_head_is_found(void **state)
{
    for (size_t count = 0; count < signed_over[HEADS - 1]; count++) {
        assert_found(*state, count, SIZE_MAX, "are missing");
    }
    assert_int_equal(check(*state, signed_over[HEADS - 1], SIZE_MAX, NULL), GK_OK);
}

static void test_changed_or_foreign_line_is_refused_with_its_number(void **state)
{
    struct world *world = *state;
    struct gk_heads *heads = NULL;
    struct gk_error error;
    char *second = strchr(world->lines, '\n') + 1;

    second[strlen("guika-audit-head:")] ^= 1;
    assert_int_equal(read_text(world, world->lines, &heads, &error), GK_DATA_LOSS);
    assert_non_null(strstr(error.message, "line 2"));
    second[strlen("guika-audit-head:")] ^= 1;
    world->public_key[0] ^= 1;
    assert_int_equal(read_text(world, world->lines, &heads, &error), GK_DATA_LOSS);
    world->public_key[0] ^= 1;
    assert_int_equal(read_text(world, "nonsense\n", &heads, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(read_text(world, "\n", &heads, &error), GK_INVALID_ARGUMENT);
    assert_null(heads);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(test_whole_chain_agrees),
        WITH_WORLD(test_every_changed_field_of_every_entry_is_found),
        WITH_WORLD(test_missing_entry_is_found),
        WITH_WORLD(test_chain_that_was_made_anew_is_found_by_the_heads),
        WITH_WORLD(test_cut_before_the_last_head_is_found),
        WITH_WORLD(test_changed_or_foreign_line_is_refused_with_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
