#ifndef GUIKA_CLIENTS_CLI_READING_CORPUS_H
#define GUIKA_CLIENTS_CLI_READING_CORPUS_H

/* `guika corpus`: argv[0] is "corpus". Returns the program's exit status: 0, 1 (failed) or 2 (usage). */
int gk_cli_corpus(int argc, char **argv);

#endif
