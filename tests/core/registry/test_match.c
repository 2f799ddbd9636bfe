#include "core/registry/match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two candidates of one place or of two; the tests say what differs. */
struct scene {
    guika_v1_internal_Candidate candidates[20];
    struct gk_registration registrations[20];
    size_t count;
};

static void add(struct scene *scene, uint32_t place, double probability, uint8_t holder, double density)
{
    guika_v1_internal_Candidate *candidate = &scene->candidates[scene->count];
    struct gk_registration *registration = &scene->registrations[scene->count];

    candidate->place = place;
    candidate->probability = probability;
    registration->registered = holder != 0;
    registration->density = density;
    memset(registration->holder_token, holder, GK_TOKEN_SIZE);
    memset(registration->card_token, (int)scene->count + 1, GK_TOKEN_SIZE);
    scene->count++;
}

static struct gk_match decide(const struct scene *scene, guika_v1_Reason reader_reason)
{
    return gk_match_decide(scene->candidates, scene->registrations, scene->count, reader_reason, 0.999, 0.5);
}

static void assert_difficult(struct gk_match match, guika_v1_Reason reason)
{
    assert_false(match.accepted);
    assert_int_equal(match.reason, reason);
}

static void test_registered_number_in_sparse_space_is_accepted(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.05, 0, 0);
    add(&scene, 0, 0.92, 1, 1e-5);
    const struct gk_match match = decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED);

    assert_true(match.accepted);
    assert_int_equal(match.candidate, 1);
    /* The example of match.c: 46000 / (46000 + 0.025 + 0.03). */
    assert_true(fabs(match.probability - 46000 / 46000.055) < 1e-8);
}

static void test_registered_number_that_the_reader_doubts_is_not_accepted(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.3, 0, 0);
    add(&scene, 0, 0.6, 1, 1e-5);
    assert_false(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
}

static void test_membership_of_a_full_block_is_hardly_a_witness(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.6, 1, 1);
    const struct gk_match match = decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED);

    assert_difficult(match, guika_v1_Reason_REASON_UNREADABLE);
    assert_true(fabs(match.probability - 0.3 / 0.7) < 1e-9);
}

static void test_full_block_is_accepted_when_the_picture_is_certain(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.9999, 1, 1);
    assert_true(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
}

static void test_two_registered_rivals_are_ambiguous(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.6, 1, 1e-4);
    add(&scene, 0, 0.4, 2, 1e-4);
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_AMBIGUOUS);
}

static void test_unlisted_numbers_keep_their_weight(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.01, 1, 0.01);
    const struct gk_match match = decide(&scene, guika_v1_Reason_REASON_GLARE);

    assert_difficult(match, guika_v1_Reason_REASON_GLARE);
    assert_true(fabs(match.probability - 0.5 / (0.5 + 0.99)) < 1e-9);
}

/* No check character: the misread digit makes another good number, which may be the neighbour's. */
static void test_unprotected_number_must_be_read_clearly(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.995, 1, 1e-5);
    scene.candidates[0].unchecked_reading = 0.9985;
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_GLARE), guika_v1_Reason_REASON_GLARE);
    scene.candidates[0].unchecked_reading = 0.9995;
    assert_true(decide(&scene, guika_v1_Reason_REASON_GLARE).accepted);
    scene.candidates[0].unchecked_reading = 0; /* a check character protects it */
    assert_true(decide(&scene, guika_v1_Reason_REASON_GLARE).accepted);
}

static void test_certain_number_that_nobody_registered(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.9999, 0, 0);
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_GLARE), guika_v1_Reason_REASON_UNREGISTERED);
    scene.candidates[0].forced = true;
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_UNREADABLE);
}

static void test_cancelled_card_is_never_accepted(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.9, 1, 0);
    scene.registrations[0].cancelled = true;
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_CANCELLED);
    /* Nor where another number of the card is live. */
    add(&scene, 1, 0.9, 1, 0);
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_CANCELLED);
}

