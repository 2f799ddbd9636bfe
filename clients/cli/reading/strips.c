#include "clients/cli/reading/strips.h"

#include "core/recognition/picture.h"
#include "core/recognition/strip_reader.h"

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

/* The tools of one run. */
struct strip_scorer {
    struct gk_digit_net *net;
    struct gk_reading *reading;
    struct gk_line_verdict verdict;
    struct score score;
};

static void score_strip(struct strip_scorer *scorer, const char *path, const char *truth)
{
    static const struct gk_candidate_rules no_rules = {.no_check = true};
    struct gk_picture picture;
    char wanted[16] = "", digits[16] = "";
    keep_digits(truth, wanted);
    if (load_picture(path, &picture)) {
        if (gk_strip_read(scorer->net, &picture.image, scorer->reading)) {
            gk_reading_verdict(scorer->reading, &no_rules, &scorer->verdict);
            keep_digits(scorer->verdict.best, digits);
        }
        gk_picture_clear(&picture);
    }
    scorer->score.strips++;
    scorer->score.exact += strcmp(digits, wanted) == 0;
    scorer->score.digits += (int)strlen(wanted);
    scorer->score.errors += edit_distance(digits, wanted);
}

static int score_table(struct strip_scorer *scorer, const char *path)
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
            score_strip(scorer, picture, digits);
        }
    }
    fclose(table);
    return 0;
}

int gk_cli_strips(const char *path, bool json)
{
    struct strip_scorer scorer = {.reading = malloc(sizeof *scorer.reading)};
    struct gk_error error = {0};
    if (scorer.reading == NULL || gk_digit_net_open(&scorer.net, &error) != GK_OK) {
        fprintf(stderr, "guika corpus: %s\n", scorer.reading == NULL ? "out of memory" : error.message);
        free(scorer.reading);
        return 1;
    }
    int status = score_table(&scorer, path);
    gk_digit_net_close(scorer.net);
    free(scorer.reading);
    if (status != 0) {
        return status;
    }
    const struct score score = scorer.score;
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
