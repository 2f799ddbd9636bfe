/*
 * Which of the shelf's cards are read, and how well? Cards of every issuer, tilted and worn, all registered,
 * each with a registered neighbour a digit away, are found: the mint draws them after the plugins'
 * descriptors, the reader reads them, and the match decides as in the service. Where the first frame is not
 * accepted, the box is asked for a second one of the same face, in other light and a little off, as the
 * service asks. There is no peer: the measure is the truth.
 *
 * A run that was stopped goes on where it was. The exit status is 1 where a card was accepted wrongly.
 */
#include "bench/common.h"
#include "bench/decide.h"
#include "bench/shelf_cards.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: shelf [--cards N] [--seed S] [--workers N] [--state FOLDER] [--anew] [--pictures FOLDER]\n"
    "  --cards N          minted cards, each issuer in turn (default 500, at most 1000000)\n"
    "  --seed S           start of chance (default 1)\n"
    "  --workers N        reading processes (default: as many as there are processors)\n"
    "  --state FOLDER     what was read and the registry (default: build/bench-shelf)\n"
    "  --anew             forget what was read\n"
    "  --pictures FOLDER  write what was not accepted there, named by issuer and index\n";

enum { CARDS, SEED, WORKERS, NUMBERS };
enum { JPEG_QUALITY = 88, REASONS = guika_v1_Reason_REASON_SEVERAL_CARDS + 1 };

struct options {
    uint64_t numbers[NUMBERS];
    const char *state, *pictures;
    bool anew;
};

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"cards", required_argument, NULL, CARDS},
                                          {"seed", required_argument, NULL, SEED},
                                          {"workers", required_argument, NULL, WORKERS},
                                          {"state", required_argument, NULL, 's'},
                                          {"pictures", required_argument, NULL, 'p'},
                                          {"anew", no_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    static const uint64_t most[NUMBERS] = {1000000, UINT64_MAX, 256};
    int which;

    while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (which == 's') {
            options->state = optarg;
        } else if (which == 'p') {
            options->pictures = optarg;
        } else if (which == 'a') {
            options->anew = true;
        } else if (which >= NUMBERS ||
                   !gk_bench_parse_number(optarg, most[which], &options->numbers[which])) {
            return false;
        }
    }
    return optind == argc && options->numbers[WORKERS] > 0 && options->numbers[CARDS] > 0;
}

/* ---- reading: one journal of first frames, one of both frames, both by the card's index ---- */

static uint8_t *draw(const struct gk_bench_shelf *shelf, uint64_t card_index, unsigned frame,
                     size_t *ret_size)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;

    if (!gk_bench_shelf_card(shelf, card_index, &card)) {
        return NULL;
    }
    gk_bench_shelf_scene(shelf, card_index, frame, &card, &scene);
    if (gk_mint_draw(&card, &scene, &picture) != 0) {
        return NULL;
    }
    uint8_t *jpeg = gk_mint_jpeg(&picture, JPEG_QUALITY, ret_size);

    gk_mint_picture_clear(&picture);
    return jpeg;
}

/* What a reading process is to do. */
struct task {
    const struct gk_bench_shelf *shelf;
    unsigned frames;
};

static bool read_frames(const void *context, struct gk_recogniser *recogniser, uint64_t index,
                        guika_v1_internal_CompleteRecognitionRequest *ret_result)
{
    const struct task *task = context;
    guika_v1_Frame frames[GK_BENCH_FRAMES] = {{.picture = {NULL, 0}}};
    uint8_t *jpegs[GK_BENCH_FRAMES] = {NULL};
    bool good = true;

    for (unsigned i = 0; i < task->frames && good; i++) {
        size_t size = 0;

        jpegs[i] = draw(task->shelf, index, i, &size);
        good = jpegs[i] != NULL;
        frames[i].picture = (struct gk_bytes){jpegs[i], size};
    }
    if (good) {
        gk_recogniser_read(recogniser, frames, task->frames, ret_result);
    }
    for (unsigned i = 0; i < task->frames; i++) {
        free(jpegs[i]);
    }
    return good;
}

/* ---- the table ---- */

struct row {
    uint64_t cards, first, right, right_at_once, wrong;
    uint64_t reasons[REASONS];
};

struct tally {
    const struct gk_bench_shelf *shelf;
    struct gk_registry *registry;
    struct gk_bench_record *records[GK_BENCH_FRAMES]; /* by the card's index; with one frame, with both */
    struct row rows[GK_BENCH_SHELF_MOST];             /* by entry */
    const char *pictures;
};

static void note_record(void *context, const struct gk_bench_record *record)
{
    struct gk_bench_record *records = context;

    records[record->index] = *record;
}

static bool is_right(const struct gk_bench_record *record, size_t candidate, const char *number,
                     const char *scheme)
{
    return candidate < record->count && strcmp(record->candidates[candidate].number, number) == 0 &&
           strncmp(record->candidates[candidate].scheme, scheme, GK_BENCH_CANDIDATE_SCHEME_SIZE - 1) == 0;
}

