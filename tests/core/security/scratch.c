#include "tests/core/security/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

char *scratch_path(const char *directory, const char *name)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", directory, name) < 0) {
        abort();
    }
    return path;
}

char *scratch_make(void)
{
    const char *base = getenv("TMPDIR");
    char *directory = scratch_path(base != NULL ? base : "/tmp", "guika-test-XXXXXX");

    if (mkdtemp(directory) == NULL) {
        perror(directory);
        abort();
    }
    return directory;
}

static int remove_one(const char *path, const struct stat *found, int kind, struct FTW *where)
{
    (void)found;
    (void)kind;
    (void)where;
    return remove(path);
}

void scratch_remove(char *directory)
{
    (void)nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(directory);
}
