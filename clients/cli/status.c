#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/health.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: guika status [--json]\n"
    "\n"
    "Is the service there? Exit status 0: it serves; 1: it does not.\n"
    "\n"
    "  --json               {\"serving\":true,\"version\":\"0.1.0\"}\n" GK_CLI_COMMON_HELP;

static enum gk_status show(const guika_v1_HealthCheckResponse *response, bool json, struct gk_error *error)
{
    const bool serving = response->serving == guika_v1_HealthCheckResponse_Serving_SERVING;

    if (json) {
        json_t *object = json_pack("{s:b, s:s}", "serving", serving, "version", response->version);

        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(object);
    } else {
        (void)printf("%s, version %s\n", serving ? "serving" : "not serving", response->version);
    }
    return serving ? GK_OK
                   : gk_error_set(error, GK_FAILED_PRECONDITION,
                                  "the service is there, but starting or shutting down; try again");
}

int gk_cli_status(int argc, char **argv)
{
    struct gk_cli cli;
    bool json = false;
    const struct gk_cli_option options[] = {{"json", NULL, &json}};
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response = {0};
    struct gk_error error = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "status", help, argc, argv, options, 1, 0, 0);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, false);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_health_check(cli.client, NULL, &request, &response, &error);
        if (status == GK_OK) {
            status = show(&response, json, &error);
        }
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