static void test_two_places_of_one_holder_strengthen_each_other(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.98, 1, 0.5);
    add(&scene, 1, 0.98, 1, 0.5);
    assert_true(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
    /* Alone it is not enough, and one number read twice is not two witnesses. */
    memset(scene.registrations[1].card_token, 1, GK_TOKEN_SIZE);
    assert_false(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
}

static void test_two_places_of_different_holders_are_ambiguous(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.999, 1, 1e-5);
    add(&scene, 1, 0.999, 2, 1e-5);
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_AMBIGUOUS);
    /* The same token under another account is another holder. */
    memset(scene.registrations[1].holder_token, 1, GK_TOKEN_SIZE);
    assert_true(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
    strcpy(scene.registrations[1].issuer_account, "campus");
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_AMBIGUOUS);
}

static void test_unregistered_number_at_another_place_does_no_harm(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.9999, 0, 0);
    add(&scene, 7, 0.9, 1, 0);
    const struct gk_match match = decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED);

    assert_true(match.accepted);
    assert_int_equal(match.candidate, 1);
}

static void test_forced_candidate_needs_a_unique_match_in_sparse_space(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, 0.9, 1, 1e-5);
    scene.candidates[0].forced = true;
    assert_true(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);

    scene.candidates[0].probability = 0.99999;
    scene.registrations[0].density = 0.01;
    assert_false(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
    scene.candidates[0].forced = false;
    assert_true(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);

    scene.candidates[0].forced = true;
    scene.registrations[0].density = 1e-5;
    add(&scene, 0, 1e-9, 1, 1e-5);
    assert_false(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
}

static void test_no_candidate_keeps_the_readers_reason(void **state)
{
    const struct scene scene = {.count = 0};
    const struct gk_match match = decide(&scene, guika_v1_Reason_REASON_NOT_A_CARD);

    (void)state;
    assert_difficult(match, guika_v1_Reason_REASON_NOT_A_CARD);
    assert_true(match.candidate == SIZE_MAX);
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_UNREADABLE);
}

static void test_impossible_probabilities_are_harmless(void **state)
{
    struct scene scene = {.count = 0};

    (void)state;
    add(&scene, 0, NAN, 1, 0);
    add(&scene, 0, -3, 2, NAN);
    assert_false(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED).accepted);
    add(&scene, 1, 7, 1, 1e-4);
    add(&scene, 1, 7, 2, 1e-4);
    assert_difficult(decide(&scene, guika_v1_Reason_REASON_UNSPECIFIED), guika_v1_Reason_REASON_AMBIGUOUS);
}

/* --- it never guesses --- */

enum { RIVALS = 8, LISTED = 5, DRAWS = 100000 };

/* xorshift64*, so that a run can be repeated. */
static double uniform(uint64_t *seed)
{
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return (double)((*seed * UINT64_C(2685821657736338717)) >> 11) * 0x1p-53;
}

static double normal(uint64_t *seed)
{
    return sqrt(-2 * log(1 - uniform(seed))) * cos(6.283185307179586 * uniform(seed));
}

/* One card: RIVALS numbers that look alike, the true one among them, seen through noise. The reader's
 * probabilities are honest: the likelihood of each number, normalised. Only the LISTED likeliest are told.
 * Returns the index of the true number; RIVALS where it did not make the list. */
static size_t draw_card(uint64_t *seed, double density, double registered_share, struct scene *ret_scene)
{
    const double signal = 0.5 + 4.5 * uniform(seed);
    const bool is_registered = uniform(seed) < registered_share;
    double likelihood[RIVALS];
    bool registered[RIVALS];
    double total = 0;
    size_t truth = RIVALS;

    for (size_t i = 0; i < RIVALS; i++) { /* the true number is number 0 */
        likelihood[i] = exp(signal * (normal(seed) + (i == 0 ? signal : 0)));
        registered[i] = i == 0 ? is_registered : uniform(seed) < density;
        total += likelihood[i];
    }
    *ret_scene = (struct scene){.count = 0};
    for (size_t listed = 0; listed < LISTED; listed++) {
        size_t best = 0;

        for (size_t i = 1; i < RIVALS; i++) {
            best = likelihood[i] > likelihood[best] ? i : best;
        }
        add(ret_scene, 0, likelihood[best] / total, registered[best] ? (uint8_t)(best + 1) : 0, density);
        truth = best == 0 ? listed : truth;
        likelihood[best] = -1;
    }
    return truth;
}

