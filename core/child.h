/* The command line of the programs that guikad starts: each takes the folder of its plugins. */
#ifndef GUIKA_CORE_CHILD_H
#define GUIKA_CORE_CHILD_H

#include "core/configuration.h"

#include <limits.h>
#include <stdbool.h>

struct gk_child_program {
    const char *name;          /* "guika-reader" */
    const char *does;          /* one sentence, for --help */
    const char *folder_option; /* "issuers": --issuers DIR */
    const char *folder_beside; /* the default, beside the program: "../lib/guika/issuers" */
    const char *flag;          /* an option without a value: "check"; NULL: there is none */
    const char *flag_does;     /* for --help */
    /* The folder that guikad's configuration names; borrowed from it. */
    const char *(*configured)(const struct gk_configuration *configuration);
};

/* Reads the arguments. 0: go on, with the folder in `ret_folder` and whether the flag was given in `ret_flag`
 * (NULL where there is none); else the exit status and one more, and all is said. */
int gk_child_parse(const struct gk_child_program *program, int argc, char **argv, char ret_folder[PATH_MAX],
                   bool *ret_flag);

#endif
