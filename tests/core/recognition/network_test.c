#include "core/recognition/model.h"
#include "core/recognition/network.h"
#include "core/recognition/network_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* network_cases.py makes both files and says what is in them. */
#define CASES GUIKA_SOURCE_DIR "/tests/core/recognition/network_cases"

enum { NAME_BYTES = 16 };

struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes read_all(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct bytes bytes = {.data = malloc(1 << 20)};

    assert_non_null(file);
    assert_non_null(bytes.data);
    bytes.size = fread(bytes.data, 1, 1 << 20, file);
    (void)fclose(file);
    return bytes;
}

static float *make_input(int height, int width, int channels)
{
    const size_t count = (size_t)height * (size_t)width * (size_t)channels;
    float *input = malloc(count * sizeof *input);

    assert_non_null(input);
    for (size_t i = 0; i < count; i++) {
        input[i] = (float)((37 * i + 11) % 101) / 50.0f - 1.0f;
    }
    return input;
}

static bool run_once(struct gk_network *network, int height, int width, struct gk_tensor *ret_output)
{
    float *input = make_input(height, width, gk_network_input_channels(network));
    const bool ran = gk_network_run(network, input, height, width, ret_output);

    free(input);
    return ran;
}

static struct gk_network *load(const struct gk_kernels *kernels, struct bytes model, const char *name)
{
    struct gk_network *network = NULL;
    struct gk_error error = {0};

    if (gk_network_load_for(kernels, model.data, model.size, name, &network, &error) != GK_OK) {
        fail_msg("%s: %s", name, error.message);
    }
    return network;
}

/* Runs the case that begins at `at` and compares; returns where the next one begins. */
static const uint8_t *check_case(const struct gk_kernels *kernels, struct bytes model, const uint8_t *at)
{
    char name[NAME_BYTES + 1] = {0};
    uint32_t sizes[5];

    memcpy(name, at, NAME_BYTES);
    memcpy(sizes, at + NAME_BYTES, sizeof sizes);
    at += NAME_BYTES + sizeof sizes;
    const size_t count = (size_t)sizes[2] * sizes[3] * sizes[4];
    struct gk_network *network = load(kernels, model, name);
    struct gk_tensor output = {0};
    /* Both factors are rounded, and sums of some hundred products of up to 1 come to about 1. */
    const float error = fmaxf(1e-5f, 8 * kernels->wide->relative_error);

    for (int again = 0; again < 2; again++) { /* the second run finds the arena full of the first */
        assert_true(run_once(network, (int)sizes[0], (int)sizes[1], &output));
        assert_int_equal(output.height, sizes[2]);
        assert_int_equal(output.width, sizes[3]);
        assert_int_equal(output.channels, sizes[4]);
        for (size_t i = 0; i < count; i++) {
            float wanted;

            memcpy(&wanted, at + i * sizeof wanted, sizeof wanted);
            if (!(fabsf(output.values[i] - wanted) <= error * (1 + fabsf(wanted)))) {
                fail_msg("%s, %s: value %zu is %g, not %g", kernels->name, name, i, (double)output.values[i],
                         (double)wanted);
            }
        }
    }
    gk_network_free(network);
    return at + count * sizeof(float);
}

static void test_all_kernels_compute_what_pytorch_does(void **state)
{
    struct bytes model = read_all(CASES ".gkm");
    struct bytes cases = read_all(CASES ".bin");
    const struct gk_kernels *kernels;

    (void)state;
    for (size_t k = 0; (kernels = gk_kernels_available(k)) != NULL; k++) {
        for (const uint8_t *at = cases.data; at < cases.data + cases.size;) {
            at = check_case(kernels, model, at);
        }
    }
    free(model.data);
    free(cases.data);
}

/* --- a convolution of whole numbers: exact in bfloat16, and so are its sums in floats --- */

enum { WEIGHTS_LEAST = -3, WEIGHTS = 7, INPUTS_MOST = 8 };

struct convolution {
    int kernel_height, kernel_width, stride_y, stride_x, padding;
    int inputs, outputs; /* channels */
};

static void put(uint8_t **at, uint32_t number, int size)
{
    for (int i = 0; i < size; i++) {
        *(*at)++ = (uint8_t)(number >> (8 * i));
    }
}

static int whole_weight(int index)
{
    return (index * 29 + index / 7) % WEIGHTS + WEIGHTS_LEAST;
}

static int whole_bias(int channel)
{
    return channel * 5 % 11 - 4;
}

static int whole_input(int index)
{
    return (index * 13 + index / 5) % (2 * INPUTS_MOST + 1) - INPUTS_MOST;
}

