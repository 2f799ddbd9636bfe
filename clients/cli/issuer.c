/* guika issuer: the operator's add and set, and what an issuer does with found cards: next and decide. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/names.h"
#include "guika/v1/issuer.rpc.h"
#include "guika/v1/operator.rpc.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BINDINGS = 32, DEADLINE_MARGIN_MS = 1500, WAIT_MOST_S = 3600, WAIT_ONCE_S = 55 };

static const char HELP[] =
    "usage: guika issuer add ISSUER-ID SCHEME[:PREFIX]... [--own-index-key FILE] [--policy POLICY]\n"
    "       guika issuer set ISSUER-ID [--policy POLICY] [--own-index-key FILE]\n"
    "       guika issuer next [--wait SECONDS] [--keep] [--json]\n"
    "       guika issuer decide CASE relay|return|destroy [--json]\n"
    "\n"
    "The operator:\n"
    "  add   registers an issuer's account and prints its token, which is shown this once. The account\n"
    "        may register cards of these number schemes and prefixes alone, as iso7812:622576.\n"
    "        ISSUER-ID: 1 to 32 characters of [A-Za-z0-9._-].\n"
    "  set   changes how the holders of its cards are told, or makes the issuer another index key.\n"
    "The issuer:\n"
    "  next    prints the next found card that the issuer is to tell its holder of, and acknowledges\n"
    "          it; prints nothing where there is none.\n"
    "  decide  relay: the holder may collect it, and the issuer passes the printed code on;\n"
    "          return: it is to be sent to the issuer; destroy: it is to be destroyed. CASE is as\n"
    "          next printed it.\n"
    "\n"
    "  --own-index-key FILE  writes a key that this issuer and the service alone have to FILE, which must\n"
    "                        not be there; with it the issuer makes tokens of its numbers\n"
    "  --policy POLICY       notify-at-once, on-enquiry or through-issuer\n"
    "  --wait SECONDS        next: how long to wait for a card, 0 to 3600; default 0\n"
    "  --keep                next: does not acknowledge it; it is given out again after a minute\n"
    "  --json                next: {\"case\":..., \"reference\":..., \"kind\":..., ...}\n" GK_CLI_COMMON_HELP;

struct options {
    const char *key_path;
    const char *policy;
    const char *wait;
    bool keep;
    bool json;
};

/* --- the operator --- */

static bool read_policy(const struct gk_cli *cli, const char *word, guika_v1_IssuerPolicy *ret_policy)
{
    static const char *const words[] = {NULL, "notify-at-once", "on-enquiry", "through-issuer"};

    if (word == NULL) {
        return true;
    }
    for (unsigned i = 1; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(word, words[i]) == 0) {
            *ret_policy = (guika_v1_IssuerPolicy)i;
            return true;
        }
    }
    (void)gk_cli_usage(cli, "--policy is notify-at-once, on-enquiry or through-issuer, not \"%.40s\"", word);
    return false;
}

/* The key file is made before the key: a key that cannot be kept is not asked for. NULL path: -1. */
static bool open_key_file(const struct gk_cli *cli, const char *path, int *ret_fd)
{
    *ret_fd = -1;
    if (path == NULL) {
        return true;
    }
    *ret_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (*ret_fd < 0) {
        (void)fprintf(stderr, "guika %s: %s cannot be made: %s\n", cli->command, path, strerror(errno));
        return false;
    }
    return true;
}

/* Writes the key, or takes the file away where there is none. */
static enum gk_status keep_key(const char *path, int fd, const char *key, enum gk_status status,
                               struct gk_error *error)
{
    if (fd < 0) {
        return status;
    }
    if (status == GK_OK && (dprintf(fd, "%s\n", key) < 0 || fsync(fd) != 0)) {
        status = gk_error_set(error, GK_UNAVAILABLE, "%.120s cannot be written: %s; ask for another key",
                              path, strerror(errno));
    }
    (void)close(fd);
    if (status != GK_OK) {
        (void)unlink(path);
    }
    return status;
}

static enum gk_status send_add(struct gk_cli *cli, const struct options *options,
                               const guika_v1_AddIssuerRequest *request, struct gk_error *error)
{
    guika_v1_AddIssuerResponse response = {0};
    int fd;

    if (!open_key_file(cli, options->key_path, &fd)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "the issuer was not added");
    }
    enum gk_status status =
        guika_v1_operator_service_add_issuer(cli->client, NULL, request, &response, error);

    if (status == GK_OK) {
        (void)puts(response.token);
        (void)fputs("This token is shown once: keep it in a file that only its owner can read.\n", stderr);
    }
    status = keep_key(options->key_path, fd, response.index_key, status, error);
    explicit_bzero(&response, sizeof response);
    return status;
}

static int add(struct gk_cli *cli, const struct options *options, struct gk_error *error,
               enum gk_status *ret_status)
{
    guika_v1_AddIssuerRequest request = {.own_index_key = options->key_path != NULL};

