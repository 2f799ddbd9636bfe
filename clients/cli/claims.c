/* guika claims: reports of lost cards that a person has to decide. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/holder_list.h"
#include "guika/v1/operator.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: guika claims list [--json]\n"
    "       guika claims grant WATCH CASE\n"
    "       guika claims refuse WATCH\n"
    "\n"
    "Reports of lost cards that are nobody's yet and that the service does not decide by itself: "
    "DESCRIPTION, without "
    "a\n"
    "number; RIVAL, where several people gave the same number; LATE, where the card had been found before. A "
    "grant "
    "makes the\n"
    "card theirs, and they are told. Bank and ID cards never go this way.\n"
    "\n"
    "  --json               {\"claims\":[{\"watch\":..., \"reason\":..., ...}]}\n" GK_CLI_COMMON_HELP;

/* By the numbers of WatchReason in schemas/guika/v1/types.proto. */
static const char *reason_word(guika_v1_WatchReason reason)
{
    static const char *const words[] = {"", "DESCRIPTION", "RIVAL", "LATE"};

    return reason < sizeof words / sizeof words[0] ? words[reason] : "?";
}

static void print_claim(const guika_v1_Claim *claim)
{
    (void)printf("%s  %s  %s", claim->watch_id, reason_word(claim->reason), gk_cli_kind_word(claim->kind));
    (void)printf("%s%s, %s\n", claim->last_four[0] == '\0' ? "" : " ending in ", claim->last_four,
                 claim->contact);
    if (claim->line[0] != '\0') {
        (void)printf("  lost     %s\n", claim->line);
    }
    if (claim->lost_on[0] != '\0') {
        (void)printf("  date     %s\n", claim->lost_on);
    }
    if (claim->name[0] != '\0') {
        (void)printf("  name     %s\n", claim->name);
    }
    for (pb_size_t i = 0; i < claim->case_ids_count; i++) {
        (void)printf("  case     %s\n", claim->case_ids[i]);
    }
}

static json_t *claim_object(const guika_v1_Claim *claim)
{
    json_t *cases = json_array();

    for (pb_size_t i = 0; i < claim->case_ids_count; i++) {
        (void)json_array_append_new(cases, json_string(claim->case_ids[i]));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "watch", claim->watch_id, "reason",
                     reason_word(claim->reason), "kind", gk_cli_kind_word(claim->kind), "last_four",
                     claim->last_four, "line", claim->line, "lost_on", claim->lost_on, "name", claim->name,
                     "contact", claim->contact, "filed_at_ms", (json_int_t)claim->filed_at_ms, "cases",
                     cases);
}

static void print_json(const guika_v1_ListClaimsResponse *response)
{
    json_t *object = json_pack("{s:[]}", "claims");

    for (pb_size_t i = 0; i < response->claims_count; i++) {
        (void)json_array_append_new(json_object_get(object, "claims"), claim_object(&response->claims[i]));
    }
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(object);
}

static enum gk_status list(struct gk_cli *cli, bool json, struct gk_error *error)
{
    static guika_v1_ListClaimsResponse response;
    const guika_v1_ListClaimsRequest request = {0};
    const enum gk_status status =
        guika_v1_operator_service_list_claims(cli->client, NULL, &request, &response, error);

    if (status == GK_OK && json) {
        print_json(&response);
    } else if (status == GK_OK) {
        for (pb_size_t i = 0; i < response.claims_count; i++) {
            print_claim(&response.claims[i]);
        }
    }
    return status;
}

static enum gk_status resolve(struct gk_cli *cli, const guika_v1_ResolveClaimRequest *request,
                              struct gk_error *error)
{
    guika_v1_ResolveClaimResponse response = {0};
    const enum gk_status status =
        guika_v1_operator_service_resolve_claim(cli->client, NULL, request, &response, error);

    if (status == GK_OK) {
        (void)puts(request->case_id[0] != '\0' ? "Granted: they are told where the card is." : "Refused.");
    }
    return status;
}

/* Reads the verb and what it needs; GK_CLI_GO_ON or 2. */
static int read_verb(const struct gk_cli *cli, guika_v1_ResolveClaimRequest *request)
{
    const char *verb = cli->arguments[0];
    const int count = cli->argument_count;

    if (!(strcmp(verb, "list") == 0 && count == 1) && !(strcmp(verb, "refuse") == 0 && count == 2) &&
        !(strcmp(verb, "grant") == 0 && count == 3)) {
        return gk_cli_usage(cli, "knows list, grant WATCH CASE and refuse WATCH");
    }
    return gk_cli_copy(cli, "WATCH", count > 1 ? cli->arguments[1] : NULL, request->watch_id,
                       sizeof request->watch_id) &&
                   gk_cli_copy(cli, "CASE", count > 2 ? cli->arguments[2] : NULL, request->case_id,
                               sizeof request->case_id)
               ? GK_CLI_GO_ON
               : 2;
}

int gk_cli_claims(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    bool json = false;
    const struct gk_cli_option options[] = {{"json", NULL, &json}};
    guika_v1_ResolveClaimRequest request = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "claims", help, argc, argv, options, 1, 1, 3);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = read_verb(&cli, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = request.watch_id[0] == '\0' ? list(&cli, json, &error) : resolve(&cli, &request, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
