#include "bench/shelf_cards.h"

#include "bench/common.h"
#include "core/recognition/descriptor.h"
#include "tests/mint/issued.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A campus numbers its students in a row: here those of four years, 5,000 each. */
#define CAMPUS_SCHEME "guihai-campus"
enum { CAMPUS_FIRST_YEAR = 2021, CAMPUS_YEARS = 4, CAMPUS_PER_YEAR = 5000, TRIES = 400 };
static const uint64_t CAMPUS_CARDS = (uint64_t)CAMPUS_YEARS * CAMPUS_PER_YEAR;

/* Tilted and worn: of the mint's difficulty, which is 0 for a card in the light of a studio. */
static const double LEAST_DIFFICULTY = 0.1, MOST_DIFFICULTY = 0.5;

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    (void)context;
    (void)fprintf(stderr, "shelf: %s: %s\n", path, error->message);
}

static void add_entry(struct gk_bench_shelf *shelf, const char *name, const struct guika_issuer *issuer,
                      size_t first_rule, size_t rule_count)
{
    if (shelf->entry_count < GK_BENCH_SHELF_MOST) {
        shelf->entries[shelf->entry_count++] =
            (struct gk_bench_shelf_entry){name, issuer, first_rule, rule_count};
    }
}

/* A plugin of many brands has a row for each. */
static void add_entries(struct gk_bench_shelf *shelf, const struct guika_issuer *issuer)
{
    if (strcmp(issuer->id, "iso7812") != 0) {
        add_entry(shelf, issuer->id, issuer, 0, issuer->rule_count);
        return;
    }
    for (size_t i = 0; i < issuer->rule_count; i++) {
        add_entry(shelf, issuer->rules[i].brand, issuer, i, 1);
    }
}

bool gk_bench_shelf_open(uint64_t seed, uint64_t cards, struct gk_bench_shelf *ret_shelf)
{
    struct gk_bench_shelf shelf = {.seed = seed, .cards = cards};
    struct gk_error error = {.status = GK_OK};

    if (gk_plugin_open_all(GUIKA_BINARY_DIR "/lib/guika/issuers", gk_descriptor_kind(), on_refused, NULL,
                           &shelf.plugins, &shelf.plugin_count, &error) != GK_OK) {
        (void)fprintf(stderr, "shelf: %s\n", error.message);
        return false;
    }
    for (size_t i = 0; i < shelf.plugin_count; i++) {
        const struct guika_issuer *issuer =
            (const struct guika_issuer *)(const void *)gk_plugin_head(shelf.plugins[i]);
        char path[4096];

        add_entries(&shelf, issuer);
        (void)snprintf(path, sizeof path, GUIKA_BINARY_DIR "/lib/guika/issuers/%s.so", issuer->id);
        shelf.sum = gk_bench_file_sum(shelf.sum, path);
    }
    *ret_shelf = shelf;
    return true;
}

void gk_bench_shelf_close(struct gk_bench_shelf *shelf)
{
    for (size_t i = 0; i < shelf->plugin_count; i++) {
        gk_plugin_close(shelf->plugins[i]);
    }
    free(shelf->plugins);
}

size_t gk_bench_shelf_entry_of(const struct gk_bench_shelf *shelf, uint64_t index)
{
    return (size_t)(index % shelf->entry_count);
}

bool gk_bench_shelf_card(const struct gk_bench_shelf *shelf, uint64_t index, struct gk_mint_card *ret_card)
{
    const struct gk_bench_shelf_entry *entry = &shelf->entries[gk_bench_shelf_entry_of(shelf, index)];
    const uint64_t seed = gk_bench_seed(shelf->seed, index);
    /* An issuer's first rule is its likeliest. */
    const size_t turn = (size_t)(index / shelf->entry_count % (entry->rule_count + 2));
    const size_t rule = entry->first_rule + (turn < entry->rule_count ? turn : 0);

    if (!gk_mint_issue_card(entry->issuer, rule, seed, ret_card)) {
        (void)fprintf(stderr, "shelf: %s: its rules let no number pass\n", entry->name);
        return false;
    }
    if (strcmp(entry->issuer->scheme, CAMPUS_SCHEME) == 0) {
        const uint64_t student = seed % CAMPUS_CARDS;

        (void)snprintf(ret_card->number, sizeof ret_card->number, "%u%06u",
                       (unsigned)(CAMPUS_FIRST_YEAR + student / CAMPUS_PER_YEAR),
                       (unsigned)(student % CAMPUS_PER_YEAR));
    }
    return true;
}

