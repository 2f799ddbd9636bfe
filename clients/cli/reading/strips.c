#include "clients/cli/reading/strips.h"

#include "core/recognition/picture.h"
#include "core/recognition/text.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct score {
    int strips, exact;
    int digits, errors; /* errors by edit distance */
};

static bool load_picture(const char *path, struct gk_picture *ret_picture)
{
    static const size_t most = 1024 * 1024;
    FILE *file = fopen(path, "rb");
    uint8_t *data = file == NULL ? NULL : malloc(most);
    size_t size = data == NULL ? 0 : fread(data, 1, most, file);
    bool loaded = size > 0 && gk_picture_decode(data, size, ret_picture, NULL) == GK_OK;
    free(data);
    if (file != NULL) {
        fclose(file);
    }
    return loaded;
}

/* Digits alone, in order. */
static void keep_digits(const char *text, char ret_digits[16])
{
    size_t count = 0;
    for (; *text != '\0' && count < 15; text++) {
        if (isdigit((unsigned char)*text)) {
            ret_digits[count++] = *text;
        }
    }
    ret_digits[count] = '\0';
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance of texts of at most 15 characters. */
static int edit_distance(const char *a, const char *b)
{
    int row[17] = {0}, length = (int)strnlen(b, 16);
    for (int j = 0; j <= length; j++) {
        row[j] = j;
    }
    for (int i = 1; a[i - 1] != '\0'; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= length; j++) {
            int above = row[j];
            row[j] = least(least(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length];
}

static void score_strip(struct gk_text_reader *reader, const char *path, const char *truth,
                        struct score *score)
{
    struct gk_picture picture;
    struct gk_text_line line = {.count = 0};
    char wanted[16], text[GK_TEXT_SYMBOLS_MOST + 1] = "", digits[16];
    keep_digits(truth, wanted);
    if (load_picture(path, &picture)) {
        if (gk_text_read(reader, &picture.image, &line)) {
            for (int i = 0; i < line.count; i++) {
                text[i] = line.symbols[i].choices[0].character;
            }
        }
        gk_picture_clear(&picture);
    }
    keep_digits(text, digits);
    score->strips++;
    score->exact += strcmp(digits, wanted) == 0;
    score->digits += (int)strlen(wanted);
    score->errors += edit_distance(digits, wanted);
}

static int score_table(struct gk_text_reader *reader, const char *path, struct score *score)
{
    FILE *table = fopen(path, "r");
    char line[512], file[256], digits[64], picture[4096];
    if (table == NULL) {
        fprintf(stderr, "guika corpus: %s: %s\n", path, strerror(errno));
        return 1;
    }
    size_t stem = strlen(path) > 4 ? strlen(path) - 4 : 0;
    for (int number = 1; fgets(line, sizeof line, table) != NULL; number++) {
        if (number > 1 && sscanf(line, "%255[^\t]\t%63[^\t\n]", file, digits) == 2) {
            snprintf(picture, sizeof picture, "%.*s/%s", (int)stem, path, file);
            score_strip(reader, picture, digits, score);
        }
    }
    fclose(table);
    return 0;
}

int gk_cli_strips(const char *path, bool json)
{
    struct gk_text_reader *reader = NULL;
    struct gk_error error = {0};
    struct score score = {0};
    if (gk_text_reader_open(&reader, &error) != GK_OK) {
        fprintf(stderr, "guika corpus: %s\n", error.message);
        return 1;
    }
    int status = score_table(reader, path, &score);
    gk_text_reader_close(reader);
    if (status != 0) {
        return status;
    }
    double rate = score.digits == 0 ? 0 : (double)score.errors / score.digits;
    if (json) {
        json_t *object = json_pack("{s:i, s:i, s:i, s:i, s:f}", "strips", score.strips, "exact", score.exact,
                                   "digits", score.digits, "errors", score.errors, "error_rate", rate);
        json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
        putchar('\n');
        json_decref(object);
    } else {
        printf("%d strips, %d exact; %d digits, error rate %.3f\n", score.strips, score.exact, score.digits,
               rate);
    }
    return 0;
}
