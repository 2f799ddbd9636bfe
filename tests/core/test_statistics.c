/* What is counted when a card is written, and the page that shows it. */
#include "core/statistics.h"

#include "core/found_card.h"
#include "core/found_card_internal.h"
#include "core/web/metrics.h"
#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

static enum gk_status apply_write(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_found_card_write(transaction, context, error);
}

static void write_card(struct store_fixture *fixture, guika_v1_internal_FoundCard *card, int state)
{
    card->state = (guika_v1_CardState)state;
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_write, card, NULL), GK_OK);
}

static guika_v1_internal_FoundCard card_of(struct store_fixture *fixture, uint8_t number, const char *box,
                                           const char *issuer)
{
    guika_v1_internal_FoundCard card = {.received_at_ms = gk_store_now_ms(fixture->store)};

    card.case_id[0] = number;
    strcpy(card.box_id, box);
    strcpy(card.issuer, issuer);
    card.kind =
        issuer[0] == '\0' ? guika_v1_CardKind_CARD_KIND_UNSPECIFIED : guika_v1_CardKind_CARD_KIND_PAYMENT;
    return card;
}

/* Two cards of library-1, one told after an hour and collected after a day, and one difficult of library-2.
 */
static void live_a_day(struct store_fixture *fixture)
{
    guika_v1_internal_FoundCard first = card_of(fixture, 1, "library-1", "unionpay");
    guika_v1_internal_FoundCard second = card_of(fixture, 2, "library-1", "unionpay");
    guika_v1_internal_FoundCard third = card_of(fixture, 3, "library-2", "");

    write_card(fixture, &first, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    write_card(fixture, &second, guika_v1_CardState_CARD_STATE_RECEIVED);
    write_card(fixture, &second, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    write_card(fixture, &second, guika_v1_CardState_CARD_STATE_IDENTIFIED); /* its place, as it were */
    third.reason = guika_v1_Reason_REASON_GLARE;
    write_card(fixture, &third, guika_v1_CardState_CARD_STATE_DIFFICULT);
    atomic_fetch_add(&fixture->now_ms, HOUR_MS);
    write_card(fixture, &first, guika_v1_CardState_CARD_STATE_NOTIFIED);
    atomic_fetch_add(&fixture->now_ms, 23 * HOUR_MS);
    write_card(fixture, &first, guika_v1_CardState_CARD_STATE_COLLECTED);
    third.reason = guika_v1_Reason_REASON_UNSPECIFIED;
    strcpy(third.issuer, "octopus");
    write_card(fixture, &third, guika_v1_CardState_CARD_STATE_IDENTIFIED);
}

static struct gk_statistics_row *table(struct store_fixture *fixture, uint32_t days, const char *box,
                                       enum gk_statistics_by by, size_t *ret_count)
{
    struct gk_statistics_row *rows = NULL;

    assert_int_equal(gk_statistics_table(fixture->store, gk_store_now_ms(fixture->store), days, box, by,
                                         &rows, ret_count, NULL),
                     GK_OK);
    return rows;
}

static void test_every_step_is_counted_once(void **state)
{
    struct store_fixture *fixture = *state;
    size_t count;

    live_a_day(fixture);
    struct gk_statistics_row *rows = table(fixture, 1, "", GK_STATISTICS_BY_NOTHING, &count);

    assert_int_equal(count, 1);
    assert_string_equal(rows[0].group, "all");
    assert_int_equal(rows[0].counts[GK_STATISTIC_FOUND], 3);
    assert_int_equal(rows[0].counts[GK_STATISTIC_READ], 2);
    assert_int_equal(rows[0].counts[GK_STATISTIC_DIFFICULT], 1);
    assert_int_equal(rows[0].counts[GK_STATISTIC_RESOLVED], 1);
    assert_int_equal(rows[0].counts[GK_STATISTIC_NOTIFIED], 1);
    assert_int_equal(rows[0].counts[GK_STATISTIC_COLLECTED], 1);
    assert_int_equal(rows[0].counts[GK_STATISTIC_EXPIRED], 0);
    free(rows);
    rows = table(fixture, 0, "", GK_STATISTICS_BY_NOTHING, &count); /* the second day alone */
    assert_int_equal(rows[0].counts[GK_STATISTIC_FOUND], 0);
    assert_int_equal(rows[0].counts[GK_STATISTIC_COLLECTED], 1);
    free(rows);
}

static void assert_groups(struct store_fixture *fixture, enum gk_statistics_by by, const char *first,
                          const char *second)
{
    size_t count;
    struct gk_statistics_row *rows = table(fixture, 1, "", by, &count);

    assert_true(count >= 2);
    assert_string_equal(rows[0].group, first);
    assert_string_equal(rows[1].group, second);
    free(rows);
}

static void test_rows_are_grouped_and_filtered(void **state)
{
    struct store_fixture *fixture = *state;
    size_t count;

    live_a_day(fixture);
    assert_groups(fixture, GK_STATISTICS_BY_BOX, "library-1", "library-2");
    assert_groups(fixture, GK_STATISTICS_BY_ISSUER, "octopus", "unionpay");
    assert_groups(fixture, GK_STATISTICS_BY_KIND, "PAYMENT", "UNSPECIFIED");
    assert_groups(fixture, GK_STATISTICS_BY_REASON, "GLARE", "none");
    assert_groups(fixture, GK_STATISTICS_BY_DAY, "2023-11-14", "2023-11-15");
    struct gk_statistics_row *rows = table(fixture, 1, "library-2", GK_STATISTICS_BY_BOX, &count);

    assert_int_equal(count, 1);
    assert_int_equal(rows[0].counts[GK_STATISTIC_DIFFICULT], 1);
    free(rows);
}

static void test_medians_are_within_a_tenth(void **state)
{
    struct store_fixture *fixture = *state;
    size_t count;

    live_a_day(fixture);
    struct gk_statistics_row *rows = table(fixture, 1, "library-1", GK_STATISTICS_BY_BOX, &count);
    const int64_t to_notice_ms = gk_statistics_median_ms(&rows[0], GK_DURATION_TO_NOTICE);
    const int64_t to_collection_ms = gk_statistics_median_ms(&rows[0], GK_DURATION_TO_COLLECTION);

    assert_in_range(to_notice_ms, HOUR_MS * 9 / 10, HOUR_MS * 11 / 10);
    assert_in_range(to_collection_ms, DAY_MS * 9 / 10, DAY_MS * 11 / 10);
    free(rows);
    rows = table(fixture, 1, "library-2", GK_STATISTICS_BY_BOX, &count);
    assert_int_equal(gk_statistics_median_ms(&rows[0], GK_DURATION_TO_NOTICE), -1);
    free(rows);
}

static uint64_t no_cards(void *context)
{
    (void)context;
    return 7;
}

static void test_page_has_totals_and_histograms(void **state)
{
    struct store_fixture *fixture = *state;
    const struct gk_metrics_source source = {fixture->store, no_cards, NULL};
    char *text = NULL;
    size_t size;

    live_a_day(fixture);
    assert_int_equal(gk_metrics_write(&source, &text, &size, NULL), GK_OK);
    assert_non_null(strstr(text, "# TYPE guika_cards_found_total counter\n"));
    assert_non_null(strstr(text,
                           "guika_cards_found_total{box=\"library-1\",issuer=\"unionpay\",kind=\"PAYMENT\","
                           "reason=\"UNSPECIFIED\"} 2\n"));
    assert_non_null(strstr(text,
                           "guika_cards_difficult_total{box=\"library-2\",issuer=\"\",kind=\"UNSPECIFIED\","
                           "reason=\"GLARE\"} 1\n"));
    assert_non_null(strstr(text, "guika_drop_to_notice_seconds_bucket{box=\"library-1\",le=\"1023\"} 0\n"));
    assert_non_null(strstr(text, "guika_drop_to_notice_seconds_bucket{box=\"library-1\",le=\"4095\"} 1\n"));
    assert_non_null(strstr(text, "guika_drop_to_notice_seconds_sum{box=\"library-1\"} 3600\n"));
    assert_non_null(strstr(text, "guika_drop_to_collection_seconds_count{box=\"library-1\"} 1\n"));
    assert_non_null(strstr(text, "guika_registered_cards 7\n"));
    assert_non_null(strstr(text, "guika_difficult_cards 0\n"));
    assert_non_null(strstr(text, "guika_store_failed 0\n"));
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_step_is_counted_once),
        TEST(test_rows_are_grouped_and_filtered),
        TEST(test_medians_are_within_a_tenth),
        TEST(test_page_has_totals_and_histograms),
    };

    return cmocka_run_group_tests_name("core/statistics", tests, NULL, NULL);
}
