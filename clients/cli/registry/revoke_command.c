#include "clients/cli/registry/commands.h"
#include "clients/cli/registry/connection.h"
#include "guika/v1/issuer.rpc.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char HELP[] =
    "Usage: guika registry revoke [OPTION]... --scheme SCHEME\n"
    "\n"
    "Cancels one card of the issuer's list. Its number is read from standard input (never from\n"
    "the command line, which every user of the machine can see).\n"
    "\n" GK_CONNECTION_HELP "  --scheme SCHEME      number scheme, as \"iso7812\"\n"
    "  --help\n"
    "\n"
    "Exit status: 0 cancelled; 1 failed; 2 usage.\n";

struct options {
    struct gk_connection connection;
    const char *scheme;
    bool help;
};

static bool read_options(int argc, char **argv, struct options *ret_options)
{
    static const struct option table[] = {
        GK_CONNECTION_OPTIONS,
        {"scheme", required_argument, NULL, 'S'},
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
        if (option == 'S') {
            ret_options->scheme = optarg;
        } else if (option == 'h') {
            ret_options->help = true;
            return true;
        } else {
            fprintf(stderr,
                    "guika registry revoke: unknown option, or an option without its value: %.60s; see guika "
                    "registry revoke --help\n",
                    argv[optind - 1]);
            return false;
        }
    }
    if (optind != argc) {
        fputs("guika registry revoke: takes no further argument; the number comes from standard input\n",
              stderr);
        return false;
    }
    if (ret_options->scheme == NULL ||
        strlen(ret_options->scheme) >= sizeof(((guika_v1_RevokeCardRequest *)NULL)->scheme)) {
        fputs("guika registry revoke: --scheme is missing or too long\n", stderr);
        return false;
    }
    return true;
}

/* Reads the number into the request. */
static enum gk_status read_number(guika_v1_RevokeCardRequest *request, struct gk_error *error)
{
    char line[sizeof request->number + 2];

    if (isatty(STDIN_FILENO)) {
        fputs("Card number: ", stderr);
    }
    setvbuf(stdin, NULL, _IONBF, 0);
    if (fgets(line, sizeof line, stdin) == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "standard input holds no number");
    }
    line[strcspn(line, "\r\n")] = '\0';
    const size_t length = strlen(line);

    if (length > 0 && length < sizeof request->number) {
        memcpy(request->number, line, length + 1);
    }
    sodium_memzero(line, sizeof line);
    if (length == 0 || length >= sizeof request->number) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a number has 1 to %zu characters",
                            sizeof request->number - 1);
    }
    return GK_OK;
}

static enum gk_status cancel_card(const struct options *options, struct gk_error *error)
{
    guika_v1_RevokeCardRequest request = guika_v1_RevokeCardRequest_init_zero;
    guika_v1_RevokeCardResponse response = guika_v1_RevokeCardResponse_init_zero;
    struct gk_rpc_client *client = NULL;
    enum gk_status status = read_number(&request, error);

    memcpy(request.scheme, options->scheme, strlen(options->scheme));
    if (status == GK_OK) {
        status = gk_connection_open(&options->connection, &client, error);
    }
    if (status == GK_OK) {
        status = guika_v1_issuer_service_revoke_card(client, NULL, &request, &response, error);
    }
    gk_rpc_client_close(client);
    sodium_memzero(&request, sizeof request);
    return status;
}

int gk_cli_registry_revoke(int argc, char **argv)
{
    struct options options = {.scheme = NULL};
    struct gk_error error;

    if (!read_options(argc, argv, &options)) {
        return GK_EXIT_USAGE;
    }
    if (options.help) {
        fputs(HELP, stdout);
        return GK_EXIT_OK;
    }
    if (gk_connection_read_token(&options.connection, &error) != GK_OK) {
        gk_connection_complain(&error);
        return GK_EXIT_USAGE;
    }
    if (cancel_card(&options, &error) != GK_OK) {
        gk_connection_complain(&error);
        return GK_EXIT_FAILED;
    }
    puts("cancelled");
    return GK_EXIT_OK;
}
