/* guika key: the service's index and sealing keys. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/admin.rpc.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: guika key rotate\n"
    "       guika key status\n"
    "\n"
    "  rotate   makes new index and sealing keys beside the old ones, and puts every record under them; the "
    "service\n"
    "           runs on, but for a moment at the beginning and at the end. Back up the keys afterwards.\n"
    "  status   the epoch in force, and whether a rotation is under way\n"
    "\n"
    "Old key files stay: tokens are wrapped, which takes all of them, and old backups need them.\n"
    "\n" GK_CLI_COMMON_HELP;

static enum gk_status rotate(struct gk_cli *cli, struct gk_error *error)
{
    const guika_v1_RotateKeysRequest request = {0};
    guika_v1_RotateKeysResponse response = {0};
    const enum gk_status status =
        guika_v1_admin_service_rotate_keys(cli->client, NULL, &request, &response, error);

    if (status == GK_OK) {
        (void)printf(
            "made the keys of epoch %u; back up the keys. guika key status tells when they are in force\n",
            (unsigned)response.epoch);
    }
    return status;
}

static enum gk_status show(struct gk_cli *cli, struct gk_error *error)
{
    const guika_v1_GetKeysRequest request = {0};
    guika_v1_GetKeysResponse response = {0};
    const enum gk_status status =
        guika_v1_admin_service_get_keys(cli->client, NULL, &request, &response, error);

    if (status == GK_OK && response.newest > response.epoch) {
        (void)printf("epoch %u is in force; a rotation to epoch %u is under way\n", (unsigned)response.epoch,
                     (unsigned)response.newest);
    } else if (status == GK_OK) {
        (void)printf("epoch %u is in force\n", (unsigned)response.epoch);
    }
    return status;
}

int gk_cli_key(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    enum gk_status status = GK_OK;
    bool is_rotate = false;
    int exit_status = gk_cli_begin(&cli, "key", help, argc, argv, NULL, 0, 1, 1);

    if (exit_status == GK_CLI_GO_ON) {
        is_rotate = strcmp(cli.arguments[0], "rotate") == 0;
        if (!is_rotate && strcmp(cli.arguments[0], "status") != 0) {
            exit_status =
                gk_cli_usage(&cli, "knows \"rotate\" and \"status\", not \"%.40s\"", cli.arguments[0]);
        }
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = is_rotate ? rotate(&cli, &error) : show(&cli, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
