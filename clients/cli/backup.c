/* guika backup, guika restore. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/admin.rpc.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char backup_help[] = "usage: guika backup DIR\n"
                                  "\n"
                                  "Writes a backup of the running service into DIR, a new folder on the "
                                  "service's machine. The keys are not in\n"
                                  "it: keep them apart, since nobody opens the backup without them.\n"
                                  "\n" GK_CLI_COMMON_HELP;

static const char restore_help[] = "usage: guika restore DIR\n"
                                   "\n"
                                   "Puts the backup in DIR, on the service's machine, in the place of the "
                                   "data. The service serves on within\n"
                                   "seconds; what came after the backup is kept beside the data. Where no "
                                   "service runs: guikad --restore DIR.\n"
                                   "\n" GK_CLI_COMMON_HELP;

/* DIR as the service has to know it: absolute. GK_CLI_GO_ON or 2. */
static int take_directory(const struct gk_cli *cli, char *ret_directory, size_t size)
{
    const char *given = cli->arguments[0];
    char here[PATH_MAX] = "";
    const bool is_absolute = given[0] == '/';

    if (!is_absolute && getcwd(here, sizeof here) == NULL) {
        return gk_cli_usage(cli, "DIR has to be an absolute path: this folder has no name");
    }
    const int length = snprintf(ret_directory, size, "%s%s%s", here, is_absolute ? "" : "/", given);

    return length > 0 && (size_t)length < size ? GK_CLI_GO_ON : gk_cli_usage(cli, "DIR is too long");
}

int gk_cli_backup(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_BackupRequest request = {0};
    guika_v1_BackupResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "backup", backup_help, argc, argv, NULL, 0, 1, 1);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = take_directory(&cli, request.directory, sizeof request.directory);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_admin_service_backup(cli.client, NULL, &request, &response, &error);
    }
    if (exit_status == GK_CLI_GO_ON && status == GK_OK) {
        (void)printf("%s: %" PRIu64 " files, %" PRIu64 " bytes, %" PRIu64 " pictures; without the keys\n",
                     request.directory, response.files, response.bytes, response.pictures);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

int gk_cli_restore(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_RestoreRequest request = {0};
    guika_v1_RestoreResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "restore", restore_help, argc, argv, NULL, 0, 1, 1);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = take_directory(&cli, request.directory, sizeof request.directory);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_admin_service_restore(cli.client, NULL, &request, &response, &error);
    }
    if (exit_status == GK_CLI_GO_ON && status == GK_OK) {
        (void)puts("the backup is being put in place; the service serves again within seconds");
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
