#include "clients/cli/registry/connection.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool gk_connection_take(struct gk_connection *connection, int option, const char *value)
{
    switch (option) {
    case 's':
        connection->server = value;
        return true;
    case 't':
        connection->token_file = value;
        return true;
    case 'c':
        connection->ca_file = value;
        return true;
    case 'n':
        connection->server_name = value;
        return true;
    default:
        return false;
    }
}

enum gk_status gk_connection_read_token(struct gk_connection *connection, struct gk_error *error)
{
    if (connection->server == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "--server is missing");
    }
    if (connection->token_file == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "--token-file is missing");
    }
    FILE *stream = fopen(connection->token_file, "re");

    if (stream == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s cannot be opened: %s", connection->token_file,
                            strerror(errno));
    }
    char line[sizeof connection->token];
    const bool read = fgets(line, sizeof line, stream) != NULL;

    fclose(stream);
    if (read) {
        line[strcspn(line, " \t\r\n")] = '\0';
    }
    if (!read || line[0] == '\0') {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s holds no token in its first line",
                            connection->token_file);
    }
    memcpy(connection->token, line, sizeof line);
    return GK_OK;
}

enum gk_status gk_connection_open(const struct gk_connection *connection, struct gk_rpc_client **ret_client,
                                  struct gk_error *error)
{
    const struct gk_rpc_client_options options = {.url = connection->server,
                                                  .token = connection->token,
                                                  .ca_file = connection->ca_file,
                                                  .server_name = connection->server_name};

    return gk_rpc_client_open(&options, ret_client, error);
}

void gk_connection_complain(const struct gk_error *error)
{
    const bool unreached = error->status == GK_UNAVAILABLE || error->status == GK_DEADLINE_EXCEEDED;

    fprintf(stderr, "guika registry: %s%s\n", error->message,
            unreached ? "; is the service running, and --server right?" : "");
}
