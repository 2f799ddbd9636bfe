#include "fixture.h"
#include "outbox_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define DELIVERED_STATE guika_v1_internal_NoticeRecord_State_NOTICE_DELIVERED
#define DEAD guika_v1_internal_NoticeRecord_State_NOTICE_DEAD
#define CANCELLED guika_v1_internal_NoticeRecord_State_NOTICE_CANCELLED
#define DELIVERED guika_v1_internal_CompleteNoticeRequest_Outcome_DELIVERED
#define TRY_LATER guika_v1_internal_CompleteNoticeRequest_Outcome_TRY_LATER
#define REFUSED guika_v1_internal_CompleteNoticeRequest_Outcome_REFUSED

#define WAIT_MS 5000   /* for what must come */
#define NOTHING_MS 300 /* for what must not */
#define FIRST_DELAY_MS 5000
#define HOUR_MS INT64_C(3600000)

struct state {
    struct outbox_rig rig;
    struct gk_rpc_client *client;
    guika_v1_internal_LeaseNoticeResponse notice;
};

static struct state *start(const char *const *contacts)
{
    struct state *state = calloc(1, sizeof *state);
    assert_non_null(state);
    rig_make(&state->rig, contacts);
    rig_set(&state->rig, "smtp", "plugin", "maildir");
    rig_set(&state->rig, "sms", "url", "https://gateway.example");
    rig_start(&state->rig);
    state->client = rig_client(&state->rig);
    return state;
}

static struct state *start_with_mail(void)
{
    return start((const char *const[]){"smtp:wang@holder.example", NULL});
}

static void stop(struct state *state)
{
    uint64_t entries = 0;
    struct gk_error error = {0};
    assert_int_equal(gk_store_verify_audit(state->rig.store, &entries, &error), GK_OK);
    gk_rpc_client_close(state->client);
    rig_stop(&state->rig);
    rig_remove(&state->rig);
    free(state);
}

static void lease(struct state *state)
{
    if (!rig_lease(state->client, WAIT_MS, &state->notice))
        fail_msg("no notice came");
}

static void lease_nothing(struct state *state)
{
    if (rig_lease(state->client, NOTHING_MS, &state->notice))
        fail_msg("a notice came: %s", state->notice.message_id);
}

static void complete(struct state *state, guika_v1_internal_CompleteNoticeRequest_Outcome outcome,
                     const char *detail)
{
    assert_int_equal(rig_complete(state->client, state->notice.lease_id, outcome, detail, 0), GK_OK);
}

/* Waits until an attempt at notice 1 is known to have failed. */
static void await_attempt(struct state *state)
{
    for (int i = 0; i < 250 && rig_notice(&state->rig, 1).attempts == 0; i++)
        usleep(20000);
    assert_int_equal(rig_notice(&state->rig, 1).attempts, 1);
}

static void *release_soon(void *context)
{
    usleep(300000);
    rig_release(context, 1);
    return NULL;
}

static void test_held_notice_waits_for_its_release(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, HELD);
    lease_nothing(state);
    assert_int_equal(rig_due_rows(&state->rig), 0);

    pthread_t thread;
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    assert_int_equal(pthread_create(&thread, NULL, release_soon, &state->rig), 0);
    assert_true(rig_lease(state->client, 20000, &state->notice));
    clock_gettime(CLOCK_MONOTONIC, &end);
    pthread_join(thread, NULL);
    assert_true(end.tv_sec - begin.tv_sec < 5);

    rig_release(&state->rig, 1);
    complete(state, DELIVERED, "");
    rig_release(&state->rig, 1);
    assert_int_equal(rig_notice(&state->rig, 1).state, DELIVERED_STATE);
    lease_nothing(state);
    stop(state);
}

