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
        cmocka_unit_test(test_one_network_runs_at_many_sizes),
        cmocka_unit_test(test_sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(test_unknown_network_is_not_found),
        cmocka_unit_test(test_truncated_model_is_refused),
        cmocka_unit_test(test_model_with_a_flipped_bit_does_no_harm),
        cmocka_unit_test(test_built_in_model_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
