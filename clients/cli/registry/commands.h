/* The commands; argv[0] is the command's own name. Return the exit status. */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_COMMANDS_H
#define GUIKA_CLIENTS_CLI_REGISTRY_COMMANDS_H

int gk_cli_registry_import(int argc, char **argv);
int gk_cli_registry_revoke(int argc, char **argv);
int gk_cli_registry_tokenise(int argc, char **argv);

#endif
