/* The commands of `guika`; see cli.h for what they take and return. */
#ifndef GUIKA_CLIENTS_CLI_COMMANDS_H
#define GUIKA_CLIENTS_CLI_COMMANDS_H

int gk_cli_read(int argc, char **argv);     /* clients/cli/reading */
int gk_cli_corpus(int argc, char **argv);   /* clients/cli/reading */
int gk_cli_plugin(int argc, char **argv);   /* clients/cli/plugin */
int gk_cli_registry(int argc, char **argv); /* clients/cli/registry */
int gk_cli_status(int argc, char **argv);
int gk_cli_box(int argc, char **argv);
int gk_cli_issuer(int argc, char **argv);
int gk_cli_found(int argc, char **argv);
int gk_cli_desk(int argc, char **argv);
int gk_cli_staff(int argc, char **argv);
int gk_cli_stats(int argc, char **argv);
int gk_cli_check(int argc, char **argv);
int gk_cli_holder(int argc, char **argv);
int gk_cli_claims(int argc, char **argv);
int gk_cli_difficult(int argc, char **argv);
int gk_cli_operator(int argc, char **argv);

#endif
