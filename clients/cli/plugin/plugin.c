#include "clients/cli/plugin/plugin.h"

#include "clients/cli/commands.h"
#include "clients/cli/plugin_admin.h"
#include "core/recognition/descriptor.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *does;
} commands[] = {
    {"new", gk_cli_plugin_new, "NAME [DIR]", "write a project for an issuer's cards"},
    {"check", gk_cli_plugin_check, "FILE.so", "is the plugin fit for the shelf?"},
    {"preview", gk_cli_plugin_preview, "FILE.so", "draw where it says that things are on the card"},
    {"mint", gk_cli_plugin_mint, "FILE.so", "draw test cards of its layouts, with made-up numbers"},
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

void gk_cli_plugin_long_out(int argc, char **argv)
{
    static char out[] = "--out"; /* getopt takes arguments that may be written to, and does not */
    for (int i = 1; i < argc; i++) {
        argv[i] = strcmp(argv[i], "-o") == 0 ? out : argv[i];
    }
}

const struct guika_issuer *gk_cli_plugin_open(const char *program, const char *file,
                                              struct gk_plugin **ret_plugin)
{
    struct gk_error error = {0};
    if (gk_plugin_open(file, gk_descriptor_kind(), ret_plugin, &error) != GK_OK) {
        fprintf(stderr, "%s: %s; guika plugin check says more\n", program, error.message);
        return NULL;
    }
    return (const struct guika_issuer *)(const void *)gk_plugin_head(*ret_plugin);
}
