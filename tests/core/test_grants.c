#include "core/grants.h"

#include "tests/core/life_words.h"

enum { CARDS = 70 }; /* more than one page */

struct rig {
    struct life *life;
    struct gk_log log;
    uv_loop_t loop;
    struct gk_registry *registry;
    struct gk_grants *grants;
    bool closed;
};

static void start(struct rig *rig, void **state)
{
    *rig = (struct rig){.life = *state, .log = {GK_LOG_ERROR, "test"}};
    (void)uv_loop_init(&rig->loop);
    assert_int_equal(gk_registry_open(rig->life->fixture->store, rig->life->keys, &rig->registry, NULL),
                     GK_OK);
    const struct gk_grants_parts parts = {
        .loop = &rig->loop,
        .log = &rig->log,
        .clock = rig->life->sweeper.clock,
        .pickup = {rig->life->fixture->store, rig->life->keys, rig->registry, &rig->life->retention}};

    rig->grants = gk_grants_open(&parts);
}

static void on_closed(void *context)
{
    ((struct rig *)context)->closed = true;
}

static void stop(struct rig *rig)
{
    gk_grants_close(rig->grants, on_closed, rig);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_true(rig->closed);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    gk_registry_close(rig->registry);
}

/* The version that a box hears after its list was looked at. */
static uint64_t hear(struct rig *rig, const char *box)
{
    (void)gk_grants_heard(rig->grants, box);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    const uint64_t version = gk_grants_heard(rig->grants, box);

    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    return version;
}

static void test_box_fetches_a_long_list_page_by_page(void **state)
{
    struct rig rig;
    guika_v1_ListGrantsResponse *page = calloc(1, sizeof *page);
    uint8_t key[GK_GRANT_KEY_SIZE], last[GK_CASE_ID_SIZE];
    size_t count = 0;
    struct gk_bytes after = {NULL, 0};

    start(&rig, state);
    for (uint8_t id = 1; id <= CARDS; id++) {
        life_ready(rig.life, id, id);
    }
    assert_true(gk_grants_heard(rig.grants, LIFE_BOX) == 0); /* not known yet */
    const uint64_t version = hear(&rig, LIFE_BOX);

    gk_keys_grant_public(rig.life->keys, key);
    do {
        *page = (guika_v1_ListGrantsResponse){0};
        gk_grants_page(rig.grants, LIFE_BOX, after, page);
        assert_true(page->version == version);
        for (size_t i = 0; i < page->grants_count; i++) {
            guika_v1_PickupGrant grant;

            assert_int_equal(gk_grant_open(&page->grants[i], key, LIFE_BOX, &grant, NULL), GK_OK);
            assert_true(count == 0 || memcmp(last, grant.case_id, sizeof last) < 0);
            memcpy(last, grant.case_id, sizeof last);
            count++;
        }
        after = (struct gk_bytes){last, sizeof last};
    } while (page->more);
    assert_int_equal(count, CARDS);
    assert_int_equal(gk_grants_count(rig.grants, LIFE_BOX), CARDS);
    free(page);
    stop(&rig);
}

static void test_version_stays_until_something_happens_and_over_a_restart(void **state)
{
    struct rig rig;

    start(&rig, state);
    life_ready(rig.life, 1, 3);
    const uint64_t first = hear(&rig, LIFE_BOX);

    assert_true(first != 0);
    assert_true(hear(&rig, LIFE_BOX) == first);
    stop(&rig);
    start(&rig, state);
    assert_true(hear(&rig, LIFE_BOX) == first);
    (void)life_try(rig.life, 1, LIFE_BOX, "00000000");
    const uint64_t second = hear(&rig, LIFE_BOX);

    assert_true(second != first);
    life_pass(rig.life, GK_GRANT_STEP_MS);
    assert_true(hear(&rig, LIFE_BOX) != second); /* a later end */
    stop(&rig);
}

static void test_box_without_cards_has_an_empty_list_of_a_version(void **state)
{
    struct rig rig;
    guika_v1_ListGrantsResponse page = {0};

    start(&rig, state);
    assert_true(hear(&rig, "library-2") != 0);
    gk_grants_page(rig.grants, "library-2", (struct gk_bytes){NULL, 0}, &page);
    assert_true(page.version != 0 && page.grants_count == 0 && !page.more);
    gk_grants_page(rig.grants, "nobody", (struct gk_bytes){NULL, 0}, &page);
    assert_true(page.version == 0);
    stop(&rig);
}

static void test_stop_during_a_look_waits_for_it(void **state)
{
    struct rig rig;

    start(&rig, state);
    life_ready(rig.life, 1, 3);
    (void)gk_grants_heard(rig.grants, LIFE_BOX);
    (void)gk_grants_heard(rig.grants, "library-2");
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_box_fetches_a_long_list_page_by_page),
        LIFE_TEST(test_version_stays_until_something_happens_and_over_a_restart),
        LIFE_TEST(test_box_without_cards_has_an_empty_list_of_a_version),
        LIFE_TEST(test_stop_during_a_look_waits_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
