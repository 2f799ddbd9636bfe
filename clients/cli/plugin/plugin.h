/* The commands of `guika plugin`; see cli.h for what they take and return. */
#ifndef GUIKA_CLIENTS_CLI_PLUGIN_PLUGIN_H
#define GUIKA_CLIENTS_CLI_PLUGIN_PLUGIN_H

#include "core/host/plugin_loader.h"
#include "guika/issuer.h"

int gk_cli_plugin_new(int argc, char **argv);
int gk_cli_plugin_check(int argc, char **argv);
int gk_cli_plugin_preview(int argc, char **argv);
int gk_cli_plugin_mint(int argc, char **argv);

/* Makes --out of -o among the arguments: the options of `guika` are long ones. */
void gk_cli_plugin_long_out(int argc, char **argv);

/* Opens a plugin into this process; `*ret_plugin` is the caller's to close, the descriptor is borrowed from
 * it. NULL: refused, which was told on stderr behind `program`. */
const struct guika_issuer *gk_cli_plugin_open(const char *program, const char *file,
                                              struct gk_plugin **ret_plugin);

#endif
