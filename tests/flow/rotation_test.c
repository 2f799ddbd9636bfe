/* New keys for a service at work, with the real programs: what was found and registered under the old ones is
 * found under the new ones, through deposits in between and kills at any moment. GUIKA_ROTATION_ROWS sets the
 * list's size. */
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define DEFAULT_ROWS 4000

struct world {
    struct gk_test_service service;
    char issuer[GK_TEST_TOKEN_SIZE];
    char box_token[GK_TEST_TOKEN_SIZE];
    char viewer[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *box;
    struct gk_test_holder *holders; /* the first is the known card's, the last the stranger's */
    size_t rows;                    /* without the stranger */
    struct gk_test_picture known;
    struct gk_test_picture stranger;
    char difficult[33]; /* a case with a picture */
    char strange[33];   /* the stranger's */
};

static char check_digit(const char *number, size_t length)
{
    unsigned sum = 0;

    for (size_t i = 0; i < length; i++) {
        const unsigned digit = (unsigned)(number[length - 1 - i] - '0');
        const unsigned doubled = 2 * digit;

        sum += i % 2 == 0 ? doubled / 10 + doubled % 10 : digit;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

static void fill_holders(struct world *world)
{
    const char *rows = getenv("GUIKA_ROTATION_ROWS");

    world->rows = rows == NULL ? DEFAULT_ROWS : (size_t)strtoul(rows, NULL, 10);
    world->holders = calloc(world->rows + 1, sizeof *world->holders);
    world->known = gk_test_mint_card(42, world->holders[0].number);
    world->stranger = gk_test_mint_card(43, world->holders[world->rows].number);
    for (size_t i = 0; i <= world->rows; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        holder->scheme = "iso7812";
        holder->language = "en";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "holder-%zu", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:h%zu@holders.example", i);
        if (i > 0 && i < world->rows) {
            (void)snprintf(holder->number, sizeof holder->number, "41%013zu", i * 7919);
            holder->number[15] = check_digit(holder->number, 15);
            holder->number[16] = '\0';
        }
    }
}

static enum gk_status deposit(struct world *world, const char *deposit_id,
                              const struct gk_test_picture *picture, guika_v1_DepositResponse *ret_response)
{
    struct gk_error error = {0};
    enum gk_status status = GK_UNAVAILABLE;

    /* A box tries again, as its library does. */
    for (int i = 0; i < 200 && status == GK_UNAVAILABLE; i++) {
        status = gk_test_deposit(world->box, deposit_id, picture, ret_response, &error);
        if (status == GK_UNAVAILABLE || status == GK_DEADLINE_EXCEEDED) {
            gk_rpc_client_close(world->box);
            gk_test_sleep_ms(50);
            world->box = gk_test_client(&world->service, world->box_token);
            status = GK_UNAVAILABLE;
        }
    }
    return status;
}

static void confirm(struct world *world, const char *deposit_id, guika_v1_Zone zone)
{
    guika_v1_ConfirmStoredRequest request = {
        .outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED, .zone = zone, .compartment = "C01"};
    guika_v1_ConfirmStoredResponse response = {0};
    enum gk_status status = GK_UNAVAILABLE;

    (void)snprintf(request.deposit_id, sizeof request.deposit_id, "%s", deposit_id);
    for (int i = 0; i < 200 && status != GK_OK; i++) {
        status = guika_v1_box_service_confirm_stored(world->box, NULL, &request, &response, NULL);
        if (status != GK_OK) {
            gk_rpc_client_close(world->box);
            gk_test_sleep_ms(50);
            world->box = gk_test_client(&world->service, world->box_token);
        }
    }
    assert_int_equal(status, GK_OK);
}

static guika_v1_Zone drop(struct world *world, const char *deposit_id, const struct gk_test_picture *picture)
{
    guika_v1_DepositResponse response = {0};

    assert_int_equal(deposit(world, deposit_id, picture, &response), GK_OK);
    confirm(world, deposit_id, response.zone);
    return response.zone;
}

static void add_viewer(struct world *world)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, world->service.operator_token);
    guika_v1_AddOperatorRequest request = {.operator_id = "vera", .viewer = true};
    guika_v1_AddOperatorResponse response = {0};

    assert_int_equal(guika_v1_operator_service_add_operator(client, NULL, &request, &response, NULL), GK_OK);
    (void)snprintf(world->viewer, sizeof world->viewer, "%s", response.token);
    gk_rpc_client_close(client);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct gk_test_picture misprint = gk_test_mint_misprint(7);
    guika_v1_DepositResponse response = {0};

    gk_test_service_make(&world->service, 1);
    gk_test_service_start(&world->service);
    fill_holders(world);
    gk_test_add_issuer(&world->service, "bank", "iso7812", world->issuer);
    gk_test_add_box(&world->service, "box-1", world->box_token);
    add_viewer(world);
    world->box = gk_test_client(&world->service, world->box_token);
    gk_test_import(&world->service, world->issuer, "one", world->holders, world->rows);
    assert_int_equal(drop(world, "known", &world->known), guika_v1_Zone_ZONE_NORMAL);
    assert_int_equal(deposit(world, "stranger", &world->stranger, &response), GK_OK);
    gk_test_confirm_stored(world->box, "stranger", response.zone);
    (void)snprintf(world->strange, sizeof world->strange, "%s", response.case_id);
    gk_test_move(&world->service, world->strange, "box-1", "N09");
    assert_int_equal(deposit(world, "misprint", &misprint, &response), GK_OK);
    (void)snprintf(world->difficult, sizeof world->difficult, "%s", response.case_id);
    assert_true(gk_test_mail_wait(&world->service, 1, 20000));
    free(misprint.data);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->box);
    gk_test_service_remove(&world->service);
    free(world->holders);
    free(world->known.data);
    free(world->stranger.data);
    free(world);
    return 0;
}

