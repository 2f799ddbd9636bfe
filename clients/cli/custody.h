/* The subcommands of `guika found` that have files of their own; each takes its own name in argv[0]. */
#ifndef GUIKA_CLIENTS_CLI_CUSTODY_H
#define GUIKA_CLIENTS_CLI_CUSTODY_H

#include "guika/v1/operator.pb.h"

int gk_cli_found_show(int argc, char **argv);
int gk_cli_found_move(int argc, char **argv);
int gk_cli_found_code(int argc, char **argv);
int gk_cli_found_close(int argc, char **argv);
int gk_cli_found_handover(int argc, char **argv);

/* "compartment", "desk", ...; "?" for a number that is no place. */
const char *gk_cli_place_name(guika_v1_PlaceKind kind);

/* "2026-03-01 18:00" in local time; "" for 0. */
void gk_cli_local_time(int64_t at_ms, char ret_text[20]);

#endif
