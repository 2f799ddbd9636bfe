/* The commands of `guika plugin` for operators and for those who sign; see cli.h for what they take and
 * return. */
#ifndef GUIKA_CLIENTS_CLI_PLUGIN_ADMIN_H
#define GUIKA_CLIENTS_CLI_PLUGIN_ADMIN_H

int gk_cli_plugin_list(int argc, char **argv);
int gk_cli_plugin_release(int argc, char **argv);
int gk_cli_plugin_keygen(int argc, char **argv);
int gk_cli_plugin_sign(int argc, char **argv);

#endif
