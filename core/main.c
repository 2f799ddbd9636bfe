/*
 * guikad: the core of Guika. Reads its arguments and its configuration; the rest is core/daemon.c, and the
 * way of a card is core/pipeline.c.
 */
#include "core/configuration.h"
#include "core/daemon.h"
#include "core/log.h"
#include "core/process.h"
#include "core/restore.h"
#include "core/setup.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_CONFIGURATION "/etc/guika/guikad.conf"

static void print_help(void)
{
    (void)puts("usage: guikad [--config FILE] [--init | --restore DIR]\n"
               "Runs the Guika service: found cards go home.\n"
               "  --config FILE   configuration; default " DEFAULT_CONFIGURATION "\n"
               "  --init          make FILE, keys, a certificate and the first operator's token, then stop\n"
               "  --restore DIR   have the next start begin with the backup in DIR, then stop; the keys have "
               "to be in place\n"
               "  --help, --version\n"
               "Start with `guikad --init --config FILE`, look at FILE, then run `guikad --config FILE`.");
}

struct arguments {
    const char *configuration;
    bool init;
    const char *restore; /* a backup's folder; NULL: none */
};

/* 0: go on; else the exit status and one more. */
static int parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},  {"init", no_argument, NULL, 'i'},
        {"restore", required_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0}};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            arguments->configuration = optarg;
            break;
        case 'i':
            arguments->init = true;
            break;
        case 'r':
            arguments->restore = optarg;
            break;
        case 'h':
            print_help();
            return 1;
        case 'v':
            (void)puts("guikad " GUIKA_VERSION);
            return 1;
        default:
            (void)fprintf(
                stderr, "guikad: unknown option, or an option without its value: %.60s; see guikad --help\n",
                argv[optind - 1]);
            return 3;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "guikad: unexpected argument \"%s\"; see guikad --help\n", argv[optind]);
        return 3;
    }
    return 0;
}

static int fail(const struct gk_error *error)
{
    (void)fprintf(stderr, "guikad: %s\n", error->message);
    return 1;
}

static int init(const char *path, const char *folder)
{
    struct gk_error error;

    if (gk_setup_run(path, folder, &error) != GK_OK) {
        return fail(&error);
    }
    (void)printf("made %s, its keys, a certificate and the data directory\n"
                 "the first operator's token is in operator.token beside it; keep it and the keys safe\n"
                 "start the service with: guikad --config %s\n",
                 path, path);
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.configuration = DEFAULT_CONFIGURATION};
    struct gk_configuration *configuration;
    struct gk_error error;
    char folder[PATH_MAX];
    const int parsed = parse(argc, argv, &arguments);

    if (parsed != 0) {
        return parsed - 1;
    }
    (void)umask(077);
    (void)signal(SIGPIPE, SIG_IGN);
    gk_process_harden();
    gk_process_directory(folder);
    if (sodium_init() < 0) {
        (void)fputs("guikad: no source of random numbers\n", stderr);
        return 1;
    }
    if (arguments.init) {
        return init(arguments.configuration, folder);
    }
    if (gk_configuration_read(arguments.configuration, folder, &configuration, &error) != GK_OK) {
        return fail(&error);
    }
    if (arguments.restore != NULL) {
        const enum gk_status restored = gk_restore_stage(configuration, arguments.restore, &error);

        gk_configuration_free(configuration);
        return restored == GK_OK ? 0 : fail(&error);
    }
    const struct gk_log log = {configuration->log_level, "guikad"};
    const enum gk_status status = gk_daemon_run(configuration, &log, &error);

    gk_configuration_free(configuration);
    return status == GK_OK ? 0 : fail(&error);
}