static char *key(const struct world *world, const char *word)
{
    char token_file[128];
    const char *arguments[] = {
        GK_TEST_PROGRAM("guika"), "key",          word,       "--config", "/dev/null", "--server",
        world->service.url,       "--token-file", token_file, NULL};

    (void)snprintf(token_file, sizeof token_file, "%s/service/operator.token", world->service.directory);
    struct gk_test_run run = gk_test_run(arguments);
    char *output = strdup(run.output);

    gk_test_run_clear(&run);
    return output;
}

static bool is_in_force(const struct world *world, unsigned epoch)
{
    char wanted[32];
    char *output = key(world, "status");

    (void)snprintf(wanted, sizeof wanted, "epoch %u is in force\n", epoch);
    const bool is_it = strncmp(output, wanted, strlen(wanted)) == 0;

    free(output);
    return is_it;
}

static void await_epoch(const struct world *world, unsigned epoch)
{
    for (int i = 0; i < 300; i++) {
        if (is_in_force(world, epoch)) {
            return;
        }
        gk_test_sleep_ms(100);
    }
    fail_msg("epoch %u never came into force; see %s", epoch, world->service.log);
}

static void assert_picture_opens(const struct world *world)
{
    struct gk_rpc_client *viewer = gk_test_client(&world->service, world->viewer);
    guika_v1_GetPictureRequest request = {0};
    guika_v1_GetPictureResponse response = {0};
    struct gk_error error = {0};

    (void)snprintf(request.case_id, sizeof request.case_id, "%s", world->difficult);
    if (guika_v1_operator_service_get_picture(viewer, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("picture: %s", error.message);
    }
    assert_true(response.picture.size > 100);
    assert_memory_equal(response.picture.data, "\xff\xd8\xff", 3);
    gk_rpc_client_close(viewer);
}

/* A holder asks by a contact. */
static void ask(const struct world *world, const char *contact)
{
    char line[512];
    const char *arguments[] = {"/bin/sh", "-c", line, NULL};

    (void)snprintf(line, sizeof line, "echo %s | %s --config /dev/null --server %s", contact,
                   GK_TEST_PROGRAM("guika") " check", world->service.url);
    struct gk_test_run run = gk_test_run(arguments);

    if (run.exit_status != 0) {
        fail_msg("check: %s", run.errors);
    }
    gk_test_run_clear(&run);
}

/* All that was there before the rotation is found after it. */
static void assert_all_is_found(struct world *world, size_t mails)
{
    size_t count = 0;
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].deposit_id, "known") == 0 || strcmp(rows[i].deposit_id, "stranger") == 0) {
            assert_true(strlen(rows[i].masked_number) > 4); /* sealed under the new key, or the old */
        }
    }
    free(rows);
    assert_picture_opens(world);
    assert_int_equal(drop(world, "known-after", &world->known), guika_v1_Zone_ZONE_NORMAL);
    assert_true(gk_test_mail_wait(&world->service, mails + 1, 20000));
    /* The stranger's token was kept, and wrapped: the new list meets it. */
    gk_test_import(&world->service, world->issuer, "two", world->holders, world->rows + 1);
    assert_true(gk_test_mail_wait(&world->service, mails + 2, 20000));
    char *text = gk_test_mail_text(&world->service);
    char address[64];

    (void)snprintf(address, sizeof address, "h%zu@holders.example", world->rows);
    assert_non_null(strstr(text, address));
    free(text);
    /* Contacts are found under the new key too. */
    ask(world, "h1@holders.example");
    assert_true(gk_test_mail_wait(&world->service, mails + 3, 20000));
}

