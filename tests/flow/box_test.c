/* The box as a box maker ships it: a real guika-box against a real guikad, and either of them killed. */
#include "tests/flow/service.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum {
    CARDS = 6,
    TAKEN_WAIT_MS =
        60000, /* for the box to take every card; it waits a second for each while the line is down */
    DRAIN_WAIT_MS = 90000, /* for the spool; the reader reads each card */
    QUIET_MS = 1500,
};

struct box {
    pid_t id;
    char token_file[96];
    char camera[96];
    char spool[96];
    char log[96];
};

struct world {
    struct gk_test_service service;
    struct box box;
    struct gk_test_holder holders[CARDS];
    struct gk_test_picture pictures[CARDS];
};

static void box_start(struct world *world)
{
    struct box *box = &world->box;
    const char *arguments[] = {GK_TEST_PROGRAM("guika-box"),
                               "--server",
                               world->service.url,
                               "--token-file",
                               box->token_file,
                               "--camera",
                               box->camera,
                               "--spool",
                               box->spool,
                               "--quiet",
                               "--compartments",
                               "40",
                               "--difficult",
                               "40",
                               NULL};

    box->id = gk_test_spawn(box->log, arguments);
}

static int box_stop(struct world *world, int signal_number)
{
    assert_true(world->box.id > 0);
    assert_int_equal(kill(world->box.id, signal_number), 0);
    return gk_test_wait(world->box.id, 20000);
}

static void wait_for_words(const char *file, const char *words)
{
    char name[PATH_MAX];

    for (unsigned waited = 0; gk_test_files_with(file, words, strlen(words), name) == 0; waited += 20) {
        if (waited >= TAKEN_WAIT_MS) {
            fail_msg("%s never said \"%s\"", file, words);
        }
        gk_test_sleep_ms(20);
    }
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct box *box = &world->box;
    char token[GK_TEST_TOKEN_SIZE];
    char issuer[GK_TEST_TOKEN_SIZE];

    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "library-1", token);
    gk_test_add_issuer(&world->service, "bank", "iso7812", issuer);
    for (unsigned i = 0; i < CARDS; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        world->pictures[i] = gk_test_mint_card(900 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = "en";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:h%u@holders.example", i);
    }
    gk_test_import(&world->service, issuer, "all", world->holders, CARDS);
    (void)snprintf(box->token_file, sizeof box->token_file, "%s/box.token", world->service.directory);
    (void)snprintf(box->camera, sizeof box->camera, "%s/camera", world->service.directory);
    (void)snprintf(box->spool, sizeof box->spool, "%s/box", world->service.directory);
    (void)snprintf(box->log, sizeof box->log, "%s/box.log", world->service.directory);
    assert_int_equal(mkdir(box->camera, 0700), 0);
    gk_test_write_file(box->token_file, token, strlen(token));
    box_start(world);
    wait_for_words(box->log, "line");
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    assert_int_equal(box_stop(world, SIGTERM), 0);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < CARDS; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

static void drop(const struct world *world, const char *stem, unsigned card)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s.jpg", world->box.camera, stem);
    gk_test_write_file(path, world->pictures[card].data, world->pictures[card].size);
}

static size_t files_in(const char *directory, const char *suffix)
{
    DIR *entries = opendir(directory);
    const struct dirent *entry;
    size_t count = 0;

    assert_non_null(entries);
    while ((entry = readdir(entries)) != NULL) {
        const size_t length = strlen(entry->d_name);

        count += entry->d_name[0] != '.' && length >= strlen(suffix) &&
                 strcmp(entry->d_name + length - strlen(suffix), suffix) == 0;
    }
    (void)closedir(entries);
    return count;
}

static size_t spooled(const struct world *world)
{
    return files_in(world->box.spool, ".deposit") + files_in(world->box.spool, ".confirm");
}

static void wait_until_taken(const struct world *world, size_t left)
{
    for (unsigned waited = 0; files_in(world->box.camera, "") > left; waited += 20) {
        if (waited >= TAKEN_WAIT_MS) {
            fail_msg("%zu cards were not taken; see %s", files_in(world->box.camera, ""), world->box.log);
        }
        gk_test_sleep_ms(20);
    }
}

static void wait_until_drained(const struct world *world)
{
    for (unsigned waited = 0; spooled(world) > 0; waited += 20) {
        if (waited >= DRAIN_WAIT_MS) {
            fail_msg("%zu entries were not sent; see %s", spooled(world), world->box.log);
        }
        gk_test_sleep_ms(20);
    }
}

/* The found cards whose deposit is named for `stem`, oldest first; free() it. */
static guika_v1_FoundCardRow *found(const struct world *world, const char *stem, size_t *ret_count)
{
    size_t all;
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &all);
    guika_v1_FoundCardRow *chosen = calloc(all + 1, sizeof *chosen);

    *ret_count = 0;
    for (size_t i = all; i-- > 0;) {
        if (strstr(rows[i].deposit_id, stem) != NULL) {
            chosen[(*ret_count)++] = rows[i];
        }
    }
    free(rows);
    return chosen;
}

static bool is_identified(const guika_v1_FoundCardRow *row)
{
    return row->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
           row->state == guika_v1_CardState_CARD_STATE_NOTIFIED;
}

static void assert_nowhere(const char *place, const void *bytes, size_t size, const char *what)
{
    char name[PATH_MAX] = "";

    if (gk_test_files_with(place, bytes, size, name) != 0) {
        fail_msg("%s is in clear in %s", what, name);
    }
}

