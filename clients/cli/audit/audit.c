/* guika audit: what was done with a card, and whether the record of it is whole. */
#include "clients/cli/audit/heads.h"
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/repeated.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PAGE = 500 };

static const char HELP[] =
    "usage: guika audit verify --heads FILE --key FILE\n"
    "       guika audit show CASE [--json]\n"
    "\n"
    "verify  fetches all entries of the audit chain and holds them against the signed heads that the\n"
    "        service wrote: any change or cut before the last of them is found. Use a copy of the heads\n"
    "        that was kept away from the service.\n"
    "show    who did what to a card, and when. CASE is its number, as A1B2-C3D4, or its whole id.\n"
    "\n"
    "  --heads FILE         signed heads, as in audit.heads\n"
    "  --key FILE           the service's public key, audit.pub\n"
    "  --json               show: {\"entries\":[{\"sequence\":..., \"at_ms\":..., ...}]}\n" GK_CLI_COMMON_HELP
    "\n"
    "Exit status: 0 whole, or shown; 1 something was changed or cut, or it failed; 2 usage.\n";

struct options {
    const char *heads;
    const char *key;
    bool json;
};

/* Calls `take` for each entry; any other status than GK_OK ends it. */
static enum gk_status each_entry(struct gk_cli *cli, const char *case_number,
                                 enum gk_status (*take)(void *context,
                                                        const guika_v1_internal_AuditEntry *entry,
                                                        struct gk_error *error),
                                 void *context, struct gk_error *error)
{
    guika_v1_ListAuditRequest request = {.limit = PAGE};
    enum gk_status status;

    (void)snprintf(request.case_number, sizeof request.case_number, "%s", case_number);
    do {
        guika_v1_internal_AuditEntry entry;
        guika_v1_ListAuditResponse response = {0};

        status = guika_v1_operator_service_list_audit(cli->client, NULL, &request, &response, error);
        while (status == GK_OK && response.rows.size > 0) {
            entry = (guika_v1_internal_AuditEntry)guika_v1_internal_AuditEntry_init_zero;
            status = gk_repeated_next(&response.rows, guika_v1_internal_AuditEntry_fields, &entry);
            status = status == GK_OK ? take(context, &entry, error)
                                     : gk_error_set(error, GK_DATA_LOSS,
                                                    "an audit entry behind entry %" PRIu64 " cannot be read",
                                                    request.after);
        }
        request.after = response.next_after;
    } while (status == GK_OK && request.after != 0);
    return status;
}

/* --- verify --- */

static enum gk_status check_entry(void *context, const guika_v1_internal_AuditEntry *entry,
                                  struct gk_error *error)
{
    return gk_heads_check(context, entry, error);
}

static enum gk_status read_key(const char *path, uint8_t ret_key[GK_AUDIT_PUBLIC_SIZE],
                               struct gk_error *error)
{
    char line[GK_AUDIT_LINE_SIZE] = "";
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return gk_error_set(error, GK_NOT_FOUND, "%.120s cannot be opened: %s", path, strerror(errno));
    }
    (void)fgets(line, sizeof line, file);
    (void)fclose(file);
    return gk_audit_public_read(line, ret_key, error);
}

static enum gk_status read_heads(const struct options *options, struct gk_heads **ret_heads,
                                 struct gk_error *error)
{
    uint8_t key[GK_AUDIT_PUBLIC_SIZE];
    enum gk_status status = read_key(options->key, key, error);

    if (status != GK_OK) {
        return status;
    }
    FILE *file = fopen(options->heads, "re");

    if (file == NULL) {
        return gk_error_set(error, GK_NOT_FOUND, "%.120s cannot be opened: %s", options->heads,
                            strerror(errno));
    }
    status = gk_heads_read(file, key, ret_heads, error);
    (void)fclose(file);
    return status;
}