/* A model file whose network "whole" is the convolution. */
static struct bytes make_model(const struct convolution *shape)
{
    static const uint16_t halves[WEIGHTS] = {0xc200, 0xc000, 0xbc00, 0, 0x3c00, 0x4000, 0x4200}; /* -3 to 3 */
    const int weights = shape->kernel_height * shape->kernel_width * shape->inputs * shape->outputs;
    const size_t size = 20 + 2 * (size_t)weights + 4 * (size_t)shape->outputs;
    struct bytes model = {.data = calloc(1, 28 + size), .size = 28 + size};
    uint8_t *at = model.data;
    const int sides[] = {shape->kernel_height, shape->kernel_width, shape->stride_y, shape->stride_x,
                         shape->padding,       shape->padding,      shape->padding,  shape->padding};

    assert_non_null(model.data);
    memcpy(at, "GKM1\1\0\0\0whole", 13);
    at += 24;
    put(&at, (uint32_t)size, 4);
    put(&at, (uint32_t)shape->inputs, 2);
    put(&at, 1, 2);
    put(&at, GK_NETWORK_CONVOLUTION, 1);
    at += 5; /* no flags; both inputs the network's own */
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++) {
        put(&at, (uint32_t)sides[i], 1);
    }
    put(&at, (uint32_t)shape->outputs, 2);
    for (int i = 0; i < weights; i++) {
        put(&at, halves[whole_weight(i) - WEIGHTS_LEAST], 2);
    }
    for (int i = 0; i < shape->outputs; i++) {
        const float bias = (float)whole_bias(i);
        uint32_t bits;

        memcpy(&bits, &bias, sizeof bits);
        put(&at, bits, 4);
    }
    assert_ptr_equal(at, model.data + model.size);
    return model;
}

static int whole_output(const struct convolution *shape, int height, int width, int y, int x, int channel)
{
    int sum = whole_bias(channel);

    for (int i = 0; i < shape->kernel_height * shape->kernel_width; i++) {
        const int from_y = y * shape->stride_y - shape->padding + i / shape->kernel_width;
        const int from_x = x * shape->stride_x - shape->padding + i % shape->kernel_width;

        for (int c = 0; from_y >= 0 && from_y < height && from_x >= 0 && from_x < width && c < shape->inputs;
             c++) {
            sum += whole_input((from_y * width + from_x) * shape->inputs + c) *
                   whole_weight((i * shape->inputs + c) * shape->outputs + channel);
        }
    }
    return sum;
}

static void check_exact(const struct gk_kernels *kernels, const struct convolution *shape, int height,
                        int width)
{
    struct bytes model = make_model(shape);
    struct gk_network *network = load(kernels, model, "whole");
    const int count = height * width * shape->inputs;
    float *input = malloc((size_t)count * sizeof *input);
    struct gk_tensor output = {0};

    assert_non_null(input);
    for (int i = 0; i < count; i++) {
        input[i] = (float)whole_input(i);
    }
    assert_true(gk_network_run(network, input, height, width, &output));
    assert_int_equal(output.height,
                     (height + 2 * shape->padding - shape->kernel_height) / shape->stride_y + 1);
    assert_int_equal(output.width, (width + 2 * shape->padding - shape->kernel_width) / shape->stride_x + 1);
    assert_int_equal(output.channels, shape->outputs);
    for (int i = 0; i < output.height * output.width * output.channels; i++) {
        const int channel = i % output.channels, x = i / output.channels % output.width;
        const int y = i / output.channels / output.width;
        const int wanted = whole_output(shape, height, width, y, x, channel);

        if (output.values[i] != (float)wanted) {
            fail_msg("%s, %d to %d channels, %d wide: y %d, x %d, channel %d is %g, not %d", kernels->name,
                     shape->inputs, shape->outputs, width, y, x, channel, (double)output.values[i], wanted);
        }
    }
    free(input);
    gk_network_free(network);
    free(model.data);
}

/* Every width of strip and every way to group channels, runs of odd and of even length. */
static void test_sums_of_whole_numbers_are_exact(void **state)
{
    static const int outputs[] = {1, 12, 16, 17, 40, 48, 64, 72, 128, 131};
    const struct gk_kernels *kernels;

    (void)state;
    for (size_t k = 0; (kernels = gk_kernels_available(k)) != NULL; k++) {
        for (int width = 1; width <= 29; width++) {
            for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
                const struct convolution shape = {3, 3, 1, 1, 1, 6 + width % 2, outputs[i]};

                check_exact(kernels, &shape, 2, width);
            }
        }
        check_exact(kernels, &(struct convolution){2, 5, 1, 1, 1, 80, 128}, 2, 40);
        check_exact(kernels, &(struct convolution){5, 4, 2, 3, 2, 9, 21}, 11, 50);
        check_exact(kernels, &(struct convolution){15, 15, 4, 4, 14, 3, 5}, 6, 9);
        check_exact(kernels, &(struct convolution){1, 1, 1, 1, 0, 33, 7}, 3, 64);
    }
}

