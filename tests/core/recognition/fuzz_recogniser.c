/*
 * Any bytes in one to three frames are a result in bounded time, never a crash: all that guika-reader does
 * with what a box sends, with the plugins as they were built.
 *
 * First byte: how many frames. Then for each frame: its side, its lamp, a byte of which the lowest bit says
 * that a quadrilateral follows (eight floats as they lie in memory, from the top left corner clockwise), and
 * the length of its picture (four bytes, lowest first); then the picture. The last frame may be cut short.
 */
#include "core/recognition/recogniser.h"
#include "tests/core/recognition/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_MOST 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

/* The next `size` bytes, or as many as there are. */
static struct input take(struct input *input, size_t size)
{
    struct input part = {input->data, size < input->size ? size : input->size};
    input->data += part.size;
    input->size -= part.size;
    return part;
}

static uint8_t take_byte(struct input *input)
{
    struct input byte = take(input, 1);
    return byte.size == 1 ? byte.data[0] : 0;
}

static void take_quadrilateral(struct input *input, guika_v1_Frame *frame)
{
    float at[8] = {0};
    struct input part = take(input, sizeof at);
    memcpy(at, part.data, part.size);
    frame->has_card = true;
    frame->card = (guika_v1_Quadrilateral){.has_top_left = true,
                                           .top_left = {at[0], at[1]},
                                           .has_top_right = true,
                                           .top_right = {at[2], at[3]},
                                           .has_bottom_right = true,
                                           .bottom_right = {at[4], at[5]},
                                           .has_bottom_left = true,
                                           .bottom_left = {at[6], at[7]}};
}

static void take_frame(struct input *input, guika_v1_Frame *ret_frame)
{
    *ret_frame = (guika_v1_Frame){.side = (guika_v1_Side)(take_byte(input) % 3),
                                  .lamp = (guika_v1_Lamp)(take_byte(input) % 6)};
    if (take_byte(input) % 2 == 1) {
        take_quadrilateral(input, ret_frame);
    }
    size_t length = 0;
    for (int shift = 0; shift < 32; shift += 8) {
        length |= (size_t)take_byte(input) << shift;
    }
    struct input picture = take(input, length);
    ret_frame->picture.data = picture.data;
    ret_frame->picture.size = picture.size;
}

static struct gk_recogniser *open_once(void)
{
    static struct gk_recogniser *recogniser; /* a reader's lives as long as its process */
    struct gk_error error;
    const struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers",
                                                  .keep_pictures = true};
    if (recogniser == NULL && gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        (void)fprintf(stderr, "%s\n", error.message);
        abort();
    }
    return recogniser;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    guika_v1_Frame frames[FRAMES_MOST];
    guika_v1_internal_CompleteRecognitionRequest result;
    struct gk_recogniser *recogniser = open_once();
    size_t count = 1 + take_byte(&input) % FRAMES_MOST;
    for (size_t i = 0; i < count; i++) {
        take_frame(&input, &frames[i]);
    }
    double began = lease_cpu_ms();
    gk_recogniser_read(recogniser, frames, count, &result);
    double took = lease_cpu_ms() - began;
    if (took > LEASE_CPU_MS) {
        (void)fprintf(stderr, "%.0f ms of the processor for one deposit\n", took);
        abort();
    }
    return 0;
}
