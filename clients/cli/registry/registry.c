#include "clients/cli/registry/registry.h"

#include "clients/cli/registry/commands.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] = "usage: guika registry import [options] FILE.csv\n"
                           "       guika registry revoke [options] --scheme SCHEME\n"
                           "\n"
                           "import   replaces the issuer's card-to-holder list by the one in FILE.csv\n"
                           "revoke   cancels one card; its number is read from standard input\n"
                           "\n"
                           "guika registry COMMAND --help says more.\n";

int gk_cli_registry(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";

    if (strcmp(command, "import") == 0) {
        return gk_cli_registry_import(argc - 1, argv + 1);
    }
    if (strcmp(command, "revoke") == 0) {
        return gk_cli_registry_revoke(argc - 1, argv + 1);
    }
    if (strcmp(command, "--help") == 0) {
        fputs(HELP, stdout);
        return 0;
    }
    if (command[0] == '\0') {
        fprintf(stderr, "guika registry: no command given; there are import and revoke\n");
    } else {
        fprintf(stderr, "guika registry: \"%s\" is no command; there are import and revoke\n", command);
    }
    return 2;
}
