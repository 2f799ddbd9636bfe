#include "core/box_alerts.h"

#include "core/notification/outbox.h"
#include "core/store/record.h"
#include "tests/core/life_words.h"

#define HEARTBEAT_MS 30000
#define RECEIVER "smtp:operator@library.example"

struct rig {
    struct life *life;
    struct gk_log log;
    uv_loop_t loop;
    struct gk_mailbox *mailbox;
    struct gk_box_alerts *alerts;
    unsigned due; /* messages that may leave */
    bool closed;
};

static void on_due(void *context)
{
    ((struct rig *)context)->due++;
}

static void start(struct rig *rig)
{
    (void)uv_loop_init(&rig->loop);
    rig->mailbox = gk_mailbox_open(&rig->loop);
    const struct gk_box_alerts_parts parts = {.loop = &rig->loop,
                                              .mailbox = rig->mailbox,
                                              .log = &rig->log,
                                              .clock = rig->life->sweeper.clock,
                                              .keys = rig->life->keys,
                                              .store = rig->life->fixture->store,
                                              .heartbeat_ms = HEARTBEAT_MS,
                                              .receiver = RECEIVER,
                                              .language = "en",
                                              .on_notice_due = on_due,
                                              .on_notice_due_context = rig};

    rig->closed = false;
    rig->alerts = gk_box_alerts_open(&parts);
}

static void on_closed(void *context)
{
    struct rig *rig = context;

    rig->closed = true;
    gk_mailbox_close(rig->mailbox);
}

static void stop(struct rig *rig)
{
    gk_box_alerts_close(rig->alerts, on_closed, rig);
    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    assert_true(rig->closed);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
}

static struct rig begin(void **state)
{
    struct rig rig = {.life = *state, .log = {GK_LOG_ERROR + 1, "test"}};

    return rig;
}

static guika_v1_internal_BoxAlertRecord record_of(const struct rig *rig, const char *box_id)
{
    guika_v1_internal_BoxAlertRecord record = {0};
    char key[64];
    const int length = snprintf(key, sizeof key, GK_ALERT_PREFIX "%s", box_id);

    (void)gk_record_read(rig->life->fixture->store, GK_FAMILY_META,
                         (struct gk_bytes){(const uint8_t *)key, (size_t)length},
                         guika_v1_internal_BoxAlertRecord_fields, &record, NULL);
    return record;
}

static bool is_raised(const struct rig *rig, enum gk_box_alert alert)
{
    const guika_v1_internal_BoxAlertRecord record = record_of(rig, LIFE_BOX);

    return gk_box_alert_since_ms(&record, alert) != 0;
}

/* Everything that the look leads to is written: the loop is run until nothing happens for a while. */
static void settle(struct rig *rig)
{
    gk_box_alerts_look(rig->alerts);
    for (unsigned quiet = 0; quiet < 20; quiet++) {
        (void)uv_run(&rig->loop, UV_RUN_NOWAIT);
        uv_sleep(2);
    }
}

static void pass(struct rig *rig, int64_t ms)
{
    life_pass(rig->life, ms);
    settle(rig);
}

static void beat(struct rig *rig, uint32_t used)
{
    guika_v1_HeartbeatRequest heartbeat = {.zones_count = 1};

    heartbeat.zones[0].zone = guika_v1_Zone_ZONE_NORMAL;
    heartbeat.zones[0].capacity = 12;
    heartbeat.zones[0].used = used;
    gk_box_alerts_heard(rig->alerts, LIFE_BOX, &heartbeat);
    settle(rig);
}

static void test_silent_box_is_told_of_once_and_once_when_it_speaks_again(void **state)
{
    struct rig rig = begin(state);

    start(&rig);
    for (unsigned i = 0; i < 5; i++) {
        beat(&rig, 0);
        pass(&rig, HEARTBEAT_MS);
    }
    beat(&rig, 0);
    pass(&rig, 3 * HEARTBEAT_MS - 1);
    assert_false(is_raised(&rig, GK_ALERT_SILENT));
    pass(&rig, 1);
    assert_true(is_raised(&rig, GK_ALERT_SILENT));
    const uint64_t audited = life_audited(rig.life);

    pass(&rig, 24 * 3600 * 1000);
    assert_int_equal(life_audited(rig.life), audited);
    assert_int_equal(rig.due, 1);
    beat(&rig, 0); /* one word may be an accident */
    assert_true(is_raised(&rig, GK_ALERT_SILENT));
    pass(&rig, HEARTBEAT_MS);
    beat(&rig, 0);
    assert_false(is_raised(&rig, GK_ALERT_SILENT));
    assert_int_equal(life_audited(rig.life), audited + 1);
    assert_int_equal(rig.due, 2);
    assert_int_equal(life_records(rig.life, GK_FAMILY_OUTBOX), 2);
    stop(&rig);
}