static void test_notice_is_complete_when_leased(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    const guika_v1_internal_LeaseNoticeResponse *notice = &state->notice;
    assert_string_equal(notice->message_id, "aa010101010101010101010101010101");
    assert_string_equal(notice->channel, "smtp");
    assert_string_equal(notice->address, "wang@holder.example");
    assert_string_equal(notice->name, "王小明");
    assert_string_equal(notice->language, "zh");
    assert_string_equal(notice->template_id, "card_found");
    assert_string_equal(notice->subject, "您遗失的卡找到了：银联，尾号 1234");
    fixture_assert_has(notice->text, "中心图书馆一楼东门");
    fixture_assert_has(notice->text, "daily 9:00-21:00");
    fixture_assert_has(notice->text, "CC01-0101");
    assert_int_equal(notice->created_at_ms, RIG_START_MS);
    assert_int_equal(notice->lease_ms, 30000);
    assert_int_equal(notice->fields_count, 10);
    assert_string_equal(notice->fields[1].name, "last_four");
    assert_string_equal(notice->fields[1].value, "1234");
    stop(state);
}

static void test_delivery_is_one_transition(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    complete(state, DELIVERED, "accepted with 250");
    const guika_v1_internal_NoticeRecord record = rig_notice(&state->rig, 1);
    assert_int_equal(record.state, DELIVERED_STATE);
    assert_string_equal(record.last_detail, "accepted with 250");
    assert_int_equal(rig_due_rows(&state->rig), 0);
    assert_int_equal(atomic_load(&state->rig.delivered), 1);
    struct gk_value value;
    assert_int_equal(
        gk_store_get(state->rig.store, GK_FAMILY_META, (struct gk_bytes){record.notice_id, 16}, &value, NULL),
        GK_OK);
    gk_value_free(&value);
    assert_int_equal(rig_counter(&state->rig, "notices_delivered"), 1);
    uint64_t entries = 0;
    assert_int_equal(gk_store_verify_audit(state->rig.store, &entries, NULL), GK_OK);
    assert_int_equal(entries, 1);
    assert_int_equal(rig_complete(state->client, state->notice.lease_id, DELIVERED, "", 0), GK_NOT_FOUND);
    lease_nothing(state);
    stop(state);
}

static void test_failed_attempt_comes_back_later_under_the_same_id(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    complete(state, TRY_LATER, "recipient refused with 451");
    const guika_v1_internal_NoticeRecord record = rig_notice(&state->rig, 1);
    assert_int_equal(record.state, DUE);
    assert_int_equal(record.attempts, 1);
    assert_in_range(record.due_at_ms - RIG_START_MS, 0, FIRST_DELAY_MS);
    if (record.due_at_ms > RIG_START_MS)
        lease_nothing(state);
    rig_advance(&state->rig, FIRST_DELAY_MS);
    lease(state);
    assert_string_equal(state->notice.message_id, "aa010101010101010101010101010101");
    complete(state, DELIVERED, "");
    stop(state);
}

static void test_receivers_wish_is_honoured(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    assert_int_equal(rig_complete(state->client, state->notice.lease_id, TRY_LATER, "", 3600000), GK_OK);
    assert_int_equal(rig_notice(&state->rig, 1).due_at_ms, RIG_START_MS + HOUR_MS);
    rig_advance(&state->rig, HOUR_MS - 1);
    lease_nothing(state);
    rig_advance(&state->rig, 1);
    lease(state);
    stop(state);
}

static void test_after_three_days_the_next_contact_then_dead(void **unused)
{
    (void)unused;
    struct state *state =
        start((const char *const[]){"smtp:wang@holder.example", "sms:+8613800000000", NULL});
    rig_add(&state->rig, 1, DUE);
    for (int i = 0; i < 10; i++) {
        lease(state);
        assert_string_equal(state->notice.channel, "smtp");
        complete(state, TRY_LATER, "connection: could not connect");
        rig_advance(&state->rig, 24 * HOUR_MS);
    }
    for (int i = 0; i < 10; i++) {
        lease(state);
        assert_string_equal(state->notice.channel, "sms");
        assert_string_equal(state->notice.address, "+8613800000000");
        complete(state, TRY_LATER, "connection: could not connect");
        rig_advance(&state->rig, 24 * HOUR_MS);
    }
    lease_nothing(state);
    assert_int_equal(rig_notice(&state->rig, 1).state, DEAD);
    assert_int_equal(rig_due_rows(&state->rig), 0);
    stop(state);
}

