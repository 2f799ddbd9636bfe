#include "clients/cli/cli.h"
#include "clients/cli/reading/local_reader.h"
#include "clients/cli/registry/commands.h"
#include "clients/cli/registry/tokenise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char HELP[] =
    "usage: guika registry tokenise --index-key FILE [options] NUMBERS.csv TOKENS.csv\n"
    "\n"
    "Makes tokens of the issuer's numbers, here and without a service: the numbers, and who holds\n"
    "them, stay with the issuer. TOKENS.csv is what guika registry import sends.\n"
    "\n"
    "  --index-key FILE     the key that the operator made for this issuer\n"
    "  --issuers DIR        folder of issuer plugins, which check the numbers\n" GK_CLI_LOCAL_HELP "\n"
    "NUMBERS.csv is CSV as in RFC 4180, in UTF-8. Its first line is exactly\n"
    "\n"
    "    " GK_LIST_NUMBERS_HEADER "\n"
    "\n"
    "  scheme     number scheme, as \"iso7812\"\n"
    "  number     the number as printed on the card\n"
    "  reference  what the service shall call the card when it is found, 1 to 64 bytes; it should\n"
    "             mean nothing to anybody else\n"
    "\n"
    "Rows that have no token are told on standard error with their line.\n"
    "Exit status: 0 all rows have one; 1 some have none, or it failed; 2 usage.\n";

struct ends {
    const struct gk_recogniser *recogniser;
    const char *path;
};

static void check_number(void *context, const guika_v1_internal_NumberQuestion *question,
                         guika_v1_internal_NumberAnswer *ret_answer)
{
    const struct ends *ends = context;

    gk_recogniser_check_number(ends->recogniser, question, ret_answer);
}

static void tell_rejected(void *context, uint64_t line, const char *reason)
{
    const struct ends *ends = context;

    (void)fprintf(stderr, "%s:%" PRIu64 ": %s\n", ends->path, line, reason);
}

static enum gk_status open_numbers(const char *path, struct gk_list_reader **ret_reader,
                                   struct gk_error *error)
{
    FILE *stream = fopen(path, "rbe");

    if (stream == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "%.120s cannot be opened: %s", path, strerror(errno));
    }
    (void)setvbuf(stream, NULL, _IONBF, 0); /* the reader has a buffer of its own, which it wipes */
    return gk_list_reader_open_numbers(stream, ret_reader, error);
}

/* What is already there under the name may only be an older list, and never the list of numbers. */
static enum gk_status check_place(const char *numbers, const char *path, struct gk_error *error)
{
    struct stat source, place;

    if (stat(path, &place) != 0) {
        return GK_OK;
    }
    if (!S_ISREG(place.st_mode)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%.120s is no plain file", path);
    }
    if (stat(numbers, &source) == 0 && source.st_dev == place.st_dev && source.st_ino == place.st_ino) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "the tokens would take the place of the numbers: name another file than %.120s",
                            path);
    }
    return GK_OK;
}

/* The list is whole or not there: it is written beside its name first. */
static enum gk_status open_output(const char *path, char ret_partial[PATH_MAX], FILE **ret_out,
                                  struct gk_error *error)
{
    if (snprintf(ret_partial, PATH_MAX, "%s.partial", path) >= PATH_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the name of the list of tokens is too long");
    }
    const int fd = open(ret_partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "wb");

    if (out == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "%.120s cannot be written: %s", ret_partial,
                            strerror(errno));
    }
    *ret_out = out;
    return GK_OK;
}

static enum gk_status close_output(const char *partial, const char *path, FILE *out, enum gk_status status,
                                   struct gk_error *error)
{
    const bool written = fflush(out) == 0 && fsync(fileno(out)) == 0;

    if (fclose(out) != 0 || !written || (status == GK_OK && rename(partial, path) != 0)) {
        status = gk_error_set(error, GK_UNAVAILABLE, "%.120s cannot be written: %s", path, strerror(errno));
    }
    if (status != GK_OK) {
        (void)unlink(partial);
    }
    return status;
}

static enum gk_status tokenise(const char *const *paths, const struct gk_index_key *key,
                               const struct ends *ends, struct gk_tokenise_result *ret_result,
                               struct gk_error *error)
{
    const struct gk_tokenise_ends run = {check_number, tell_rejected, (void *)(uintptr_t)ends};
    struct gk_list_reader *reader = NULL;
    char partial[PATH_MAX];
    FILE *out = NULL;
    enum gk_status status = open_numbers(paths[0], &reader, error);

    if (status == GK_OK) {
        status = check_place(paths[0], paths[1], error);
    }
    if (status == GK_OK) {
        status = open_output(paths[1], partial, &out, error);
    }
    if (status == GK_OK) {
        status = gk_tokenise_run(reader, key, &run, out, ret_result, error);
        status = close_output(partial, paths[1], out, status, error);
    }
    gk_list_reader_close(reader);
    return status;
}

/* Tokens of all numbers; the exit status. */
static int run(const struct gk_cli *cli, const char *key_path, const char *issuers)
{
    const char *const paths[] = {cli->arguments[0], cli->arguments[1]};
    struct ends ends = {.path = paths[0]};
    struct gk_tokenise_result result = {0};
    struct gk_index_key key;
    struct gk_error error = {0};
    enum gk_status status = gk_index_key_read_file(key_path, &key, &error);

    if (status != GK_OK) {
        gk_cli_complain(cli, &error);
        return 1;
    }
    struct gk_recogniser *recogniser =
        gk_cli_open_recogniser("guika registry tokenise", issuers, false, NULL);

    if (recogniser == NULL) {
        gk_index_key_wipe(&key);
        return 1;
    }
    ends.recogniser = recogniser;
    status = tokenise(paths, &key, &ends, &result, &error);
    gk_index_key_wipe(&key);
    gk_recogniser_close(recogniser);
    if (status != GK_OK) {
        gk_cli_complain(cli, &error);
        return 1;
    }
    (void)printf("%" PRIu64 " rows read, %" PRIu64 " tokens, %" PRIu64 " rejected\n", result.rows,
                 result.rows - result.rejected, result.rejected);
    return result.rejected > 0 ? 1 : 0;
}

int gk_cli_registry_tokenise(int argc, char **argv)
{
    struct gk_cli cli;
    const char *key_path = NULL;
    const char *issuers = NULL;
    const struct gk_cli_option table[] = {{"index-key", &key_path, NULL}, {"issuers", &issuers, NULL}};
    int exit_status = gk_cli_begin_local(&cli, "registry tokenise", HELP, argc, argv, table,
                                         sizeof table / sizeof table[0]);

    if (exit_status == GK_CLI_GO_ON && cli.argument_count != 2) {
        exit_status = gk_cli_usage(&cli, "NUMBERS.csv and TOKENS.csv are needed");
    }
    if (exit_status == GK_CLI_GO_ON && key_path == NULL) {
        exit_status = gk_cli_usage(&cli, "--index-key is missing");
    }
    if (exit_status == GK_CLI_GO_ON && sodium_init() < 0) {
        (void)fputs("guika registry tokenise: libsodium does not start\n", stderr);
        exit_status = 1;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = run(&cli, key_path, issuers == NULL ? cli.settings.issuers : issuers);
    }
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
