/* An operator's hour at the queue, with the real programs: what a person, a viewer and a new list make of
 * difficult cards, and what the figures say of it, over RPC and over HTTP. */
#include "tests/flow/service.h"

#include <curl/curl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct gk_test_service service;
    char metrics[64];
    char issuer[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *box;
    struct gk_test_holder holders[2];
    struct gk_test_picture pictures[2];
};

static void keep_token(const struct world *world, const char *name, const char *token)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%s.token", world->service.directory, name);
    gk_test_write_file(path, token, strlen(token));
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char box[GK_TEST_TOKEN_SIZE];

    gk_test_service_make(&world->service, 1);
    (void)snprintf(world->metrics, sizeof world->metrics, "http://127.0.0.1:%u", gk_test_free_port());
    gk_test_service_configure(&world->service,
                              "listen = {\"%s\"}\nmetrics = \"%s\"\ncache_mib = 8\nreaders { count = 1 }\n"
                              "channel \"smtp\" {\n    plugin = \"maildir\"\n    path = \"%s\"\n"
                              "    from = \"Guika <no-reply@guika.example>\"\n}\n",
                              world->service.url, world->metrics, world->service.maildir);
    gk_test_service_start(&world->service);
    gk_test_add_issuer(&world->service, "bank", "iso7812", world->issuer);
    gk_test_add_box(&world->service, "box-1", box);
    world->box = gk_test_client(&world->service, box);
    keep_token(world, "operator", world->service.operator_token);
    for (int i = 0; i < 2; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        *holder = (struct gk_test_holder){.scheme = "iso7812", .language = "en"};
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "holder-%d", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:holder-%d@holders.example", i);
        world->pictures[i] = gk_test_mint_card(42 + (uint64_t)i, holder->number);
    }
    gk_test_import(&world->service, world->issuer, "one", world->holders, 1);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->box);
    gk_test_service_remove(&world->service);
    free(world->pictures[0].data);
    free(world->pictures[1].data);
    free(world);
    return 0;
}

/* Runs a line of the shell in which $guika is the program with server and token of `who`, and $dir the test's
 * folder; returns its output, which the caller frees. It has to end with 0. */
static char *shell(const struct world *world, const char *who, const char *line)
{
    char script[4096];
    const char *arguments[] = {"/bin/sh", "-c", script, NULL};

    (void)snprintf(script, sizeof script,
                   "dir=%s; guika() { c=$1; shift; %s \"$c\" \"$@\" --config /dev/null --server %s "
                   "--token-file $dir/%s.token; }; %s",
                   world->service.directory, GK_TEST_PROGRAM("guika"), world->service.url, who, line);
    struct gk_test_run run = gk_test_run(arguments);

    if (run.exit_status != 0) {
        fail_msg("%s: status %d, says \"%s\", complains \"%s\"", line, run.exit_status, run.output,
                 run.errors);
    }
    char *output = strdup(run.output);

    gk_test_run_clear(&run);
    return output;
}

static void shell_says(const struct world *world, const char *who, const char *line, const char *words)
{
    char *output = shell(world, who, line);

    if (strstr(output, words) == NULL) {
        fail_msg("%s says \"%s\", not \"%s\"", line, output, words);
    }
    free(output);
}

/* Drops a picture and stores it in the difficult bin. */
static void drop(const struct world *world, const char *deposit_id, const struct gk_test_picture *picture)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    if (gk_test_deposit(world->box, deposit_id, picture, &response, &error) != GK_OK) {
        fail_msg("deposit: %s", error.message);
    }
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_DIFFICULT);
    gk_test_confirm_stored(world->box, deposit_id, guika_v1_Zone_ZONE_DIFFICULT);
}

/* The case of the oldest card of the queue. */
static void first_case(const struct world *world, char ret_case_id[33])
{
    char *output = shell(world, "operator", "guika difficult list --json");
    json_t *object = json_loads(output, 0, NULL);

    (void)snprintf(
        ret_case_id, 33, "%s",
        json_string_value(json_object_get(json_array_get(json_object_get(object, "cards"), 0), "case")));
    assert_int_equal(strlen(ret_case_id), 32);
    json_decref(object);
    free(output);
}