static void test_refusal_turns_to_the_next_contact_at_once(void **unused)
{
    (void)unused;
    struct state *state =
        start((const char *const[]){"smtp:gone@holder.example", "smtp:new@holder.example", NULL});
    rig_add(&state->rig, 1, DUE);
    lease(state);
    assert_string_equal(state->notice.address, "gone@holder.example");
    complete(state, REFUSED, "recipient refused with 550");
    lease(state);
    assert_string_equal(state->notice.address, "new@holder.example");
    complete(state, REFUSED, "recipient refused with 550");
    lease_nothing(state);
    assert_int_equal(rig_notice(&state->rig, 1).state, DEAD);
    assert_int_equal(rig_counter(&state->rig, "notices_dead"), 1);
    assert_int_equal(rig_counter(&state->rig, "notices_delivered"), 0);
    assert_int_equal(atomic_load(&state->rig.delivered), 0);
    stop(state);
}

static void test_lease_that_ends_is_a_failed_attempt(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    uint64_t first = state->notice.lease_id;
    rig_advance(&state->rig, 29999);
    lease_nothing(state);
    rig_advance(&state->rig, 1);
    await_attempt(state);
    rig_advance(&state->rig, FIRST_DELAY_MS);
    lease(state);
    assert_string_equal(state->notice.message_id, "aa010101010101010101010101010101");
    assert_int_equal(rig_complete(state->client, first, DELIVERED, "", 0), GK_NOT_FOUND);
    complete(state, DELIVERED, "");
    stop(state);
}

static void test_courier_that_dies_gives_its_notice_back(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    gk_rpc_client_close(state->client);
    state->client = rig_client(&state->rig);
    await_attempt(state);
    rig_advance(&state->rig, FIRST_DELAY_MS);
    lease(state);
    complete(state, DELIVERED, "");
    stop(state);
}

static void test_crash_before_completion_repeats_the_message_id(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    char first[33];
    snprintf(first, sizeof first, "%s", state->notice.message_id);
    gk_rpc_client_close(state->client);
    rig_stop(&state->rig);
    atomic_fetch_add(&state->rig.now_ms, FIRST_DELAY_MS);
    rig_start(&state->rig);
    state->client = rig_client(&state->rig);
    lease(state);
    assert_string_equal(state->notice.message_id, first);
    complete(state, DELIVERED, "");
    assert_int_equal(atomic_load(&state->rig.delivered), 1);
    stop(state);
}

static void assert_dead(struct state *state, const char *detail)
{
    rig_add(&state->rig, 1, DUE);
    lease_nothing(state);
    const guika_v1_internal_NoticeRecord record = rig_notice(&state->rig, 1);
    assert_int_equal(record.state, DEAD);
    assert_string_equal(record.last_detail, detail);
    assert_int_equal(rig_due_rows(&state->rig), 0);
    assert_int_equal(rig_counter(&state->rig, "notices_dead"), 1);
    stop(state);
}

static void test_holder_without_a_contact(void **unused)
{
    (void)unused;
    assert_dead(start((const char *const[]){NULL}), "no contact");
}

static void test_holder_who_is_gone(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    state->rig.holder_missing = true;
    assert_dead(state, "the holder is not registered any more");
}

static void test_unknown_channels_are_passed_over(void **unused)
{
    (void)unused;
    struct state *state =
        start((const char *const[]){"fax:123", "nonsense", "smtp:wang@holder.example", NULL});
    rig_add(&state->rig, 1, DUE);
    lease(state);
    assert_string_equal(state->notice.address, "wang@holder.example");
    stop(state);
    assert_dead(start((const char *const[]){"fax:123", NULL}), "no such channel");
}

static void test_cancelled_notice_does_not_leave(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, HELD);
    rig_cancel(&state->rig, 1);
    rig_release(&state->rig, 1);
    rig_add(&state->rig, 2, DUE);
    rig_cancel(&state->rig, 2);
    lease_nothing(state);
    assert_int_equal(rig_notice(&state->rig, 1).state, CANCELLED);
    assert_int_equal(rig_notice(&state->rig, 2).state, CANCELLED);
    assert_int_equal(rig_due_rows(&state->rig), 0);

    rig_add(&state->rig, 3, DUE);
    lease(state);
    rig_cancel(&state->rig, 3);
    complete(state, TRY_LATER, "");
    assert_int_equal(rig_notice(&state->rig, 3).state, CANCELLED);
    assert_int_equal(rig_due_rows(&state->rig), 0);
    stop(state);
}

