/* guika-mint-strips: a file of training strips. */
#include "tests/mint/strip.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "usage: guika-mint-strips FILE COUNT SEED\n"
    "\n"
    "Writes COUNT strips, numbered from SEED on, to FILE: for each one the text that the net shall\n"
    "read (28 bytes, filled with zeros), the height of a digit (float, pixels) and 40 rows of 304 grey "
    "bytes.\n";

static int write_strips(FILE *file, uint64_t seed, uint64_t count)
{
    static struct gk_mint_strip strip;
    for (uint64_t i = 0; i < count; i++) {
        if (gk_mint_strip_random(seed + i, &strip) != 0) {
            errno = ENOMEM;
            return -1;
        }
        if (fwrite(strip.text, sizeof strip.text, 1, file) != 1 ||
            fwrite(&strip.digit_height_px, sizeof strip.digit_height_px, 1, file) != 1 ||
            fwrite(strip.grey, sizeof strip.grey, 1, file) != 1) {
            return -1;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs(usage_text, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    FILE *file = fopen(argv[1], "wb");
    int status =
        file == NULL ? -1 : write_strips(file, strtoull(argv[3], NULL, 10), strtoull(argv[2], NULL, 10));
    if (file != NULL && fclose(file) != 0) {
        status = -1;
    }
    if (status != 0) {
        fprintf(stderr, "guika-mint-strips: %s: %s\n", argv[1], strerror(errno));
    }
    return status == 0 ? 0 : 1;
}
