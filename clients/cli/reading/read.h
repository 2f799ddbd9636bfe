#ifndef GUIKA_CLIENTS_CLI_READING_READ_H
#define GUIKA_CLIENTS_CLI_READING_READ_H

/* `guika read`: argv[0] is "read". Returns the program's exit status: 0, 1 (failed) or 2 (usage). */
int gk_cli_read(int argc, char **argv);

#endif
