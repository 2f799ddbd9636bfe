#ifndef GUIKA_CLIENTS_CLI_READING_STRIPS_H
#define GUIKA_CLIENTS_CLI_READING_STRIPS_H

#include <stdbool.h>

/* Scores four-digit strips with the line reader: `path` is a table of file, digits (`_` is no digit) and more
 * columns, its pictures lie in the folder of its name without ".tsv". Prints what it found; returns the exit
 * status. */
int gk_cli_strips(const char *path, bool json);

#endif
