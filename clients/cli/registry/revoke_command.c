#include "clients/cli/cli.h"
#include "clients/cli/number.h"
#include "clients/cli/registry/commands.h"
#include "core/recognition/rules.h"
#include "core/security/index_key.h"
#include "guika/v1/issuer.rpc.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>

static const char HELP[] =
    "usage: guika registry revoke [options] --scheme SCHEME\n"
    "\n"
    "Cancels one card of the issuer's list. Its number is read from standard input (never from\n"
    "the command line, which every user of the machine can see).\n"
    "\n"
    "  --scheme SCHEME      number scheme, as \"iso7812\"\n"
    "  --index-key FILE     sends the number's token under the issuer's own key, and not the "
    "number\n" GK_CLI_COMMON_HELP "\n"
    "Exit status: 0 cancelled; 1 failed; 2 usage.\n";

/* Puts the number's token in the place of the number. */
static enum gk_status tokenise(const char *key_path, guika_v1_RevokeCardRequest *request,
                               struct gk_error *error)
{
    struct gk_index_key key;
    char canonical[GK_NUMBER_SIZE];
    const enum gk_status status = gk_index_key_read_file(key_path, &key, error);

    if (status != GK_OK) {
        return status;
    }
    if (gk_rules_canonical(request->number, canonical) == 0) {
        gk_index_key_wipe(&key);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "this is no card number");
    }
    gk_index_key_card_token(&key, request->scheme, canonical, request->token.bytes);
    request->token.size = GK_TOKEN_SIZE;
    gk_index_key_wipe(&key);
    sodium_memzero(canonical, sizeof canonical);
    sodium_memzero(request->number, sizeof request->number);
    return GK_OK;
}

/* Fills in the scheme; GK_CLI_GO_ON or 2. */
static int take_scheme(const struct gk_cli *cli, const char *scheme, guika_v1_RevokeCardRequest *request)
{
    if (cli->argument_count > 0) {
        return gk_cli_usage(cli, "takes no argument; the number comes from standard input");
    }
    if (scheme == NULL) {
        return gk_cli_usage(cli, "--scheme is missing");
    }
    return gk_cli_copy(cli, "--scheme", scheme, request->scheme, sizeof request->scheme) ? GK_CLI_GO_ON : 2;
}

int gk_cli_registry_revoke(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *scheme = NULL;
    const char *key_path = NULL;
    const struct gk_cli_option options[] = {{"scheme", &scheme, NULL}, {"index-key", &key_path, NULL}};
    guika_v1_RevokeCardRequest request = guika_v1_RevokeCardRequest_init_zero;
    guika_v1_RevokeCardResponse response = guika_v1_RevokeCardResponse_init_zero;
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "registry revoke", HELP, argc, argv, options, 2, 0, INT_MAX);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = take_scheme(&cli, scheme, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = gk_cli_read_number(request.number, sizeof request.number, &error);
        if (status == GK_OK && key_path != NULL) {
            status = tokenise(key_path, &request, &error);
        }
        if (status == GK_OK) {
            status = guika_v1_issuer_service_revoke_card(cli.client, NULL, &request, &response, &error);
        }
        if (status == GK_OK) {
            puts("cancelled");
        }
    }
    sodium_memzero(&request, sizeof request);
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
