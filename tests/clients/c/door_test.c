/* The box maker's calls at the door, with the line and without, on real files and against a real server. */
#include "clients/c/box.h"

#include "tests/clients/c/scratch.h"
#include "tests/clients/service.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BOX "lib-1"
#define CODE "12345678"
#define WRONG "13572468"
#define CASE "a1b20000"
#define NOW_MS GK_TEST_SERVICE_TIME_MS
#define HOUR_MS (INT64_C(3600) * 1000)
#define SHORT_MS 300U
#define LONG_MS 10000U

struct fixture {
    struct gk_test_service *service;
    struct guika_box *box;
    char path[GK_SCRATCH_PATH_SIZE];
    uint8_t key[GK_GRANT_KEY_SIZE], secret[GK_GRANT_SECRET_SIZE];
    guika_v1_PickupGrant grant;
};

static void open_box(struct fixture *fixture)
{
    const struct guika_box_options options = {
        .url = gk_test_service_url(fixture->service), .token = "box-token", .spool_directory = fixture->path};

    assert_int_equal(guika_box_open(&options, &fixture->box, NULL), GUIKA_CODE_OK);
}

static void reopen(struct fixture *fixture)
{
    guika_box_close(fixture->box);
    open_box(fixture);
}

static enum guika_code beat(struct fixture *fixture)
{
    const struct guika_heartbeat heartbeat = {.software = "test"};

    return guika_box_heartbeat(fixture->box, &heartbeat, LONG_MS, NULL, NULL);
}

static guika_v1_SignedGrant sign(const struct fixture *fixture, const guika_v1_PickupGrant *grant)
{
    guika_v1_SignedGrant made = {0};

    assert_int_equal(gk_grant_sign(grant, fixture->secret, &made, NULL), GK_OK);
    return made;
}

/* The box learns of the fixture's grant, and of the time. */
static void grant(struct fixture *fixture, uint64_t version)
{
    const guika_v1_SignedGrant made = sign(fixture, &fixture->grant);
    size_t count = 0;

    gk_test_service_grant(fixture->service, fixture->key, version, &made, 1);
    assert_int_equal(beat(fixture), GUIKA_CODE_OK);
    assert_int_equal(guika_box_update_grants(fixture->box, LONG_MS, &count, NULL), GUIKA_CODE_OK);
    assert_int_equal(count, 1);
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    guika_v1_PickupGrant *made = &fixture->grant;

    assert_true(sodium_init() >= 0);
    gk_scratch_make(fixture->path);
    (void)crypto_sign_keypair(fixture->key, fixture->secret);
    *made = (guika_v1_PickupGrant){
        .issue = 1, .code_digits = 8, .not_before_ms = NOW_MS - HOUR_MS, .expires_at_ms = NOW_MS + HOUR_MS};
    strcpy(made->box_id, BOX);
    strcpy(made->compartment, "N01");
    strcpy(made->deposit_id, "d-1");
    made->case_id[0] = 0xa1;
    made->case_id[1] = 0xb2;
    memset(made->salt, 5, sizeof made->salt);
    assert_int_equal(gk_grant_verifier(CODE, made->salt, made->verifier, NULL), GK_OK);
    fixture->service = gk_test_service_new();
    gk_test_service_start(fixture->service);
    open_box(fixture);
    grant(fixture, 1);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    guika_box_close(fixture->box);
    gk_test_service_free(fixture->service);
    gk_scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static void line_down(struct fixture *fixture)
{
    gk_test_service_stop(fixture->service);
}

static enum guika_code try_code(struct fixture *fixture, const char *code, struct guika_door *ret_door)
{
    return guika_box_open_door(fixture->box, CASE, code, "", SHORT_MS, ret_door, NULL);
}

static bool replay(struct fixture *fixture)
{
    return guika_box_replay_one(fixture->box, LONG_MS, NULL, NULL, NULL) == GUIKA_CODE_OK;
}

static void assert_entry(struct fixture *fixture, size_t index, const char *wanted)
{
    char entry[192];

    assert_true(gk_test_service_entry(fixture->service, index, entry, sizeof entry));
    assert_string_equal(entry, wanted);
}

static void test_grant_opens_without_the_line_and_what_came_of_it_is_replayed(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
    assert_true(door.offline);
    assert_string_equal(door.compartment, "N01");
    assert_string_equal(door.deposit_id, "d-1");
    assert_int_equal(door.fencing_token, 0);
    assert_int_equal(guika_box_confirm_door(fixture->box, &door, GUIKA_COLLECTED, SHORT_MS, NULL),
                     GUIKA_CODE_OK);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE); /* it is used up */
    reopen(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
    gk_test_service_start(fixture->service);
    assert_true(replay(fixture));
    assert_false(replay(fixture));
    assert_entry(fixture, 0, "replay-pickup 1 a1b2 0 1");
}

static void test_service_that_answers_is_believed_whatever_it_says(void **state)
{
    struct fixture *fixture = *state;
    static const enum gk_status answers[] = {GK_PERMISSION_DENIED, GK_FAILED_PRECONDITION, GK_INTERNAL,
                                             GK_UNAUTHENTICATED, GK_RESOURCE_EXHAUSTED};
    struct guika_door door;

    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        gk_test_service_fail(fixture->service, answers[i], 100);
        assert_int_equal(try_code(fixture, CODE, &door), (enum guika_code)answers[i]);
    }
    gk_test_service_fail(fixture->service, GK_OK, 0);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
    assert_false(door.offline);
    assert_int_equal(door.fencing_token, 42);
}

