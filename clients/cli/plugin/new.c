/* guika plugin new: copies the template, with its placeholders filled in. */
#include "clients/cli/cli.h"
#include "clients/cli/plugin/plugin.h"
#include "clients/cli/reading/local_reader.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LONGEST_NAME 31 /* it is the number scheme as well (guika/issuer.h) */
#define LARGEST_TEMPLATE_BYTES 65536

static const char help[] =
    "usage: guika plugin new NAME [DIR]\n"
    "\n"
    "Writes a project for the cards of an issuer into DIR (default: NAME), which must not be there yet: the\n"
    "plugin NAME.c, CMakeLists.txt and README.md. It builds, passes its check and loads as it is.\n"
    "NAME is a letter, then letters, digits and _, all small, 31 at most.\n"
    "\n"
    "    guika plugin new north && cmake -S north -B north/build && cmake --build north/build --target "
    "check\n"
    "\n" GK_CLI_LOCAL_HELP;

/* A file of the template, and its name in the project; %s is the plugin's. */
static const struct {
    const char *template, *file;
} files[] = {{"CMakeLists.txt.in", "CMakeLists.txt"}, {"plugin.c.in", "%s.c"}, {"README.md.in", "README.md"}};

struct project {
    const char *name, *directory;
    char templates[PATH_MAX]; /* the folder that they come from */
    char prefix[PATH_MAX];    /* where this Guika is installed */
};

static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length >= 1 && length <= LONGEST_NAME && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

/* The template's text with @NAME@ and @PREFIX@ replaced. */
static void write_filled(const struct project *project, const char *text, FILE *stream)
{
    const struct {
        const char *word, *value;
    } fields[] = {{"@NAME@", project->name}, {"@PREFIX@", project->prefix}};
    while (*text != '\0') {
        const char *value = NULL;
        for (size_t i = 0; i < sizeof fields / sizeof *fields && value == NULL; i++) {
            if (strncmp(text, fields[i].word, strlen(fields[i].word)) == 0) {
                value = fields[i].value;
                text += strlen(fields[i].word);
            }
        }
        if (value != NULL) {
            (void)fputs(value, stream);
        } else {
            (void)fputc(*text++, stream);
        }
    }
}

static bool write_file(const struct project *project, const char *template, const char *file)
{
    static char text[LARGEST_TEMPLATE_BYTES];
    char from[PATH_MAX + 64], name[64], to[PATH_MAX + 64];
    snprintf(name, sizeof name, file, project->name);
    snprintf(from, sizeof from, "%s/%s", project->templates, template);
    snprintf(to, sizeof to, "%s/%s", project->directory, name);
    FILE *source = fopen(from, "r");
    if (source == NULL) {
        fprintf(stderr, "guika plugin new: %s: %s; is Guika installed whole?\n", from, strerror(errno));
        return false;
    }
    text[fread(text, 1, sizeof text - 1, source)] = '\0';
    (void)fclose(source);
    FILE *target = fopen(to, "wx");
    if (target == NULL) {
        fprintf(stderr, "guika plugin new: %s: %s\n", to, strerror(errno));
        return false;
    }
    write_filled(project, text, target);
    bool written = !ferror(target);
    return fclose(target) == 0 && written;
}

static int write_project(struct project *project)
{
    char beside[PATH_MAX];
    gk_cli_beside("../share/guika/template", project->templates, sizeof project->templates);
    gk_cli_beside("..", beside, sizeof beside);
    if (realpath(beside, project->prefix) == NULL || mkdir(project->directory, 0777) != 0) {
        fprintf(stderr, "guika plugin new: cannot make the folder %s: %s\n", project->directory,
                strerror(errno));
        return 1;
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!write_file(project, files[i].template, files[i].file)) {
            return 1;
        }
    }
    printf("%s: a plugin for %s. Next:\n"
           "  cmake -S %s -B %s/build\n"
           "  cmake --build %s/build --target check\n",
           project->directory, project->name, project->directory, project->directory, project->directory);
    return 0;
}

int gk_cli_plugin_new(int argc, char **argv)
{
    struct gk_cli cli;
    int exit_status = gk_cli_begin_local(&cli, "plugin new", help, argc, argv, NULL, 0);
    if (exit_status == GK_CLI_GO_ON) {
        struct project project = {.name = cli.argument_count > 0 ? cli.arguments[0] : ""};
        project.directory = cli.argument_count > 1 ? cli.arguments[1] : project.name;
        if (cli.argument_count < 1 || cli.argument_count > 2 || !is_name(project.name)) {
            exit_status = gk_cli_usage(&cli,
                                       "takes NAME [DIR]; NAME is a letter, then letters, digits and _, all "
                                       "small, %d at most",
                                       LONGEST_NAME);
        } else {
            exit_status = write_project(&project);
        }
    }
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
