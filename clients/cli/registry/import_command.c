#include "clients/cli/registry/commands.h"
#include "clients/cli/registry/connection.h"
#include "clients/cli/registry/import.h"
#include "guika/v1/issuer.rpc.h"

#include <csv.h>
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char HELP[] =
    "Usage: guika registry import [OPTION]... FILE.csv\n"
    "\n"
    "Sends a card-to-holder list to the service. The list in force goes on serving until all\n"
    "of the new one has arrived; then the new one replaces it at once.\n"
    "\n" GK_CONNECTION_HELP
    "  --import-id ID       names this import, 1 to 64 of [A-Za-z0-9._-]; by default it follows\n"
    "                       from the file's content, so that the same command, started again\n"
    "                       after a stop, goes on where it was\n"
    "  --rejected FILE      writes the rows that were rejected to FILE (line,reason) and not to\n"
    "                       standard error\n"
    "  --help\n"
    "\n"
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
    "A card that stands in the list twice belongs to the holder of the last row.\n"
    "Exit status: 0 all rows were accepted; 1 some were rejected, or the import failed; 2 usage.\n";

struct options {
    struct gk_connection connection;
    const char *import_id;
    const char *rejected_path;
    const char *path;
    bool help;
};

/* Returns false after having said what is wrong. */
static bool read_options(int argc, char **argv, struct options *ret_options)
{
    static const struct option table[] = {
        GK_CONNECTION_OPTIONS,
        {"import-id", required_argument, NULL, 'i'},
        {"rejected", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        if (gk_connection_take(&ret_options->connection, option, optarg)) {
            continue;
        }
        switch (option) {
        case 'i':
            ret_options->import_id = optarg;
            break;
        case 'r':
            ret_options->rejected_path = optarg;
            break;
        case 'h':
            ret_options->help = true;
            return true;
        default:
            fprintf(stderr,
                    "guika registry import: unknown option, or an option without its value: %.60s; see guika "
                    "registry import --help\n",
                    argv[optind - 1]);
            return false;
        }
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "guika registry import: one FILE.csv is needed; --help says more\n");
        return false;
    }
    ret_options->path = argv[optind];
    return true;
}

/* --- the run's ends --- */

static enum gk_status send_page(void *context, const guika_v1_ImportCardsRequest *request,
                                guika_v1_ImportCardsResponse *ret_response, struct gk_error *error)
{
    return guika_v1_issuer_service_import_cards(context, NULL, request, ret_response, error);
}

static void pause_run(void *context, uint32_t pause_ms)
{
    const struct timespec pause = {.tv_sec = pause_ms / 1000, .tv_nsec = (long)(pause_ms % 1000) * 1000000};

    (void)context;
    nanosleep(&pause, NULL);
}

struct rejections {
    const char *list_path;
    FILE *stream;
    bool is_file; /* of "line,reason"; else messages for a person */
};

static void report_rejected(void *context, uint64_t line, const char *reason)
{
    struct rejections *rejections = context;

    if (rejections->is_file) {
        fprintf(rejections->stream, "%" PRIu64 ",", line);
        csv_fwrite(rejections->stream, reason, strlen(reason));
        fputs("\r\n", rejections->stream);
    } else {
        fprintf(rejections->stream, "%s:%" PRIu64 ": %s\n", rejections->list_path, line, reason);
    }
}

static void report_resumed(void *context, uint64_t rows)
{
    (void)context;
    fprintf(stderr, "going on behind row %" PRIu64 "; the rows before were sent by an earlier run\n", rows);
}

static void report_retry(void *context, const struct gk_error *error, uint32_t pause_ms)
{
    (void)context;
    fprintf(stderr, "%s (%s); trying again in %.1f s\n", error->message, gk_status_name(error->status),
            (double)pause_ms / 1000);
}

/* Says in one line what became of the list, and returns the exit status. */
static int conclude(enum gk_status status, const struct gk_import_result *result,
                    const struct gk_error *error)
{
    if (status != GK_OK) {
        fprintf(stderr, "guika registry: failed after %" PRIu64 " rows: %s (%s)%s\n", result->rows,
                error->message, gk_status_name(status),
                status == GK_UNAVAILABLE || status == GK_DEADLINE_EXCEEDED
                    ? "; the list in force stays; the same command goes on where this one stopped"
                    : "");
        return GK_EXIT_FAILED;
    }
    if (result->was_in_force) {
        printf("this list already is in force; to send it all again, give another --import-id\n");
        return GK_EXIT_OK;
    }
    printf("in force: %" PRIu64 " rows read, %" PRIu64 " accepted, %" PRIu64 " rejected", result->rows,
           result->accepted, result->rejected);
    if (result->skipped > 0) {
        printf(", %" PRIu64 " sent by an earlier run", result->skipped);
    }
    putchar('\n');
    return result->rejected > 0 ? GK_EXIT_FAILED : GK_EXIT_OK;
}

static int run(const struct options *options, struct gk_rpc_client *client, struct gk_list_reader *reader,
               const char *import_id, uint64_t size)
{
    struct rejections rejections = {.list_path = options->path, .stream = stderr};
    struct gk_import_result result;
    struct gk_progress progress;
    struct gk_error error;

    if (options->rejected_path != NULL) {
        rejections.is_file = true;
        rejections.stream = fopen(options->rejected_path, "we");
        if (rejections.stream == NULL) {
            fprintf(stderr, "guika registry: %s cannot be written: %s\n", options->rejected_path,
                    strerror(errno));
            return GK_EXIT_FAILED;
        }
        fputs("line,reason\r\n", rejections.stream);
    }
    const struct gk_import_line line = {.send = send_page, .pause = pause_run, .context = client};
    const struct gk_import_report report = {
        .reject = report_rejected, .resume = report_resumed, .retry = report_retry, .context = &rejections};

    gk_progress_start(&progress, stderr, size);
    const enum gk_status status =
        gk_import_run(reader, import_id, &line, &report, &progress, &result, &error);

    if (rejections.is_file && fclose(rejections.stream) != 0) {
        fprintf(stderr, "guika registry: %s was not written whole: %s\n", options->rejected_path,
                strerror(errno));
    }
    return conclude(status, &result, &error);
}

int gk_cli_registry_import(int argc, char **argv)
{
    struct options options = {.path = NULL};
    struct gk_list_reader *reader = NULL;
    struct gk_rpc_client *client = NULL;
    char digest[65];
    uint64_t size;
    struct gk_error error;

    if (!read_options(argc, argv, &options)) {
        return GK_EXIT_USAGE;
    }
    if (options.help) {
        fputs(HELP, stdout);
        return GK_EXIT_OK;
    }
    if (sodium_init() < 0) {
        fputs("guika registry: libsodium does not start\n", stderr);
        return GK_EXIT_FAILED;
    }
    if (gk_connection_read_token(&options.connection, &error) != GK_OK) {
        gk_connection_complain(&error);
        return GK_EXIT_USAGE;
    }
    int exit_status = GK_EXIT_FAILED;

    if (gk_list_digest(options.path, options.connection.token, digest, &size, &error) == GK_OK &&
        gk_list_reader_open(options.path, &reader, &error) == GK_OK &&
        gk_connection_open(&options.connection, &client, &error) == GK_OK) {
        exit_status =
            run(&options, client, reader, options.import_id == NULL ? digest : options.import_id, size);
    } else {
        gk_connection_complain(&error);
    }
    gk_rpc_client_close(client);
    gk_list_reader_close(reader);
    sodium_memzero(&options, sizeof options);
    return exit_status;
}
