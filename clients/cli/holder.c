/* guika holder: what a holder does about their own cards. Contact, code and number come from standard input,
 * because arguments can be seen by everybody on the machine. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/holder_list.h"
#include "guika/v1/holder.rpc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char help[] =
    "usage: guika holder code [--to-watch]\n"
    "       guika holder prove > TOKEN-FILE\n"
    "       guika holder cards|watch|reissue CASE|cancel ID --token-file TOKEN-FILE\n"
    "\n"
    "  code     sends a one-time code to the contact that standard input names, if it is known\n"
    "  prove    reads contact and code, a line each; prints a token that is good for a quarter of an hour\n"
    "  cards    your found cards, with place, hours and pickup code, and the cards that you watch for\n"
    "  watch    reports a lost card; reads its number, or with --kind takes a description instead\n"
    "  reissue  another pickup code for a card of yours\n"
    "  cancel   gives up a card (CASE), which goes back to its issuer, or ends a watch (WATCH)\n"
    "\n"
    "  --to-watch           code: the contact need not be registered: you want to watch for a card\n"
    "  --kind KIND          watch: TRANSIT, CAMPUS or PARKING, without the number\n"
    "  --line, --date, --name TEXT\n"
    "                       watch: where and when it was lost, and the name on it\n"
    "  --json               cards: as one JSON object\n" GK_CLI_COMMON_HELP;

struct options {
    bool to_watch;
    bool json;
    const char *kind;
    const char *line;
    const char *date;
    const char *name;
};

/* Reads a line of standard input; false where there is none, or it is too long. */
static bool read_line(const char *question, char *ret_line, size_t size)
{
    if (isatty(STDIN_FILENO)) {
        (void)fprintf(stderr, "%s: ", question);
    }
    if (fgets(ret_line, (int)size, stdin) == NULL) {
        return false;
    }
    const size_t length = strcspn(ret_line, "\r\n");
    const bool whole = ret_line[length] != '\0' || feof(stdin);

    ret_line[length] = '\0';
    return whole && length > 0;
}

/* --- without a token --- */

static int run_code(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_RequestCodeRequest request = {.to_watch = options->to_watch};
    guika_v1_RequestCodeResponse response = {0};

    if (!read_line("Telephone number or e-mail address", request.contact, sizeof request.contact)) {
        return gk_cli_usage(cli, "standard input gives no telephone number or e-mail address");
    }
    if (guika_v1_holder_service_request_code(cli->client, NULL, &request, &response, error) == GK_OK) {
        (void)printf("If this contact is known, a code is on its way. It is good for %u minutes.\n",
                     (unsigned)response.valid_s / 60);
    }
    return GK_CLI_GO_ON;
}

static int run_prove(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_ProveContactRequest request = {0};
    guika_v1_ProveContactResponse response = {0};

    (void)options;
    if (!read_line("Telephone number or e-mail address", request.contact, sizeof request.contact) ||
        !read_line("Code", request.code, sizeof request.code)) {
        return gk_cli_usage(cli, "standard input gives no contact and code, a line each");
    }
    if (guika_v1_holder_service_prove_contact(cli->client, NULL, &request, &response, error) == GK_OK) {
        (void)puts(response.token);
        (void)fputs("This token shows your cards for a quarter of an hour: keep it to yourself.\n", stderr);
    }
    explicit_bzero(&response, sizeof response);
    return GK_CLI_GO_ON;
}

/* --- with one --- */

static int run_cards(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    const guika_v1_ListMyCardsRequest request = {0};
    static guika_v1_ListMyCardsResponse response;

    if (guika_v1_holder_service_list_my_cards(cli->client, NULL, &request, &response, error) == GK_OK) {
        gk_cli_print_my_cards(&response, options->json);
    }
    return GK_CLI_GO_ON;
}