static void test_card_collected_with_the_line_voids_its_grant(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
    assert_int_equal(guika_box_confirm_door(fixture->box, &door, GUIKA_COLLECTED, LONG_MS, NULL),
                     GUIKA_CODE_OK);
    line_down(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
}

static void test_wrong_codes_are_counted_and_make_the_case_wait(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(try_code(fixture, i == 3 ? "nonsense" : WRONG, &door), GUIKA_CODE_PERMISSION_DENIED);
        reopen(fixture);
    }
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_RESOURCE_EXHAUSTED);
    gk_test_service_start(fixture->service);
    /* The service is not asked either: it has not heard of the tries yet. */
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_RESOURCE_EXHAUSTED);
    for (unsigned i = 0; i < 5; i++) {
        char wanted[64];

        assert_true(replay(fixture));
        (void)snprintf(wanted, sizeof wanted, "replay-pickup %u a1b2 1 0", i + 1);
        assert_entry(fixture, i, wanted);
    }
}

static void test_tries_that_the_service_counted_before_count_here(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    fixture->grant.failed_tries = 4;
    grant(fixture, 2);
    line_down(fixture);
    assert_int_equal(try_code(fixture, WRONG, &door), GUIKA_CODE_PERMISSION_DENIED);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_RESOURCE_EXHAUSTED);
}

/* Dies right after the try, before anybody could read an answer off the screen. */
static void test_power_cut_gives_no_try_back_and_opens_no_door_twice(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;
    int64_t now_ms = 0;

    line_down(fixture);
    assert_true(gk_box_clock_now(&fixture->box->clock, &now_ms));
    /* The journal has the try, the spool does not: the power went in between. */
    assert_int_equal(gk_pickup_journal_wrong(&fixture->box->journal, &fixture->grant, now_ms, NULL), GK_OK);
    reopen(fixture);
    assert_int_equal(gk_pickup_journal_tried(&fixture->box->journal, &fixture->grant).failed_tries, 1);
    assert_int_equal(gk_scratch_count(fixture->path, ".pickup"), 0);
    /* The same for a door: it counts as opened. */
    assert_int_equal(gk_box_offline_settle(fixture->box, NULL), GK_OK);
    assert_int_equal(gk_scratch_count(fixture->path, ".pickup"), 1);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
    reopen(fixture);
    assert_true(guika_box_door_left_open(fixture->box, &door));
    assert_string_equal(door.compartment, "N01");
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_FAILED_PRECONDITION);
    assert_int_equal(guika_box_confirm_door(fixture->box, &door, GUIKA_UNCERTAIN, SHORT_MS, NULL),
                     GUIKA_CODE_OK);
    assert_false(guika_box_door_left_open(fixture->box, &door));
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
    gk_test_service_start(fixture->service);
    assert_true(replay(fixture));
    assert_true(replay(fixture));
    assert_entry(fixture, 0, "replay-pickup 1 a1b2 1 0");
    assert_entry(fixture, 1, "replay-pickup 2 a1b2 0 4");
}

/* A crash after the spool has the event and before the journal knows: it is there twice, under one sequence.
 */
