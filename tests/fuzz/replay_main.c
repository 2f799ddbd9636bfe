/*
 * Runs a fuzz target over the files of a corpus folder, where there is no libFuzzer: replay FOLDER. Each
 * input, whole and cut at about a hundred places, lies in memory of exactly its size, so that a sanitizer
 * sees a read behind it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 97 };

static void run_first(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size + (size == 0));

    if (exact == NULL) {
        exit(1);
    }
    memcpy(exact, data, size);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int run_file(const char *path)
{
    struct stat facts;
    FILE *file = fopen(path, "rbe");

    if (file == NULL || fstat(fileno(file), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        if (file != NULL) {
            fclose(file);
        }
        return 0;
    }
    const size_t size = (size_t)facts.st_size;
    uint8_t *data = malloc(size + (size == 0));

    if (data == NULL || fread(data, 1, size, file) != size) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    for (size_t cut = 0; cut < size; cut += 1 + size / CUTS) {
        run_first(data, cut);
    }
    run_first(data, size);
    free(data);
    return 1;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    int count = 0;

    if (folder == NULL) {
        fprintf(stderr, "usage: %s FOLDER (an existing folder of inputs)\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) {
        char path[4096];

        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        count += run_file(path);
    }
    closedir(folder);
    printf("%d inputs\n", count);
    return count > 0 ? 0 : 1;
}
