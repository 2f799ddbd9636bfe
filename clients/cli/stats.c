/* guika stats: the day's figures. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/table.h"
#include "guika/v1/operator.rpc.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#define MOST_DAYS 3660

static const char help[] =
    "usage: guika stats [--box ID] [--days N] [--json]\n"
    "\n"
    "Deposits, decisions and notices of today.\n"
    "\n"
    "  --box ID             of one box alone\n"
    "  --days N             and so many days before (0)\n"
    "  --json               {\"deposits\":12, \"identified\":9, ...}\n" GK_CLI_COMMON_HELP;

static void show(const guika_v1_GetStatisticsResponse *response, bool json)
{
    static const char *const titles[] = {"WHAT", "COUNT"};
    struct gk_table *table = gk_table_new(titles, 2);
    json_t *object = json_object();

    for (pb_size_t i = 0; i < response->statistics_count; i++) {
        const guika_v1_Statistic *statistic = &response->statistics[i];
        char value[24];
        const char *const cells[] = {statistic->name, value};

        (void)snprintf(value, sizeof value, "%" PRIu64, statistic->value);
        gk_table_add(table, cells);
        (void)json_object_set_new(object, statistic->name, json_integer((json_int_t)statistic->value));
    }
    if (json) {
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else {
        gk_table_print(table, stdout);
    }
    json_decref(object);
    gk_table_free(table);
}

int gk_cli_stats(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *box = NULL, *days_text = "0";
    bool json = false;
    long days = 0;
    const struct gk_cli_option options[] = {
        {"box", &box, NULL}, {"days", &days_text, NULL}, {"json", NULL, &json}};
    guika_v1_GetStatisticsRequest request = {0};
    guika_v1_GetStatisticsResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status =
        gk_cli_begin(&cli, "stats", help, argc, argv, options, sizeof options / sizeof options[0], 0, 0);

    if (exit_status == GK_CLI_GO_ON &&
        gk_settings_number(days_text, "--days", 0, MOST_DAYS, &days, &error) != GK_OK) {
        exit_status = gk_cli_usage(&cli, "%s", error.message);
    }
    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "--box", box, request.box_id, sizeof request.box_id)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        request.days = (uint32_t)days;
        status = guika_v1_operator_service_get_statistics(cli.client, NULL, &request, &response, &error);
        if (status == GK_OK) {
            show(&response, json);
        }
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