static void test_event_that_reached_the_spool_twice_has_one_sequence(void **state)
{
    struct fixture *fixture = *state;
    size_t size = 0;
    int64_t now_ms = 0;

    line_down(fixture);
    assert_true(gk_box_clock_now(&fixture->box->clock, &now_ms));
    assert_int_equal(gk_pickup_journal_wrong(&fixture->box->journal, &fixture->grant, now_ms, NULL), GK_OK);
    uint8_t *journal = gk_scratch_read(fixture->path, "pickups", &size);

    assert_int_equal(gk_box_offline_settle(fixture->box, NULL), GK_OK);
    gk_scratch_write(fixture->path, "pickups", journal, size);
    free(journal);
    reopen(fixture);
    gk_test_service_start(fixture->service);
    assert_true(replay(fixture));
    assert_true(replay(fixture));
    assert_entry(fixture, 0, "replay-pickup 1 a1b2 1 0");
    assert_entry(fixture, 1, "replay-pickup 1 a1b2 1 0");
}

static void write_clock(const struct fixture *fixture, const char *boot, int64_t ahead_ms)
{
    char text[160], own[64] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

    assert_non_null(file);
    assert_non_null(fgets(own, 37, file));
    (void)fclose(file);
    const int length =
        snprintf(text, sizeof text, "%s 0 %lld\n", boot == NULL ? own : boot, (long long)(NOW_MS + ahead_ms));

    gk_scratch_write(fixture->path, "clock", text, (size_t)length);
}

