/*
 * What do two frames under opposite lamps give? Worn embossed cards, half of them with nothing but the card's
 * own colour, are photographed by one fixed camera under a lamp on the left and one on the right, and read
 * three ways: one frame; both frames as two that know nothing of each other; both, and their difference
 * (core/recognition/lamps.h).
 *
 *     lamps [PAIRS [SEED]]
 */
#include "core/recognition/candidates.h"
#include "core/recognition/recogniser.h"
#include "tests/mint/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAIRS = 100, SEED = 1, JPEG_QUALITY = 88, WAYS = 3 };

struct way {
    const char *name;
    int first, accepted, wrong;
};

static void die(const char *what)
{
    fprintf(stderr, "lamps: %s\n", what);
    exit(1);
}

static void photograph(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                       guika_v1_Frame *ret_frame)
{
    struct gk_mint_picture picture;
    size_t size = 0;
    if (gk_mint_draw(card, scene, &picture) != 0) {
        die("cannot draw");
    }
    ret_frame->picture.data = gk_mint_jpeg(&picture, JPEG_QUALITY, &size);
    ret_frame->picture.size = size;
    ret_frame->side = guika_v1_Side_SIDE_FRONT;
    gk_mint_picture_clear(&picture);
    if (ret_frame->picture.data == NULL) {
        die("out of memory");
    }
}

/* A worn card in a box: it lies straight, but its foil is mostly gone. */
static void make_pair(uint64_t seed, struct gk_mint_card *ret_card, guika_v1_Frame frames[2])
{
    struct gk_mint_scene left, right;
    gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, ret_card);
    ret_card->print = GK_MINT_EMBOSSED;
    ret_card->layout = GK_MINT_LINE;
    ret_card->foil = seed % 2 == 0 ? GK_MINT_FOIL_NONE : GK_MINT_FOIL_SILVER;
    ret_card->foil_wear = 0.9;
    gk_mint_scene_random(0.25, seed, &left);
    left.rotation_degrees = 0;
    left.light_degrees = 180;
    left.light_strength = 0.6;
    left.noise += 6;
    left.blur_sigma_px += 0.8;
    left.lamp = GK_MINT_LAMP_LEFT;
    gk_mint_scene_fit(ret_card, &left);
    gk_mint_scene_opposite_lamp(&left, &right);
    photograph(ret_card, &left, &frames[0]);
    photograph(ret_card, &right, &frames[1]);
}

static void read_way(struct gk_recogniser *recogniser, const guika_v1_Frame *frames, size_t count,
                     const char *number, struct way *way)
{
    static guika_v1_internal_CompleteRecognitionRequest result;
    gk_recogniser_read(recogniser, frames, count, &result);
    bool right = result.candidates_count > 0 && strcmp(result.candidates[0].number, number) == 0;
    way->first += right;
    if (result.reason == guika_v1_Reason_REASON_UNSPECIFIED) {
        way->accepted += right;
        way->wrong += !right;
    }
}

int main(int argc, char **argv)
{
    const struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers"};
    struct way ways[WAYS] = {
        {.name = "one frame"}, {.name = "both frames"}, {.name = "both and their difference"}};
    int pairs = argc > 1 ? atoi(argv[1]) : PAIRS;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : SEED;
    struct gk_recogniser *recogniser;
    struct gk_error error;
    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        die(error.message);
    }
    for (int i = 0; i < pairs; i++) {
        struct gk_mint_card card;
        guika_v1_Frame frames[2];
        memset(frames, 0, sizeof frames);
        make_pair(seed * 1000003 + (uint64_t)i, &card, frames);
        read_way(recogniser, frames, 1, card.number, &ways[0]);
        read_way(recogniser, frames, 2, card.number, &ways[1]);
        frames[0].lamp = guika_v1_Lamp_LAMP_LEFT;
        frames[1].lamp = guika_v1_Lamp_LAMP_RIGHT;
        read_way(recogniser, frames, 2, card.number, &ways[2]);
        free((void *)(uintptr_t)frames[0].picture.data);
        free((void *)(uintptr_t)frames[1].picture.data);
    }
    printf("%-28s %6s %10s %9s %6s\n", "worn embossed cards", "pairs", "read first", "accepted", "wrong");
    for (int i = 0; i < WAYS; i++) {
        printf("%-28s %6d %10d %9d %6d\n", ways[i].name, pairs, ways[i].first, ways[i].accepted,
               ways[i].wrong);
    }
    gk_recogniser_close(recogniser);
    return ways[0].wrong + ways[1].wrong + ways[2].wrong > 0;
}
