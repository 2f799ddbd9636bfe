#include "clients/cli/cli.h"
#include "clients/cli/registry/commands.h"
#include "clients/cli/registry/import.h"
#include "guika/v1/issuer.rpc.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char HELP[] =
    "usage: guika registry import [options] FILE.csv\n"
    "\n"
    "Sends a card-to-holder list to the service. The list in force goes on serving until all\n"
    "of the new one has arrived; then the new one replaces it at once.\n"
    "\n"
    "  --import-id ID       names this import, 1 to 64 of [A-Za-z0-9._-]; by default it follows\n"
    "                       from the file's content, so that the same command, started again\n"
    "                       after a stop, goes on where it was\n"
    "  --rejected FILE      writes the rows that were rejected to FILE (line,reason) and not to\n"
    "                       standard error\n" GK_CLI_COMMON_HELP "\n"
    "FILE.csv is CSV as in RFC 4180, in UTF-8. Its first line is exactly\n"
    "\n"
    "    " GK_LIST_HEADER "\n"
    "\n"
    "  scheme     number scheme, as \"iso7812\"\n"
    "  number     the number as printed on the card\n"
    "  holder_id  the issuer's own name of the holder; one holder may have several cards\n"
    "  name       may be empty\n"
    "  language   zh or en; empty: zh\n"
    "  contacts   best first, at most 4, separated by semicolons: smtp:a@b.example; may be empty\n"
    "\n"
    "FILE.csv may also be what guika registry tokenise wrote, with the first line\n"
    "\n"
    "    " GK_LIST_TOKENS_HEADER "\n"
    "\n"
    "A card that stands in the list twice belongs to the holder of the last row.\n"
    "Exit status: 0 all rows were accepted; 1 some were rejected, or the import failed; 2 usage.\n";

struct options {
    const char *import_id;
    const char *rejected_path;
};

/* --- the run's ends --- */

static enum gk_status send_page(void *context, uint32_t deadline_ms,
                                const guika_v1_ImportCardsRequest *request,
                                guika_v1_ImportCardsResponse *ret_response, struct gk_error *error)
{
    const struct gk_rpc_call_options options = {.deadline_ms = deadline_ms};

    return guika_v1_issuer_service_import_cards(context, &options, request, ret_response, error);
}

static void pause_run(void *context, uint32_t pause_ms)
{
    const struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = (long)(pause_ms % 1000) * 1000000};

    (void)context;
    nanosleep(&pause, NULL);
}

