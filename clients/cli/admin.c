/* guika box, guika operator add: the operator lets somebody in. The token goes to standard output alone,
 * so that it can be sent to a file without being seen. */
#include "clients/cli/box_list.h"
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/operator.rpc.h"

#include <stdio.h>
#include <string.h>

static const char box_help[] =
    "usage: guika box add BOX-ID [options]\n"
    "       guika box list [--json]         how the boxes are\n"
    "\n"
    "Registers a box and prints its token, which is shown this once.\n"
    "BOX-ID: 1 to 32 characters of [A-Za-z0-9._-].\n"
    "\n"
    "  --place-en, --place-zh TEXT            where the box stands, for the holder\n"
    "  --hours-en, --hours-zh TEXT            when it can be reached\n"
    "  --collecting-en, --collecting-zh TEXT  what the holder has to bring and do\n"
    "  --map-url URL\n" GK_CLI_COMMON_HELP;

static const char operator_help[] =
    "usage: guika operator add OPERATOR-ID [--viewer]\n"
    "\n"
    "Lets another person in and prints their token, which is shown this once. The audit names them by\n"
    "OPERATOR-ID: 1 to 32 characters of [A-Za-z0-9._-].\n"
    "\n"
    "  --viewer             may see the pictures of difficult cards, and nothing else\n" GK_CLI_COMMON_HELP;

static bool is_add(struct gk_cli *cli, int *exit_status)
{
    if (strcmp(cli->arguments[0], "add") != 0) {
        *exit_status = gk_cli_usage(cli, "knows \"add\", not \"%.40s\"", cli->arguments[0]);
        return false;
    }
    return true;
}

static int finish(struct gk_cli *cli, int exit_status, enum gk_status status, const char *token,
                  const struct gk_error *error)
{
    if (exit_status == GK_CLI_GO_ON && status == GK_OK) {
        (void)puts(token);
        (void)fputs("This token is shown once: keep it in a file that only its owner can read.\n", stderr);
    }
    const int ended = gk_cli_end(cli, status, error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

int gk_cli_box(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *place_en = NULL, *place_zh = NULL, *hours_en = NULL, *hours_zh = NULL;
    const char *collecting_en = NULL, *collecting_zh = NULL, *map_url = NULL;
    const struct gk_cli_option options[] = {
        {"place-en", &place_en, NULL},
        {"place-zh", &place_zh, NULL},
        {"hours-en", &hours_en, NULL},
        {"hours-zh", &hours_zh, NULL},
        {"collecting-en", &collecting_en, NULL},
        {"collecting-zh", &collecting_zh, NULL},
        {"map-url", &map_url, NULL},
    };
    guika_v1_AddBoxRequest request = {.has_place = true, .has_opening_hours = true, .has_collecting = true};
    guika_v1_AddBoxResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status;

    if (argc > 1 && strcmp(argv[1], "list") == 0) {
        return gk_cli_box_list(argc - 1, argv + 1);
    }
    exit_status =
        gk_cli_begin(&cli, "box", box_help, argc, argv, options, sizeof options / sizeof options[0], 2, 2);

    if (exit_status == GK_CLI_GO_ON && is_add(&cli, &exit_status)) {
        const bool copied =
            gk_cli_copy(&cli, "BOX-ID", cli.arguments[1], request.box_id, sizeof request.box_id) &&
            gk_cli_copy(&cli, "--place-en", place_en, request.place.en, sizeof request.place.en) &&
            gk_cli_copy(&cli, "--place-zh", place_zh, request.place.zh, sizeof request.place.zh) &&
            gk_cli_copy(&cli, "--hours-en", hours_en, request.opening_hours.en,
                        sizeof request.opening_hours.en) &&
            gk_cli_copy(&cli, "--hours-zh", hours_zh, request.opening_hours.zh,
                        sizeof request.opening_hours.zh) &&
            gk_cli_copy(&cli, "--collecting-en", collecting_en, request.collecting.en,
                        sizeof request.collecting.en) &&
            gk_cli_copy(&cli, "--collecting-zh", collecting_zh, request.collecting.zh,
                        sizeof request.collecting.zh) &&
            gk_cli_copy(&cli, "--map-url", map_url, request.map_url, sizeof request.map_url);

        exit_status = copied ? gk_cli_connect(&cli, true) : 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_add_box(cli.client, NULL, &request, &response, &error);
    }
    return finish(&cli, exit_status, status, response.token, &error);
}

int gk_cli_operator(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_AddOperatorRequest request = {0};
    guika_v1_AddOperatorResponse response = {0};
    const struct gk_cli_option options[] = {{"viewer", NULL, &request.viewer}};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "operator", operator_help, argc, argv, options, 1, 2, 2);

    if (exit_status == GK_CLI_GO_ON && is_add(&cli, &exit_status)) {
        exit_status = gk_cli_copy(&cli, "OPERATOR-ID", cli.arguments[1], request.operator_id,
                                  sizeof request.operator_id)
                          ? gk_cli_connect(&cli, true)
                          : 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_add_operator(cli.client, NULL, &request, &response, &error);
    }
    return finish(&cli, exit_status, status, response.token, &error);
}
