#include "core/recognition/candidates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct guika_issuer issuer = {.id = "test", .scheme = "iso7812"};

static void test_rival_of_another_frame_unsettles_but_does_not_win(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    struct gk_line_verdict sure = {.count = 1}, rival = {.count = 2};
    sure.candidates[0] =
        (struct gk_candidate){.number = "4111111111111111", .issuer = &issuer, .probability = 0.9995};
    rival.candidates[0] =
        (struct gk_candidate){.number = "4012888888881881", .issuer = &issuer, .probability = 0.98};
    rival.candidates[1] =
        (struct gk_candidate){.number = "4111111111111111", .issuer = &issuer, .probability = 0.01};
    gk_candidates_add(&list, &sure);
    gk_candidates_add(&list, &rival);
    assert_string_equal(list.items[0].number, "4111111111111111");
    assert_true(list.items[0].probability < GK_CANDIDATE_ACCEPTED);
    assert_true(list.items[1].probability < GK_CANDIDATE_ACCEPTED);
}

struct claim {
    const char *number;
    double probability;
    const char *forced_from; /* NULL: not forced */
};

static struct gk_line_verdict sight(const struct claim *claims, size_t count)
{
    struct gk_line_verdict verdict = {.count = count};
    for (size_t i = 0; i < count; i++) {
        struct gk_candidate *candidate = &verdict.candidates[i];
        *candidate = (struct gk_candidate){
            .issuer = &issuer, .probability = claims[i].probability, .forced = claims[i].forced_from != NULL};
        (void)snprintf(candidate->number, sizeof candidate->number, "%s", claims[i].number);
        (void)snprintf(candidate->read_as, sizeof candidate->read_as, "%s",
                       claims[i].forced_from != NULL ? claims[i].forced_from : "");
    }
    return verdict;
}

static void add(struct gk_candidate_list *list, const struct claim *claims, size_t count)
{
    struct gk_line_verdict verdict = sight(claims, count);
    gk_candidates_add(list, &verdict);
}

#define A "4111111111111111"
#define B "4012888888881881"
#define A_MISREAD "4111111171111111"

static void test_probabilities_of_a_place_never_exceed_one(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    add(&list, (struct claim[]){{A, 0.7, NULL}, {"4111111111111129", 0.2, NULL}}, 2);
    add(&list, (struct claim[]){{B, 0.95, NULL}, {"4012888888881899", 0.05, NULL}}, 2);
    add(&list, (struct claim[]){{A, 0.6, NULL}, {"4111111111111137", 0.4, NULL}}, 2);
    assert_int_equal(list.places, 2);
    for (uint32_t place = 0; place < list.places; place++) {
        double total = 0;
        for (size_t i = 0; i < list.count; i++) {
            total += list.items[i].place == place ? list.items[i].probability : 0;
        }
        assert_true(total > 0 && total <= 1.000001);
    }
}

static void test_second_sight_of_the_same_number_strengthens(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    add(&list, (struct claim[]){{A, 0.8, NULL}}, 1);
    add(&list, (struct claim[]){{A, 0.7, NULL}}, 1);
    assert_true(list.items[0].probability > 0.9 && list.items[0].probability < GK_CANDIDATE_ACCEPTED);
    add(&list, (struct claim[]){{A, 0.998, NULL}}, 1);
    assert_true(list.items[0].probability >= GK_CANDIDATE_ACCEPTED);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.places, 1);
}

static void test_weak_contradiction_leaves_a_certain_number_accepted(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct gk_candidate_list list = {.count = 0};
        for (int i = 0; i < 2; i++) {
            if (i == order) {
                add(&list, (struct claim[]){{A, 0.9995, NULL}}, 1);
            } else {
                add(&list, (struct claim[]){{B, 0.3, NULL}, {A, 0.01, "4111111111111117"}}, 2);
            }
        }
        assert_string_equal(list.items[0].number, A);
        assert_false(list.items[0].forced);
        assert_true(list.items[0].probability >= GK_CANDIDATE_ACCEPTED);
    }
}

static void test_garbage_frames_never_flip_a_certain_number(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    uint64_t random = 1;
    add(&list, (struct claim[]){{A, 0.9995, NULL}}, 1);
    for (int i = 0; i < 200; i++) {
        char number[GK_NUMBER_SIZE] = A;
        for (int place = 0; place < 16; place++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            if (random >> 62 == 0) {
                number[place] = (char)('0' + (random >> 40) % 10);
            }
        }
        add(&list, (struct claim[]){{number, 0.4, NULL}}, 1);
        assert_string_equal(list.items[0].number, A);
        assert_false(list.items[0].forced);
    }
}

static void test_alike_numbers_of_two_sights_are_rivals(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    add(&list, (struct claim[]){{A, 0.6, NULL}}, 1);
    add(&list, (struct claim[]){{"4111111111111129", 0.7, NULL}}, 1);
    assert_int_equal(list.places, 1);
    assert_true(list.items[0].probability + list.items[1].probability <= 1);
    add(&list, (struct claim[]){{B, 0.6, NULL}}, 1);
    assert_int_equal(list.places, 2);
}

