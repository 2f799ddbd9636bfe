/* A card's number comes from standard input, never from the command line, which every user of the machine can
 * see. */
#ifndef GUIKA_CLIENTS_CLI_NUMBER_H
#define GUIKA_CLIENTS_CLI_NUMBER_H

#include "rpc/status.h"

#include <stddef.h>

/* Reads one line of 1 to size - 1 characters. INVALID_ARGUMENT. */
enum gk_status gk_cli_read_number(char *ret_number, size_t size, struct gk_error *error);

#endif
