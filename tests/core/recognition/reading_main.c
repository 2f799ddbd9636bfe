/* `read` and `corpus` without the rest of the command. */
#include "clients/cli/reading/corpus.h"
#include "clients/cli/reading/read.h"

#include <string.h>

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "corpus") == 0) {
        return gk_cli_corpus(argc - 1, argv + 1);
    }
    return argc > 1 ? gk_cli_read(argc - 1, argv + 1) : 2;
}
