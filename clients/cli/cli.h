/*
 * What the commands of `guika` share: options, the connection, errors.
 *
 * A command is int f(int argc, char **argv) with its own name in argv[0]; it returns the exit status: 0, 1
 * (failed) or 2 (usage).
 */
#ifndef GUIKA_CLIENTS_CLI_CLI_H
#define GUIKA_CLIENTS_CLI_CLI_H

#include "clients/cli/settings.h"
#include "rpc/client.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>

#define GK_CLI_GO_ON (-1)

/* One option of a command: with a text, or a flag. */
struct gk_cli_option {
    const char *name;      /* without dashes */
    const char **ret_text; /* borrowed from argv; NULL for a flag */
    bool *ret_flag;        /* NULL for a text */
};

struct gk_cli {
    const char *command; /* "found list" */
    struct gk_settings settings;
    char token[GK_BEARER_SIZE]; /* once gk_cli_connect has read it; gk_cli_end wipes it */
    char **arguments;           /* what is no option */
    int argument_count;
    struct gk_rpc_client *client;
};

/* Reads configuration file and options into `cli`. Returns GK_CLI_GO_ON, or the exit status: --help was asked
 * for, or the usage is wrong (fewer than `least` or more than `most` arguments, an unknown option).
 * gk_cli_end is needed whatever is returned. */
int gk_cli_begin(struct gk_cli *cli, const char *command, const char *help, int argc, char **argv,
                 const struct gk_cli_option *options, size_t option_count, int least, int most);

/* The same for a command that needs no service: of the common options it has --config and --help alone. The
 * command counts its arguments itself. */
int gk_cli_begin_local(struct gk_cli *cli, const char *command, const char *help, int argc, char **argv,
                       const struct gk_cli_option *options, size_t option_count);

/* Opens the connection; `needs_token`: the method has a role. Returns GK_CLI_GO_ON or the exit status,
 * already explained. */
int gk_cli_connect(struct gk_cli *cli, bool needs_token);

/* Explains a failure in one line, with what to do about it. */
void gk_cli_complain(const struct gk_cli *cli, const struct gk_error *error);

/* Ends a command with the exit status that fits `status`, explaining a failure in one line. */
int gk_cli_end(struct gk_cli *cli, enum gk_status status, const struct gk_error *error);

/* Explains wrong usage; returns 2. */
int gk_cli_usage(const struct gk_cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copies `text` (NULL: empty) into a message's field; false and usage explained where it is too long. */
bool gk_cli_copy(const struct gk_cli *cli, const char *what, const char *text, char *ret_field, size_t size);

#define GK_CLI_LOCAL_HELP                                                                                    \
    "  --config FILE        lines of key = \"value\" with the key issuers\n"                                 \
    "                       (~/.config/guika/guika.conf where it exists); options win\n"                     \
    "  --help\n"

#define GK_CLI_COMMON_HELP                                                                                   \
    "  --server URL         the service, as tcp://127.0.0.1:7801\n"                                          \
    "  --token-file FILE    your token in its first line\n"                                                  \
    "  --ca-file FILE       PEM of who signed the server's certificate (tls+tcp, wss)\n"                     \
    "  --server-name NAME   the name that the certificate must carry (tls+tcp, wss)\n"                       \
    "  --config FILE        lines of key = \"value\" with the keys server, token_file, ca_file, "            \
    "server_name\n"                                                                                          \
    "                       (~/.config/guika/guika.conf where it exists); options win\n"                     \
    "  --help\n"

#endif
