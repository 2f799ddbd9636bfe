/* guika desk, guika staff: staffed desks that hand cards out, and the people who open boxes. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/custody.h"
#include "guika/v1/operator.rpc.h"

#include <stdio.h>
#include <string.h>

static const char desk_help[] =
    "usage: guika desk add DESK-ID [options]     registers a desk\n"
    "       guika desk ask CASE                  sends the holder a new code, to the registered contact\n"
    "       guika desk hand DESK-ID CASE CODE [TELEPHONE-TAIL]\n"
    "                                            the holder said the code: hands the card out, the case is "
    "closed\n"
    "\n"
    "A card comes to a desk with `guika found move CASE desk DESK-ID`.\n"
    "\n"
    "  --place-en, --place-zh TEXT            where the desk is, for the holder\n"
    "  --hours-en, --hours-zh TEXT            when it is open\n"
    "  --collecting-en, --collecting-zh TEXT  what the holder has to bring and do\n"
    "  --map-url URL\n" GK_CLI_COMMON_HELP;

static const char staff_help[] =
    "usage: guika staff add STAFF-ID [options]\n"
    "\n"
    "Lets somebody open boxes, to take difficult and expired cards along, and do nothing else. Prints their\n"
    "credential, which is shown this once.\n"
    "\n" GK_CLI_COMMON_HELP;

static int add_desk(struct gk_cli *cli, guika_v1_AddDeskRequest *request, enum gk_status *status,
                    struct gk_error *error)
{
    guika_v1_AddDeskResponse response = {0};
    int exit_status;

    if (cli->argument_count != 2) {
        return gk_cli_usage(cli, "add takes DESK-ID");
    }
    if (!gk_cli_copy(cli, "DESK-ID", cli->arguments[1], request->desk_id, sizeof request->desk_id)) {
        return 2;
    }
    exit_status = gk_cli_connect(cli, true);
    if (exit_status == GK_CLI_GO_ON) {
        *status = guika_v1_operator_service_add_desk(cli->client, NULL, request, &response, error);
    }
    return exit_status;
}

static int hand_out(struct gk_cli *cli, enum gk_status *status, struct gk_error *error)
{
    guika_v1_HandOutRequest request = {0};
    guika_v1_HandOutResponse response = {0};
    int exit_status;

    if (cli->argument_count < 4) {
        return gk_cli_usage(cli, "hand takes DESK-ID CASE CODE and perhaps the end of a telephone number");
    }
    const char *tail = cli->argument_count == 5 ? cli->arguments[4] : "";

    if (!gk_cli_copy(cli, "DESK-ID", cli->arguments[1], request.desk_id, sizeof request.desk_id) ||
        !gk_cli_copy(cli, "CASE", cli->arguments[2], request.case_number, sizeof request.case_number) ||
        !gk_cli_copy(cli, "CODE", cli->arguments[3], request.code, sizeof request.code) ||
        !gk_cli_copy(cli, "TELEPHONE-TAIL", tail, request.telephone_tail, sizeof request.telephone_tail)) {
        return 2;
    }
    exit_status = gk_cli_connect(cli, true);
    if (exit_status == GK_CLI_GO_ON) {
        *status = guika_v1_operator_service_hand_out(cli->client, NULL, &request, &response, error);
    }
    if (exit_status == GK_CLI_GO_ON && *status == GK_OK) {
        (void)puts("The code is right: hand the card out. The case is closed.");
    }
    return exit_status;
}

static int run_desk(struct gk_cli *cli, guika_v1_AddDeskRequest *request, enum gk_status *status,
                    struct gk_error *error)
{
    if (strcmp(cli->arguments[0], "add") == 0) {
        return add_desk(cli, request, status, error);
    }
    if (strcmp(cli->arguments[0], "hand") == 0) {
        return hand_out(cli, status, error);
    }
    return gk_cli_usage(cli, "knows \"add\", \"ask\" and \"hand\", not \"%.40s\"", cli->arguments[0]);
}

int gk_cli_desk(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_AddDeskRequest request = {.has_place = true, .has_opening_hours = true, .has_collecting = true};
    const char *texts[7] = {NULL};
    const struct gk_cli_option options[] = {
        {"place-en", &texts[0], NULL}, {"place-zh", &texts[1], NULL},      {"hours-en", &texts[2], NULL},
        {"hours-zh", &texts[3], NULL}, {"collecting-en", &texts[4], NULL}, {"collecting-zh", &texts[5], NULL},
        {"map-url", &texts[6], NULL},
    };
    char *const fields[] = {request.place.en,         request.place.zh,      request.opening_hours.en,
                            request.opening_hours.zh, request.collecting.en, request.collecting.zh};
    enum gk_status status = GK_OK;
    int exit_status;

    if (argc > 1 && strcmp(argv[1], "ask") == 0) {
        return gk_cli_found_code(argc - 1, argv + 1);
    }
    exit_status = gk_cli_begin(&cli, "desk", desk_help, argc, argv, options, 7, 1, 5);
    for (unsigned i = 0; exit_status == GK_CLI_GO_ON && i < 6; i++) {
        if (!gk_cli_copy(&cli, options[i].name, texts[i], fields[i], sizeof request.place.en)) {
            exit_status = 2;
        }
    }
    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "--map-url", texts[6], request.map_url, sizeof request.map_url)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = run_desk(&cli, &request, &status, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

int gk_cli_staff(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_AddStaffRequest request = {0};
    guika_v1_AddStaffResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "staff", staff_help, argc, argv, NULL, 0, 2, 2);

    if (exit_status == GK_CLI_GO_ON && strcmp(cli.arguments[0], "add") != 0) {
        exit_status = gk_cli_usage(&cli, "knows \"add\", not \"%.40s\"", cli.arguments[0]);
    }
    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "STAFF-ID", cli.arguments[1], request.staff_id, sizeof request.staff_id)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_add_staff(cli.client, NULL, &request, &response, &error);
    }
    if (exit_status == GK_CLI_GO_ON && status == GK_OK) {
        (void)puts(response.token);
        (void)fputs("This credential is shown once: keep it in a file that only its owner can read.\n",
                    stderr);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
