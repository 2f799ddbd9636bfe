#include "clients/cli/cli.h"
#include "clients/cli/number.h"
#include "clients/cli/registry/commands.h"
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
    "  --scheme SCHEME      number scheme, as \"iso7812\"\n" GK_CLI_COMMON_HELP "\n"
    "Exit status: 0 cancelled; 1 failed; 2 usage.\n";

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
    const struct gk_cli_option options[] = {{"scheme", &scheme, NULL}};
    guika_v1_RevokeCardRequest request = guika_v1_RevokeCardRequest_init_zero;
    guika_v1_RevokeCardResponse response = guika_v1_RevokeCardResponse_init_zero;
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "registry revoke", HELP, argc, argv, options, 1, 0, INT_MAX);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = take_scheme(&cli, scheme, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = gk_cli_read_number(request.number, sizeof request.number, &error);
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
