/*
 * Can the reader's probabilities be believed, and is anybody told of a card that is not theirs? First: minted
 * cards of all kinds, and a table of what the reader claimed beside how often it was right. Second: found
 * cards, half of them registered, decided upon as the service does against the real registry with up to ten
 * million cards, blocks of consecutive numbers and valid neighbours among them. Third: the same for number
 * lines alone, which are quick to read and therefore many. There is no peer: the measure is the truth.
 *
 * A run that was stopped goes on where it was. The exit status is 1 where a card was accepted wrongly.
 */
#include "bench/common.h"
#include "bench/deposits.h"
#include "bench/issuers.h"
#include "bench/reliability.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: calibration [--cards N] [--deposits N] [--strips N] [--rows N] [--seed S] [--workers N]\n"
    "                   [--second-frame] [--state FOLDER] [--anew]\n"
    "  --cards N       minted cards to read (default 240; 0: none)\n"
    "  --deposits N    found cards to decide upon (default 160; 0: none)\n"
    "  --strips N      number lines to decide upon (default 400; 0: none)\n"
    "  --rows N        cards in the registry, about (default 200000, at most 20000000)\n"
    "  --seed S        start of chance (default 1)\n"
    "  --workers N     reading processes (default: as many as there are processors)\n"
    "  --second-frame  boxes take a frame under the opposite lamp where the reader says that it may help\n"
    "  --state FOLDER  what was read and the registry (default: build/bench-calibration)\n"
    "  --anew          forget what was read; the registry stays\n";

enum { CARDS, DEPOSITS, STRIPS, ROWS, SEED, WORKERS, NUMBERS };

struct options {
    uint64_t numbers[NUMBERS];
    const char *state;
    bool anew, second_frame;
};

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"cards", required_argument, NULL, CARDS},
                                          {"deposits", required_argument, NULL, DEPOSITS},
                                          {"strips", required_argument, NULL, STRIPS},
                                          {"rows", required_argument, NULL, ROWS},
                                          {"seed", required_argument, NULL, SEED},
                                          {"workers", required_argument, NULL, WORKERS},
                                          {"state", required_argument, NULL, 's'},
                                          {"second-frame", no_argument, NULL, 'f'},
                                          {"anew", no_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    static const uint64_t most[NUMBERS] = {10000000, 10000000, 10000000, 20000000, UINT64_MAX, 256};
    int which;

    while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (which == 's') {
            options->state = optarg;
        } else if (which == 'a') {
            options->anew = true;
        } else if (which == 'f') {
            options->second_frame = true;
        } else if (which >= NUMBERS ||
                   !gk_bench_parse_number(optarg, most[which], &options->numbers[which])) {
            return false;
        }
    }
    return optind == argc && options->numbers[WORKERS] > 0;
}

/* Opens the series' journal and reads what it lacks. */
static bool read_series(const struct options *options, const struct gk_bench_series *series, const char *name,
                        uint64_t wanted, struct gk_bench_journal *ret_journal)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s%s-%016llx-%llu-%llu.journal", options->state, name,
                   series->second_frame ? "-second-frame" : "", (unsigned long long)gk_bench_build_sum(),
                   (unsigned long long)series->seed, (unsigned long long)series->all_rows);
    if (options->anew) {
        (void)unlink(path);
    }
    if (!gk_bench_journal_open(path, wanted, ret_journal)) {
        return false;
    }
    (void)printf("%s: %llu pictures, %llu of them read before (%s; --anew reads them again)\n", name,
                 (unsigned long long)wanted, (unsigned long long)gk_bench_journal_done(ret_journal), path);
    if (!gk_bench_series_read(series, name, ret_journal, (unsigned)options->numbers[WORKERS])) {
        gk_bench_journal_close(ret_journal);
        return false;
    }
    return true;
}

static bool measure_reliability(const struct options *options)
{
    const struct gk_bench_series series = {GK_BENCH_CARDS, options->numbers[SEED], 0, options->second_frame};
    struct gk_bench_journal journal;

    if (!read_series(options, &series, "cards", options->numbers[CARDS], &journal)) {
        return false;
    }
    gk_bench_reliability_print(&series, &journal);
    gk_bench_journal_close(&journal);
    return true;
}

/* Deposits or strips; adds to `*wrong` how many were accepted wrongly. */
static bool measure_deposits(const struct options *options, enum gk_bench_series_kind kind, const char *name,
                             uint64_t count, uint64_t *wrong)
{
    const struct gk_bench_series series = {kind, options->numbers[SEED], options->numbers[ROWS],
                                           options->second_frame && kind == GK_BENCH_DEPOSITS};
    struct gk_bench_journal journal;
    struct gk_bench_list lists[GK_BENCH_ISSUERS];
    struct gk_bench_listing listing;
    char path[4096];

    /* Read first: the readers are forked, and a fork of an open store is none. */
    if (!read_series(options, &series, name, count, &journal)) {
        return false;
    }
    (void)snprintf(path, sizeof path, "%s/registry-%llu", options->state,
                   (unsigned long long)options->numbers[ROWS]);
    gk_bench_reliability_print(&series, &journal);
    gk_bench_issuer_lists(options->numbers[ROWS], lists);
    bool good = gk_bench_listing_open(path, lists, GK_BENCH_ISSUERS, &listing);

    if (good) {
        good = gk_bench_deposits_print(&series, &journal, &listing, wrong);
        gk_bench_listing_close(&listing);
    }
    gk_bench_journal_close(&journal);
    return good;
}

int main(int argc, char **argv)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .numbers = {240, 160, 400, 200000, 1, processors > 0 ? (uint64_t)processors : 1},
        .state = GUIKA_SOURCE_DIR "/build/bench-calibration"};
    uint64_t wrong = 0;

    if (!parse(argc, argv, &options)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if (mkdir(options.state, 0777) != 0 && errno != EEXIST) {
        (void)fprintf(stderr, "calibration: %s: %s\n", options.state, strerror(errno));
        return 2;
    }
    if ((options.numbers[CARDS] > 0 && !measure_reliability(&options)) ||
        (options.numbers[DEPOSITS] > 0 &&
         !measure_deposits(&options, GK_BENCH_DEPOSITS, "deposits", options.numbers[DEPOSITS], &wrong)) ||
        (options.numbers[STRIPS] > 0 &&
         !measure_deposits(&options, GK_BENCH_STRIPS, "strips", options.numbers[STRIPS], &wrong))) {
        return 2;
    }
    if (wrong > 0) {
        (void)printf("accepted wrongly: %llu\n", (unsigned long long)wrong);
    }
    return wrong > 0 ? 1 : 0;
}
