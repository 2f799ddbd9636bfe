#include "bench/series.h"

#include "bench/common.h"
#include "bench/issuers.h"
#include "tests/mint/strip.h"

#include <stdlib.h>
#include <string.h>

enum { JPEG_QUALITY = 88 };

static uint64_t seed_of(const struct gk_bench_series *series, uint64_t index)
{
    return gk_bench_seed(series->seed * 4 + series->kind, index);
}

size_t gk_bench_series_issuer(uint64_t index)
{
    return (size_t)(index / 2 % GK_BENCH_ISSUERS);
}

bool gk_bench_series_registered(uint64_t index)
{
    return index % 2 == 0;
}

static void choose_layout(struct gk_mint_card *card, uint64_t index)
{
    if (card->kind == GK_MINT_PAYMENT && card->print == GK_MINT_FLAT) {
        card->layout = (enum gk_mint_layout)(index / 7 % 4);
    } else if (card->kind == GK_MINT_PAYMENT && index / 7 % 4 == 0) {
        card->layout = GK_MINT_LOW;
    }
}

void gk_bench_series_card(const struct gk_bench_series *series, uint64_t index, struct gk_mint_card *ret_card)
{
    static const enum gk_mint_kind kinds[] = {
        GK_MINT_PAYMENT, GK_MINT_TRANSIT, GK_MINT_PAYMENT, GK_MINT_ID,      GK_MINT_PAYMENT, GK_MINT_CAMPUS,
        GK_MINT_PAYMENT, GK_MINT_PARKING, GK_MINT_PAYMENT, GK_MINT_TRANSIT, GK_MINT_PAYMENT, GK_MINT_ID,
        GK_MINT_PAYMENT, GK_MINT_RECEIPT, GK_MINT_PAYMENT, GK_MINT_NOTHING};

    if (series->kind == GK_BENCH_CARDS) {
        gk_mint_card_random(kinds[index % (sizeof kinds / sizeof kinds[0])], NULL, seed_of(series, index),
                            ret_card);
    } else {
        const struct gk_bench_issuer *issuer = gk_bench_issuer(gk_bench_series_issuer(index));
        char number[GK_BENCH_NUMBER_SIZE];

        gk_bench_issuer_found(gk_bench_series_issuer(index), series->all_rows, index,
                              gk_bench_series_registered(index), number);
        gk_mint_card_random(issuer->mint_kind, issuer->brand, seed_of(series, index), ret_card);
        (void)gk_mint_card_set_number(ret_card, number);
    }
    if (series->kind == GK_BENCH_STRIPS) {
        ret_card->layout = GK_MINT_LINE;
    } else {
        choose_layout(ret_card, index);
    }
}

/* The picture as a JPEG, under the left lamp or the right one; NULL where it cannot be drawn. Freed with
 * free.
 */
static uint8_t *draw(const struct gk_bench_series *series, uint64_t index, bool opposite, size_t *ret_size)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene, other;
    struct gk_mint_picture picture;

    /* All difficulties alike; with it grow rotation, tilt, glare, blur and noise (tests/mint/mint.h). */
    const double difficulty = (double)(index * UINT64_C(2654435761) % 1009) / 1008;

    gk_bench_series_card(series, index, &card);
    gk_mint_scene_random(difficulty, seed_of(series, index), &scene);
    gk_mint_scene_fit(&card, &scene);
    scene.lamp = GK_MINT_LAMP_LEFT;
    gk_mint_scene_opposite_lamp(&scene, &other);
    if (gk_mint_draw(&card, opposite ? &other : &scene, &picture) != 0) {
        return NULL;
    }
    uint8_t *jpeg = gk_mint_jpeg(&picture, JPEG_QUALITY, ret_size);

    if (jpeg == NULL) {
        abort();
    }
    gk_mint_picture_clear(&picture);
    return jpeg;
}

static bool read_picture(const struct gk_bench_series *series, struct gk_recogniser *recogniser,
                         uint64_t index, guika_v1_internal_CompleteRecognitionRequest *ret_result)
{
    static const guika_v1_Lamp lamps[] = {guika_v1_Lamp_LAMP_LEFT, guika_v1_Lamp_LAMP_RIGHT};
    guika_v1_Frame frames[2];
    const size_t most = series->second_frame ? 2 : 1;
    uint8_t *jpegs[2] = {NULL, NULL};
    size_t count = 0;

    do {
        size_t size = 0;

        jpegs[count] = draw(series, index, count == 1, &size);
        if (jpegs[count] == NULL) {
            break;
        }
        frames[count] = (guika_v1_Frame){
            .picture = {jpegs[count], size},
            .lamp = series->second_frame ? lamps[count] : guika_v1_Lamp_LAMP_UNSPECIFIED,
        };
        count++;
        gk_recogniser_read(recogniser, frames, count, ret_result);
    } while (count < most && ret_result->another_frame_may_help);
    free(jpegs[0]);
    free(jpegs[1]);
    return count > 0;
}

static bool read_strip(const struct gk_bench_series *series, struct gk_recogniser *recogniser, uint64_t index,
                       guika_v1_internal_CompleteRecognitionRequest *ret_result)
{
    struct gk_mint_card card;
    struct gk_mint_line line;

    gk_bench_series_card(series, index, &card);
    if (gk_mint_strip_number(card.number, card.grouping, card.print == GK_MINT_EMBOSSED,
                             seed_of(series, index), &line) != 0) {
        return false;
    }
    const struct gk_image strip = {line.width_px, GK_MINT_STRIP_HEIGHT_PX, line.grey, NULL};

    gk_recogniser_read_strip(recogniser, &strip, ret_result);
    free(line.grey);
    return true;
}

static bool read_one(const void *context, struct gk_recogniser *recogniser, uint64_t index,
                     guika_v1_internal_CompleteRecognitionRequest *ret_result)
{
    const struct gk_bench_series *series = context;

    return (series->kind == GK_BENCH_STRIPS ? read_strip : read_picture)(series, recogniser, index,
                                                                         ret_result);
}

bool gk_bench_series_read(const struct gk_bench_series *series, const char *name,
                          const struct gk_bench_journal *journal, unsigned workers)
{
    return gk_bench_read_all(read_one, series, name, journal, workers);
}
