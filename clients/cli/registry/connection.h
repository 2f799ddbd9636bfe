/*
 * What `guika registry import` and `guika registry revoke` have in common: the options that say where the
 * service is, and the call's client.
 */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_CONNECTION_H
#define GUIKA_CLIENTS_CLI_REGISTRY_CONNECTION_H

#include "rpc/client.h"

#include <getopt.h>
#include <stdbool.h>

struct gk_connection {
    const char *server;
    const char *token_file;
    const char *ca_file;
    const char *server_name;
    char token[128]; /* once the file is read */
};

/* Entries for getopt_long's table, and their text for --help. */
#define GK_CONNECTION_OPTIONS                                                                                \
    {"server", required_argument, NULL, 's'}, {"token-file", required_argument, NULL, 't'},                  \
        {"ca-file", required_argument, NULL, 'c'}, {"ca", required_argument, NULL, 'c'},                     \
    {                                                                                                        \
        "server-name", required_argument, NULL, 'n'                                                          \
    }
#define GK_CONNECTION_HELP                                                                                   \
    "  --server URL         where the service is: tls+tcp://HOST:PORT, tcp://..., ipc://PATH\n"              \
    "  --token-file FILE    holds the issuer's token in its first line\n"                                    \
    "  --ca-file, --ca FILE PEM of who signed the service's certificate (tls+tcp, wss)\n"                    \
    "  --server-name NAME   the name in that certificate (tls+tcp, wss)\n"

/* Takes one option that getopt_long found; false where it is none of the connection's. */
bool gk_connection_take(struct gk_connection *connection, int option, const char *value);

/* Reads the token. INVALID_ARGUMENT names the option that is missing or the file that is wrong. */
enum gk_status gk_connection_read_token(struct gk_connection *connection, struct gk_error *error);

enum gk_status gk_connection_open(const struct gk_connection *connection, struct gk_rpc_client **ret_client,
                                  struct gk_error *error);

/* Prints "guika registry: MESSAGE" to stderr. */
void gk_connection_complain(const struct gk_error *error);

enum { GK_EXIT_OK = 0, GK_EXIT_FAILED = 1, GK_EXIT_USAGE = 2 };

#endif
