#include "bench/pictures.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The manifest's columns that are used (recognition.md; tests/mint/mint.h). */
enum column { FILE_NAME, KIND, ISSUER, NUMBER, CHECK, PRINT, CAPTURE, COLUMNS };

static void copy_without_spaces(const char *text, char *ret_text, size_t size)
{
    size_t length = 0;

    for (; *text != '\0' && length + 1 < size; text++) {
        if (*text != ' ') {
            ret_text[length++] = *text;
        }
    }
    ret_text[length] = '\0';
}

/* False for the heading and for lines without a file. */
static bool parse_line(const char *directory, char *line, struct gk_bench_picture *ret_picture)
{
    struct gk_bench_picture picture = {.is_negative = false};
    char *columns[COLUMNS];
    char *rest = line;

    line[strcspn(line, "\r\n")] = '\0';
    for (int i = 0; i < COLUMNS; i++) {
        columns[i] = rest == NULL ? line + strlen(line) : strsep(&rest, "\t");
    }
    if (columns[FILE_NAME][0] == '\0' || strcmp(columns[FILE_NAME], "file") == 0) {
        return false;
    }
    (void)snprintf(picture.path, sizeof picture.path, "%s/%s", directory, columns[FILE_NAME]);
    (void)snprintf(picture.print, sizeof picture.print, "%s", columns[PRINT]);
    (void)snprintf(picture.capture, sizeof picture.capture, "%s", columns[CAPTURE]);
    copy_without_spaces(columns[NUMBER], picture.number, sizeof picture.number);
    picture.is_negative = picture.number[0] == '\0';
    if (strchr(picture.number, '?') != NULL) {
        picture.number[0] = '\0';
    }
    *ret_picture = picture;
    return true;
}

bool gk_bench_pictures_load(const char *directory, struct gk_bench_pictures *ret_pictures)
{
    struct gk_bench_pictures pictures = {NULL, 0};
    struct gk_bench_picture picture;
    char line[4096];

    (void)snprintf(line, sizeof line, "%s/manifest.tsv", directory);
    FILE *manifest = fopen(line, "r");

    if (manifest == NULL) {
        return false;
    }
    while (fgets(line, sizeof line, manifest) != NULL) {
        if (parse_line(directory, line, &picture)) {
            struct gk_bench_picture *items =
                realloc(pictures.items, (pictures.count + 1) * sizeof *pictures.items);

            if (items == NULL) {
                abort();
            }
            pictures.items = items;
            pictures.items[pictures.count++] = picture;
        }
    }
    (void)fclose(manifest);
    *ret_pictures = pictures;
    return true;
}

uint8_t *gk_bench_read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    uint8_t *data = NULL;

    if (file == NULL) {
        return NULL;
    }
    if (fstat(fileno(file), &status) == 0) {
        data = malloc((size_t)status.st_size + 1);
        *ret_size = data == NULL ? 0 : fread(data, 1, (size_t)status.st_size, file);
    }
    const int reason = errno;

    (void)fclose(file);
    errno = reason;
    return data;
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;

    return (a > b) - (a < b);
}

double gk_bench_quantile(double *values, size_t count, double share)
{
    assert(count > 0 && share >= 0 && share <= 1);
    qsort(values, count, sizeof *values, by_value);
    const size_t at = (size_t)(share * (double)count);

    return values[at < count ? at : count - 1];
}
