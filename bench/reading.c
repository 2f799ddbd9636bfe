/*
 * How well are cards read, and what does it cost? Ours, with and without check characters, beside Tesseract's
 * command and PaddleOCR's mobile models: every picture goes to each in turn, so that a busy machine slows
 * all. Time is processor time, one thread each. Ours is also timed stage by stage.
 *
 * usage: reading [--minted N] [FOLDER ...]
 */
#include "bench/contestants.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTESTANTS_MAX = 4, SETS_MAX = 8, MINTED = 24 };

static const char SPECIMENS[] = GUIKA_SOURCE_DIR "/../shared/corpus/cards";
static const char *const stage_names[GK_STAGE_COUNT] = {"decode", "sight", "rectify", "lines",  "cut",
                                                        "digits", "rules", "text",    "barcode"};

struct set {
    const char *folder;
    struct gk_bench_pictures pictures;
    struct gk_bench_answer *answers; /* contestant by contestant, `pictures.count` each */
};

struct bench {
    struct gk_bench_contestant contestants[CONTESTANTS_MAX];
    size_t contestant_count;
    struct set sets[SETS_MAX];
    size_t set_count;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "reading: %s: %s\n", what, strerror(errno));
    exit(1);
}

static const struct gk_bench_answer *answer_of(const struct set *set, size_t contestant, size_t picture)
{
    return &set->answers[contestant * set->pictures.count + picture];
}

/* --- reading --- */

static void add_set(struct bench *bench, const char *folder)
{
    struct set *set = &bench->sets[bench->set_count];

    if (bench->set_count == SETS_MAX) {
        (void)fprintf(stderr, "reading: at most %d folders\n", SETS_MAX);
        exit(2);
    }
    *set = (struct set){.folder = folder};
    if (!gk_bench_pictures_load(folder, &set->pictures)) {
        die(folder);
    }
    if (set->pictures.count == 0) {
        (void)fprintf(stderr, "reading: %s: its manifest names no picture\n", folder);
        exit(1);
    }
    bench->set_count++;
}

/* Mints `count` cards of all kinds into the build folder. The same pictures each time; with this seed seven
 * of the first 24 are embossed. */
static void mint(struct bench *bench, const char *count)
{
    static const char folder[] = GUIKA_BINARY_DIR "/bench-minted";
    const pid_t process = fork();
    int status;

    if (process == 0) {
        (void)execl(GUIKA_BINARY_DIR "/bin/guika-mint", "guika-mint", "--out", folder, "--count", count,
                    "--seed", "2", "--layout", "any", "--difficulty", "0.5", "--tilt-max-degrees", "20",
                    "--rotation", "any", (char *)NULL);
        _exit(127);
    }
    if (process < 0 || waitpid(process, &status, 0) < 0 || status != 0) {
        (void)fputs("reading: guika-mint failed\n", stderr);
        exit(1);
    }
    add_set(bench, folder);
}

static void enter(struct bench *bench, struct gk_bench_contestant contestant)
{
    if (contestant.open(&contestant)) {
        bench->contestants[bench->contestant_count++] = contestant;
    }
}

static void read_picture(struct bench *bench, struct set *set, size_t picture)
{
    for (size_t i = 0; i < bench->contestant_count; i++) {
        struct gk_bench_contestant *contestant = &bench->contestants[i];

        if (!contestant->read(contestant, &set->pictures.items[picture],
                              &set->answers[i * set->pictures.count + picture])) {
            (void)fprintf(stderr, "reading: %s failed at %s\n", contestant->name,
                          set->pictures.items[picture].path);
            exit(1);
        }
    }
}

static void read_set(struct bench *bench, struct set *set)
{
    set->answers = calloc(bench->contestant_count * set->pictures.count + 1, sizeof *set->answers);
    if (set->answers == NULL) {
        abort();
    }
    /* The first picture twice: what a contestant does once at its start counts in none. */
    for (size_t i = 0; i < set->pictures.count; i++) {
        if (i == 0) {
            read_picture(bench, set, 0);
        }
        read_picture(bench, set, i);
    }
}

/* --- tables --- */

typedef bool (*picks_fn)(const struct gk_bench_picture *picture, const char *word);

static bool picks_all(const struct gk_bench_picture *picture, const char *word)
{
    (void)picture;
    (void)word;
    return true;
}