static void test_one_network_runs_at_many_sizes(void **state)
{
    struct bytes model = read_all(CASES ".gkm");
    struct gk_network *network = load(gk_kernels_available(0), model, "filters");
    struct gk_tensor output = {0};

    (void)state;
    for (int height = 4; height < 24; height += 5) {
        for (int width = 41; width > 3; width -= 6) {
            assert_true(run_once(network, height, width, &output));
            struct gk_network *fresh = load(gk_kernels_available(0), model, "filters");
            struct gk_tensor wanted = {0};

            assert_true(run_once(fresh, height, width, &wanted));
            assert_int_equal(output.height, wanted.height);
            assert_int_equal(output.width, wanted.width);
            assert_memory_equal(output.values, wanted.values,
                                (size_t)(wanted.height * wanted.width * wanted.channels) * sizeof(float));
            gk_network_free(fresh);
        }
    }
    assert_true(gk_network_scratch_bytes(network) > 0);
    gk_network_free(network);
    free(model.data);
}

static void test_sizes_that_do_not_fit_are_refused(void **state)
{
    struct bytes model = read_all(CASES ".gkm");
    struct gk_network *filters = load(gk_kernels_available(0), model, "filters");
    struct gk_network *channels = load(gk_kernels_available(0), model, "channels");
    struct gk_network *others = load(gk_kernels_available(0), model, "others");
    struct gk_tensor output = {.height = -1};
    const float nothing = 0;

    (void)state;
    assert_false(gk_network_run(filters, &nothing, 0, 5, &output));
    assert_false(gk_network_run(filters, &nothing, 5, -1, &output));
    assert_false(gk_network_run(filters, &nothing, 1 << 20, 1 << 20, &output));
    assert_false(run_once(channels, 2, 2, &output)); /* one pixel is left for a kernel that is two wide */
    assert_false(run_once(others, 13, 21, &output)); /* pooled and filtered, an odd side comes out unlike */
    assert_int_equal(output.height, -1);
    gk_network_free(filters);
    gk_network_free(channels);
    gk_network_free(others);
    free(model.data);
}

static void test_unknown_network_is_not_found(void **state)
{
    struct bytes model = read_all(CASES ".gkm");
    struct gk_network *network = NULL;

    (void)state;
    assert_int_equal(gk_network_load(model.data, model.size, "letters", &network, NULL), GK_NOT_FOUND);
    assert_null(network);
    free(model.data);
}

static void test_truncated_model_is_refused(void **state)
{
    struct bytes model = read_all(CASES ".gkm");
    struct gk_network *network = NULL;

    (void)state;
    for (size_t size = 0; size < model.size; size++) {
        uint8_t *cut = malloc(size + 1); /* of its own, so that AddressSanitizer sees its end */

        assert_non_null(cut);
        memcpy(cut + 1, model.data, size);
        assert_int_equal(gk_network_load(cut + 1, size, "filters", &network, NULL), GK_INVALID_ARGUMENT);
        free(cut);
    }
    assert_null(network);
    free(model.data);
}

static void test_model_with_a_flipped_bit_does_no_harm(void **state)
{
    struct bytes model = read_all(CASES ".gkm");
    static const char *const names[] = {"filters", "channels", "others"};
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < model.size * 8; i += 7) {
        struct gk_network *network = NULL;
        struct gk_tensor output;

        model.data[i / 8] ^= (uint8_t)(1 << i % 8);
        if (gk_network_load(model.data, model.size, names[i % 3], &network, NULL) == GK_OK) {
            (void)run_once(network, 12, 20, &output);
            gk_network_free(network);
        } else {
            refused++;
        }
        model.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_true(refused > 0);
    free(model.data);
}

static void test_built_in_model_loads(void **state)
{
    static const char *const names[] = {"digits", "finder"};
    size_t size;
    const uint8_t *data = gk_model_bytes(&size);

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct gk_network *network = NULL;

        assert_int_equal(gk_network_load(data, size, names[i], &network, NULL), GK_OK);
        gk_network_free(network);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kernels_compute_what_pytorch_does),
        cmocka_unit_test(test_sums_of_whole_numbers_are_exact),
        cmocka_unit_test(test_one_network_runs_at_many_sizes),
        cmocka_unit_test(test_sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(test_unknown_network_is_not_found),
        cmocka_unit_test(test_truncated_model_is_refused),
        cmocka_unit_test(test_model_with_a_flipped_bit_does_no_harm),
        cmocka_unit_test(test_built_in_model_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