static bool read_kind(const char *word, guika_v1_CardKind *ret_kind)
{
    if (strcasecmp(word, "TRANSIT") == 0) {
        *ret_kind = guika_v1_CardKind_CARD_KIND_TRANSIT;
    } else if (strcasecmp(word, "CAMPUS") == 0) {
        *ret_kind = guika_v1_CardKind_CARD_KIND_CAMPUS;
    } else if (strcasecmp(word, "PARKING") == 0) {
        *ret_kind = guika_v1_CardKind_CARD_KIND_PARKING;
    } else {
        return false;
    }
    return true;
}

static int run_watch(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_WatchCardRequest request = {0};
    guika_v1_WatchCardResponse response = {0};

    if (!gk_cli_copy(cli, "--line", options->line, request.line, sizeof request.line) ||
        !gk_cli_copy(cli, "--date", options->date, request.lost_on, sizeof request.lost_on) ||
        !gk_cli_copy(cli, "--name", options->name, request.name, sizeof request.name)) {
        return 2;
    }
    if (options->kind != NULL) {
        if (!read_kind(options->kind, &request.kind)) {
            return gk_cli_usage(cli, "--kind is TRANSIT, CAMPUS or PARKING, not \"%.20s\"", options->kind);
        }
    } else if (!read_line("Card number", request.number, sizeof request.number)) {
        return gk_cli_usage(cli,
                            "standard input gives no number; without one, describe the card with --kind");
    }
    if (guika_v1_holder_service_watch_card(cli->client, NULL, &request, &response, error) == GK_OK) {
        (void)puts(response.watch_id);
        (void)fputs("We watch for this card. When it turns up, your contact is told.\n", stderr);
    }
    explicit_bzero(&request, sizeof request);
    return GK_CLI_GO_ON;
}

static int run_reissue(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_ReissueMyCodeRequest request = {0};
    guika_v1_ReissueMyCodeResponse response = {0};

    (void)options;
    if (!gk_cli_copy(cli, "CASE", cli->arguments[1], request.case_id, sizeof request.case_id)) {
        return 2;
    }
    if (guika_v1_holder_service_reissue_code(cli->client, NULL, &request, &response, error) == GK_OK) {
        (void)puts("A message with the new code is on its way; guika holder cards shows it too.");
    }
    return GK_CLI_GO_ON;
}

static int run_cancel(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    guika_v1_CancelRequest request = {0};
    guika_v1_CancelResponse response = {0};

    (void)options;
    if (!gk_cli_copy(cli, "ID", cli->arguments[1], request.id, sizeof request.id)) {
        return 2;
    }
    if (guika_v1_holder_service_cancel(cli->client, NULL, &request, &response, error) == GK_OK) {
        (void)puts("Cancelled.");
    }
    return GK_CLI_GO_ON;
}

/* --- the table --- */

static const struct verb {
    const char *name;
    int arguments; /* with the verb itself */
    bool needs_token;
    int (*run)(struct gk_cli *cli, const struct options *options, struct gk_error *error);
} verbs[] = {
    {"code", 1, false, run_code},  {"prove", 1, false, run_prove},    {"cards", 1, true, run_cards},
    {"watch", 1, true, run_watch}, {"reissue", 2, true, run_reissue}, {"cancel", 2, true, run_cancel},
};

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

int gk_cli_holder(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {.status = GK_OK};
    struct options chosen = {0};
    const struct gk_cli_option options[] = {
        {"to-watch", NULL, &chosen.to_watch}, {"json", NULL, &chosen.json}, {"kind", &chosen.kind, NULL},
        {"line", &chosen.line, NULL},         {"date", &chosen.date, NULL}, {"name", &chosen.name, NULL},
    };
    const struct verb *verb = NULL;
    int exit_status =
        gk_cli_begin(&cli, "holder", help, argc, argv, options, sizeof options / sizeof options[0], 1, 2);

    if (exit_status == GK_CLI_GO_ON) {
        verb = find_verb(cli.arguments[0]);
        if (verb == NULL || cli.argument_count != verb->arguments) {
            exit_status = gk_cli_usage(&cli, "knows code, prove, cards, watch, reissue CASE and cancel ID");
        }
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, verb->needs_token);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = verb->run(&cli, &chosen, &error);
    }
    const int ended = gk_cli_end(&cli, error.status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