/* Once the card is identified, staff carry it from the bin to a compartment: only then its holder is told. */
static void place(const struct world *world, const char *case_id, const char *compartment)
{
    char line[128];

    (void)snprintf(
        line, sizeof line,
        "for i in $(seq 200); do guika found show %s | grep -q IDENTIFIED && break; sleep 0.05; done",
        case_id);
    free(shell(world, "operator", line));
    (void)snprintf(line, sizeof line, "guika found move %s compartment box-1 %s", case_id, compartment);
    free(shell(world, "operator", line));
}

static void test_person_types_the_number_and_the_holder_is_told(void **state)
{
    struct world *world = *state;
    struct gk_test_picture nothing = gk_test_mint_nothing(5);
    char case_id[33];
    char line[256];
    char name[PATH_MAX];
    char data[128];

    drop(world, "d-1", &nothing);
    free(nothing.data);
    first_case(world, case_id);
    (void)snprintf(line, sizeof line, "guika difficult show %s", case_id);
    shell_says(world, "operator", line, "state        DIFFICULT");
    (void)snprintf(line, sizeof line, "echo '%s' | guika difficult resolve %s", world->holders[0].number,
                   case_id);
    shell_says(world, "operator", line, "identified: ");
    place(world, case_id, "N01");
    assert_true(gk_test_mail_wait(&world->service, 1, 20000));
    shell_says(world, "operator", "guika difficult list --json", "{\"cards\":[]}");
    (void)snprintf(data, sizeof data, "%s/service", world->service.directory);
    assert_int_equal(
        gk_test_files_with(data, world->holders[0].number, strlen(world->holders[0].number), name), 0);
    assert_int_equal(gk_test_files_with(world->service.log, world->holders[0].number,
                                        strlen(world->holders[0].number), name),
                     0);
}

static void test_viewer_sees_the_redacted_picture_until_the_card_is_gone(void **state)
{
    struct world *world = *state;
    struct gk_test_picture misprint = gk_test_mint_misprint(7);
    char case_id[33];
    char line[256];

    drop(world, "d-1", &misprint);
    free(misprint.data);
    first_case(world, case_id);
    (void)snprintf(line, sizeof line, "guika difficult show %s", case_id);
    shell_says(world, "operator", line, "reason       CHECK_FAILED");
    shell_says(world, "operator", line, "picture      kept");
    shell_says(world, "operator", "guika operator add vera --viewer > $dir/vera.token", "");
    (void)snprintf(line, sizeof line,
                   "guika difficult picture %s --out $dir/card.jpg && head -c 3 $dir/card.jpg | od -tx1",
                   case_id);
    shell_says(world, "vera", line, "ff d8 ff");
    (void)snprintf(line, sizeof line, "guika difficult retry %s", case_id);
    shell_says(world, "operator", line, "still difficult: CHECK_FAILED");
    (void)snprintf(line, sizeof line,
                   "guika difficult hand-over %s --issuer police && ls $dir/service/data/pictures", case_id);
    shell_says(world, "operator", line, "handed over");
    (void)snprintf(line, sizeof line, "guika difficult picture %s --out $dir/2.jpg 2>&1 || true", case_id);
    shell_says(world, "vera", line, "not difficult (any more)");
}

static void test_new_list_finds_a_card_that_nobody_had_registered(void **state)
{
    struct world *world = *state;
    char case_id[33];

    drop(world, "d-1", &world->pictures[1]);
    first_case(world, case_id);
    shell_says(world, "operator", "guika difficult list --reason unregistered", "UNREGISTERED");
    gk_test_import(&world->service, world->issuer, "two", world->holders, 2);
    place(world, case_id, "N01");
    assert_true(gk_test_mail_wait(&world->service, 1, 20000));
    char *mail = gk_test_mail_text(&world->service);

    assert_non_null(strstr(mail, "holder-1@holders.example"));
    free(mail);
    shell_says(world, "operator", "guika difficult list --json", "{\"cards\":[]}");
}