    if (cli->argument_count < 3 || cli->argument_count > 2 + MAX_BINDINGS) {
        return gk_cli_usage(cli, "add takes ISSUER-ID and 1 to %d SCHEME[:PREFIX]", MAX_BINDINGS);
    }
    if (!read_policy(cli, options->policy, &request.policy) ||
        !gk_cli_copy(cli, "ISSUER-ID", cli->arguments[1], request.issuer_id, sizeof request.issuer_id)) {
        return 2;
    }
    for (int i = 2; i < cli->argument_count; i++) {
        if (!gk_cli_copy(cli, "SCHEME:PREFIX", cli->arguments[i], request.bindings[request.bindings_count++],
                         sizeof request.bindings[0])) {
            return 2;
        }
    }
    const int exit_status = gk_cli_connect(cli, true);

    if (exit_status == GK_CLI_GO_ON) {
        *ret_status = send_add(cli, options, &request, error);
    }
    return exit_status;
}

static enum gk_status send_set(struct gk_cli *cli, const struct options *options,
                               const guika_v1_SetIssuerRequest *request, struct gk_error *error)
{
    guika_v1_SetIssuerResponse response = {0};
    int fd;

    if (!open_key_file(cli, options->key_path, &fd)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "nothing was changed");
    }
    enum gk_status status =
        guika_v1_operator_service_set_issuer(cli->client, NULL, request, &response, error);

    status = keep_key(options->key_path, fd, response.index_key, status, error);
    explicit_bzero(&response, sizeof response);
    if (status == GK_OK) {
        (void)puts("changed");
    }
    return status;
}

static int set(struct gk_cli *cli, const struct options *options, struct gk_error *error,
               enum gk_status *ret_status)
{
    guika_v1_SetIssuerRequest request = {.new_index_key = options->key_path != NULL};

    if (cli->argument_count != 2) {
        return gk_cli_usage(cli, "set takes one ISSUER-ID");
    }
    if (options->policy == NULL && options->key_path == NULL) {
        return gk_cli_usage(cli, "set needs --policy or --own-index-key");
    }
    if (!read_policy(cli, options->policy, &request.policy) ||
        !gk_cli_copy(cli, "ISSUER-ID", cli->arguments[1], request.issuer_id, sizeof request.issuer_id)) {
        return 2;
    }
    const int exit_status = gk_cli_connect(cli, true);

    if (exit_status == GK_CLI_GO_ON) {
        *ret_status = send_set(cli, options, &request, error);
    }
    return exit_status;
}

/* --- the issuer --- */

/* In both languages, where the operator gave both. */
static void print_both(const char *label, const char *en, const char *zh)
{
    if (en[0] != '\0' || zh[0] != '\0') {
        (void)printf("%s%s%s%s\n", label, en, en[0] != '\0' && zh[0] != '\0' ? " / " : "", zh);
    }
}

static bool print_json(json_t *object)
{
    const int failed = json_dumpf(object, stdout, JSON_COMPACT);

    json_decref(object);
    return failed == 0 && puts("") >= 0 && fflush(stdout) == 0;
}

static bool print_found(const guika_v1_NextFoundResponse *found, bool json)
{
    const time_t seconds = (time_t)(found->found_at_ms / 1000);
    struct tm local;
    char when[32] = "";

    if (json) {
        return print_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "case", found->case_id,
                                    "reference", found->reference, "kind", gk_cli_kind_name(found->kind),
                                    "scheme", found->scheme, "number", found->masked_number, "place_zh",
                                    found->place_zh, "place_en", found->place_en, "found_at_ms",
                                    (json_int_t)found->found_at_ms));
    }
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M", localtime_r(&seconds, &local));
    (void)printf("case       %s\nreference  %s\nkind       %s\nnumber     %s\nfound      %s\n",
                 found->case_id, found->reference, gk_cli_kind_name(found->kind), found->masked_number, when);
    print_both("place      ", found->place_en, found->place_zh);
    return fflush(stdout) == 0 && ferror(stdout) == 0;
}

/* Waits for a card in calls of a minute at most. */
static enum gk_status wait_for_card(struct gk_cli *cli, long wait_s, guika_v1_NextFoundResponse *ret_found,
                                    struct gk_error *error)
{
    const guika_v1_NextFoundRequest request = {0};
    enum gk_status status;
    long left_s = wait_s;

    do {
        const long part_s = left_s < WAIT_ONCE_S ? left_s : WAIT_ONCE_S;
        const struct gk_rpc_call_options call = {.deadline_ms = (uint32_t)part_s * 1000 + DEADLINE_MARGIN_MS};

        status = guika_v1_issuer_service_next_found(cli->client, &call, &request, ret_found, error);
        left_s -= part_s;
    } while (status == GK_OK && ret_found->case_id[0] == '\0' && left_s > 0);
    return status;
}

static enum gk_status take_next(struct gk_cli *cli, const struct options *options, long wait_s,
                                struct gk_error *error)
{
    guika_v1_NextFoundResponse found = {0};
    guika_v1_AcknowledgeFoundRequest request = {0};
    guika_v1_AcknowledgeFoundResponse response = {0};
    const enum gk_status status = wait_for_card(cli, wait_s, &found, error);

