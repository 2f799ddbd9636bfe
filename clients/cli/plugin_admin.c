/* guika plugin list, guika plugin release: what became of the files in the service's plugin folder. */
#include "clients/cli/plugin_admin.h"

#include "clients/cli/cli.h"
#include "clients/cli/table.h"
#include "guika/v1/operator.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char list_help[] =
    "usage: guika plugin list [--json]\n"
    "\n"
    "The files of the service's folder of issuer plugins. STATE is one of\n"
    "  CHECKING     seen, and not yet known to be good\n"
    "  IN_USE\n"
    "  OLD_IN_USE   the file there was refused; the one before it is still used\n"
    "  REFUSED      nothing of it is used\n"
    "  QUARANTINED  it broke readers three times; replace the file, or guika plugin release FILE\n"
    "\n"
    "  --json               {\"plugins\":[{\"file\":..., \"state\":..., ...}]}\n" GK_CLI_COMMON_HELP;

static const char release_help[] = "usage: guika plugin release FILE\n"
                                   "\n"
                                   "Forgets the strikes of a plugin, and uses it again where it was in "
                                   "quarantine. FILE: its name in the plugin "
                                   "folder,\nas guika plugin list shows it.\n"
                                   "\n" GK_CLI_COMMON_HELP;

static const char *state_name(guika_v1_PluginState state)
{
    static const char *const names[] = {"", "CHECKING", "IN_USE", "OLD_IN_USE", "REFUSED", "QUARANTINED"};

    return (size_t)state < sizeof names / sizeof names[0] ? names[state] : "?";
}

static void add_json(json_t *plugins, const guika_v1_PluginRow *row)
{
    (void)json_array_append_new(plugins,
                                json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s}", "file", row->file,
                                          "state", state_name(row->state), "issuer", row->issuer, "version",
                                          row->version, "strikes", (int)row->strikes, "hash", row->hash,
                                          "signed_by", row->signed_by, "reason", row->reason));
}

static void add_row(struct gk_table *table, const guika_v1_PluginRow *row)
{
    char strikes[16];

    (void)snprintf(strikes, sizeof strikes, "%u", (unsigned)row->strikes);
    const char *const cells[] = {row->file, state_name(row->state), row->issuer, row->version, strikes,
                                 row->hash, row->signed_by};

    gk_table_add(table, cells);
}

/* Reasons are sentences: they stand below the table, whole. */
static void print_reasons(const guika_v1_PluginRow *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].reason[0] != '\0') {
            (void)printf("%s: %s\n", rows[i].file, rows[i].reason);
        }
    }
}

/* All pages; `rows` has room for 128, which is as many as a folder may have. */
static enum gk_status fetch(struct gk_cli *cli, guika_v1_PluginRow *rows, size_t room, size_t *ret_count,
                            struct gk_error *error)
{
    guika_v1_ListPluginsRequest request = {0};
    size_t count = 0;

    do {
        guika_v1_ListPluginsResponse response = {0};
        const enum gk_status status =
            guika_v1_operator_service_list_plugins(cli->client, NULL, &request, &response, error);

        if (status != GK_OK) {
            return status;
        }
        for (pb_size_t i = 0; i < response.plugins_count && count < room; i++) {
            rows[count++] = response.plugins[i];
        }
        memcpy(request.page_token, response.next_page_token, sizeof request.page_token);
    } while (request.page_token[0] != '\0');
    *ret_count = count;
    return GK_OK;
}

static enum gk_status list(struct gk_cli *cli, bool json, struct gk_error *error)
{
    static const char *const titles[] = {"FILE",    "STATE", "ISSUER",   "VERSION",
                                         "STRIKES", "HASH",  "SIGNED BY"};
    guika_v1_PluginRow rows[128];
    size_t count = 0;
    const enum gk_status status = fetch(cli, rows, sizeof rows / sizeof rows[0], &count, error);

    if (status != GK_OK) {
        return status;
    }
    if (json) {
        json_t *object = json_pack("{s:[]}", "plugins");

        for (size_t i = 0; i < count; i++) {
            add_json(json_object_get(object, "plugins"), &rows[i]);
        }
        (void)json_dumpf(object, stdout, JSON_COMPACT);
        (void)putchar('\n');
        json_decref(object);
        return GK_OK;
    }
    struct gk_table *table = gk_table_new(titles, sizeof titles / sizeof titles[0]);

    for (size_t i = 0; i < count; i++) {
        add_row(table, &rows[i]);
    }
    gk_table_print(table, stdout);
    gk_table_free(table);
    print_reasons(rows, count);
    return GK_OK;
}

int gk_cli_plugin_list(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    bool json = false;
    const struct gk_cli_option options[] = {{"json", NULL, &json}};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "plugin list", list_help, argc, argv, options, 1, 0, 0);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = list(&cli, json, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

int gk_cli_plugin_release(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_ReleasePluginRequest request = {0};
    guika_v1_ReleasePluginResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "plugin release", release_help, argc, argv, NULL, 0, 1, 1);

    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "FILE", cli.arguments[0], request.file, sizeof request.file)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_release_plugin(cli.client, NULL, &request, &response, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