static bool picks_print(const struct gk_bench_picture *picture, const char *word)
{
    return strcmp(picture->print, word) == 0;
}

static bool picks_capture(const struct gk_bench_picture *picture, const char *word)
{
    return strcmp(picture->capture, word) == 0;
}

/* A line of how many each read, of the pictures with a number that `picks` takes. */
static void print_read(const struct bench *bench, const struct set *set, const char *title, picks_fn picks,
                       const char *word)
{
    size_t of = 0;
    size_t read[CONTESTANTS_MAX] = {0};

    for (size_t i = 0; i < set->pictures.count; i++) {
        if (set->pictures.items[i].number[0] != '\0' && picks(&set->pictures.items[i], word)) {
            of++;
            for (size_t j = 0; j < bench->contestant_count; j++) {
                read[j] += answer_of(set, j, i)->read;
            }
        }
    }
    if (of > 0) {
        (void)printf("  %-8s %-20s %4zu", title, word, of);
        for (size_t j = 0; j < bench->contestant_count; j++) {
            (void)printf(" %12zu", read[j]);
        }
        (void)printf("\n");
    }
}

/* print_read for each of the words that `of` gives for some picture of the set, in their order there. */
static void print_groups(const struct bench *bench, const struct set *set, const char *title, picks_fn picks,
                         const char *(*of)(const struct gk_bench_picture *picture))
{
    for (size_t i = 0; i < set->pictures.count; i++) {
        const char *word = of(&set->pictures.items[i]);
        bool seen = false;

        for (size_t j = 0; j < i && !seen; j++) {
            seen = picks(&set->pictures.items[j], word);
        }
        if (!seen) {
            print_read(bench, set, title, picks, word);
        }
    }
}

static const char *print_of(const struct gk_bench_picture *picture)
{
    return picture->print;
}

static const char *capture_of(const struct gk_bench_picture *picture)
{
    return picture->capture;
}

/* Accepted rightly, wrongly, and though there is no number at all; of ours alone. */
static void print_accepted(const struct bench *bench, const struct set *set)
{
    static const char *const titles[] = {"accepted, right", "accepted, wrong", "accepted, no number"};

    for (size_t k = 0; k < sizeof titles / sizeof titles[0]; k++) {
        (void)printf("  %-34s", titles[k]);
        for (size_t j = 0; j < bench->contestant_count; j++) {
            size_t counts[3] = {0};

            for (size_t i = 0; i < set->pictures.count; i++) {
                const struct gk_bench_picture *picture = &set->pictures.items[i];
                const struct gk_bench_answer *answer = answer_of(set, j, i);

                counts[picture->is_negative ? 2
                       : answer->read       ? 0
                                            : 1] +=
                    answer->accepted && (picture->is_negative || picture->number[0] != '\0');
            }
            if (bench->contestants[j].accepts) {
                (void)printf(" %12zu", counts[k]);
            } else {
                (void)printf(" %12s", "-");
            }
        }
        (void)printf("\n");
    }
}

static double cpu_quantile(const struct set *set, size_t contestant, double share)
{
    double *times = calloc(set->pictures.count, sizeof *times);

    if (times == NULL) {
        abort();
    }
    for (size_t i = 0; i < set->pictures.count; i++) {
        times[i] = answer_of(set, contestant, i)->cpu_ms;
    }
    const double value = gk_bench_quantile(times, set->pictures.count, share);

    free(times);
    return value;
}

static void print_cpu(const struct bench *bench, const struct set *set)
{
    static const double shares[] = {0.5, 0.99};
    static const char *const titles[] = {"CPU ms a picture, median", "CPU ms a picture, p99"};

    for (size_t k = 0; k < 2; k++) {
        (void)printf("  %-34s", titles[k]);
        for (size_t j = 0; j < bench->contestant_count; j++) {
            (void)printf(" %12.1f", cpu_quantile(set, j, shares[k]));
        }
        (void)printf("\n");
    }
    (void)printf("  %-34s", "CPU median, times ours");
    for (size_t j = 0; j < bench->contestant_count; j++) {
        (void)printf(" %12.2f", cpu_quantile(set, j, 0.5) / cpu_quantile(set, 0, 0.5));
    }
    (void)printf("\n");
}