void gk_bench_shelf_scene(const struct gk_bench_shelf *shelf, uint64_t index, unsigned frame,
                          const struct gk_mint_card *card, struct gk_mint_scene *ret_scene)
{
    const uint64_t seed = gk_bench_seed(shelf->seed ^ UINT64_C(0x5ce7e), index);
    const double share = (double)(index * UINT64_C(2654435761) % 1009) / 1008;
    const double difficulty = LEAST_DIFFICULTY + share * (MOST_DIFFICULTY - LEAST_DIFFICULTY);
    struct gk_mint_scene scene;

    gk_mint_scene_random(difficulty, seed, &scene);
    scene.rotation_degrees = (double)(seed % 3600) / 10;
    if (frame > 0) {
        const struct gk_mint_scene before = scene;

        gk_mint_scene_random(difficulty, seed + frame, &scene);
        scene.card_width_share = before.card_width_share;
        scene.centre_x = before.centre_x;
        scene.centre_y = before.centre_y;
        scene.rotation_degrees = before.rotation_degrees + 1;
        scene.tilt_x_degrees = before.tilt_x_degrees + 2;
        scene.tilt_y_degrees = before.tilt_y_degrees - 2;
        scene.background = before.background;
    }
    gk_mint_scene_fit(card, &scene);
    *ret_scene = scene;
}

/* ---- the registry's lists ---- */

static bool is_valid(const struct guika_issuer *issuer, const char *number)
{
    struct gk_judgement judgement;

    return gk_rules_judge(issuer, number, &judgement) == GK_FIT_VALID && judgement.check_passes;
}

/* Makes the number another one of the issuer: one digit differs, and the last one where it is a check digit.
 */
static bool make_neighbour(const struct guika_issuer *issuer, uint64_t chance, char *number)
{
    const size_t length = strlen(number);

    for (uint64_t i = 0; i < TRIES; i++) {
        char other[GK_BENCH_NUMBER_SIZE];
        const size_t at = (size_t)((chance + i) % (length - 1));

        (void)snprintf(other, sizeof other, "%s", number);
        other[at] = (char)('0' + (chance / 64 + i / (length - 1)) % 10);
        for (char last = '0'; last <= '9' && other[at] != number[at]; last++) {
            other[length - 1] = last;
            if (is_valid(issuer, other)) {
                memcpy(number, other, length);
                return true;
            }
        }
    }
    return false;
}

static bool campus_row(uint64_t row, char ret_number[GK_BENCH_NUMBER_SIZE])
{
    (void)snprintf(ret_number, GK_BENCH_NUMBER_SIZE, "%u%06u",
                   (unsigned)(CAMPUS_FIRST_YEAR + row / CAMPUS_PER_YEAR), (unsigned)(row % CAMPUS_PER_YEAR));
    return true;
}

/* Row 2 i is card i, row 2 i + 1 its neighbour. */
static bool list_row(const struct gk_bench_list *list, uint64_t row, char ret_number[GK_BENCH_NUMBER_SIZE])
{
    const struct gk_bench_shelf *shelf = list->context;
    const struct guika_issuer *issuer = shelf->entries[gk_bench_shelf_entry_of(shelf, row / 2)].issuer;
    struct gk_mint_card card;

    if (strcmp(list->scheme, CAMPUS_SCHEME) == 0) {
        return campus_row(row, ret_number);
    }
    if (strcmp(issuer->scheme, list->scheme) != 0 || !gk_bench_shelf_card(shelf, row / 2, &card)) {
        return false;
    }
    (void)snprintf(ret_number, GK_BENCH_NUMBER_SIZE, "%s", card.number);
    return row % 2 == 0 || make_neighbour(issuer, gk_bench_seed(shelf->seed, row), ret_number);
}

size_t gk_bench_shelf_lists(const struct gk_bench_shelf *shelf,
                            struct gk_bench_list ret_lists[GK_BENCH_SHELF_MOST])
{
    size_t count = 0;

    for (size_t i = 0; i < shelf->entry_count; i++) {
        const struct guika_issuer *issuer = shelf->entries[i].issuer;
        size_t at = 0;

        while (at < count && strcmp(ret_lists[at].scheme, issuer->scheme) != 0) {
            at++;
        }
        if (at == count) {
            const bool campus = strcmp(issuer->scheme, CAMPUS_SCHEME) == 0;

            ret_lists[count++] = (struct gk_bench_list){.account = issuer->scheme,
                                                        .scheme = issuer->scheme,
                                                        .binding = issuer->scheme,
                                                        .kind = (guika_v1_CardKind)issuer->kind,
                                                        .rows = campus ? CAMPUS_CARDS : 2 * shelf->cards,
                                                        .row = list_row,
                                                        .context = shelf};
        }
    }
    return count;
}
