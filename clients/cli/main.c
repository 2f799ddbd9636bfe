/* guika: one program for operators, issuers and holders; a table of commands. */
#include "clients/cli/commands.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
};

static const struct command commands[] = {
    {"read", gk_cli_read, "read pictures of cards here, without a service"},
    {"corpus", gk_cli_corpus, "measure reading on a folder of known pictures"},
    {"plugin", gk_cli_plugin,
     "issuer plugins: plugin new, check, preview, mint; list, release, keygen, sign"},
    {"registry", gk_cli_registry,
     "an issuer's list of cards: registry import, registry revoke, registry tokenise"},
    {"status", gk_cli_status, "is the service there?"},
    {"box", gk_cli_box, "register a recovery box, or see how they are: box add ID, box list"},
    {"issuer", gk_cli_issuer,
     "register an issuer: issuer add; an issuer's found cards: issuer next, issuer decide"},
    {"found", gk_cli_found, "the found cards: list, show, move, code, close, handover"},
    {"desk", gk_cli_desk, "staffed desks: desk add, desk ask, desk hand"},
    {"staff", gk_cli_staff, "who opens boxes: staff add ID"},
    {"stats", gk_cli_stats, "figures of the day"},
    {"difficult", gk_cli_difficult, "the queue of difficult cards: list, show, picture, resolve, retry, ..."},
    {"audit", gk_cli_audit,
     "who did what to a card, and whether the record is whole: audit show, audit verify"},
    {"operator", gk_cli_operator, "let another person in: operator add ID"},
    {"backup", gk_cli_backup, "a backup of the running service, in a new folder"},
    {"restore", gk_cli_restore, "put a backup in the place of the data"},
    {"key", gk_cli_key, "the service's keys: key rotate, key status"},
    {"check", gk_cli_check, "has my card been found?"},
    {"holder", gk_cli_holder,
     "your own cards: holder code, prove, cards, watch, ...; a holder's rights: holder export, forget"},
    {"claims", gk_cli_claims, "reports of lost cards that need a person: claims list, grant, refuse"},
};

static void print_help(FILE *stream)
{
    (void)fputs("usage: guika COMMAND [options]\n\n", stream);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].does);
    }
    (void)fputs(
        "\nguika COMMAND --help tells the options of a command. Also: guika --help, guika --version.\n"
        "Exit status: 0 done, 1 failed, 2 wrong usage.\n",
        stream);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fputs("guika: no command given; see guika --help\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("guika " GUIKA_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr, "guika: there is no command \"%.40s\"; see guika --help\n", argv[1]);
    return 2;
}