static void test_holder_is_told_what_is_known_and_forgotten(void **state)
{
    struct world *world = *state;
    guika_v1_DepositResponse response = {0};
    struct gk_error error;

    assert_int_equal(gk_test_deposit(world->box, "d-1", &world->pictures[0], &response, &error), GK_OK);
    gk_test_confirm_stored(world->box, "d-1", response.zone);
    assert_true(gk_test_mail_wait(&world->service, 1, 20000));
    shell_says(world, "operator", "guika holder export bank holder-0", "\"smtp:holder-0@holders.example\"");
    shell_says(world, "operator", "guika holder export bank holder-0", "\"compartment\": \"");
    shell_says(world, "operator", "guika holder forget bank holder-0",
               "forgotten: 1 rows of lists, 1 cases, 1 notices");
    shell_says(world, "operator", "guika holder export bank holder-0 2>&1 || true", "no such holder");
    shell_says(world, "operator", "guika holder forget bank nobody 2>&1 || true", "no such holder");
    drop(world, "d-2", &world->pictures[0]); /* nobody's now */
    shell_says(world, "operator", "guika difficult list", "UNREGISTERED");
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

static size_t append(char *data, size_t size, size_t count, void *context)
{
    return fwrite(data, size, count, context);
}

/* What a GET of `path` brings; the caller frees it. */
static char *get(const struct world *world, const char *path, long *ret_code)
{
    CURL *curl = curl_easy_init();
    char *text = NULL;
    size_t size;
    FILE *body = open_memstream(&text, &size);
    char url[128];

    (void)snprintf(url, sizeof url, "%s%s", world->metrics, path);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    assert_int_equal(curl_easy_perform(curl), CURLE_OK);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_code);
    (void)fclose(body);
    curl_easy_cleanup(curl);
    return text;
}

static void test_figures_are_live_over_rpc_and_http(void **state)
{
    struct world *world = *state;
    char case_id[33];
    long code = 0;

    drop(world, "d-1", &world->pictures[1]);
    first_case(world, case_id);
    gk_test_import(&world->service, world->issuer, "two", world->holders, 2);
    place(world, case_id, "N01");
    assert_true(gk_test_mail_wait(&world->service, 1, 20000));
    for (int i = 0; i < 200 && gk_test_statistic(&world->service, "notified") == 0; i++) {
        gk_test_sleep_ms(20);
    }
    shell_says(world, "operator", "guika stats --by box --days 1", "box-1");
    shell_says(world, "operator", "guika stats --by reason --days 1 --json", "\"group\":\"UNREGISTERED\"");
    shell_says(world, "operator", "guika stats --days 1 --json", "\"resolved\":1");

    char *page = get(world, "/metrics", &code);

    assert_int_equal(code, 200);
    assert_non_null(strstr(page, "guika_cards_found_total{box=\"box-1\","));
    assert_non_null(strstr(page, "guika_cards_notified_total{box=\"box-1\","));
    assert_non_null(strstr(page, "guika_drop_to_notice_seconds_count{box=\"box-1\"} 1\n"));
    assert_non_null(strstr(page, "guika_registered_cards 2\n"));
    assert_null(strstr(page, "holder-"));
    assert_null(strstr(page, world->holders[1].number));
    free(page);
    free(get(world, "/elsewhere", &code));
    assert_int_equal(code, 404);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_person_types_the_number_and_the_holder_is_told),
        TEST(test_viewer_sees_the_redacted_picture_until_the_card_is_gone),
        TEST(test_new_list_finds_a_card_that_nobody_had_registered),
        TEST(test_holder_is_told_what_is_known_and_forgotten),
        TEST(test_figures_are_live_over_rpc_and_http),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