/* Where the time of the first contestant, ours, goes. */
static void print_stages(const struct set *set)
{
    double *times = calloc(set->pictures.count, sizeof *times);

    if (times == NULL) {
        abort();
    }
    (void)printf("  %-34s %12s %12s %12s\n", "ours by stage", "calls", "CPU us, med.", "mean");
    for (size_t k = 0; k < GK_STAGE_COUNT; k++) {
        double sum = 0;
        double calls = 0;

        for (size_t i = 0; i < set->pictures.count; i++) {
            const struct gk_stages *stages = &answer_of(set, 0, i)->stages;

            times[i] = (double)stages->cpu_ns[k] / 1e3;
            sum += times[i];
            calls += (double)stages->calls[k];
        }
        const double count = (double)set->pictures.count;

        (void)printf("    %-32s %12.1f %12.0f %12.0f\n", stage_names[k], calls / count,
                     gk_bench_quantile(times, set->pictures.count, 0.5), sum / count);
    }
    free(times);
}

static void print_set(const struct bench *bench, const struct set *set)
{
    (void)printf("%s: %zu pictures\n  %-29s %4s", set->folder, set->pictures.count, "read", "of");
    for (size_t j = 0; j < bench->contestant_count; j++) {
        (void)printf(" %12s", bench->contestants[j].name);
    }
    (void)printf("\n");
    print_read(bench, set, "all", picks_all, "");
    print_groups(bench, set, "print", picks_print, print_of);
    print_groups(bench, set, "capture", picks_capture, capture_of);
    print_accepted(bench, set);
    print_cpu(bench, set);
    print_stages(set);
}

static void print_memory(const struct bench *bench)
{
    (void)printf("over all pictures\n  %-34s", "most resident memory, MB");
    for (size_t j = 0; j < bench->contestant_count; j++) {
        (void)printf(" %12.0f", (double)bench->contestants[j].peak_kb / 1024);
    }
    (void)printf("\n");
}

/* --- main --- */

static const char usage[] =
    "usage: reading [--minted N] [FOLDER ...]\n"
    "  --minted N   cards minted on the spot (default 24; 0: none)\n"
    "  FOLDER       with manifest.tsv (default: the specimens of corpus/cards, if there)\n";

/* The folders to read; the minted one last. */
static void choose_sets(struct bench *bench, int argc, char **argv)
{
    static const struct option options[] = {{"minted", required_argument, NULL, 'm'}, {NULL, 0, NULL, 0}};
    char count[16];
    int letter;

    (void)snprintf(count, sizeof count, "%d", MINTED);
    while ((letter = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (letter != 'm' || strspn(optarg, "0123456789") != strlen(optarg) || strlen(optarg) > 5) {
            (void)fputs(usage, stderr);
            exit(2);
        }
        (void)snprintf(count, sizeof count, "%s", optarg);
    }
    for (int i = optind; i < argc; i++) {
        add_set(bench, argv[i]);
    }
    if (optind == argc) {
        if (access(SPECIMENS, R_OK) == 0) {
            add_set(bench, SPECIMENS);
        } else {
            (void)printf("no pictures in %s: minted cards alone\n", SPECIMENS);
        }
    }
    if (strtol(count, NULL, 10) > 0) {
        mint(bench, count);
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {.contestant_count = 0};

    (void)signal(SIGPIPE, SIG_IGN);
    choose_sets(&bench, argc, argv);
    enter(&bench, gk_bench_ours("ours", true));
    enter(&bench, gk_bench_ours("with checks", false));
    enter(&bench, gk_bench_tesseract());
    enter(&bench, gk_bench_paddle());
    if (bench.set_count == 0) {
        (void)fputs("reading: nothing to read\n", stderr);
        return 1;
    }
    for (size_t i = 0; i < bench.set_count; i++) {
        read_set(&bench, &bench.sets[i]);
    }
    for (size_t j = 0; j < bench.contestant_count; j++) {
        bench.contestants[j].close(&bench.contestants[j]);
    }
    for (size_t i = 0; i < bench.set_count; i++) {
        print_set(&bench, &bench.sets[i]);
        free(bench.sets[i].answers);
        free(bench.sets[i].pictures.items);
    }
    print_memory(&bench);
    return 0;
}