static void test_one_courier_has_a_notice_at_a_time(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    struct gk_rpc_client *other = rig_client(&state->rig);
    rig_add(&state->rig, 1, DUE);
    lease(state);
    guika_v1_internal_LeaseNoticeResponse nothing;
    gk_outbox_poke(state->rig.outbox); /* the outbox looks anew, and finds the row of the leased one */
    assert_false(rig_lease(other, NOTHING_MS, &nothing));
    gk_rpc_client_close(other);
    stop(state);
}

static void test_many_notices_leave_once_each(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    bool seen[201] = {false};
    for (int i = 1; i <= 200; i++)
        rig_add(&state->rig, (uint8_t)i, DUE);
    for (int i = 1; i <= 200; i++) {
        lease(state);
        unsigned seed = 0;
        assert_int_equal(sscanf(state->notice.message_id, "aa%2x", &seed), 1);
        assert_false(seen[seed]);
        seen[seed] = true;
        complete(state, DELIVERED, "");
    }
    lease_nothing(state);
    assert_int_equal(rig_counter(&state->rig, "notices_delivered"), 200);
    stop(state);
}

static void test_detail_never_holds_the_address(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    complete(state, TRY_LATER, "550 <wang@holder.example> no such user");
    fixture_assert_lacks(rig_notice(&state->rig, 1).last_detail, "holder.example");
    stop(state);
}

static void test_bad_completions_are_refused(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    rig_add(&state->rig, 1, DUE);
    lease(state);
    assert_int_equal(rig_complete(state->client, 0, DELIVERED, "", 0), GK_NOT_FOUND);
    assert_int_equal(rig_complete(state->client, state->notice.lease_id, 0, "", 0), GK_INVALID_ARGUMENT);
    complete(state, DELIVERED, "");
    stop(state);
}

static void test_settings_are_announced_and_checked(void **unused)
{
    (void)unused;
    struct state *state = start_with_mail();
    const guika_v1_internal_AnnounceChannelsRequest request =
        guika_v1_internal_AnnounceChannelsRequest_init_zero;
    guika_v1_internal_AnnounceChannelsResponse *response = calloc(1, sizeof *response);
    assert_non_null(response);
    assert_int_equal(
        guika_v1_internal_courier_service_announce_channels(state->client, NULL, &request, response, NULL),
        GK_OK);
    assert_int_equal(response->settings_count, 2);
    assert_string_equal(response->settings[0].channel, "smtp");
    assert_string_equal(response->settings[0].key, "plugin");
    assert_string_equal(response->settings[0].value, "maildir");
    free(response);
    stop(state);

    char longest[600];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const struct gk_channel_setting setting = {"smtp", "host", longest};
    const struct gk_outbox_options options = {.settings = &setting, .setting_count = 1};
    struct gk_outbox *outbox = NULL;
    struct gk_error error = {0};
    assert_int_equal(gk_outbox_open(&options, &outbox, &error), GK_INVALID_ARGUMENT);
    fixture_assert_has(error.message, "512");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_held_notice_waits_for_its_release),
        cmocka_unit_test(test_notice_is_complete_when_leased),
        cmocka_unit_test(test_delivery_is_one_transition),
        cmocka_unit_test(test_failed_attempt_comes_back_later_under_the_same_id),
        cmocka_unit_test(test_receivers_wish_is_honoured),
        cmocka_unit_test(test_after_three_days_the_next_contact_then_dead),
        cmocka_unit_test(test_refusal_turns_to_the_next_contact_at_once),
        cmocka_unit_test(test_lease_that_ends_is_a_failed_attempt),
        cmocka_unit_test(test_courier_that_dies_gives_its_notice_back),
        cmocka_unit_test(test_crash_before_completion_repeats_the_message_id),
        cmocka_unit_test(test_holder_without_a_contact),
        cmocka_unit_test(test_holder_who_is_gone),
        cmocka_unit_test(test_unknown_channels_are_passed_over),
        cmocka_unit_test(test_cancelled_notice_does_not_leave),
        cmocka_unit_test(test_one_courier_has_a_notice_at_a_time),
        cmocka_unit_test(test_many_notices_leave_once_each),
        cmocka_unit_test(test_detail_never_holds_the_address),
        cmocka_unit_test(test_bad_completions_are_refused),
        cmocka_unit_test(test_settings_are_announced_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