static void write_picture(const struct tally *tally, uint64_t card, const char *name)
{
    char path[4096];
    size_t size = 0;
    uint8_t *jpeg = draw(tally->shelf, card, 0, &size);

    (void)snprintf(path, sizeof path, "%s/%s-%llu.jpg", tally->pictures, name, (unsigned long long)card);
    FILE *file = jpeg == NULL ? NULL : fopen(path, "wb");
    if (file != NULL) {
        (void)fwrite(jpeg, 1, size, file);
        (void)fclose(file);
    }
    free(jpeg);
}

/* As the service does: a second frame where the first is not accepted. */
static bool judge(struct tally *tally, uint64_t index, struct row *row, const char *name, const char *scheme,
                  struct gk_error *error)
{
    struct gk_mint_card card;
    struct gk_match match;
    unsigned frames = 0;

    if (!gk_bench_shelf_card(tally->shelf, index, &card)) {
        return false;
    }
    do {
        if (gk_bench_decide(tally->registry, &tally->records[frames][index], &match, error) != GK_OK) {
            return false;
        }
    } while (!match.accepted && ++frames < GK_BENCH_FRAMES);
    const struct gk_bench_record *record = &tally->records[match.accepted ? frames : frames - 1][index];
    const bool right = is_right(record, match.candidate, card.number, scheme);

    row->cards++;
    row->first += is_right(record, 0, card.number, scheme);
    row->right += match.accepted && right;
    row->right_at_once += match.accepted && right && frames == 0;
    row->wrong += match.accepted && !right;
    if (!match.accepted) {
        row->reasons[match.reason]++;
    }
    if (tally->pictures != NULL && !(match.accepted && right)) {
        write_picture(tally, index, name);
    }
    return true;
}

static void add(struct row *sum, const struct row *row)
{
    sum->cards += row->cards;
    sum->first += row->first;
    sum->right += row->right;
    sum->right_at_once += row->right_at_once;
    sum->wrong += row->wrong;
    for (int i = 0; i < REASONS; i++) {
        sum->reasons[i] += row->reasons[i];
    }
}

static void print_row(const char *name, const struct row *row)
{
    static const char *const words[REASONS] = {[guika_v1_Reason_REASON_NOT_A_CARD] = "not a card",
                                               [guika_v1_Reason_REASON_UNREADABLE] = "unreadable",
                                               [guika_v1_Reason_REASON_GLARE] = "glare",
                                               [guika_v1_Reason_REASON_UNKNOWN_ISSUER] = "unknown issuer",
                                               [guika_v1_Reason_REASON_CHECK_FAILED] = "check failed",
                                               [guika_v1_Reason_REASON_AMBIGUOUS] = "ambiguous",
                                               [guika_v1_Reason_REASON_UNREGISTERED] = "unregistered",
                                               [guika_v1_Reason_REASON_CANCELLED] = "cancelled",
                                               [guika_v1_Reason_REASON_SEVERAL_CARDS] = "several cards"};
    const double share = row->cards > 0 ? 100 * (double)row->right / (double)row->cards : 0;

    (void)printf("%-16s %7llu %7llu %7llu %6.1f%% %9llu %6llu  ", name, (unsigned long long)row->cards,
                 (unsigned long long)row->first, (unsigned long long)row->right, share,
                 (unsigned long long)row->right_at_once, (unsigned long long)row->wrong);
    for (int i = 0; i < REASONS; i++) {
        if (row->reasons[i] > 0) {
            (void)printf(" %llu %s", (unsigned long long)row->reasons[i],
                         words[i] != NULL ? words[i] : "without a reason");
        }
    }
    (void)printf("\n");
}

static void print_table(const struct tally *tally)
{
    struct row sum = {.cards = 0};

    (void)printf("%-16s %7s %7s %7s %7s %9s %6s   %s\n", "issuer", "cards", "first", "right", "", "one frame",
                 "wrong", "difficult");
    for (size_t i = 0; i < tally->shelf->entry_count; i++) {
        print_row(tally->shelf->entries[i].name, &tally->rows[i]);
        add(&sum, &tally->rows[i]);
    }
    print_row("all", &sum);
}

/* Returns how many were accepted wrongly; UINT64_MAX, after saying why, where the registry cannot be read. */
static uint64_t tabulate(struct tally *tally)
{
    const struct gk_bench_shelf *shelf = tally->shelf;
    struct gk_error error = {.status = GK_OK};
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < shelf->cards; i++) {
        const size_t at = gk_bench_shelf_entry_of(shelf, i);
        const struct gk_bench_shelf_entry *entry = &shelf->entries[at];

        if (!judge(tally, i, &tally->rows[at], entry->name, entry->issuer->scheme, &error)) {
            (void)fprintf(stderr, "shelf: registry: %s\n", error.message);
            return UINT64_MAX;
        }
    }
    for (size_t i = 0; i < shelf->entry_count; i++) {
        wrong += tally->rows[i].wrong;
    }
    print_table(tally);
    return wrong;
}

/* ---- all of it ---- */