    if (status != GK_OK || found.case_id[0] == '\0') {
        return status;
    }
    if (!print_found(&found, options->json)) {
        return gk_error_set(error, GK_ABORTED,
                            "the card could not be printed, so it was not acknowledged: %s", strerror(errno));
    }
    if (options->keep) {
        return GK_OK;
    }
    memcpy(request.case_id, found.case_id, sizeof request.case_id);
    return guika_v1_issuer_service_acknowledge_found(cli->client, NULL, &request, &response, error);
}

static int next(struct gk_cli *cli, const struct options *options, struct gk_error *error,
                enum gk_status *ret_status)
{
    long wait_s = 0;

    if (cli->argument_count != 1) {
        return gk_cli_usage(cli, "next takes no argument");
    }
    if (options->wait != NULL &&
        gk_settings_number(options->wait, "--wait", 0, WAIT_MOST_S, &wait_s, error) != GK_OK) {
        return gk_cli_usage(cli, "%s", error->message);
    }
    const int exit_status = gk_cli_connect(cli, true);

    if (exit_status == GK_CLI_GO_ON) {
        *ret_status = take_next(cli, options, wait_s, error);
    }
    return exit_status;
}

static void print_decided(const guika_v1_DecideFoundResponse *response, bool json)
{
    if (json) {
        (void)print_json(json_pack(
            "{s:s, s:s, s:s, s:b, s:I, s:s, s:s, s:s, s:s}", "state", gk_cli_state_name(response->state),
            "case_number", response->case_number, "code", response->pickup_code, "needs_telephone_tail",
            response->needs_telephone_tail, "code_expires_at_ms", (json_int_t)response->code_expires_at_ms,
            "place_zh", response->place_zh, "place_en", response->place_en, "hours_zh",
            response->opening_hours_zh, "hours_en", response->opening_hours_en));
        return;
    }
    (void)printf("state  %s\n", gk_cli_state_name(response->state));
    if (response->pickup_code[0] != '\0') {
        (void)printf("number %s\ncode   %s%s\n", response->case_number, response->pickup_code,
                     response->needs_telephone_tail
                         ? ", and then the last four digits of the holder's telephone number"
                         : "");
        print_both("place  ", response->place_en, response->place_zh);
        print_both("hours  ", response->opening_hours_en, response->opening_hours_zh);
    }
}

static int decide(struct gk_cli *cli, const struct options *options, struct gk_error *error,
                  enum gk_status *ret_status)
{
    static const char *const words[] = {NULL, "relay", "return", "destroy"};
    guika_v1_DecideFoundRequest request = {0};
    guika_v1_DecideFoundResponse response = {0};

    if (cli->argument_count != 3) {
        return gk_cli_usage(cli, "decide takes CASE and relay, return or destroy");
    }
    for (unsigned i = 1; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(cli->arguments[2], words[i]) == 0) {
            request.decision = (guika_v1_IssuerDecision)i;
        }
    }
    if (request.decision == guika_v1_IssuerDecision_ISSUER_DECISION_UNSPECIFIED) {
        return gk_cli_usage(cli, "a card is decided on by relay, return or destroy, not \"%.40s\"",
                            cli->arguments[2]);
    }
    if (!gk_cli_copy(cli, "CASE", cli->arguments[1], request.case_id, sizeof request.case_id)) {
        return 2;
    }
    const int exit_status = gk_cli_connect(cli, true);

    if (exit_status == GK_CLI_GO_ON) {
        *ret_status = guika_v1_issuer_service_decide_found(cli->client, NULL, &request, &response, error);
        if (*ret_status == GK_OK) {
            print_decided(&response, options->json);
        }
    }
    explicit_bzero(&response, sizeof response);
    return exit_status;
}

/* --- the command --- */

static int dispatch(struct gk_cli *cli, const struct options *options, struct gk_error *error,
                    enum gk_status *ret_status)
{
    static const struct {
        const char *word;
        int (*run)(struct gk_cli *cli, const struct options *options, struct gk_error *error,
                   enum gk_status *ret_status);
    } actions[] = {{"add", add}, {"set", set}, {"next", next}, {"decide", decide}};

    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(cli->arguments[0], actions[i].word) == 0) {
            return actions[i].run(cli, options, error, ret_status);
        }
    }
    return gk_cli_usage(cli, "knows add, set, next and decide, not \"%.40s\"", cli->arguments[0]);
}

int gk_cli_issuer(int argc, char **argv)
{
    struct gk_cli cli;
    struct options options = {.key_path = NULL};
    struct gk_error error = {0};
    enum gk_status status = GK_OK;
    const struct gk_cli_option table[] = {{"own-index-key", &options.key_path, NULL},
                                          {"policy", &options.policy, NULL},
                                          {"wait", &options.wait, NULL},
                                          {"keep", NULL, &options.keep},
                                          {"json", NULL, &options.json}};
    int exit_status = gk_cli_begin(&cli, "issuer", HELP, argc, argv, table, sizeof table / sizeof table[0], 1,
                                   2 + MAX_BINDINGS);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = dispatch(&cli, &options, &error, &status);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
