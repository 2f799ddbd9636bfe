/* The run of an import, with a service that the tests make fail. */
#include "clients/cli/registry/import.h"

#include "rpc/repeated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What the service would do, and what it saw. */
struct service {
    uint32_t next_page;
    bool in_force;
    bool reject_all;
    int fail_times; /* the next so many pages are not delivered, */
    int fail_after; /* once so many were */
    bool unreached; /* and each of those takes its whole deadline */
    enum gk_status failure;
    int64_t clock_ms;
    const char *rejected_number;
    uint64_t rows;
    unsigned sent;
    uint32_t paused_ms;
    unsigned retries;
    uint32_t patience_ms;
    /* Reported to the caller. */
    uint64_t rejected_lines[16];
    char reasons[16][97];
    size_t rejected;
    uint64_t resumed_behind;
};

static uint32_t take_rows(struct service *service, struct gk_bytes rest,
                          guika_v1_ImportCardsResponse *ret_response)
{
    guika_v1_CardRow row;
    uint32_t index = 0;

    for (; rest.size > 0; index++) {
        row = (guika_v1_CardRow)guika_v1_CardRow_init_zero;
        assert_int_equal(gk_repeated_next(&rest, guika_v1_CardRow_fields, &row), GK_OK);
        if (service->rejected_number != NULL && strcmp(row.number, service->rejected_number) == 0) {
            guika_v1_RejectedRow *rejected = &ret_response->rejected[ret_response->rejected_count++];

            rejected->row = index;
            strcpy(rejected->reason, "the check digit does not agree");
        }
    }
    return index;
}

static enum gk_status take_page(void *context, uint32_t deadline_ms,
                                const guika_v1_ImportCardsRequest *request,
                                guika_v1_ImportCardsResponse *ret_response, struct gk_error *error)
{
    struct service *service = context;

    service->sent++;
    if (service->fail_times > 0 && service->fail_after-- <= 0) {
        service->fail_times--;
        service->clock_ms += !service->unreached ? 0 : deadline_ms == 0 ? 30000 : deadline_ms;
        return gk_error_set(error, service->failure, "the line is down");
    }
    *ret_response = (guika_v1_ImportCardsResponse)guika_v1_ImportCardsResponse_init_zero;
    const uint32_t rows = take_rows(service, request->page_rows, ret_response);

    assert_true(rows <= 500);
    assert_true(request->page <= service->next_page);
    if (request->page == service->next_page && !service->in_force) {
        service->next_page++;
        service->rows += rows;
        service->in_force = request->last && !service->reject_all;
    }
    ret_response->next_page = service->next_page;
    ret_response->accepted = rows - (uint32_t)ret_response->rejected_count;
    ret_response->in_force = service->in_force;
    return GK_OK;
}

static void note_pause(void *context, uint32_t pause_ms)
{
    struct service *service = context;

    service->paused_ms += pause_ms;
    service->clock_ms += pause_ms;
}

static int64_t read_clock(void *context)
{
    return ((struct service *)context)->clock_ms;
}

static void note_rejected(void *context, uint64_t line, const char *reason)
{
    struct service *service = context;

    assert_true(service->rejected < 16);
    service->rejected_lines[service->rejected] = line;
    snprintf(service->reasons[service->rejected++], sizeof service->reasons[0], "%s", reason);
}

static void note_resumed(void *context, uint64_t rows)
{
    ((struct service *)context)->resumed_behind = rows;
}

static void note_retry(void *context, const struct gk_error *error, uint32_t patience_ms)
{
    struct service *service = context;

    assert_string_equal(error->message, "the line is down");
    service->retries++;
    service->patience_ms = patience_ms;
}

/* Imports a list of `rows` rows, numbered from 1; row `bad` (0: none) has a column too few. */
static enum gk_status run_list(struct service *service, unsigned rows, unsigned bad,
                               struct gk_import_result *ret_result, struct gk_error *error)
{
    const struct gk_import_line line = {
        .send = take_page, .pause = note_pause, .now_ms = read_clock, .context = service};
    const struct gk_import_report report = {
        .reject = note_rejected, .resume = note_resumed, .retry = note_retry, .context = service};
    FILE *stream = tmpfile();
    FILE *out = tmpfile();
    struct gk_list_reader *reader = NULL;
    struct gk_progress progress;

    assert_non_null(stream);
    assert_non_null(out);
    fputs(GK_LIST_HEADER "\n", stream);
    for (unsigned i = 1; i <= rows; i++) {
        fprintf(stream, i == bad ? "iso7812,%u,h,,\n" : "iso7812,%u,h,,,\n", i);
    }
    rewind(stream);
    assert_int_equal(gk_list_reader_open_stream(stream, &reader, error), GK_OK);
    gk_progress_start(&progress, out, 1000);
    const enum gk_status status =
        gk_import_run(reader, "list-1", &line, &report, &progress, ret_result, error);

    gk_list_reader_close(reader);
    fclose(out);
    return status;
}

static void test_rows_are_sent_in_pages_of_500(void **state)
{
    static const struct {
        unsigned rows, pages;
    } cases[] = {{1, 1}, {499, 1}, {500, 1}, {501, 2}, {1000, 2}, {1234, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct service service = {0};
        struct gk_import_result result;
        struct gk_error error;

        assert_int_equal(run_list(&service, cases[i].rows, 0, &result, &error), GK_OK);
        assert_int_equal(service.sent, cases[i].pages);
        assert_int_equal(service.rows, cases[i].rows);
        assert_true(service.in_force);
        assert_int_equal(result.accepted, cases[i].rows);
        assert_int_equal(result.rejected, 0);
    }
}

static void test_rejected_rows_are_reported_by_line(void **state)
{
    struct service service = {.rejected_number = "777"};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 1000, 600, &result, &error), GK_OK);
    assert_int_equal(result.rejected, 2);
    assert_int_equal(result.accepted, 998);
    assert_int_equal(service.rejected_lines[0], 601); /* the header is line 1 */
    assert_string_equal(service.reasons[0], "the row has 5 columns instead of 6");
    assert_int_equal(service.rejected_lines[1], 778);
    assert_string_equal(service.reasons[1], "the check digit does not agree");
}