static void assert_unreadable(const struct world *world, unsigned card)
{
    /* Four bytes: three stand in a megabyte of ciphertext one time in sixteen. */
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0};
    const struct gk_test_picture *picture = &world->pictures[card];
    const char *places[] = {world->box.spool, world->box.log};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        assert_nowhere(places[i], world->holders[card].number, strlen(world->holders[card].number),
                       "the number");
        assert_nowhere(places[i], picture->data + picture->size / 2, 32, "a part of the picture");
        assert_nowhere(places[i], jpeg, sizeof jpeg, "a JPEG header");
        assert_nowhere(places[i], "JFIF", 4, "a JPEG header");
    }
}

static void test_dropped_card_lies_in_a_compartment_and_its_holder_is_told(void **state)
{
    struct world *world = *state;
    char compartments[PATH_MAX];
    size_t count;

    drop(world, "first", 0);
    wait_until_taken(world, 0);
    assert_true(gk_test_mail_wait(&world->service, 1, 30000));
    (void)snprintf(compartments, sizeof compartments, "%s/compartments", world->box.spool);
    wait_for_words(compartments, "N01");
    guika_v1_FoundCardRow *rows = found(world, "-first-", &count);

    assert_int_equal(count, 1);
    assert_true(is_identified(&rows[0]));
    assert_string_equal(rows[0].compartment, "N01");
    assert_int_equal(rows[0].zone, guika_v1_Zone_ZONE_NORMAL);
    assert_false(rows[0].misplaced);
    free(rows);
}

/* Each card of the run was found once; those that the box kept by itself are marked as lying elsewhere than
 * decided, and wait for staff before their holders are told. Returns how many notices there must be. */
static size_t assert_found_once(const struct world *world, const char *run, unsigned cards)
{
    size_t notices = 0;
    size_t identified = 0;

    for (unsigned i = 0; i < cards; i++) {
        char stem[32];
        size_t count;

        (void)snprintf(stem, sizeof stem, "-%s%u-", run, i);
        guika_v1_FoundCardRow *rows = found(world, stem, &count);

        assert_int_equal(count, 1);
        assert_true(rows[0].compartment[0] != '\0');
        assert_int_equal(rows[0].misplaced, is_identified(&rows[0]) && rows[0].compartment[0] == 'D');
        identified += is_identified(&rows[0]);
        notices += is_identified(&rows[0]) && rows[0].compartment[0] == 'N';
        free(rows);
    }
    assert_true(identified + 1 >= cards); /* the cards are easy to read */
    return notices;
}

static void assert_mails(const struct world *world, size_t count)
{
    assert_true(gk_test_mail_wait(&world->service, count, 60000));
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(gk_test_mail_count(&world->service), count);
}

static void drop_run(const struct world *world, const char *run, unsigned first, unsigned end,
                     unsigned pause_ms)
{
    for (unsigned i = first; i < end; i++) {
        char stem[32];

        (void)snprintf(stem, sizeof stem, "%s%u", run, i);
        drop(world, stem, i);
        gk_test_sleep_ms(pause_ms);
    }
}

static void assert_in_order(const struct world *world, const char *run)
{
    size_t count;
    char part[32];

    (void)snprintf(part, sizeof part, "-%s", run);
    guika_v1_FoundCardRow *rows = found(world, part, &count);

    for (size_t i = 1; i < count; i++) {
        assert_true(strstr(rows[i - 1].deposit_id, part)[strlen(part)] <
                    strstr(rows[i].deposit_id, part)[strlen(part)]);
    }
    free(rows);
}

static void test_cards_dropped_while_guikad_is_dead_wait_unreadable_and_are_found_once(void **state)
{
    struct world *world = *state;
    const size_t mails = gk_test_mail_count(&world->service);

    drop_run(world, "dark", 0, 2, 150);
    (void)gk_test_service_stop(&world->service, SIGKILL);
    drop_run(world, "dark", 2, CARDS, 150);
    wait_until_taken(world, 0);
    wait_for_words(world->box.log, "waits in the spool");
    assert_true(spooled(world) >= 2 * (CARDS - 2));
    for (unsigned i = 0; i < CARDS; i++) {
        assert_unreadable(world, i);
    }
    gk_test_service_start(&world->service);
    wait_until_drained(world);
    assert_in_order(world, "dark");
    assert_mails(world, mails + assert_found_once(world, "dark", CARDS));
}

static void test_killed_box_loses_and_doubles_nothing(void **state)
{
    struct world *world = *state;
    const size_t mails = gk_test_mail_count(&world->service);

    (void)gk_test_service_stop(&world->service, SIGKILL);
    drop_run(world, "kill", 0, CARDS, 0);
    wait_until_taken(world, CARDS - 3);
    (void)box_stop(world, SIGKILL);
    assert_true(files_in(world->box.camera, "") > 0);
    box_start(world);
    wait_until_taken(world, 0);
    gk_test_service_start(&world->service);
    for (size_t before = spooled(world); spooled(world) + 3 > before && spooled(world) > 0;) {
        gk_test_sleep_ms(5);
    }
    (void)box_stop(world, SIGKILL);
    box_start(world);
    wait_until_drained(world);
    assert_mails(world, mails + assert_found_once(world, "kill", CARDS));
    assert_int_equal(files_in(world->box.spool, ".refused"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropped_card_lies_in_a_compartment_and_its_holder_is_told),
        cmocka_unit_test(test_cards_dropped_while_guikad_is_dead_wait_unreadable_and_are_found_once),
        cmocka_unit_test(test_killed_box_loses_and_doubles_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
