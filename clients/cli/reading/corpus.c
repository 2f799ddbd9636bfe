#include "clients/cli/reading/corpus.h"

#include "clients/cli/cli.h"
#include "clients/cli/reading/local_reader.h"
#include "clients/cli/reading/strips.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: guika corpus DIR [--json] [--no-check] [--issuers DIR] [--config FILE]\n"
    "       guika corpus --strips FILE.tsv [--json]\n"
    "\n"
    "Reads every picture that DIR/manifest.tsv names and compares with the number that it gives. Times are "
    "processor\n"
    "time. The manifest is a table: file, kind, issuer, number, check, print, capture, and more, parted by "
    "tabs.\n"
    "\n"
    "  --json               one JSON object\n"
    "  --no-check           ignore check digits and prefixes: specimen cards have neither\n"
    "  --issuers DIR        issuer plugins (default: ../lib/guika/issuers beside the program)\n"
    "  --strips FILE.tsv    score four-digit strips instead (`_` is no digit)\n" GK_CLI_LOCAL_HELP;

enum column { FILE_NAME, KIND, ISSUER, NUMBER, CHECK, PRINT, CAPTURE, COLUMNS };

#define MOST_PICTURES 100000
#define MOST_GROUPS 32 /* different words of one column */

struct counts {
    int pictures, with_number, first_exact, top5_exact, accepted_right, accepted_wrong, difficult, negatives,
        negatives_accepted;
    double *cpu_ms; /* one a picture */
};

struct group {
    char word[64];
    struct counts counts;
};

struct grouping {
    const char *name;
    enum column column;
    struct group groups[MOST_GROUPS];
    size_t count;
};

struct tally {
    struct counts all;
    struct grouping by[4];
};

/* How one picture went. */
struct outcome {
    bool has_number, is_negative; /* neither: the number has a '?' */
    bool first_exact, top5_exact, accepted, accepted_right;
    double cpu_ms;
};

static bool count_one(struct counts *counts, const struct outcome *outcome)
{
    double *times = realloc(counts->cpu_ms, ((size_t)counts->pictures + 1) * sizeof *times);
    if (times == NULL) {
        return false;
    }
    counts->cpu_ms = times;
    times[counts->pictures++] = outcome->cpu_ms;
    counts->with_number += outcome->has_number;
    counts->first_exact += outcome->first_exact;
    counts->top5_exact += outcome->top5_exact;
    counts->accepted_right += outcome->accepted_right;
    counts->accepted_wrong += outcome->accepted && outcome->has_number && !outcome->accepted_right;
    counts->difficult += !outcome->accepted;
    counts->negatives += outcome->is_negative;
    counts->negatives_accepted += outcome->accepted && outcome->is_negative;
    return true;
}

static struct group *find_group(struct grouping *grouping, const char *word)
{
    for (size_t i = 0; i < grouping->count; i++) {
        if (strcmp(grouping->groups[i].word, word) == 0) {
            return &grouping->groups[i];
        }
    }
    if (grouping->count == MOST_GROUPS) {
        return &grouping->groups[MOST_GROUPS - 1];
    }
    struct group *group = &grouping->groups[grouping->count++];
    snprintf(group->word, sizeof group->word, "%s", word);
    return group;
}

static bool tally_one(struct tally *tally, char *const columns[COLUMNS], const struct outcome *outcome)
{
    bool counted = count_one(&tally->all, outcome);
    for (size_t i = 0; i < sizeof tally->by / sizeof *tally->by; i++) {
        struct group *group = find_group(&tally->by[i], columns[tally->by[i].column]);
        counted = counted && count_one(&group->counts, outcome);
    }
    return counted;
}

static void clear_tally(struct tally *tally)
{
    free(tally->all.cpu_ms);
    for (size_t i = 0; i < sizeof tally->by / sizeof *tally->by; i++) {
        for (size_t j = 0; j < tally->by[i].count; j++) {
            free(tally->by[i].groups[j].counts.cpu_ms);
        }
    }
}

/* Removes spaces in place. */
static void remove_spaces(char *text)
{
    char *out = text;
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static struct outcome judge(const guika_v1_internal_CompleteRecognitionRequest *result, const char *truth,
                            double cpu_ms)
{
    struct outcome outcome = {.cpu_ms = cpu_ms, .accepted = gk_cli_is_read(result)};
    outcome.is_negative = truth[0] == '\0';
    outcome.has_number = truth[0] != '\0' && strchr(truth, '?') == NULL;
    for (size_t i = 0; outcome.has_number && i < result->candidates_count && i < 5; i++) {
        bool same = strcmp(result->candidates[i].number, truth) == 0;
        outcome.top5_exact = outcome.top5_exact || same;
        outcome.first_exact = outcome.first_exact || (same && i == 0);
    }
    outcome.accepted_right = outcome.accepted && outcome.first_exact;
    return outcome;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const struct counts *counts, double share)
{
    if (counts->pictures == 0) {
        return 0;
    }
    qsort(counts->cpu_ms, (size_t)counts->pictures, sizeof *counts->cpu_ms, compare_doubles);
    int at = (int)(share * counts->pictures);
    return counts->cpu_ms[at < counts->pictures ? at : counts->pictures - 1];
}

static json_t *counts_json(const struct counts *counts)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f}", "pictures", counts->pictures,
                     "with_number", counts->with_number, "first_exact", counts->first_exact, "top5_exact",
                     counts->top5_exact, "accepted_right", counts->accepted_right, "accepted_wrong",
                     counts->accepted_wrong, "difficult", counts->difficult, "negatives", counts->negatives,
                     "negatives_accepted", counts->negatives_accepted, "cpu_ms_median", quantile(counts, 0.5),
                     "cpu_ms_p99", quantile(counts, 0.99));
}

