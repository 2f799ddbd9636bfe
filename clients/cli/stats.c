/* guika stats: what became of the cards, and how long it took. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/repeated.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define MOST_DAYS 366

static const char help[] =
    "usage: guika stats [--by box|issuer|kind|reason|day] [--box ID] [--days N] [--json]\n"
    "\n"
    "What became of the cards today, and how long it took from the drop (medians). Days are UTC.\n"
    "\n"
    "  --by WHAT            one line for each box, issuer, kind, reason or day\n"
    "  --box ID             of one box alone\n"
    "  --days N             and so many days before (0)\n"
    "  --json               {\"deposits\":12, ..., \"rows\":[{\"group\":\"all\", \"found\":12, "
    "...}]}\n" GK_CLI_COMMON_HELP;

/* By the numbers of StatisticsBy. */
static const char *const groupings[] = {"", "box", "issuer", "kind", "reason", "day"};

static void put_duration(int64_t ms, char ret_text[32])
{
    const double seconds = (double)ms / 1000;

    if (ms < 0) {
        (void)snprintf(ret_text, 32, "-");
    } else if (seconds < 120) {
        (void)snprintf(ret_text, 32, "%.0f s", seconds);
    } else if (seconds < 7200) {
        (void)snprintf(ret_text, 32, "%.0f min", seconds / 60);
    } else if (seconds < 172800) {
        (void)snprintf(ret_text, 32, "%.1f h", seconds / 3600);
    } else {
        (void)snprintf(ret_text, 32, "%.1f d", seconds / 86400);
    }
}

static json_t *row_json(const guika_v1_StatisticsRow *row)
{
    json_t *object = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "group",
                               row->group, "found", (json_int_t)row->found, "read", (json_int_t)row->read,
                               "difficult", (json_int_t)row->difficult, "resolved", (json_int_t)row->resolved,
                               "given_back", (json_int_t)row->given_back, "notified",
                               (json_int_t)row->notified, "collected", (json_int_t)row->collected, "expired",
                               (json_int_t)row->expired, "returned", (json_int_t)row->returned, "handed_over",
                               (json_int_t)row->handed_over, "destroyed", (json_int_t)row->destroyed);

    (void)json_object_set_new(
        object, "median_to_notice_ms",
        row->median_to_notice_ms < 0 ? json_null() : json_integer((json_int_t)row->median_to_notice_ms));
    (void)json_object_set_new(object, "median_to_collection_ms",
                              row->median_to_collection_ms < 0
                                  ? json_null()
                                  : json_integer((json_int_t)row->median_to_collection_ms));
    return object;
}

static void add_row(struct gk_table *table, const guika_v1_StatisticsRow *row)
{
    const uint64_t values[] = {row->found,    row->read,      row->difficult, row->resolved,
                               row->notified, row->collected, row->expired};
    char texts[sizeof values / sizeof values[0]][24];
    char to_notice[32];
    char to_collection[32];
    const char *cells[1 + sizeof values / sizeof values[0] + 2] = {row->group};
    size_t count = 1;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%" PRIu64, values[i]);
        cells[count++] = texts[i];
    }
    put_duration(row->median_to_notice_ms, to_notice);
    put_duration(row->median_to_collection_ms, to_collection);
    cells[count++] = to_notice;
    cells[count] = to_collection;
    gk_table_add(table, cells);
}

/* The rows, into `array` and a table; returns how many. */
static size_t read_rows(struct gk_bytes rest, struct gk_table *table, json_t *array)
{
    guika_v1_StatisticsRow row = {0};
    size_t count = 0;

    while (gk_repeated_next(&rest, guika_v1_StatisticsRow_fields, &row) == GK_OK) {
        add_row(table, &row);
        (void)json_array_append_new(array, row_json(&row));
        row = (guika_v1_StatisticsRow){0};
        count++;
    }
    return count;
}

/* The counters by name, where nothing is grouped. */
static void show_counters(const guika_v1_GetStatisticsResponse *response, json_t *object, bool json)
{
    static const char *const titles[] = {"WHAT", "COUNT"};
    struct gk_table *table = gk_table_new(titles, 2);

    for (pb_size_t i = 0; i < response->statistics_count; i++) {
        const guika_v1_Statistic *statistic = &response->statistics[i];
        char value[24];
        const char *const cells[] = {statistic->name, value};

        (void)snprintf(value, sizeof value, "%" PRIu64, statistic->value);
        gk_table_add(table, cells);
        (void)json_object_set_new(object, statistic->name, json_integer((json_int_t)statistic->value));
    }
    if (!json) {
        gk_table_print(table, stdout);
    }
    gk_table_free(table);
}

static void show(const guika_v1_GetStatisticsResponse *response, bool is_grouped, bool json)
{
    static const char *const titles[] = {"GROUP",    "FOUND",     "READ",    "DIFFICULT", "RESOLVED",
                                         "NOTIFIED", "COLLECTED", "EXPIRED", "TO NOTICE", "TO COLLECTION"};
    struct gk_table *table = gk_table_new(titles, sizeof titles / sizeof titles[0]);
    json_t *object = json_object();
    json_t *rows = json_array();
    const size_t count = read_rows(response->rows, table, rows);

    (void)json_object_set_new(object, "rows", rows);
    if (!is_grouped) {
        show_counters(response, object, json);
    }
    if (json) {
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else if (count > 0) {
        (void)fputs(is_grouped ? "" : "\n", stdout);
        gk_table_print(table, stdout);
    }
    json_decref(object);
    gk_table_free(table);
}

/* Fills the request from the options; GK_CLI_GO_ON or 2. */
static int take_options(const struct gk_cli *cli, const char *by, const char *box, const char *days_text,
                        guika_v1_GetStatisticsRequest *request)
{
    struct gk_error error = {0};
    unsigned grouping = 0;
    long days = 0;

    if (gk_settings_number(days_text, "--days", 0, MOST_DAYS, &days, &error) != GK_OK) {
        return gk_cli_usage(cli, "%s", error.message);
    }
    while (by != NULL && grouping < sizeof groupings / sizeof groupings[0] &&
           strcmp(groupings[grouping], by) != 0) {
        grouping++;
    }
    if (grouping == sizeof groupings / sizeof groupings[0] || (by != NULL && by[0] == '\0')) {
        return gk_cli_usage(cli, "--by takes box, issuer, kind, reason or day, not \"%.40s\"", by);
    }
    request->by = (guika_v1_StatisticsBy)grouping;
    request->days = (uint32_t)days;
    return gk_cli_copy(cli, "--box", box, request->box_id, sizeof request->box_id) ? GK_CLI_GO_ON : 2;
}

int gk_cli_stats(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *box = NULL, *days = "0", *by = NULL;
    bool json = false;
    const struct gk_cli_option options[] = {
        {"by", &by, NULL}, {"box", &box, NULL}, {"days", &days, NULL}, {"json", NULL, &json}};
    guika_v1_GetStatisticsRequest request = {0};
    guika_v1_GetStatisticsResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status =
        gk_cli_begin(&cli, "stats", help, argc, argv, options, sizeof options / sizeof options[0], 0, 0);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = take_options(&cli, by, box, days, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_get_statistics(cli.client, NULL, &request, &response, &error);
        if (status == GK_OK) {
            show(&response, by != NULL, json);
        }
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
