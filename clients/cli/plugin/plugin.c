#include "clients/cli/commands.h"
#include "clients/cli/plugin_admin.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *does;
} commands[] = {
    {"list", gk_cli_plugin_list, "", "what became of the files in the service's plugin folder"},
    {"release", gk_cli_plugin_release, "FILE", "use a plugin again that was put into quarantine"},
    {"keygen", gk_cli_plugin_keygen, "--key FILE", "make a pair of keys to sign plugins with"},
    {"sign", gk_cli_plugin_sign, "FILE.so", "sign a plugin"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void print_help(void)
{
    puts("Issuer plugins: what an issuer's cards look like and which numbers they carry.\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        printf("  guika plugin %-8s %-11s %s\n", commands[i].name, commands[i].arguments, commands[i].does);
    }
    puts("\nguika plugin COMMAND --help says more; guika/issuer.h explains every field of a plugin.");
}

int gk_cli_plugin(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(command, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (strcmp(command, "--help") == 0) {
        print_help();
        return 0;
    }
    fprintf(stderr, "guika plugin: %s%.40s%s; guika plugin --help lists them\n",
            command[0] == '\0' ? "no command given" : "\"", command,
            command[0] == '\0' ? "" : "\" is no command");
    return 2;
}
