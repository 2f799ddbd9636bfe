#include "core/recognition/digit_net.h"

#include "core/recognition/model.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Local contrast, as training/digits.py normalises it: a window of 25 x 25 pixels, edges repeated; 0.03 of
 * full scale keeps flat ground flat. */
#define WINDOW_PX 25
#define FLOOR 0.03f

#define PAD_PX (WINDOW_PX / 2)
#define TOGETHER 8 /* rows that are averaged at once; divides ROWS */
#define ROWS GK_DIGIT_STRIP_HEIGHT_PX
#define COLUMNS_MOST GK_DIGIT_STRIP_MOST_WIDTH_PX

struct gk_digit_net {
    struct gk_network *network;
    float grey[ROWS * COLUMNS_MOST];  /* the strip, then the net's input */
    float means[ROWS * COLUMNS_MOST]; /* of the window around each pixel */
    float rows[ROWS * COLUMNS_MOST];  /* of the window's columns alone */
};

enum gk_status gk_digit_net_open(struct gk_digit_net **ret_net, struct gk_error *error)
{
    size_t size = 0;
    const uint8_t *model = gk_model_bytes(&size);
    struct gk_digit_net *net = calloc(1, sizeof *net);
    if (net == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory");
    }
    enum gk_status status = gk_network_load(model, size, "digits", &net->network, error);
    if (status != GK_OK) {
        gk_digit_net_close(net);
        return status;
    }
    *ret_net = net;
    return GK_OK;
}

void gk_digit_net_close(struct gk_digit_net *net)
{
    if (net != NULL) {
        gk_network_free(net->network);
        free(net);
    }
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* Sums over the window's rows, edges repeated. */
static void sum_columns(const float *from, int width, float *ret_sums)
{
    float sums[COLUMNS_MOST] = {0}; /* of the row at hand */
    for (int dy = -PAD_PX; dy <= PAD_PX; dy++) {
        const float *row = from + (size_t)clamp(dy, ROWS - 1) * (size_t)width;
        for (int x = 0; x < width; x++) {
            sums[x] += row[x];
        }
    }
    memcpy(ret_sums, sums, (size_t)width * sizeof *sums);
    for (int y = 1; y < ROWS; y++) {
        const float *enters = from + (size_t)clamp(y + PAD_PX, ROWS - 1) * (size_t)width;
        const float *leaves = from + (size_t)clamp(y - PAD_PX - 1, ROWS - 1) * (size_t)width;
        for (int x = 0; x < width; x++) {
            sums[x] = sums[x] + enters[x] - leaves[x];
        }
        memcpy(ret_sums + (size_t)y * (size_t)width, sums, (size_t)width * sizeof *sums);
    }
}

/* From sums over the window's rows to means. Each sum waits for the one to its left, so that a few rows go
 * together. */
static void average_rows(const float *restrict sums, int width, float *restrict ret_means)
{
    for (int y = 0; y < ROWS; y += TOGETHER) {
        const float *from = sums + (size_t)y * (size_t)width;
        float *to = ret_means + (size_t)y * (size_t)width, total[TOGETHER] = {0};
        for (int dx = -PAD_PX; dx <= PAD_PX; dx++) {
            for (int i = 0; i < TOGETHER; i++) {
                total[i] += from[i * width + clamp(dx, width - 1)];
            }
        }
        for (int x = 0; x < width; x++) {
            const int enters = clamp(x + PAD_PX + 1, width - 1), leaves = clamp(x - PAD_PX, width - 1);
            for (int i = 0; i < TOGETHER; i++) {
                to[i * width + x] = total[i] / (WINDOW_PX * WINDOW_PX);
                total[i] += from[i * width + enters] - from[i * width + leaves];
            }
        }
    }
}

/* Means over the window of each pixel; `from` may be `ret_means`. */
static void window_means(const float *from, int width, float *sums, float *ret_means)
{
    sum_columns(from, width, sums);
    average_rows(sums, width, ret_means);
}

static void normalise(struct gk_digit_net *net, const struct gk_image *strip)
{
    size_t count = (size_t)strip->width_px * ROWS;
    for (size_t i = 0; i < count; i++) {
        net->grey[i] = (float)strip->grey[i] / 255;
    }
    window_means(net->grey, strip->width_px, net->rows, net->means);
    for (size_t i = 0; i < count; i++) {
        net->grey[i] -= net->means[i];
        net->means[i] = net->grey[i] * net->grey[i];
    }
    float *squares = net->means;
    window_means(squares, strip->width_px, net->rows, net->means);
    for (size_t i = 0; i < count; i++) {
        net->grey[i] /= sqrtf(net->means[i] > 0 ? net->means[i] : 0) + FLOOR;
    }
}

static void log_softmax(const float *logits, float *ret_logs)
{
    float most = logits[0], sum = 0;
    for (int i = 1; i < GK_DIGIT_CLASSES; i++) {
        most = fmaxf(most, logits[i]);
    }
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        sum += expf(logits[i] - most);
    }
    float whole = most + logf(sum);
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        ret_logs[i] = logits[i] - whole;
    }
}

bool gk_digit_net_read(struct gk_digit_net *net, const struct gk_image *strip,
                       struct gk_digit_matrix *ret_matrix)
{
    assert(strip->height_px == ROWS && strip->width_px % 4 == 0);
    assert(strip->width_px >= GK_DIGIT_STRIP_LEAST_WIDTH_PX && strip->width_px <= COLUMNS_MOST);
    struct gk_tensor logits;
    normalise(net, strip);
    if (!gk_network_run(net->network, net->grey, ROWS, strip->width_px, &logits)) {
        return false;
    }
    assert(logits.height == 1 && logits.channels == GK_DIGIT_CLASSES &&
           logits.width <= GK_DIGIT_COLUMNS_MOST);
    ret_matrix->columns = logits.width;
    ret_matrix->px_per_column = (double)strip->width_px / logits.width;
    for (int x = 0; x < logits.width; x++) {
        log_softmax(logits.values + (size_t)x * GK_DIGIT_CLASSES, ret_matrix->log_probability[x]);
    }
    return true;
}

int gk_digit_likeliest(const float log_probability[GK_DIGIT_CLASSES])
{
    int best = 0;
    for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
        best = log_probability[class] > log_probability[best] ? class : best;
    }
    return best;
}