static void test_box_that_does_not_know_the_time_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    guika_box_close(fixture->box);
    write_clock(fixture, "00000000-0000-0000-0000-000000000000", 0); /* of another boot */
    open_box(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
    gk_test_service_start(fixture->service);
    assert_int_equal(beat(fixture), GUIKA_CODE_OK);
    line_down(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
}

static void test_grant_that_has_run_out_or_is_of_the_future_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    guika_box_close(fixture->box);
    write_clock(fixture, NULL, HOUR_MS);
    open_box(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
    guika_box_close(fixture->box);
    write_clock(fixture, NULL, -1000 * 24 * HOUR_MS);
    open_box(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
}

static void test_grants_that_do_not_pass_are_not_kept(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_SignedGrant grants[2] = {sign(fixture, &fixture->grant)};
    guika_v1_PickupGrant others = fixture->grant;
    size_t count = 0;

    others.case_id[0] = 0xff;
    strcpy(others.box_id, "lib-2");
    grants[1] = sign(fixture, &others);
    gk_test_service_grant(fixture->service, fixture->key, 2, grants, 2);
    assert_int_equal(beat(fixture), GUIKA_CODE_OK);
    assert_int_equal(guika_box_update_grants(fixture->box, LONG_MS, &count, NULL),
                     GUIKA_CODE_INVALID_ARGUMENT);
    strcpy(others.box_id, BOX);
    grants[1] = sign(fixture, &others);
    grants[1].signature[0] ^= 1;
    gk_test_service_grant(fixture->service, fixture->key, 3, grants, 2);
    assert_int_equal(beat(fixture), GUIKA_CODE_OK);
    assert_int_equal(guika_box_update_grants(fixture->box, LONG_MS, &count, NULL),
                     GUIKA_CODE_PERMISSION_DENIED);
    assert_int_equal(count, 1); /* those before */
    grants[1].signature[0] ^= 1;
    gk_test_service_grant(fixture->service, fixture->key, 4, grants, 2);
    assert_int_equal(beat(fixture), GUIKA_CODE_OK);
    assert_int_equal(guika_box_update_grants(fixture->box, LONG_MS, &count, NULL), GUIKA_CODE_OK);
    assert_int_equal(count, 2);
    reopen(fixture);
    assert_int_equal(fixture->box->grants.count, 2);
}

static void test_grant_changed_on_the_disk_opens_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;
    guika_v1_SignedGrant *held = &fixture->box->grants.items[0];
    uint8_t *place = memmem(held->grant.bytes, held->grant.size, "N01", 3);

    assert_non_null(place);
    place[2] = '2'; /* as one would who could also make the file's digest right */
    line_down(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
    reopen(fixture);
    size_t size = 0;
    uint8_t *file = gk_scratch_read(fixture->path, "grants", &size);

    file[size / 2] ^= 1;
    gk_scratch_write(fixture->path, "grants", file, size);
    free(file);
    reopen(fixture);
    assert_int_equal(fixture->box->grants.count, 0);
}

static void test_damaged_journal_opens_nothing_and_spools_on(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    gk_scratch_write(fixture->path, "pickups", "GKPICKUP1 half", 14);
    reopen(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_UNAVAILABLE);
    assert_int_equal(
        guika_box_confirm_stored(fixture->box, "d-9", GUIKA_STORED, GUIKA_ZONE_NORMAL, "N02", SHORT_MS, NULL),
        GUIKA_CODE_OK);
    size_t entries = 0;

    guika_box_spooled(fixture->box, &entries, NULL);
    assert_int_equal(entries, 1);
}

static void test_new_grant_after_the_service_took_the_opening_opens_again(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
    assert_int_equal(guika_box_confirm_door(fixture->box, &door, GUIKA_CARD_INSIDE, SHORT_MS, NULL),
                     GUIKA_CODE_OK);
    gk_test_service_start(fixture->service);
    assert_true(replay(fixture));
    fixture->grant.opening = 43;
    grant(fixture, 2);
    line_down(fixture);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
}

static void test_what_waits_in_the_spool_is_told_before_what_happened_later(void **state)
{
    struct fixture *fixture = *state;
    struct guika_door door;

    line_down(fixture);
    assert_int_equal(
        guika_box_confirm_stored(fixture->box, "d-9", GUIKA_STORED, GUIKA_ZONE_NORMAL, "N02", SHORT_MS, NULL),
        GUIKA_CODE_OK);
    assert_int_equal(try_code(fixture, WRONG, &door), GUIKA_CODE_PERMISSION_DENIED);
    assert_int_equal(
        guika_box_confirm_stored(fixture->box, "d-8", GUIKA_STORED, GUIKA_ZONE_NORMAL, "N03", SHORT_MS, NULL),
        GUIKA_CODE_OK);
    assert_int_equal(try_code(fixture, CODE, &door), GUIKA_CODE_OK);
    assert_int_equal(guika_box_confirm_door(fixture->box, &door, GUIKA_COLLECTED, SHORT_MS, NULL),
                     GUIKA_CODE_OK);
    gk_test_service_start(fixture->service);
    while (replay(fixture)) {
    }
    assert_entry(fixture, 0, "replay-confirm d-9 1");
    assert_entry(fixture, 1, "replay-pickup 1 a1b2 1 0");
    assert_entry(fixture, 2, "replay-confirm d-8 1");
    assert_entry(fixture, 3, "replay-pickup 2 a1b2 0 1");
}

static void test_files_are_the_boxs_alone(void **state)
{
    struct fixture *fixture = *state;
    static const char *const names[] = {"grants", "grantor", "clock", "pickups"};
    struct guika_door door;
    struct stat info;
    char path[GK_SCRATCH_PATH_SIZE * 2];

    line_down(fixture);
    assert_int_equal(try_code(fixture, WRONG, &door), GUIKA_CODE_PERMISSION_DENIED);
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", fixture->path, names[i]);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    assert_false(gk_scratch_contains(fixture->path, CODE, strlen(CODE)));
    assert_false(gk_scratch_contains(fixture->path, WRONG, strlen(WRONG)));
}

#define DOOR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR_TEST(test_grant_opens_without_the_line_and_what_came_of_it_is_replayed),
        DOOR_TEST(test_service_that_answers_is_believed_whatever_it_says),
        DOOR_TEST(test_card_collected_with_the_line_voids_its_grant),
        DOOR_TEST(test_wrong_codes_are_counted_and_make_the_case_wait),
        DOOR_TEST(test_tries_that_the_service_counted_before_count_here),
        DOOR_TEST(test_power_cut_gives_no_try_back_and_opens_no_door_twice),
        DOOR_TEST(test_event_that_reached_the_spool_twice_has_one_sequence),
        DOOR_TEST(test_box_that_does_not_know_the_time_opens_nothing),
        DOOR_TEST(test_grant_that_has_run_out_or_is_of_the_future_opens_nothing),
        DOOR_TEST(test_grants_that_do_not_pass_are_not_kept),
        DOOR_TEST(test_grant_changed_on_the_disk_opens_nothing),
        DOOR_TEST(test_damaged_journal_opens_nothing_and_spools_on),
        DOOR_TEST(test_new_grant_after_the_service_took_the_opening_opens_again),
        DOOR_TEST(test_what_waits_in_the_spool_is_told_before_what_happened_later),
        DOOR_TEST(test_files_are_the_boxs_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
