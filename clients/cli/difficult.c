/* guika difficult: the operator's queue of difficult cards. */
#include "clients/cli/difficult.h"

#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/names.h"
#include "clients/cli/number.h"
#include "guika/v1/operator.rpc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: guika difficult list [--reason REASON] [--box ID] [--json]\n"
    "       guika difficult show CASE [--json]\n"
    "       guika difficult picture CASE --out FILE\n"
    "       guika difficult resolve CASE [--scheme SCHEME]\n"
    "       guika difficult retry CASE\n"
    "       guika difficult discard CASE\n"
    "       guika difficult hand-over CASE [--issuer ID]\n"
    "\n"
    "The cards that a person has to look at, oldest first.\n"
    "\n"
    "  list       the queue; LIKELY is the likeliest number, as far as the pictures say\n"
    "  show       one card and its candidates\n"
    "  picture    writes the redacted picture to FILE, which only you can read; needs a viewer's token, and "
    "is "
    "audited\n"
    "  resolve    the number, as the card has it, is read from standard input; an ID card needs a second "
    "operator\n"
    "  retry      looks the card up again, or reads its picture again\n"
    "  discard    the card was destroyed\n"
    "  hand-over  the card went to its issuer, or to ID\n"
    "\n"
    "  --reason REASON      NOT_A_CARD, UNREADABLE, GLARE, UNKNOWN_ISSUER, CHECK_FAILED, AMBIGUOUS, "
    "UNREGISTERED,\n"
    "                       CANCELLED or SEVERAL_CARDS\n"
    "  --scheme SCHEME      where the number is valid under several, as \"iso7812\"\n" GK_CLI_COMMON_HELP;

struct options {
    const char *reason;
    const char *box;
    const char *out;
    const char *scheme;
    const char *issuer;
    bool json;
};

typedef enum gk_status (*command_fn)(struct gk_cli *cli, const struct options *options,
                                     struct gk_error *error);

static void dump(json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(object);
}

static void take_case(const struct gk_cli *cli, char ret_case_id[33])
{
    (void)snprintf(ret_case_id, 33, "%s", cli->arguments[1]); /* its length was checked */
}

/* --- list, show --- */

static enum gk_status run_list(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_ListDifficultRequest request = {0};
    guika_v1_ListDifficultResponse response = {0};
    struct gk_table *table = gk_difficult_table();
    json_t *cards = json_array();
    enum gk_status status;

    request.reason = options->reason == NULL ? 0 : gk_cli_reason_of(options->reason);
    (void)snprintf(request.box_id, sizeof request.box_id, "%s", options->box == NULL ? "" : options->box);
    do {
        status = guika_v1_operator_service_list_difficult(cli->client, NULL, &request, &response, error);
        for (pb_size_t i = 0; status == GK_OK && i < response.cards_count; i++) {
            gk_difficult_table_add(table, &response.cards[i]);
            (void)json_array_append_new(cards, gk_difficult_json(&response.cards[i]));
        }
        memcpy(request.page_token, response.next_page_token, sizeof request.page_token);
    } while (status == GK_OK && request.page_token[0] != '\0');
    if (status == GK_OK && options->json) {
        dump(json_pack("{s:O}", "cards", cards));
    } else if (status == GK_OK) {
        gk_table_print(table, stdout);
    }
    json_decref(cards);
    gk_table_free(table);
    return status;
}

static enum gk_status run_show(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_DifficultCaseRequest request = {0};
    guika_v1_DifficultCard card = {0};

    take_case(cli, request.case_id);
    const enum gk_status status =
        guika_v1_operator_service_get_difficult(cli->client, NULL, &request, &card, error);

    if (status == GK_OK && options->json) {
        dump(gk_difficult_json(&card));
    } else if (status == GK_OK) {
        gk_difficult_print(&card);
    }
    return status;
}

/* --- picture --- */

/* A file of its own, for its owner alone; one that is there already is not touched. */
static enum gk_status write_picture(const char *path, struct gk_bytes picture, struct gk_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");

    if (file == NULL) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "cannot make %s, which must not be there yet", path);
    }
    const bool written = fwrite(picture.data, 1, picture.size, file) == picture.size;

    if (fclose(file) != 0 || !written) {
        return gk_error_set(error, GK_INTERNAL, "cannot write %s", path);
    }
    return GK_OK;
}

static enum gk_status run_picture(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_GetPictureRequest request = {0};
    guika_v1_GetPictureResponse response = {0};

    if (access(options->out, F_OK) == 0) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already, and nothing is overwritten",
                            options->out);
    }
    take_case(cli, request.case_id);
    const enum gk_status status =
        guika_v1_operator_service_get_picture(cli->client, NULL, &request, &response, error);

    return status == GK_OK ? write_picture(options->out, response.picture, error) : status;
}

/* --- resolve, retry --- */