static int64_t monotonic_ms(void *context)
{
    struct timespec now;

    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the reports need. */
struct ends {
    const struct gk_cli *cli;
    const char *list_path;
    FILE *stream; /* of rejected rows */
    bool is_file; /* of "line,reason"; else messages for a person */
};

static void report_rejected(void *context, uint64_t line, const char *reason)
{
    struct ends *ends = context;

    if (ends->is_file) {
        fprintf(ends->stream, "%" PRIu64 ",", line);
        csv_fwrite(ends->stream, reason, strlen(reason));
        fputs("\r\n", ends->stream);
    } else {
        fprintf(ends->stream, "%s:%" PRIu64 ": %s\n", ends->list_path, line, reason);
    }
}

static void report_resumed(void *context, uint64_t rows)
{
    (void)context;
    fprintf(stderr, "going on behind row %" PRIu64 "; the rows before were sent by an earlier run\n", rows);
}

static void report_retry(void *context, const struct gk_error *error, uint32_t patience_ms)
{
    const struct ends *ends = context;

    fprintf(stderr, "waiting for the service at %s: %s; trying again for up to %" PRIu32 " s\n",
            ends->cli->settings.server, error->message, (patience_ms + 999) / 1000);
}

/* What failed and what is left of it; the advice is the commands' common one. */
static void explain(const struct gk_cli *cli, const struct gk_import_result *result,
                    const struct gk_error *error)
{
    const bool resumable = error->status == GK_UNAVAILABLE || error->status == GK_DEADLINE_EXCEEDED;
    struct gk_error told = *error;

    if (result->taken) {
        (void)gk_error_set(
            &told, error->status, "failed after %" PRIu64 " rows: %.120s (%s)%s", result->rows,
            error->message, gk_status_name(error->status),
            resumable ? "; the list in force stays; the same command goes on where this one stopped" : "");
    }
    gk_cli_complain(cli, &told);
}

/* Says in one line what became of the list, and returns the exit status. */
static int conclude(const struct gk_import_result *result)
{
    if (result->was_in_force) {
        printf("this list already is in force; to send it all again, give another --import-id\n");
        return 0;
    }
    printf("in force: %" PRIu64 " rows read, %" PRIu64 " accepted, %" PRIu64 " rejected", result->rows,
           result->accepted, result->rejected);
    if (result->skipped > 0) {
        printf(", %" PRIu64 " sent by an earlier run", result->skipped);
    }
    putchar('\n');
    return result->rejected > 0 ? 1 : 0;
}

static int run(const struct gk_cli *cli, const struct options *options, struct gk_list_reader *reader,
               const char *import_id, uint64_t size)
{
    struct ends ends = {.cli = cli, .list_path = cli->arguments[0], .stream = stderr};
    struct gk_import_result result;
    struct gk_progress progress;
    struct gk_error error = {0};

    if (options->rejected_path != NULL) {
        ends.is_file = true;
        ends.stream = fopen(options->rejected_path, "we");
        if (ends.stream == NULL) {
            fprintf(stderr, "guika registry import: %s cannot be written: %s\n", options->rejected_path,
                    strerror(errno));
            return 1;
        }
        fputs("line,reason\r\n", ends.stream);
    }
    const struct gk_import_line line = {
        .send = send_page, .pause = pause_run, .now_ms = monotonic_ms, .context = cli->client};
    const struct gk_import_report report = {
        .reject = report_rejected, .resume = report_resumed, .retry = report_retry, .context = &ends};

    gk_progress_start(&progress, stderr, size);
    const enum gk_status status =
        gk_import_run(reader, import_id, &line, &report, &progress, &result, &error);

    if (ends.is_file && fclose(ends.stream) != 0) {
        fprintf(stderr, "guika registry import: %s was not written whole: %s\n", options->rejected_path,
                strerror(errno));
    }
    if (status != GK_OK) {
        explain(cli, &result, &error);
        return 1;
    }
    return conclude(&result);
}

/* Opens the list of an open connection and sends it; the exit status. */
static int import_list(const struct gk_cli *cli, const struct options *options)
{
    struct gk_list_reader *reader = NULL;
    char digest[65];
    uint64_t size;
    struct gk_error error = {0};
    int exit_status = 1;

    if (gk_list_digest(cli->arguments[0], cli->token, digest, &size, &error) == GK_OK &&
        gk_list_reader_open(cli->arguments[0], &reader, &error) == GK_OK) {
        exit_status =
            run(cli, options, reader, options->import_id == NULL ? digest : options->import_id, size);
    } else {
        gk_cli_complain(cli, &error);
    }
    gk_list_reader_close(reader);
    return exit_status;
}

int gk_cli_registry_import(int argc, char **argv)
{
    struct gk_cli cli;
    struct options options = {.import_id = NULL};
    const struct gk_cli_option table[] = {{"import-id", &options.import_id, NULL},
                                          {"rejected", &options.rejected_path, NULL}};
    int exit_status = gk_cli_begin(&cli, "registry import", HELP, argc, argv, table,
                                   sizeof table / sizeof table[0], 0, INT_MAX);

    if (exit_status == GK_CLI_GO_ON && cli.argument_count != 1) {
        exit_status = gk_cli_usage(&cli, "one FILE.csv is needed");
    }
    if (exit_status == GK_CLI_GO_ON && sodium_init() < 0) {
        fputs("guika registry import: libsodium does not start\n", stderr);
        exit_status = 1;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = import_list(&cli, &options);
    }
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