static void test_stopped_import_goes_on_at_the_page_expected(void **state)
{
    struct service service = {.next_page = 3};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 2200, 0, &result, &error), GK_OK);
    /* Page 0 to ask, then 3 and 4. */
    assert_int_equal(service.sent, 3);
    assert_int_equal(service.rows, 700);
    assert_int_equal(result.skipped, 1000);
    assert_int_equal(result.rows, 2200);
    assert_true(service.resumed_behind >= 1500);
    assert_true(service.in_force);
}

static void test_list_in_force_is_not_sent_again(void **state)
{
    struct service service = {.next_page = 3, .in_force = true};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 1200, 0, &result, &error), GK_OK);
    assert_true(result.was_in_force);
    assert_int_equal(service.sent, 1);
}

static void test_import_of_a_shorter_list_is_refused(void **state)
{
    struct service service = {.next_page = 5};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 900, 0, &result, &error), GK_FAILED_PRECONDITION);
    assert_non_null(strstr(error.message, "--import-id"));
}

static void test_undelivered_page_is_sent_again(void **state)
{
    static const enum gk_status passing[] = {GK_UNAVAILABLE, GK_DEADLINE_EXCEEDED, GK_RESOURCE_EXHAUSTED};

    (void)state;
    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        struct service service = {.fail_times = 4, .failure = passing[i]};
        struct gk_import_result result;
        struct gk_error error;

        assert_int_equal(run_list(&service, 10, 0, &result, &error), GK_OK);
        assert_int_equal(service.sent, 5);
        assert_int_equal(service.retries, 1); /* reported once, not at each try */
        /* 500, 1000, 2000 and 4000 ms, each cut by up to a half. */
        assert_in_range(service.paused_ms, 3750, 7500);
    }
}

static void test_service_that_took_a_page_is_waited_for_five_minutes(void **state)
{
    struct service service = {.fail_after = 1, .fail_times = 100000, .failure = GK_UNAVAILABLE};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 1000, 0, &result, &error), GK_UNAVAILABLE);
    assert_true(result.taken);
    assert_int_equal(service.clock_ms, 300000);
    assert_int_equal(service.retries, 1);
    assert_int_equal(service.patience_ms, 300000);
}

static void test_service_that_is_not_there_is_waited_for_half_a_minute(void **state)
{
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    for (int unreached = 0; unreached < 2; unreached++) {
        struct service service = {
            .fail_times = 100000, .failure = GK_UNAVAILABLE, .unreached = unreached == 1};

        assert_int_equal(run_list(&service, 1000, 0, &result, &error), GK_UNAVAILABLE);
        assert_false(result.taken);
        assert_int_equal(service.clock_ms, 30000);
        assert_int_equal(service.retries, 1);
        /* The first try is short, so that the waiting is soon told. */
        assert_int_equal(service.patience_ms, unreached == 1 ? 25000 : 30000);
        assert_true(unreached == 0 || service.sent == 2);
    }
}

static void test_refused_page_is_not_sent_again(void **state)
{
    struct service service = {.fail_times = 1, .failure = GK_PERMISSION_DENIED};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 10, 0, &result, &error), GK_PERMISSION_DENIED);
    assert_int_equal(service.sent, 1);
    assert_int_equal(service.retries, 0);
}

static void test_list_without_a_row_is_not_sent(void **state)
{
    struct service service = {0};
    struct gk_import_result result;
    struct gk_error error;

    (void)state;
    assert_int_equal(run_list(&service, 0, 0, &result, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(run_list(&service, 1, 1, &result, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(service.sent, 0);
    service.reject_all = true;
    assert_int_equal(run_list(&service, 3, 0, &result, &error), GK_FAILED_PRECONDITION);
}

static void test_progress_tells_share_rate_and_time_left(void **state)
{
    char text[128];

    (void)state;
    gk_progress_text(3000, 500, 1000, 2000, 400, 4000, text, sizeof text);
    assert_string_equal(text, "[###############               ]  50%  3000 rows  500 rows/s  0:05 left");
    gk_progress_text(0, 0, 0, 0, 0, 0, text, sizeof text);
    assert_string_equal(text, "[##############################] 100%  0 rows  0 rows/s  0:00 left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sent_in_pages_of_500),
        cmocka_unit_test(test_rejected_rows_are_reported_by_line),
        cmocka_unit_test(test_stopped_import_goes_on_at_the_page_expected),
        cmocka_unit_test(test_list_in_force_is_not_sent_again),
        cmocka_unit_test(test_import_of_a_shorter_list_is_refused),
        cmocka_unit_test(test_undelivered_page_is_sent_again),
        cmocka_unit_test(test_service_that_took_a_page_is_waited_for_five_minutes),
        cmocka_unit_test(test_service_that_is_not_there_is_waited_for_half_a_minute),
        cmocka_unit_test(test_refused_page_is_not_sent_again),
        cmocka_unit_test(test_list_without_a_row_is_not_sent),
        cmocka_unit_test(test_progress_tells_share_rate_and_time_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