struct tally {
    size_t accepted;
    size_t wrong;
};

/* `told` tells the decision the truth about the density; else it believes all space empty. */
static struct tally simulate(double density, double threshold, double registered_share, bool told)
{
    uint64_t seed = 20260101;
    struct tally tally = {0, 0};

    for (size_t draw = 0; draw < DRAWS; draw++) {
        struct scene scene;
        const size_t truth = draw_card(&seed, density, registered_share, &scene);

        for (size_t i = 0; i < LISTED && !told; i++) {
            scene.registrations[i].density = 0;
        }
        const struct gk_match match =
            gk_match_decide(scene.candidates, scene.registrations, scene.count,
                            guika_v1_Reason_REASON_UNSPECIFIED, threshold, registered_share);

        tally.accepted += match.accepted;
        tally.wrong += match.accepted && match.candidate != truth;
    }
    return tally;
}

static void test_wrong_numbers_stay_within_the_thresholds_error(void **state)
{
    static const double densities[] = {1e-6, 1e-4, 1e-2, 0.2, 0.9, 0.99};
    static const double thresholds[] = {0.9, 0.99, 0.999};
    static const double shares[] = {0.2, 0.5};

    (void)state;
    for (size_t s = 0; s < sizeof shares / sizeof shares[0]; s++) {
        for (size_t t = 0; t < sizeof thresholds / sizeof thresholds[0]; t++) {
            for (size_t d = 0; d < sizeof densities / sizeof densities[0]; d++) {
                const struct tally tally = simulate(densities[d], thresholds[t], shares[s], true);

                printf("share %.1f threshold %.3f density %.6f: %zu of %d accepted, %zu wrong (%.5f)\n",
                       shares[s], thresholds[t], densities[d], tally.accepted, DRAWS, tally.wrong,
                       tally.accepted == 0 ? 0.0 : (double)tally.wrong / (double)tally.accepted);
                assert_true((double)tally.wrong <= (1 - thresholds[t]) * (double)tally.accepted);
            }
        }
    }
}

static void test_the_simulation_catches_a_decision_blind_to_density(void **state)
{
    const struct tally tally = simulate(0.9, 0.999, 0.5, false);

    (void)state;
    printf("blind: %zu accepted, %zu wrong\n", tally.accepted, tally.wrong);
    /* Half as many again as the threshold allows, though the reader's own word keeps the worst out. */
    assert_true((double)tally.wrong > 1.5 * (1 - 0.999) * (double)tally.accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered_number_in_sparse_space_is_accepted),
        cmocka_unit_test(test_registered_number_that_the_reader_doubts_is_not_accepted),
        cmocka_unit_test(test_membership_of_a_full_block_is_hardly_a_witness),
        cmocka_unit_test(test_full_block_is_accepted_when_the_picture_is_certain),
        cmocka_unit_test(test_two_registered_rivals_are_ambiguous),
        cmocka_unit_test(test_unlisted_numbers_keep_their_weight),
        cmocka_unit_test(test_unprotected_number_must_be_read_clearly),
        cmocka_unit_test(test_certain_number_that_nobody_registered),
        cmocka_unit_test(test_cancelled_card_is_never_accepted),
        cmocka_unit_test(test_two_places_of_one_holder_strengthen_each_other),
        cmocka_unit_test(test_two_places_of_different_holders_are_ambiguous),
        cmocka_unit_test(test_unregistered_number_at_another_place_does_no_harm),
        cmocka_unit_test(test_forced_candidate_needs_a_unique_match_in_sparse_space),
        cmocka_unit_test(test_no_candidate_keeps_the_readers_reason),
        cmocka_unit_test(test_impossible_probabilities_are_harmless),
        cmocka_unit_test(test_wrong_numbers_stay_within_the_thresholds_error),
        cmocka_unit_test(test_the_simulation_catches_a_decision_blind_to_density),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
