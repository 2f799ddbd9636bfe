#include "clients/cli/registry/registry.h"

#include "clients/cli/registry/commands.h"

#include <stdio.h>
#include <string.h>

static const char HELP[] =
    "usage: guika registry import [options] FILE.csv\n"
    "       guika registry revoke [options] --scheme SCHEME\n"
    "       guika registry tokenise --index-key FILE NUMBERS.csv TOKENS.csv\n"
    "\n"
    "import    replaces the issuer's list by the one in FILE.csv, of cards or of tokens\n"
    "revoke    cancels one card; its number is read from standard input\n"
    "tokenise  makes tokens of numbers, which then need not leave the issuer\n"
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
    if (strcmp(command, "tokenise") == 0) {
        return gk_cli_registry_tokenise(argc - 1, argv + 1);
    }
    if (strcmp(command, "--help") == 0) {
        fputs(HELP, stdout);
        return 0;
    }
    if (command[0] == '\0') {
        fprintf(stderr, "guika registry: no command given; there are import, revoke and tokenise\n");
    } else {
        fprintf(stderr, "guika registry: \"%s\" is no command; there are import, revoke and tokenise\n",
                command);
    }
    return 2;
}
