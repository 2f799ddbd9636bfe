#include "core/recognition/network_rounding.h"

#include <assert.h>
#include <immintrin.h>
#include <string.h>

/* 32 floats, the first lowest. */
static void round_vector(const float *from, uint16_t *to)
{
    const __m512bh rounded = _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + 16), _mm512_loadu_ps(from));

    memcpy(to, &rounded, sizeof rounded);
}

/* --- weights --- */

static int vectors_of(int channels)
{
    return (channels + GK_ROUNDED_CHANNELS - 1) / GK_ROUNDED_CHANNELS;
}

static size_t chunk_floats(const struct gk_rounded_order *order)
{
    return order->chunk / 2 * GK_ROUNDED_CHANNELS;
}

size_t gk_rounded_pack_floats(const struct gk_rounded_order *order, const struct gk_filter *filter)
{
    const size_t chunks = (gk_run_of(filter) + order->chunk - 1) / order->chunk;

    return (size_t)vectors_of(filter->output_channels) *
           (GK_ROUNDED_CHANNELS + (size_t)filter->height * chunks * chunk_floats(order));
}

/* The weights of one chunk for the channels from `first` on. `used` is how many numbers of the run there are.
 */
static void pack_chunk(const struct gk_rounded_order *order, const float *weights, size_t used, int channels,
                       int first, uint16_t *to)
{
    for (size_t pair = 0; pair < order->chunk / 2; pair++, to += GK_ROUNDED_CHUNK) {
        float both[GK_ROUNDED_CHUNK] = {0};
        for (int channel = 0; channel < GK_ROUNDED_CHANNELS && first + channel < channels; channel++) {
            for (size_t i = 0; i < 2; i++) {
                const size_t number = 2 * pair + i;
                both[2 * (size_t)channel + i] =
                    number < used ? weights[number * (size_t)channels + (size_t)(first + channel)] : 0;
            }
        }
        round_vector(both, to);
    }
}

void gk_rounded_pack(const struct gk_rounded_order *order, const struct gk_filter *filter,
                     const float *weights, const float *bias)
{
    const int channels = filter->output_channels, vectors = vectors_of(channels);
    const size_t run = gk_run_of(filter);
    float *packed = filter->packed;

    for (int done = 0, group; done < vectors; done += group) {
        group = order->next_group(vectors - done);
        for (int i = 0; i < group * GK_ROUNDED_CHANNELS; i++) {
            const int channel = done * GK_ROUNDED_CHANNELS + i;
            *packed++ = channel < channels ? bias[channel] : 0;
        }
        for (int row = 0; row < filter->height; row++) {
            for (size_t at = 0; at < run; at += order->chunk) {
                const float *from = weights + ((size_t)row * run + at) * (size_t)channels;
                for (int i = 0; i < group; i++, packed += chunk_floats(order)) {
                    pack_chunk(order, from, run - at, channels, (done + i) * GK_ROUNDED_CHANNELS,
                               (uint16_t *)(void *)packed);
                }
            }
        }
    }
}

/* --- the ring of rounded rows --- */

static size_t row_size(const struct gk_filter *filter, int input_width)
{
    const size_t row = (size_t)input_width * (size_t)filter->input_channels;
    const size_t reach = (GK_ROUNDED_OUTPUTS - 1) * gk_step_of(filter) + gk_run_of(filter);

    return ((row > reach ? row : reach) + 2 * GK_ROUNDED_CHUNK - 1) / GK_ROUNDED_CHUNK * GK_ROUNDED_CHUNK;
}

size_t gk_rounded_rows_floats(const struct gk_filter *filter, int input_width)
{
    return (size_t)filter->height * row_size(filter, input_width) / 2;
}

/* `size` numbers of the ring from `count` of the input and zeros. */
static void round_row(const float *from, size_t count, uint16_t *to, size_t size)
{
    float rest[GK_ROUNDED_CHUNK] = {0};
    size_t i = 0;

    for (; i + GK_ROUNDED_CHUNK <= count; i += GK_ROUNDED_CHUNK) {
        round_vector(from + i, to + i);
    }
    memcpy(rest, from + i, (count - i) * sizeof *rest);
    round_vector(rest, to + i);
    memset(to + i + GK_ROUNDED_CHUNK, 0, (size - i - GK_ROUNDED_CHUNK) * sizeof *to);
}

void gk_rounded_rows_begin(struct gk_rounded_rows *rows, const struct gk_filter *filter,
                           const struct gk_view *input, uint16_t *ring)
{
    assert(filter->height <= GK_NETWORK_KERNEL_MOST);
    rows->filter = filter;
    rows->input = input;
    rows->ring = ring;
    rows->size = row_size(filter, input->width);
    rows->rounded = 0;
}

void gk_rounded_rows_move(struct gk_rounded_rows *rows, int y)
{
    const int height = rows->filter->height, first = y * rows->filter->stride_y;
    const struct gk_view *input = rows->input;

    assert(first + height <= input->height);
    for (rows->rounded = rows->rounded > first ? rows->rounded : first; rows->rounded < first + height;
         rows->rounded++) {
        round_row(input->values + (size_t)rows->rounded * input->row,
                  (size_t)input->width * (size_t)input->channels,
                  rows->ring + (size_t)(rows->rounded % height) * rows->size, rows->size);
    }
    for (int i = 0; i < height; i++) {
        rows->rows[i] = rows->ring + (size_t)((first + i) % height) * rows->size;
    }
}
