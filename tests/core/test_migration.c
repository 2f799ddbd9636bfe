/* The rows that a store from before an index lacks. GUIKA_MIGRATION_CARDS closed cards lie beside those that
 * matter; with many of them the times that are printed show how the lists scale. */
#include "core/migration.h"

#include "core/store/audit_chain.h"
#include "core/store/record.h"
#include "tests/core/life_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { CARDS = 3000, EXPIRED = 3 };

static double now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* --- a store from before --- */

static enum gk_status apply_undo(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    static const uint8_t last[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct gk_bytes first = {NULL, 0};

    (void)context;
    (void)error;
    gk_transaction_delete(transaction, GK_FAMILY_META, (struct gk_bytes){(const uint8_t *)"indexes", 7});
    gk_transaction_delete_range(transaction, GK_FAMILY_HAND_OVER, first,
                                (struct gk_bytes){last, sizeof last});
    gk_transaction_delete_range(transaction, GK_FAMILY_AUDIT_BY_SUBJECT, first,
                                (struct gk_bytes){last, sizeof last});
    return GK_OK;
}

static bool hash_row(void *context, struct gk_bytes key, struct gk_bytes value)
{
    uint64_t *sum = context;
    uint64_t hash = 14695981039346656037U; /* FNV-1a */

    (void)value;
    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ key.data[i]) * 1099511628211U;
    }
    *sum += hash;
    return true;
}

/* Says whether a family has the same rows. */
static uint64_t sum_of(struct life *life, enum gk_family family)
{
    const struct gk_bytes all = {NULL, 0};
    uint64_t sum = 0;

    assert_int_equal(gk_store_scan(life->fixture->store, family, all, all, false, hash_row, &sum, NULL),
                     GK_OK);
    return sum;
}

static void test_rows_are_made_as_they_would_have_been(void **state)
{
    struct life *life = *state;

    for (unsigned id = 1; id <= EXPIRED; id++) {
        life_ready(life, (uint8_t)id, (uint8_t)id);
    }
    life_find(life, 10, 10, LIFE_BOX, false);
    life_store(life, 10, LIFE_BOX, guika_v1_Zone_ZONE_DIFFICULT);
    life_sweep(life);
    assert_int_equal(life_records(life, GK_FAMILY_HAND_OVER), 1); /* the difficult one's time will come */
    life_pass(life, 200 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_records(life, GK_FAMILY_HAND_OVER), EXPIRED + 1);
    assert_int_equal(life_end(life, 1, guika_v1_CardState_CARD_STATE_RETURNED, "bank"), GK_OK);
    life_sweep(life);
    assert_int_equal(life_records(life, GK_FAMILY_HAND_OVER), EXPIRED);
    const uint64_t hand_over = sum_of(life, GK_FAMILY_HAND_OVER);
    const uint64_t by_subject = sum_of(life, GK_FAMILY_AUDIT_BY_SUBJECT);

    assert_true(life_records(life, GK_FAMILY_AUDIT_BY_SUBJECT) > 10);
    assert_int_equal(gk_store_commit_and_wait(life->fixture->store, apply_undo, NULL, NULL), GK_OK);
    assert_int_equal(life_records(life, GK_FAMILY_HAND_OVER), 0);
    assert_int_equal(gk_migrate(life->fixture->store, NULL, NULL), GK_OK);
    assert_int_equal(sum_of(life, GK_FAMILY_HAND_OVER), hand_over);
    assert_int_equal(sum_of(life, GK_FAMILY_AUDIT_BY_SUBJECT), by_subject);
    /* A second start has nothing to do; half a migration is made anew. */
    assert_int_equal(gk_migrate(life->fixture->store, NULL, NULL), GK_OK);
    assert_int_equal(sum_of(life, GK_FAMILY_HAND_OVER), hand_over);
}

/* --- many --- */

struct filling {
    uint32_t first;
    uint32_t count;
};

static void make_case_id(uint32_t number, uint8_t ret_id[GK_CASE_ID_SIZE])
{
    memset(ret_id, 0xee, GK_CASE_ID_SIZE);
    memcpy(ret_id, &number, sizeof number);
}

/* Closed cards as they rest, found by time. */
static enum gk_status apply_fill(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct filling *filling = context;

    for (uint32_t i = 0; i < filling->count; i++) {
        guika_v1_internal_FoundCard card = {.state = guika_v1_CardState_CARD_STATE_COLLECTED,
                                            .closed_at_ms = 1};
        uint8_t key[8 + GK_CASE_ID_SIZE] = {0};

        make_case_id(filling->first + i, card.case_id);
        memcpy(key + 8, card.case_id, GK_CASE_ID_SIZE);
        gk_transaction_put(transaction, GK_FAMILY_FOUND_BY_TIME, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
        const enum gk_status status = gk_record_put(transaction, GK_FAMILY_FOUND_CARDS,
                                                    (struct gk_bytes){card.case_id, GK_CASE_ID_SIZE},
                                                    guika_v1_internal_FoundCard_fields, &card, error);

        if (status != GK_OK) {
            return status;
        }
    }
    gk_transaction_audit(transaction, "core", "test.fill", (struct gk_bytes){NULL, 0}, "");
    return GK_OK;
}

static bool count_row(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    (*(size_t *)context)++;
    return true;
}

static bool read_card(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct life *life = context;
    guika_v1_internal_FoundCard card = {0};

    (void)value;
    return gk_record_read(life->fixture->store, GK_FAMILY_FOUND_CARDS,
                          (struct gk_bytes){key.data + 8, GK_CASE_ID_SIZE},
                          guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK;
}

static void test_closed_cards_do_not_lengthen_the_list(void **state)
{
    struct life *life = *state;
    const char *text = getenv("GUIKA_MIGRATION_CARDS");
    const uint32_t cards = text == NULL ? CARDS : (uint32_t)strtoul(text, NULL, 10);
    const struct gk_bytes all = {NULL, 0};
    size_t rows = 0;

    for (uint32_t first = 0; first < cards; first += 1000) {
        struct filling filling = {first, cards - first < 1000 ? cards - first : 1000};

        assert_int_equal(gk_store_commit_and_wait(life->fixture->store, apply_fill, &filling, NULL), GK_OK);
    }
    life_ready(life, 1, 1);
    life_pass(life, 200 * LIFE_DAY_MS);
    life_sweep(life);
    const double begin = now_ms();

    assert_int_equal(
        gk_store_scan(life->fixture->store, GK_FAMILY_FOUND_BY_TIME, all, all, false, read_card, life, NULL),
        GK_OK);
    const double read = now_ms();

    assert_int_equal(
        gk_store_scan(life->fixture->store, GK_FAMILY_HAND_OVER, all, all, false, count_row, &rows, NULL),
        GK_OK);
    const double listed = now_ms();

    assert_int_equal(rows, 1);
    assert_int_equal(gk_store_commit_and_wait(life->fixture->store, apply_undo, NULL, NULL), GK_OK);
    const double undone = now_ms();

    assert_int_equal(gk_migrate(life->fixture->store, NULL, NULL), GK_OK);
    (void)printf("%u closed cards: all read %.1f ms, the list %.3f ms, the indexes made anew %.1f ms\n",
                 (unsigned)cards, read - begin, listed - read, now_ms() - undone);
    assert_int_equal(life_records(life, GK_FAMILY_HAND_OVER), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_rows_are_made_as_they_would_have_been),
        LIFE_TEST(test_closed_cards_do_not_lengthen_the_list),
    };

    return cmocka_run_group_tests_name("core/migration", tests, NULL, NULL);
}