static void print_json(const struct tally *tally)
{
    json_t *object = counts_json(&tally->all), *by = json_object();
    for (size_t i = 0; i < sizeof tally->by / sizeof *tally->by; i++) {
        json_t *groups = json_object();
        for (size_t j = 0; j < tally->by[i].count; j++) {
            json_object_set_new(groups, tally->by[i].groups[j].word,
                                counts_json(&tally->by[i].groups[j].counts));
        }
        json_object_set_new(by, tally->by[i].name, groups);
    }
    json_object_set_new(object, "by", by);
    json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(object);
}

static void print_row(const char *name, const char *word, const struct counts *counts)
{
    printf("%-8s %-18s %8d %7d %6d %5d %9d %6d %10d %5d %6d %9.0f %6.0f\n", name, word, counts->pictures,
           counts->with_number, counts->first_exact, counts->top5_exact, counts->accepted_right,
           counts->accepted_wrong, counts->difficult, counts->negatives, counts->negatives_accepted,
           quantile(counts, 0.5), quantile(counts, 0.99));
}

static void print_table(const struct tally *tally)
{
    printf("%-8s %-18s %8s %7s %6s %5s %9s %6s %10s %5s %6s %9s %6s\n", "by", "", "pictures", "number",
           "first", "top5", "acc.right", "wrong", "difficult", "neg.", "n.acc.", "median ms", "p99 ms");
    print_row("all", "", &tally->all);
    for (size_t i = 0; i < sizeof tally->by / sizeof *tally->by; i++) {
        for (size_t j = 0; j < tally->by[i].count; j++) {
            print_row(tally->by[i].name, tally->by[i].groups[j].word, &tally->by[i].groups[j].counts);
        }
    }
}

/* Splits a line at its tabs, in place; missing columns are empty. */
static void split(char *line, char *ret_columns[COLUMNS])
{
    line[strcspn(line, "\r\n")] = '\0';
    char *rest = line;
    for (int i = 0; i < COLUMNS; i++) {
        ret_columns[i] = rest == NULL ? line + strlen(line) : strsep(&rest, "\t");
    }
}

static int read_manifest(const char *directory, struct gk_recogniser *recogniser, struct tally *tally)
{
    char path[4096], line[4096], *columns[COLUMNS];
    snprintf(path, sizeof path, "%s/manifest.tsv", directory);
    FILE *manifest = fopen(path, "r");
    if (manifest == NULL) {
        fprintf(stderr, "guika corpus: %s: %s\n", path, strerror(errno));
        return 1;
    }
    int status = 0;
    for (int number = 1; number <= MOST_PICTURES && fgets(line, sizeof line, manifest) != NULL; number++) {
        split(line, columns);
        if (number == 1 || columns[FILE_NAME][0] == '\0') {
            continue;
        }
        guika_v1_internal_CompleteRecognitionRequest result;
        double cpu_ms;
        snprintf(path, sizeof path, "%s/%s", directory, columns[FILE_NAME]);
        if (!gk_cli_read_picture(recogniser, path, &result, &cpu_ms)) {
            fprintf(stderr, "guika corpus: %s: %s\n", path, strerror(errno));
            status = 1;
            continue;
        }
        remove_spaces(columns[NUMBER]);
        struct outcome outcome = judge(&result, columns[NUMBER], cpu_ms);
        if (!tally_one(tally, columns, &outcome)) {
            fputs("guika corpus: out of memory\n", stderr);
            status = 1;
            break;
        }
    }
    fclose(manifest);
    return status;
}

static int run(const char *directory, const char *issuers, bool json, bool no_check)
{
    struct gk_recogniser *recogniser = gk_cli_open_recogniser("guika corpus", issuers, no_check, NULL);
    struct tally *tally = calloc(1, sizeof *tally);
    int status = 1;
    if (recogniser != NULL && tally != NULL) {
        tally->by[0] = (struct grouping){.name = "kind", .column = KIND};
        tally->by[1] = (struct grouping){.name = "print", .column = PRINT};
        tally->by[2] = (struct grouping){.name = "capture", .column = CAPTURE};
        tally->by[3] = (struct grouping){.name = "check", .column = CHECK};
        status = read_manifest(directory, recogniser, tally);
        (json ? print_json : print_table)(tally);
        clear_tally(tally);
    }
    free(tally);
    gk_recogniser_close(recogniser);
    return status;
}

int gk_cli_corpus(int argc, char **argv)
{
    struct gk_cli cli;
    bool json = false, no_check = false;
    const char *issuers = NULL, *strips = NULL;
    const struct gk_cli_option options[] = {{"json", NULL, &json},
                                            {"issuers", &issuers, NULL},
                                            {"no-check", NULL, &no_check},
                                            {"strips", &strips, NULL}};
    int exit_status =
        gk_cli_begin_local(&cli, "corpus", usage, argc, argv, options, sizeof options / sizeof options[0]);

    if (exit_status == GK_CLI_GO_ON && issuers != NULL) {
        gk_settings_replace(&cli.settings.issuers, issuers);
    }
    if (exit_status == GK_CLI_GO_ON && cli.argument_count != (strips == NULL ? 1 : 0)) {
        exit_status = gk_cli_usage(&cli, "name one folder, or --strips FILE.tsv");
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = strips != NULL ? gk_cli_strips(strips, json)
                                     : run(cli.arguments[0], cli.settings.issuers, json, no_check);
    }
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