static void tell(const struct gk_heads *heads, uint64_t entries)
{
    const struct gk_signed_head last = gk_heads_last(heads);
    const time_t seconds = (time_t)(last.at_ms / 1000);
    struct tm local;
    char when[32] = "";

    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
    (void)printf("whole: %" PRIu64 " entries; %zu signed heads agree, the last of %s over entry %" PRIu64
                 "\n",
                 entries, gk_heads_count(heads), when, last.sequence);
    if (entries > last.sequence) {
        (void)printf("%" PRIu64 " entries came after it\n", entries - last.sequence);
    }
}

static enum gk_status verify(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    struct gk_heads *heads = NULL;
    uint64_t entries = 0;
    enum gk_status status = read_heads(options, &heads, error);

    if (status == GK_OK) {
        status = each_entry(cli, "", check_entry, heads, error);
    }
    if (status == GK_OK) {
        status = gk_heads_end(heads, &entries, error);
    }
    if (status == GK_OK) {
        tell(heads, entries);
    }
    gk_heads_free(heads);
    return status;
}

/* --- show --- */

static enum gk_status add_json(void *context, const guika_v1_internal_AuditEntry *entry,
                               struct gk_error *error)
{
    (void)error;
    (void)json_array_append_new(context, json_pack("{s:I, s:I, s:s, s:s, s:s}", "sequence",
                                                   (json_int_t)entry->sequence, "at_ms",
                                                   (json_int_t)entry->at_ms, "actor", entry->actor, "action",
                                                   entry->action, "detail", entry->detail));
    return GK_OK;
}

static enum gk_status print_entry(void *context, const guika_v1_internal_AuditEntry *entry,
                                  struct gk_error *error)
{
    const time_t seconds = (time_t)(entry->at_ms / 1000);
    struct tm local;
    char when[32] = "";

    (void)error;
    ++*(size_t *)context;
    (void)strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
    (void)printf("%-6" PRIu64 "  %s  %-24s  %-26s  %s\n", entry->sequence, when, entry->actor, entry->action,
                 entry->detail);
    return GK_OK;
}

static enum gk_status show_json(struct gk_cli *cli, struct gk_error *error)
{
    json_t *entries = json_array();
    const enum gk_status status = each_entry(cli, cli->arguments[1], add_json, entries, error);
    json_t *answer = json_pack("{s:o}", "entries", entries);

    if (status == GK_OK) {
        (void)json_dumpf(answer, stdout, JSON_COMPACT);
        (void)puts("");
    }
    json_decref(answer);
    return status;
}

static enum gk_status show(struct gk_cli *cli, const struct options *options, struct gk_error *error)
{
    size_t count = 0;

    if (options->json) {
        return show_json(cli, error);
    }
    const enum gk_status status = each_entry(cli, cli->arguments[1], print_entry, &count, error);

    return status == GK_OK && count == 0 ? gk_error_set(error, GK_NOT_FOUND, "there is no such case")
                                         : status;
}

/* --- the command --- */

static int check_usage(const struct gk_cli *cli, const struct options *options)
{
    const char *word = cli->arguments[0];

    if (strcmp(word, "verify") == 0) {
        if (cli->argument_count != 1) {
            return gk_cli_usage(cli, "verify takes no argument");
        }
        return options->heads == NULL || options->key == NULL
                   ? gk_cli_usage(cli, "verify needs --heads and --key")
                   : GK_CLI_GO_ON;
    }
    if (strcmp(word, "show") == 0) {
        return cli->argument_count == 2 ? GK_CLI_GO_ON : gk_cli_usage(cli, "show takes one CASE");
    }
    return gk_cli_usage(cli, "knows verify and show, not \"%.40s\"", word);
}

int gk_cli_audit(int argc, char **argv)
{
    struct gk_cli cli;
    struct options options = {.heads = NULL};
    struct gk_error error = {0};
    enum gk_status status = GK_OK;
    const struct gk_cli_option table[] = {
        {"heads", &options.heads, NULL}, {"key", &options.key, NULL}, {"json", NULL, &options.json}};
    int exit_status =
        gk_cli_begin(&cli, "audit", HELP, argc, argv, table, sizeof table / sizeof table[0], 1, 2);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = check_usage(&cli, &options);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = strcmp(cli.arguments[0], "verify") == 0 ? verify(&cli, &options, &error)
                                                         : show(&cli, &options, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
