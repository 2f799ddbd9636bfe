#include "bench/series.h"

#include "bench/issuers.h"
#include "core/recognition/recogniser.h"
#include "tests/mint/strip.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JPEG_QUALITY = 88, SYNC_EVERY = 64, SAY_EVERY_S = 30 };

/* Neighbouring pictures get seeds that lie far apart. */
static uint64_t seed_of(const struct gk_bench_series *series, uint64_t index)
{
    return (series->seed * 4 + series->kind) * UINT64_C(0xd1342543de82ef95) +
           index * UINT64_C(0x9e3779b97f4a7c15);
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

static bool read_one(const struct gk_bench_series *series, struct gk_recogniser *recogniser, uint64_t index,
                     const struct gk_bench_journal *journal)
{
    static guika_v1_internal_CompleteRecognitionRequest result; /* large */
    static struct gk_bench_record record;

    if (!(series->kind == GK_BENCH_STRIPS ? read_strip : read_picture)(series, recogniser, index, &result)) {
        (void)fprintf(stderr, "calibration: picture %llu cannot be drawn\n", (unsigned long long)index);
        return false;
    }
    gk_bench_record_fill(&record, index, &result);
    if (!gk_bench_journal_append(journal, &record)) {
        perror("calibration: journal");
        return false;
    }
    return true;
}

/* One process: every `workers`th picture that is not done, from `first` on. */
static int work(const struct gk_bench_series *series, const struct gk_bench_journal *journal, unsigned first,
                unsigned workers)
{
    const struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers"};
    struct gk_recogniser *recogniser = NULL;
    struct gk_error error = {.status = GK_OK};
    uint64_t since_sync = 0;
    bool good = true;

    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        (void)fprintf(stderr, "calibration: %s\n", error.message);
        return 1;
    }
    for (uint64_t i = first; i < journal->wanted && good; i += workers) {
        if (!journal->done[i]) {
            good = read_one(series, recogniser, i, journal);
            if (++since_sync % SYNC_EVERY == 0) {
                gk_bench_journal_sync(journal);
            }
        }
    }
    gk_bench_journal_sync(journal);
    gk_recogniser_close(recogniser);
    return good ? 0 : 1;
}

/* Waits for all of them; true where all ended well. */
static bool wait_for(const char *name, const struct gk_bench_journal *journal, unsigned workers)
{
    bool good = true;

    for (unsigned seconds = 1; workers > 0; seconds++) {
        int status;

        while (workers > 0 && waitpid(-1, &status, WNOHANG) > 0) {
            workers--;
            good = good && status == 0;
        }
        if (workers > 0) {
            if (seconds % SAY_EVERY_S == 0) {
                (void)fprintf(stderr, "%s: %llu of %llu\n", name,
                              (unsigned long long)gk_bench_journal_size(journal),
                              (unsigned long long)journal->wanted);
            }
            (void)sleep(1);
        }
    }
    return good;
}

bool gk_bench_series_read(const struct gk_bench_series *series, const char *name,
                          const struct gk_bench_journal *journal, unsigned workers)
{
    unsigned started = 0;

    if (gk_bench_journal_done(journal) == journal->wanted) {
        return true;
    }
    (void)fflush(NULL);
    for (; started < workers; started++) {
        const pid_t process = fork();

        if (process == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(work(series, journal, started, workers));
        }
        if (process < 0) {
            perror("calibration: fork");
            break;
        }
    }
    return wait_for(name, journal, started) && started == workers;
}