static void show_resolved(const guika_v1_ResolveResponse *response, bool json)
{
    const guika_v1_FoundCardRow *row = &response->card.card;

    if (json) {
        json_t *object = gk_difficult_json(&response->card);

        (void)json_object_set_new(object, "needs_second", json_boolean(response->needs_second));
        dump(object);
    } else if (response->needs_second) {
        (void)puts("noted; an ID card needs a second operator, who types its number too");
    } else if (row->state == guika_v1_CardState_CARD_STATE_IDENTIFIED) {
        (void)printf("identified: %s %s; its holder is told\n", row->issuer, row->masked_number);
    } else {
        (void)printf("still difficult: %s %s %s\n", gk_cli_reason_name(row->reason), row->issuer,
                     row->masked_number);
    }
}

static enum gk_status run_resolve(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_ResolveRequest request = {0};
    guika_v1_ResolveResponse response = {0};
    enum gk_status status = gk_cli_read_number(request.number, sizeof request.number, error);

    take_case(cli, request.case_id);
    (void)snprintf(request.scheme, sizeof request.scheme, "%s",
                   options->scheme == NULL ? "" : options->scheme);
    if (status == GK_OK) {
        status = guika_v1_operator_service_resolve(cli->client, NULL, &request, &response, error);
    }
    explicit_bzero(&request, sizeof request);
    if (status == GK_OK) {
        show_resolved(&response, options->json);
    }
    return status;
}

static enum gk_status run_retry(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_DifficultCaseRequest request = {0};
    guika_v1_ResolveResponse response = {0};

    take_case(cli, request.case_id);
    const enum gk_status status =
        guika_v1_operator_service_retry(cli->client, NULL, &request, &response, error);

    if (status == GK_OK) {
        show_resolved(&response, options->json);
    }
    return status;
}

/* --- discard, hand-over --- */

static enum gk_status run_discard(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_DifficultCaseRequest request = {0};
    guika_v1_CloseCaseResponse response = {0};

    (void)options;
    take_case(cli, request.case_id);
    const enum gk_status status =
        guika_v1_operator_service_discard(cli->client, NULL, &request, &response, error);

    if (status == GK_OK) {
        (void)puts("destroyed; its picture is erased");
    }
    return status;
}

static enum gk_status run_hand_over(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_HandToIssuerRequest request = {0};
    guika_v1_CloseCaseResponse response = {0};

    take_case(cli, request.case_id);
    (void)snprintf(request.issuer_id, sizeof request.issuer_id, "%s",
                   options->issuer == NULL ? "" : options->issuer);
    const enum gk_status status =
        guika_v1_operator_service_hand_to_issuer(cli->client, NULL, &request, &response, error);

    if (status == GK_OK) {
        (void)puts("handed over; its picture is erased");
    }
    return status;
}

/* --- the command line --- */

static const struct {
    const char *name;
    command_fn run;
    bool takes_case;
} commands[] = {
    {"list", run_list, false},          {"show", run_show, true},   {"picture", run_picture, true},
    {"resolve", run_resolve, true},     {"retry", run_retry, true}, {"discard", run_discard, true},
    {"hand-over", run_hand_over, true},
};

static bool fits(const char *text, size_t size)
{
    return text == NULL || strlen(text) < size;
}

/* Finds the command and checks what it is given; GK_CLI_GO_ON or 2. */
static int check(const struct gk_cli *cli, const struct options *options, command_fn *ret_run)
{
    size_t i = 0;

    while (i < sizeof commands / sizeof commands[0] && strcmp(commands[i].name, cli->arguments[0]) != 0) {
        i++;
    }
    if (i == sizeof commands / sizeof commands[0]) {
        return gk_cli_usage(cli, "there is no command \"%.40s\"", cli->arguments[0]);
    }
    if (commands[i].takes_case != (cli->argument_count == 2)) {
        return gk_cli_usage(cli, commands[i].takes_case ? "%s needs a CASE" : "%s takes no CASE",
                            commands[i].name);
    }
    if (commands[i].takes_case && strlen(cli->arguments[1]) != 32) {
        return gk_cli_usage(cli, "CASE has 32 hexadecimal digits, as guika difficult list shows it");
    }
    if (options->reason != NULL && gk_cli_reason_of(options->reason) == 0) {
        return gk_cli_usage(cli, "there is no reason \"%.40s\"", options->reason);
    }
    if (commands[i].run == run_picture && options->out == NULL) {
        return gk_cli_usage(cli, "picture needs --out FILE");
    }
    if (!fits(options->box, 33) || !fits(options->issuer, 33) || !fits(options->scheme, 32)) {
        return gk_cli_usage(cli, "--box and --issuer have at most 32 bytes, --scheme 31");
    }
    *ret_run = commands[i].run;
    return GK_CLI_GO_ON;
}

int gk_cli_difficult(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    struct options given = {0};
    const struct gk_cli_option options[] = {{"reason", &given.reason, NULL}, {"box", &given.box, NULL},
                                            {"out", &given.out, NULL},       {"scheme", &given.scheme, NULL},
                                            {"issuer", &given.issuer, NULL}, {"json", NULL, &given.json}};
    command_fn run = NULL;
    enum gk_status status = GK_OK;
    int exit_status =
        gk_cli_begin(&cli, "difficult", help, argc, argv, options, sizeof options / sizeof options[0], 1, 2);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = check(&cli, &given, &run);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = run(&cli, &given, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
