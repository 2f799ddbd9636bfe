#include "core/child.h"

#include "core/process.h"

#include <getopt.h>
#include <stdio.h>

enum { GO_ON = 0, DONE = 1, FAILED = 2, USAGE = 3 }; /* the exit status and one more */

static void print_help(const struct gk_child_program *program)
{
    (void)printf("usage: %s [--config FILE] [--%s DIR]\n"
                 "%s guikad starts it and gives it a socket as descriptor 3.\n"
                 "  --%s DIR   folder of plugins; default: %s beside the program\n"
                 "  --config FILE   guikad's configuration, to take the folder from\n",
                 program->name, program->folder_option, program->does, program->folder_option,
                 program->folder_beside);
    if (program->flag != NULL) {
        (void)printf("  --%s         %s\n", program->flag, program->flag_does);
    }
    (void)puts("  --help, --version");
}

static int read_configuration(const struct gk_child_program *program, const char *path,
                              const char *program_directory, char ret_folder[PATH_MAX])
{
    struct gk_configuration *configuration;
    struct gk_error error;

    if (gk_configuration_read(path, program_directory, &configuration, &error) != GK_OK) {
        (void)fprintf(stderr, "%s: %s\n", program->name, error.message);
        return FAILED;
    }
    (void)snprintf(ret_folder, PATH_MAX, "%s", program->configured(configuration));
    gk_configuration_free(configuration);
    return GO_ON;
}

int gk_child_parse(const struct gk_child_program *program, int argc, char **argv, char ret_folder[PATH_MAX],
                   bool *ret_flag)
{
    const struct option options[] = {{program->folder_option, required_argument, NULL, 'f'},
                                     {"config", required_argument, NULL, 'c'},
                                     {"help", no_argument, NULL, 'h'},
                                     {"version", no_argument, NULL, 'v'},
                                     {program->flag, no_argument, NULL, 'x'},
                                     {NULL, 0, NULL, 0}};
    char directory[PATH_MAX];
    int status = GO_ON;
    int option;

    gk_process_directory(directory);
    (void)snprintf(ret_folder, PATH_MAX, "%.*s/%s", PATH_MAX - 64, directory, program->folder_beside);
    opterr = 0;
    while (status == GO_ON && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'f':
            (void)snprintf(ret_folder, PATH_MAX, "%s", optarg);
            break;
        case 'c':
            status = read_configuration(program, optarg, directory, ret_folder);
            break;
        case 'x':
            *ret_flag = true;
            break;
        case 'h':
            print_help(program);
            return DONE;
        case 'v':
            (void)printf("%s %s\n", program->name, GUIKA_VERSION);
            return DONE;
        default:
            (void)fprintf(stderr,
                          "%s: unknown option, or an option without its value: %.60s; see %s --help\n",
                          program->name, argv[optind - 1], program->name);
            return USAGE;
        }
    }
    if (status == GO_ON && optind < argc) {
        (void)fprintf(stderr, "%s: unexpected argument \"%.60s\"; see %s --help\n", program->name,
                      argv[optind], program->name);
        return USAGE;
    }
    return status;
}
