#include "core/case_number.h"

#include "tests/core/life_words.h"

static void test_number_is_read_however_it_is_typed(void **state)
{
    static const char *const same[] = {"CA5E0102", "CA5E-0102", "ca5e 0102", " c-a5e0 102 "};
    static const char *const none[] = {"",
                                       "CA5E-010",
                                       "CA5E-01021",
                                       "CA5E-010G",
                                       "-- --",
                                       "\xff\xfe",
                                       "ca5e0102ca5e0102ca5e0102ca5e010",
                                       "ca5e0102ca5e0102ca5e0102ca5e01020"};
    uint8_t id[GK_CASE_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(gk_case_number_read(same[i], id), 4);
        assert_memory_equal(id, "\xca\x5e\x01\x02", 4);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(gk_case_number_read(none[i], id), 0);
    }
    assert_int_equal(gk_case_number_read("ca5e0102ca5e0102ca5e0102ca5e0102", id), GK_CASE_ID_SIZE);
}

static void test_case_is_found_by_number_and_by_id(void **state)
{
    struct life *life = *state;
    uint8_t id[GK_CASE_ID_SIZE] = {0};

    life_find(life, 0xca, 3, LIFE_BOX, true);
    assert_int_equal(gk_case_number_find(life->fixture->store, "CA00-0000", id, NULL), GK_OK);
    assert_int_equal(id[0], 0xca);
    assert_int_equal(gk_case_number_find(life->fixture->store, "ca000000000000000000000000000000", id, NULL),
                     GK_OK);
    assert_int_equal(gk_case_number_find(life->fixture->store, "CA00-0001", id, NULL), GK_NOT_FOUND);
    assert_int_equal(gk_case_number_find(life->fixture->store, "who?", id, NULL), GK_INVALID_ARGUMENT);
}

static void test_drawn_ids_have_numbers_of_their_own(void **state)
{
    struct life *life = *state;
    uint8_t first[GK_CASE_ID_SIZE], second[GK_CASE_ID_SIZE];

    assert_int_equal(gk_case_number_draw(life->fixture->store, first, NULL), GK_OK);
    assert_int_equal(gk_case_number_draw(life->fixture->store, second, NULL), GK_OK);
    assert_memory_not_equal(first, second, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_number_is_read_however_it_is_typed),
        LIFE_TEST(test_case_is_found_by_number_and_by_id),
        LIFE_TEST(test_drawn_ids_have_numbers_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
