/* guika key: the service's index and sealing keys. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/admin.rpc.h"

#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: guika key rotate\n"
    "       guika key status\n"
    "       guika key retire\n"
    "\n"
    "  rotate   makes new index and sealing keys beside the old ones, and puts every record under them; the "
    "service\n"
    "           runs on, but for a moment at the beginning and at the end. Back up the keys afterwards.\n"
    "  status   the epoch in force, whether a rotation is under way, and how many records need each index "
    "key\n"
    "  retire   deletes the index keys that no record needs any more; the service begins anew for a moment\n"
    "\n"
    "A rotation wraps the tokens of numbers, which takes the old keys too, until issuers import their lists "
    "anew: then\n"
    "lists, and what was found of them, are under the newest key alone. A key goes only where you say "
    "\"retire\".\n"
    "Backups of the data from before need it: keep the backup of the keys as long as those.\n"
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

static enum gk_status retire(struct gk_cli *cli, struct gk_error *error)
{
    const guika_v1_RetireKeysRequest request = {0};
    guika_v1_RetireKeysResponse response = {0};
    const enum gk_status status =
        guika_v1_admin_service_retire_keys(cli->client, NULL, &request, &response, error);

    if (status == GK_OK) {
        (void)printf("the index keys below epoch %u go now; backups of the data from before need them from a "
                     "backup of the keys\n",
                     (unsigned)response.lowest);
    }
    return status;
}

/* The file of an epoch's index key. */
static void name_key(const guika_v1_KeyUse *use, char *ret_name, size_t size)
{
    if (use->retired) {
        (void)snprintf(ret_name, size, "(retired)");
    } else if (use->epoch == 1) {
        (void)snprintf(ret_name, size, "index.key");
    } else {
        (void)snprintf(ret_name, size, "index.%u.key", (unsigned)use->epoch);
    }
}

static void print_uses(const guika_v1_GetKeysResponse *response)
{
    bool idle = false;

    (void)printf("%-6s %-13s %9s   first made with it: %6s %10s %8s %8s %8s\n", "EPOCH", "KEY", "NEEDED BY",
                 "LISTS", "CARDS", "FOUND", "WATCHES", "CLAIMS");
    for (pb_size_t i = 0; i < response->uses_count; i++) {
        const guika_v1_KeyUse *use = &response->uses[i];
        char name[24];

        name_key(use, name, sizeof name);
        (void)printf("%-6u %-13s %9llu   %26llu %10llu %8llu %8llu %8llu\n", (unsigned)use->epoch, name,
                     (unsigned long long)use->needed_by, (unsigned long long)use->lists,
                     (unsigned long long)use->cards, (unsigned long long)use->found_cards,
                     (unsigned long long)use->watches, (unsigned long long)use->claims);
        idle = idle || (!use->retired && use->needed_by == 0 && use->epoch < response->epoch);
    }
    if (idle) {
        (void)printf("guika key retire deletes the keys that no record needs\n");
    }
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
    if (status == GK_OK) {
        print_uses(&response);
    }
    return status;
}

static const struct {
    const char *name;
    enum gk_status (*run)(struct gk_cli *cli, struct gk_error *error);
} words[] = {{"rotate", rotate}, {"status", show}, {"retire", retire}};

enum { WORDS = sizeof words / sizeof words[0] };

int gk_cli_key(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    enum gk_status status = GK_OK;
    size_t word = 0;
    int exit_status = gk_cli_begin(&cli, "key", help, argc, argv, NULL, 0, 1, 1);

    if (exit_status == GK_CLI_GO_ON) {
        while (word < WORDS && strcmp(cli.arguments[0], words[word].name) != 0) {
            word++;
        }
        if (word == WORDS) {
            exit_status = gk_cli_usage(&cli, "knows \"rotate\", \"status\" and \"retire\", not \"%.40s\"",
                                       cli.arguments[0]);
        }
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = words[word].run(&cli, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
