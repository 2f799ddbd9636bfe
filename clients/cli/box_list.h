/* guika box list, called by gk_cli_box. */
#ifndef GUIKA_CLIENTS_CLI_BOX_LIST_H
#define GUIKA_CLIENTS_CLI_BOX_LIST_H

int gk_cli_box_list(int argc, char **argv);

#endif