static void test_forced_number_needs_another_misreading_or_an_unforced_sight(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    add(&list, (struct claim[]){{A, 0.9, A_MISREAD}}, 1);
    add(&list, (struct claim[]){{A, 0.9, A_MISREAD}}, 1);
    assert_true(list.items[0].forced);
    struct gk_candidate_list unforced = list;
    add(&unforced, (struct claim[]){{A, 0.9, NULL}}, 1);
    assert_false(unforced.items[0].forced);
    add(&list, (struct claim[]){{A, 0.9, "4111311111111111"}}, 1);
    assert_false(list.items[0].forced);
}

static void test_witness_clears_force_and_strengthens(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    add(&list, (struct claim[]){{A, 0.9, A_MISREAD}, {"4111111171111130", 0.05, A_MISREAD}}, 2);
    assert_false(gk_candidates_witness(&list, B, 0.99, GK_WITNESS_OF_PRINT));
    assert_true(list.count == 2 && list.items[0].forced);
    assert_true(gk_candidates_witness(&list, A, 0.3, GK_WITNESS_OF_PRINT));
    assert_true(list.items[0].forced);
    assert_true(gk_candidates_witness(&list, A, 0.98, GK_WITNESS_OF_PRINT));
    assert_string_equal(list.items[0].number, A);
    assert_false(list.items[0].forced);
    assert_true(list.items[0].probability > 0.99);
    assert_true(list.items[1].forced);
}

static void test_list_keeps_the_likeliest_of_many_places(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    for (int i = 0; i < 3 * GK_CANDIDATES_MOST; i++) {
        char number[GK_NUMBER_SIZE];
        /* No two are alike. */
        (void)snprintf(number, sizeof number, "4%05d%05d%05d", i * 1111, i * 1313, i * 1717);
        add(&list, (struct claim[]){{number, 0.1 + 0.01 * i, NULL}}, 1);
    }
    assert_int_equal(list.count, GK_CANDIDATES_MOST);
    for (size_t i = 1; i < list.count; i++) {
        assert_true(list.items[i - 1].probability >= list.items[i].probability);
    }
    assert_true(list.items[list.count - 1].probability > 0.4);
}

static void test_a_witness_of_another_print_says_more(void **state)
{
    (void)state;
    struct gk_candidate_list same = {.count = 0}, other = {.count = 0};
    add(&same, (struct claim[]){{A, 0.999, NULL}}, 1);
    add(&other, (struct claim[]){{A, 0.999, NULL}}, 1);
    assert_true(gk_candidates_witness(&same, A, 0.97, GK_WITNESS_OF_PRINT));
    assert_true(gk_candidates_witness(&other, A, 0.97, GK_WITNESS_OF_CODE));
    assert_true(other.items[0].probability > 0.9999);
    assert_true(other.items[0].probability > same.items[0].probability);
}

/* A number that is read without doubt, on a line that is a telephone number's as likely as not. */
static struct gk_line_verdict alien_sight(const char *number, double alien)
{
    struct gk_line_verdict verdict = sight(&(struct claim){number, 0.9999 * (1 - alien), NULL}, 1);
    verdict.candidates[0].alien = alien;
    return verdict;
}

static void test_figures_read_again_are_no_likelier_a_cards_number(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    const struct gk_line_verdict seen = alien_sight(A, 0.5);
    for (int i = 0; i < 10; i++) {
        gk_candidates_add(&list, &seen);
        assert_true(gk_candidates_witness(&list, A, 0.99, GK_WITNESS_OF_PRINT));
        assert_true(list.items[0].probability > 0.49 && list.items[0].probability <= 0.5);
    }
    /* Who prints it as a bar code as well means it. */
    assert_true(gk_candidates_witness(&list, A, 0.99, GK_WITNESS_OF_CODE));
    assert_true(list.items[0].probability > 0.98);
}

static void test_line_that_is_better_understood_tells_what_it_is(void **state)
{
    (void)state;
    struct gk_candidate_list list = {.count = 0};
    const struct gk_line_verdict doubtful = alien_sight(A, 0.5), clear = alien_sight(A, 0.001);
    gk_candidates_add(&list, &doubtful);
    gk_candidates_add(&list, &clear);
    assert_true(list.items[0].probability > 0.998 && list.items[0].probability <= 0.999);
    gk_candidates_add(&list, &doubtful);
    assert_true(list.items[0].probability > 0.998);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probabilities_of_a_place_never_exceed_one),
        cmocka_unit_test(test_rival_of_another_frame_unsettles_but_does_not_win),
        cmocka_unit_test(test_second_sight_of_the_same_number_strengthens),
        cmocka_unit_test(test_weak_contradiction_leaves_a_certain_number_accepted),
        cmocka_unit_test(test_garbage_frames_never_flip_a_certain_number),
        cmocka_unit_test(test_alike_numbers_of_two_sights_are_rivals),
        cmocka_unit_test(test_forced_number_needs_another_misreading_or_an_unforced_sight),
        cmocka_unit_test(test_witness_clears_force_and_strengthens),
        cmocka_unit_test(test_a_witness_of_another_print_says_more),
        cmocka_unit_test(test_figures_read_again_are_no_likelier_a_cards_number),
        cmocka_unit_test(test_line_that_is_better_understood_tells_what_it_is),
        cmocka_unit_test(test_list_keeps_the_likeliest_of_many_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
