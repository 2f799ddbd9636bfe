/*
 * The short form of the model test, and that it would show a fault: one that is planted between the model and
 * the parts is found, and shrinks to few operations. `./run model` is the long form.
 */
#include "tests/core/life_model/sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 400, SEQUENCES = 6, FIRST_SEED = 1001, CHECK_EVERY = 100 };

static void test_model_and_parts_agree_on_random_sequences(void **state)
{
    (void)state;
    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
        struct sequence sequence = sequence_generate(seed, LENGTH);
        const struct verdict verdict = sequence_run(&sequence, FAULT_NONE, CHECK_EVERY);

        if (!verdict.agrees) {
            print_error("%s\nsee: ./run model --seed %llu --length %d --operations 1\n", verdict.difference,
                        (unsigned long long)seed, (int)LENGTH);
        }
        assert_true(verdict.agrees);
        sequence_free(&sequence);
    }
}

static void test_seed_makes_the_same_sequence_again(void **state)
{
    struct sequence first = sequence_generate(FIRST_SEED, LENGTH);
    struct sequence second = sequence_generate(FIRST_SEED, LENGTH);

    (void)state;
    for (size_t i = 0; i < LENGTH; i++) {
        assert_int_equal(first.operations[i].kind, second.operations[i].kind);
        assert_int_equal(first.operations[i].card, second.operations[i].card);
        assert_int_equal(first.operations[i].what, second.operations[i].what);
    }
    sequence_keep(&second, "0,7,399");
    assert_int_equal(second.count, 3);
    assert_int_equal(second.operations[1].id, 7);
    sequence_free(&first);
    sequence_free(&second);
}

/* The fault shows in one of a few sequences, and at most `most` operations of it are left. */
static void assert_shrinks(enum driver_fault fault, size_t most)
{
    struct verdict verdict = {.agrees = true};

    for (uint64_t seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES && verdict.agrees; seed++) {
        struct sequence sequence = sequence_generate(seed, LENGTH);

        verdict = sequence_run(&sequence, fault, CHECK_EVERY);
        if (!verdict.agrees) {
            sequence_shrink(&sequence, fault, &verdict, NULL);
            sequence_print(&sequence, stdout);
            (void)printf("%s\n", verdict.difference);
            assert_in_range(sequence.count, 1, most);
            assert_false(sequence_run(&sequence, fault, sequence.count).agrees);
            assert_true(sequence_run(&sequence, FAULT_NONE, sequence.count).agrees);
        }
        sequence_free(&sequence);
    }
    assert_false(verdict.agrees);
}

static void test_lost_notice_is_found_and_shrinks(void **state)
{
    (void)state;
    assert_shrinks(FAULT_DROPS_MOVED_NOTICE, 10);
}

static void test_missing_recovery_is_found_and_shrinks(void **state)
{
    (void)state;
    assert_shrinks(FAULT_FORGETS_RECOVERY, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seed_makes_the_same_sequence_again),
        cmocka_unit_test(test_model_and_parts_agree_on_random_sequences),
        cmocka_unit_test(test_lost_notice_is_found_and_shrinks),
        cmocka_unit_test(test_missing_recovery_is_found_and_shrinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