/* Reads with so many frames what is not skipped, and leaves the records by index. */
static bool read_cards(const struct options *options, const struct gk_bench_shelf *shelf, unsigned frames,
                       const bool *skipped, struct gk_bench_record *ret_records)
{
    const struct task task = {shelf, frames};
    struct gk_bench_journal journal;
    char path[4096], name[32];

    (void)snprintf(path, sizeof path, "%s/%016llx-%llu-%u.journal", options->state,
                   (unsigned long long)(gk_bench_build_sum() ^ shelf->sum), (unsigned long long)shelf->seed,
                   frames);
    (void)snprintf(name, sizeof name, "%s", frames == 1 ? "first frames" : "both frames");
    if (options->anew) {
        (void)unlink(path);
    }
    if (!gk_bench_journal_open(path, shelf->cards, &journal)) {
        return false;
    }
    for (uint64_t i = 0; i < shelf->cards && skipped != NULL; i++) {
        journal.done[i] = journal.done[i] || skipped[i];
    }
    (void)printf("%s: %llu of %llu cards are to be read (%s)\n", name,
                 (unsigned long long)(shelf->cards - gk_bench_journal_done(&journal)),
                 (unsigned long long)shelf->cards, path);
    const bool good =
        gk_bench_read_all(read_frames, &task, name, &journal, (unsigned)options->numbers[WORKERS]);

    if (good) {
        gk_bench_journal_visit(&journal, note_record, ret_records);
    }
    gk_bench_journal_close(&journal);
    return good;
}

static bool open_registry(const struct options *options, const struct gk_bench_shelf *shelf,
                          struct gk_bench_listing *ret_listing)
{
    struct gk_bench_list lists[GK_BENCH_SHELF_MOST];
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/registry-%016llx-%llu-%llu", options->state,
                   (unsigned long long)shelf->sum, (unsigned long long)shelf->seed,
                   (unsigned long long)shelf->cards);
    return gk_bench_listing_open(path, lists, gk_bench_shelf_lists(shelf, lists), ret_listing);
}

/* Which cards the first frame settles. The registry is closed again, for the readers are forked, and a fork
 * of an open store is none. */
static bool find_settled(const struct options *options, const struct tally *tally, bool *ret_settled)
{
    struct gk_bench_listing listing;
    struct gk_error error = {.status = GK_OK};
    struct gk_match match;

    if (!open_registry(options, tally->shelf, &listing)) {
        return false;
    }
    for (uint64_t i = 0; i < tally->shelf->cards && error.status == GK_OK; i++) {
        (void)gk_bench_decide(listing.registry, &tally->records[0][i], &match, &error);
        ret_settled[i] = match.accepted;
    }
    gk_bench_listing_close(&listing);
    if (error.status != GK_OK) {
        (void)fprintf(stderr, "shelf: registry: %s\n", error.message);
    }
    return error.status == GK_OK;
}

/* Returns the exit status. */
static int measure(const struct options *options, struct tally *tally, bool *settled)
{
    struct gk_bench_listing listing;

    if (!read_cards(options, tally->shelf, 1, NULL, tally->records[0]) ||
        !find_settled(options, tally, settled) ||
        !read_cards(options, tally->shelf, 2, settled, tally->records[1]) ||
        !open_registry(options, tally->shelf, &listing)) {
        return 2;
    }
    tally->registry = listing.registry;
    (void)printf("registry: %llu cards\n", (unsigned long long)gk_registry_cards(listing.registry));
    const uint64_t wrong = tabulate(tally);

    gk_bench_listing_close(&listing);
    return wrong == 0 ? 0 : wrong == UINT64_MAX ? 2 : 1;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

int main(int argc, char **argv)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {.numbers = {500, 1, processors > 0 ? (uint64_t)processors : 1},
                              .state = GUIKA_SOURCE_DIR "/build/bench-shelf"};
    struct gk_bench_shelf shelf;

    if (!parse(argc, argv, &options)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    if ((mkdir(options.state, 0777) != 0 && errno != EEXIST) ||
        (options.pictures != NULL && mkdir(options.pictures, 0777) != 0 && errno != EEXIST)) {
        (void)fprintf(stderr, "shelf: %s: %s\n", options.state, strerror(errno));
        return 2;
    }
    if (!gk_bench_shelf_open(options.numbers[SEED], options.numbers[CARDS], &shelf)) {
        return 2;
    }
    struct tally *tally = allocate(1, sizeof *tally);
    bool *settled = allocate(shelf.cards, sizeof *settled);

    tally->shelf = &shelf;
    tally->pictures = options.pictures;
    for (int i = 0; i < GK_BENCH_FRAMES; i++) {
        tally->records[i] = allocate(shelf.cards, sizeof *tally->records[i]);
    }
    const int status = measure(&options, tally, settled);

    for (int i = 0; i < GK_BENCH_FRAMES; i++) {
        free(tally->records[i]);
    }
    free(settled);
    free(tally);
    gk_bench_shelf_close(&shelf);
    return status;
}