static void test_box_that_was_never_heard_is_not_missed(void **state)
{
    struct rig rig = begin(state);

    start(&rig);
    pass(&rig, LIFE_DAY_MS);
    assert_int_equal(life_records(rig.life, GK_FAMILY_OUTBOX), 0);
    stop(&rig);
}

static void test_restart_neither_repeats_an_alert_nor_forgets_a_box(void **state)
{
    struct rig rig = begin(state);

    start(&rig);
    beat(&rig, 12);
    assert_true(is_raised(&rig, GK_ALERT_NORMAL_FULL));
    stop(&rig);
    const uint64_t audited = life_audited(rig.life);

    start(&rig);
    settle(&rig);
    assert_true(is_raised(&rig, GK_ALERT_NORMAL_FULL));
    beat(&rig, 12);
    assert_int_equal(life_audited(rig.life), audited);
    stop(&rig);
    life_pass(rig.life, LIFE_DAY_MS); /* the service was away for a day: it gives each box time to speak */
    start(&rig);
    settle(&rig);
    assert_false(is_raised(&rig, GK_ALERT_SILENT));
    pass(&rig, 3 * HEARTBEAT_MS);
    assert_true(is_raised(&rig, GK_ALERT_SILENT));
    stop(&rig);
    start(&rig);
    pass(&rig, LIFE_DAY_MS);
    assert_int_equal(life_audited(rig.life), audited + 1);
    stop(&rig);
}

static void test_full_zone_is_over_only_when_there_is_room_to_speak_of(void **state)
{
    struct rig rig = begin(state);

    start(&rig);
    beat(&rig, 11);
    assert_false(is_raised(&rig, GK_ALERT_NORMAL_FULL));
    beat(&rig, 12);
    assert_true(is_raised(&rig, GK_ALERT_NORMAL_FULL));
    for (unsigned i = 0; i < 5; i++) {
        beat(&rig, i % 2 == 0 ? 11 : 12);
        assert_true(is_raised(&rig, GK_ALERT_NORMAL_FULL));
    }
    assert_int_equal(rig.due, 1);
    beat(&rig, 10);
    assert_false(is_raised(&rig, GK_ALERT_NORMAL_FULL));
    assert_false(is_raised(&rig, GK_ALERT_DIFFICULT_FULL));
    assert_int_equal(rig.due, 2);
    stop(&rig);
}

static void test_message_goes_to_the_operator_in_sealed_form(void **state)
{
    static const uint8_t case_id[16] = {1};
    struct rig rig = begin(state);

    start(&rig);
    gk_box_alerts_needs_a_look(rig.alerts, LIFE_BOX, case_id);
    settle(&rig);
    assert_int_equal(rig.due, 1);
    assert_int_equal(life_records(rig.life, GK_FAMILY_OUTBOX_DUE), 1);
    stop(&rig);
}

static void test_stop_waits_for_what_is_being_written(void **state)
{
    struct rig rig = begin(state);
    guika_v1_HeartbeatRequest heartbeat = {.zones_count = 0};

    start(&rig);
    gk_box_alerts_heard(rig.alerts, LIFE_BOX, &heartbeat);
    stop(&rig);
    assert_true(record_of(&rig, LIFE_BOX).heard_at_ms != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_silent_box_is_told_of_once_and_once_when_it_speaks_again),
        LIFE_TEST(test_box_that_was_never_heard_is_not_missed),
        LIFE_TEST(test_restart_neither_repeats_an_alert_nor_forgets_a_box),
        LIFE_TEST(test_full_zone_is_over_only_when_there_is_room_to_speak_of),
        LIFE_TEST(test_message_goes_to_the_operator_in_sealed_form),
        LIFE_TEST(test_stop_waits_for_what_is_being_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
