/* guika found list: found cards, newest first. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/custody.h"
#include "clients/cli/names.h"
#include "clients/cli/table.h"
#include "guika/v1/operator.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAGE 100U

static const char help[] =
    "usage: guika found list [--state STATE] [--reason REASON] [--box ID] [--json]\n"
    "       guika found show|move|code|close|handover ..., each with its own --help\n"
    "\n"
    "Found cards, newest first. A compartment with a ! lies in another zone than was decided.\n"
    "\n"
    "  --state STATE        RECEIVED, IDENTIFIED, DIFFICULT, GIVEN_BACK, NOTIFIED, COLLECTED, EXPIRED, "
    "RETURNED,\n"
    "                       HANDED_OVER or DESTROYED\n"
    "  --reason REASON      NOT_A_CARD, UNREADABLE, GLARE, UNKNOWN_ISSUER, CHECK_FAILED, AMBIGUOUS, "
    "UNREGISTERED,\n"
    "                       CANCELLED or SEVERAL_CARDS\n"
    "  --box ID             of one box alone\n"
    "  --json               {\"cards\":[{\"case\":..., \"state\":..., ...}]}\n" GK_CLI_COMMON_HELP;

static void add_json(json_t *cards, const guika_v1_FoundCardRow *row)
{
    (void)json_array_append_new(
        cards,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:s, s:s, s:s, s:b}", "case", row->case_id,
                  "state", gk_cli_state_name(row->state), "reason", gk_cli_reason_name(row->reason), "box",
                  row->box_id, "deposit", row->deposit_id, "zone", gk_cli_zone_name(row->zone), "compartment",
                  row->compartment, "misplaced", row->misplaced, "received_at_ms",
                  (json_int_t)row->received_at_ms, "issuer", row->issuer, "kind", gk_cli_kind_name(row->kind),
                  "number", row->masked_number, "notice_delivered", row->notice_delivered));
}

static void add_row(struct gk_table *table, const guika_v1_FoundCardRow *row)
{
    char received[32] = "";
    char compartment[sizeof row->compartment + 1];
    struct tm local;
    const time_t seconds = (time_t)(row->received_at_ms / 1000);

    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(received, sizeof received, "%Y-%m-%d %H:%M:%S", &local);
    }
    (void)snprintf(compartment, sizeof compartment, "%s%s", row->compartment, row->misplaced ? "!" : "");
    const char *const cells[] = {
        received,
        gk_cli_state_name(row->state),
        gk_cli_reason_name(row->reason),
        row->box_id,
        compartment,
        row->issuer,
        row->masked_number,
        row->notice_delivered ? "yes" : "",
        row->case_id,
    };

    gk_table_add(table, cells);
}

/* All pages of the list go to the table, or to the array where there is one. */
static enum gk_status fetch(struct gk_cli *cli, guika_v1_ListFoundRequest *request, struct gk_table *table,
                            json_t *cards, struct gk_error *error)
{
    guika_v1_ListFoundResponse response = {0};

    do {
        const enum gk_status status =
            guika_v1_operator_service_list_found(cli->client, NULL, request, &response, error);

        if (status != GK_OK) {
            return status;
        }
        for (pb_size_t i = 0; i < response.cards_count; i++) {
            if (cards != NULL) {
                add_json(cards, &response.cards[i]);
            } else {
                add_row(table, &response.cards[i]);
            }
        }
        memcpy(request->page_token, response.next_page_token, sizeof request->page_token);
    } while (request->page_token[0] != '\0');
    return GK_OK;
}

static enum gk_status list(struct gk_cli *cli, guika_v1_ListFoundRequest *request, bool json,
                           struct gk_error *error)
{
    static const char *const titles[] = {"RECEIVED", "STATE",  "REASON", "BOX", "COMPARTMENT",
                                         "ISSUER",   "NUMBER", "NOTICE", "CASE"};
    struct gk_table *table = gk_table_new(titles, sizeof titles / sizeof titles[0]);
    json_t *object = json ? json_pack("{s:[]}", "cards") : NULL;
    const enum gk_status status = fetch(cli, request, table, json_object_get(object, "cards"), error);

    if (status == GK_OK && json) {
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)putchar('\n');
    } else if (status == GK_OK) {
        gk_table_print(table, stdout);
    }
    json_decref(object);
    gk_table_free(table);
    return status;
}

/* Fills the request from the options; GK_CLI_GO_ON or 2. */
static int filter(const struct gk_cli *cli, const char *state, const char *reason, const char *box,
                  guika_v1_ListFoundRequest *request)
{
    if (strcmp(cli->arguments[0], "list") != 0) {
        return gk_cli_usage(cli, "knows list, show, move, code, close and handover, not \"%.40s\"",
                            cli->arguments[0]);
    }
    request->limit = PAGE;
    request->state = state == NULL ? 0 : gk_cli_state_of(state);
    request->reason = reason == NULL ? 0 : gk_cli_reason_of(reason);
    if (state != NULL && request->state == 0) {
        return gk_cli_usage(cli, "there is no state \"%.40s\"", state);
    }
    if (reason != NULL && request->reason == 0) {
        return gk_cli_usage(cli, "there is no reason \"%.40s\"", reason);
    }
    return gk_cli_copy(cli, "--box", box, request->box_id, sizeof request->box_id) ? GK_CLI_GO_ON : 2;
}

static int list_found(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *state = NULL, *reason = NULL, *box = NULL;
    bool json = false;
    const struct gk_cli_option options[] = {
        {"state", &state, NULL}, {"reason", &reason, NULL}, {"box", &box, NULL}, {"json", NULL, &json}};
    guika_v1_ListFoundRequest request = {0};
    enum gk_status status = GK_OK;
    int exit_status =
        gk_cli_begin(&cli, "found", help, argc, argv, options, sizeof options / sizeof options[0], 1, 1);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = filter(&cli, state, reason, box, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = list(&cli, &request, json, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

/* The subcommands that have files of their own. */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} others[] = {{"show", gk_cli_found_show},
              {"move", gk_cli_found_move},
              {"code", gk_cli_found_code},
              {"close", gk_cli_found_close},
              {"handover", gk_cli_found_handover}};

int gk_cli_found(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(argv[1], others[i].name) == 0) {
            return others[i].run(argc - 1, argv + 1);
        }
    }
    return list_found(argc, argv);
}
