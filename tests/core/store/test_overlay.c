#include "core/store/overlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct gk_bytes text(const char *from)
{
    return (struct gk_bytes){.data = (const uint8_t *)from, .size = strlen(from)};
}

static int setup(void **state)
{
    *state = gk_overlay_new();
    return 0;
}

static int teardown(void **state)
{
    gk_overlay_free(*state);
    return 0;
}

static void assert_value(struct gk_overlay *overlay, const char *key, const char *value)
{
    const struct gk_overlay_view view = gk_overlay_look(overlay, GK_FAMILY_CARDS, text(key));

    assert_int_equal(view.base, GK_VIEW_VALUE);
    assert_int_equal(view.value.size, strlen(value));
    assert_memory_equal(view.value.data, value, view.value.size);
}

static void assert_base(struct gk_overlay *overlay, const char *key, int base)
{
    assert_int_equal(gk_overlay_look(overlay, GK_FAMILY_CARDS, text(key)).base, base);
}

static void test_the_newest_change_of_a_key_is_seen(void **state)
{
    struct gk_overlay *overlay = *state;

    assert_base(overlay, "a", GK_VIEW_UNTOUCHED);
    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("a"), text("1"));
    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("a"), text("22"));
    assert_value(overlay, "a", "22");
    gk_overlay_delete(overlay, GK_FAMILY_CARDS, text("a"));
    assert_base(overlay, "a", GK_VIEW_DELETED);
    assert_int_equal(gk_overlay_look(overlay, GK_FAMILY_HOLDERS, text("a")).base, GK_VIEW_UNTOUCHED);
}

static void test_rolling_back_uncovers_what_was_before(void **state)
{
    struct gk_overlay *overlay = *state;

    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("a"), text("1"));
    const size_t mark = gk_overlay_mark(overlay);
    const size_t bytes = gk_overlay_bytes(overlay);

    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("a"), text("2"));
    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("b"), text("2"));
    gk_overlay_delete_range(overlay, GK_FAMILY_CARDS, text("a"), text("z"));
    assert_base(overlay, "a", GK_VIEW_DELETED);
    gk_overlay_rollback(overlay, mark);
    assert_value(overlay, "a", "1");
    assert_base(overlay, "b", GK_VIEW_UNTOUCHED);
    assert_base(overlay, "c", GK_VIEW_UNTOUCHED);
    assert_int_equal(gk_overlay_mark(overlay), mark);
    assert_int_equal(gk_overlay_bytes(overlay), bytes);
}

static void test_a_range_covers_what_came_before_it_alone(void **state)
{
    struct gk_overlay *overlay = *state;

    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("b"), text("old"));
    gk_overlay_delete_range(overlay, GK_FAMILY_CARDS, text("b"), text("d"));
    gk_overlay_put(overlay, GK_FAMILY_CARDS, text("c"), text("new"));
    assert_base(overlay, "a", GK_VIEW_UNTOUCHED);
    assert_base(overlay, "b", GK_VIEW_DELETED);
    assert_base(overlay, "bb", GK_VIEW_DELETED);
    assert_value(overlay, "c", "new");
    assert_base(overlay, "d", GK_VIEW_UNTOUCHED);
    assert_int_equal(gk_overlay_look(overlay, GK_FAMILY_HOLDERS, text("b")).base, GK_VIEW_UNTOUCHED);
}

static void test_additions_gather_within_a_work_and_not_across(void **state)
{
    struct gk_overlay *overlay = *state;
    struct gk_overlay_view view;

    gk_overlay_add(overlay, GK_FAMILY_DENSITY, text("a"), 2, 0);
    gk_overlay_add(overlay, GK_FAMILY_DENSITY, text("a"), 3, 0);
    assert_int_equal(gk_overlay_mark(overlay), 1);

    const size_t mark = gk_overlay_mark(overlay);

    gk_overlay_add(overlay, GK_FAMILY_DENSITY, text("a"), 10, mark);
    view = gk_overlay_look(overlay, GK_FAMILY_DENSITY, text("a"));
    assert_true(view.added);
    assert_int_equal(view.amount, 15);
    assert_int_equal(view.base, GK_VIEW_UNTOUCHED);
    gk_overlay_rollback(overlay, mark);
    assert_int_equal(gk_overlay_look(overlay, GK_FAMILY_DENSITY, text("a")).amount, 5);
}

static void test_an_addition_after_a_range_starts_from_nothing(void **state)
{
    struct gk_overlay *overlay = *state;

    gk_overlay_add(overlay, GK_FAMILY_DENSITY, text("a"), 2, 0);
    gk_overlay_delete_range(overlay, GK_FAMILY_DENSITY, text("a"), text("b"));
    gk_overlay_add(overlay, GK_FAMILY_DENSITY, text("a"), 7, 0);

    const struct gk_overlay_view view = gk_overlay_look(overlay, GK_FAMILY_DENSITY, text("a"));

    assert_int_equal(view.base, GK_VIEW_DELETED);
    assert_true(view.added);
    assert_int_equal(view.amount, 7);
}

static void test_many_changes_are_kept_in_order(void **state)
{
    struct gk_overlay *overlay = *state;
    char key[16];

    for (int i = 0; i < 50000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        gk_overlay_put(overlay, GK_FAMILY_CARDS, text(key), text(key + 4));
    }
    assert_int_equal(gk_overlay_mark(overlay), 50000);
    for (int i = 0; i < 50000; i += 997) {
        const struct gk_change change = gk_overlay_change(overlay, (size_t)i);

        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_int_equal(change.kind, GK_CHANGE_PUT);
        assert_int_equal(change.key.size, strlen(key));
        assert_memory_equal(change.key.data, key, change.key.size);
        assert_value(overlay, key, key + 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_newest_change_of_a_key_is_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rolling_back_uncovers_what_was_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_range_covers_what_came_before_it_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_additions_gather_within_a_work_and_not_across, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_addition_after_a_range_starts_from_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_changes_are_kept_in_order, setup, teardown),
    };

    return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