static void test_keys_are_rotated_while_boxes_go_on(void **state)
{
    struct world *world = *state;
    size_t dropped = 0;
    char *output = key(world, "rotate");

    assert_non_null(strstr(output, "keys of epoch 2"));
    free(output);
    while (!is_in_force(world, 2) && dropped < 100) {
        char id[24];

        (void)snprintf(id, sizeof id, "during-%zu", dropped++);
        assert_int_equal(drop(world, id, &world->known), guika_v1_Zone_ZONE_NORMAL);
    }
    await_epoch(world, 2);
    assert_true(gk_test_mail_wait(&world->service, 1 + dropped, 20000));
    assert_all_is_found(world, 1 + dropped);
    free(key(world, "rotate"));
    await_epoch(world, 3);
    assert_int_equal(drop(world, "third", &world->known), guika_v1_Zone_ZONE_NORMAL);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

/* Starts guikad, kills it after `ms`. */
static void kill_after(const struct world *world, unsigned ms)
{
    char configuration[128];
    const char *arguments[] = {GK_TEST_PROGRAM("guikad"), "--config", configuration, NULL};

    (void)snprintf(configuration, sizeof configuration, "%s/service/guikad.conf", world->service.directory);
    const pid_t id = gk_test_spawn(world->service.log, arguments);

    gk_test_sleep_ms(ms);
    (void)kill(id, SIGKILL);
    (void)gk_test_wait(id, 10000);
}

static void test_rotation_goes_on_after_kills(void **state)
{
    struct world *world = *state;

    free(key(world, "rotate"));
    (void)gk_test_service_stop(&world->service, SIGKILL);
    for (unsigned ms = 20; ms <= 500; ms += 60) {
        kill_after(world, ms);
    }
    gk_test_service_start(&world->service);
    await_epoch(world, 2);
    assert_all_is_found(world, 1);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

static void test_missing_key_files_are_named(void **state)
{
    struct world *world = *state;
    char file[160];
    char away[160];
    char configuration[128];
    const char *arguments[] = {GK_TEST_PROGRAM("guikad"), "--config", configuration, NULL};

    (void)snprintf(configuration, sizeof configuration, "%s/service/guikad.conf", world->service.directory);
    (void)snprintf(file, sizeof file, "%s/service/keys/index.2.key", world->service.directory);
    (void)snprintf(away, sizeof away, "%s/index.2.key", world->service.directory);
    free(key(world, "rotate"));
    await_epoch(world, 2);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    assert_int_equal(rename(file, away), 0);
    struct gk_test_run run = gk_test_run(arguments);

    assert_int_equal(run.exit_status, 1);
    assert_non_null(strstr(run.errors, "of key epoch 2"));
    gk_test_run_clear(&run);
    assert_int_equal(rename(away, file), 0);
    gk_test_service_start(&world->service);
    assert_int_equal(drop(world, "again", &world->known), guika_v1_Zone_ZONE_NORMAL);
}

/* How many records need the index key of the first epoch, as guika key status tells. */
static int needed_by_first(const struct world *world)
{
    char *output = key(world, "status");
    const char *row = strstr(output, "\n1      ");
    char name[24] = "";
    int needed = -1;

    if (row == NULL || sscanf(row, " 1 %23s %d", name, &needed) != 2) {
        fail_msg("no row of epoch 1: %s", output);
    }
    free(output);
    return needed;
}

static bool has_key_file(const struct world *world, const char *name)
{
    char path[160];

    (void)snprintf(path, sizeof path, "%s/service/keys/%s", world->service.directory, name);
    return access(path, F_OK) == 0;
}

/* The service begins anew to retire keys; it is back once it answers. */
static void retire(struct world *world)
{
    char *output = key(world, "retire");

    assert_non_null(strstr(output, "the index keys below epoch 3 go now"));
    free(output);
    for (int i = 0; i < 200 && has_key_file(world, "index.2.key"); i++) {
        gk_test_sleep_ms(100);
    }
    await_epoch(world, 3);
    assert_false(has_key_file(world, "index.key"));
    assert_false(has_key_file(world, "index.2.key"));
    assert_true(has_key_file(world, "index.3.key"));
}

/* Runs `guika VERB FOLDER`; the folder lies in the test's directory. */
static void assert_guika(const struct world *world, const char *verb, const char *folder, int exit_status,
                         const char *words)
{
    char token_file[128];
    char path[160];
    const char *arguments[] = {
        GK_TEST_PROGRAM("guika"), verb,           path,       "--config", "/dev/null", "--server",
        world->service.url,       "--token-file", token_file, NULL};

    (void)snprintf(token_file, sizeof token_file, "%s/service/operator.token", world->service.directory);
    (void)snprintf(path, sizeof path, "%s/%s", world->service.directory, folder);
    struct gk_test_run run = gk_test_run(arguments);

    if (run.exit_status != exit_status || strstr(run.errors, words) == NULL) {
        fail_msg("guika %s: exit status %d, %s", verb, run.exit_status, run.errors);
    }
    gk_test_run_clear(&run);
}

static void test_old_keys_go_once_an_import_has_brought_the_numbers(void **state)
{
    struct world *world = *state;
    char address[64];

    for (unsigned epoch = 2; epoch <= 3; epoch++) {
        free(key(world, "rotate"));
        await_epoch(world, epoch);
    }
    assert_true(needed_by_first(world) >= (int)world->rows + 2); /* the list, and what was found */
    char *output = key(world, "retire");

    assert_string_equal(output, ""); /* refused */
    free(output);
    assert_guika(world, "backup", "before", 0, "");
    /* The stranger was found before the rotations; the list has it now. */
    gk_test_import(&world->service, world->issuer, "new", world->holders, world->rows + 1);
    assert_true(gk_test_mail_wait(&world->service, 2, 20000));
    for (int i = 0; i < 200 && needed_by_first(world) > 0; i++) {
        gk_test_sleep_ms(100);
    }
    retire(world);
    assert_guika(world, "restore", "before", 1, "needs the index keys from epoch 1 on");
    assert_guika(world, "backup", "after", 0, "");
    assert_int_equal(drop(world, "after", &world->known), guika_v1_Zone_ZONE_NORMAL);
    assert_true(gk_test_mail_wait(&world->service, 3, 20000));
    assert_int_equal(gk_test_service_stop(&world->service, SIGKILL), 128 + SIGKILL);
    gk_test_service_start(&world->service);
    /* By number, of a card that was found in the first epoch. */
    ask(world, world->holders[world->rows].number);
    assert_true(gk_test_mail_wait(&world->service, 4, 20000));
    (void)snprintf(address, sizeof address, "h%zu@holders.example", world->rows);
    ask(world, "h1@holders.example");
    assert_true(gk_test_mail_wait(&world->service, 5, 20000));
    char *text = gk_test_mail_text(&world->service);

    assert_non_null(strstr(text, address));
    free(text);
    assert_picture_opens(world);
    assert_guika(world, "restore", "after", 0, "");
    for (int i = 0; i < 200 && !is_in_force(world, 3); i++) {
        gk_test_sleep_ms(100);
    }
    assert_int_equal(drop(world, "restored", &world->known), guika_v1_Zone_ZONE_NORMAL);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys_are_rotated_while_boxes_go_on),
        TEST(test_rotation_goes_on_after_kills),
        TEST(test_missing_key_files_are_named),
        TEST(test_old_keys_go_once_an_import_has_brought_the_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
