/* `guika registry` against a real server over a real socket, with a real registry behind it. */
#include "clients/cli/registry/registry.h"

#include "guika/v1/issuer.rpc.h"
#include "rpc/server.h"
#include "tests/core/registry/registry_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char TOKEN[] = "gk_issuer_test";
static const char A[] = "6222021234567890128";

struct rig {
    struct registry_fixture *fixture;
    pthread_t thread;
    sem_t ready;
    uv_loop_t loop;
    uv_async_t stop;
    struct gk_rpc_server *server;
    atomic_int pages_until_failure; /* then one page is refused as if the service went away; -1: never */
    atomic_uint pages;
    char url[128];
    char token_path[128];
    char list_path[128];
    char out[4096]; /* what the latest command printed to stdout and stderr */
};

/* --- the server --- */

/* What a reader would say: spaces do not count, and a number that ends in 9 is wrong. */
static void answer_rows(struct gk_bytes rows, struct gk_repeated *ret_answers)
{
    guika_v1_CardRow row = guika_v1_CardRow_init_zero;

    while (gk_repeated_next(&rows, guika_v1_CardRow_fields, &row) == GK_OK) {
        guika_v1_internal_NumberAnswer answer = guika_v1_internal_NumberAnswer_init_zero;
        guika_v1_internal_NumberMatch *match = &answer.matches[0];
        size_t length = 0;

        for (const char *c = row.number; *c != '\0' && length + 1 < sizeof match->number; c++) {
            if (*c != ' ') {
                match->number[length++] = *c;
            }
        }
        if (length > 0 && match->number[length - 1] != '9') {
            strcpy(match->scheme, row.scheme);
            match->kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
            answer.matches_count = 1;
        }
        strcpy(answer.problem, "the check digit does not agree");
        assert_int_equal(gk_repeated_append(ret_answers, guika_v1_internal_NumberAnswer_fields, &answer),
                         GK_OK);
        row = (guika_v1_CardRow)guika_v1_CardRow_init_zero;
    }
}

static void on_import(struct gk_rpc_call *call, const guika_v1_ImportCardsRequest *request, void *context)
{
    struct rig *rig = context;
    guika_v1_ImportCardsResponse response = guika_v1_ImportCardsResponse_init_zero;
    struct gk_repeated answers = {0};
    struct gk_error error;

    rig->pages++;
    if (rig->pages_until_failure == 0) {
        gk_rpc_fail(call, GK_ABORTED, "the service goes down");
        rig->pages_until_failure = -1;
        return;
    }
    rig->pages_until_failure -= rig->pages_until_failure > 0;
    answer_rows(request->page_rows, &answers);
    if (gk_registry_import_page(rig->fixture->registry, gk_rpc_call_principal(call)->id, request,
                                gk_repeated_bytes(&answers), &response, &error) == GK_OK) {
        guika_v1_issuer_service_import_cards_reply(call, &response);
    } else {
        gk_rpc_fail(call, error.status, "%s", error.message);
    }
    gk_repeated_free(&answers);
}

static void on_revoke(struct gk_rpc_call *call, const guika_v1_RevokeCardRequest *request, void *context)
{
    struct rig *rig = context;
    const guika_v1_RevokeCardResponse response = guika_v1_RevokeCardResponse_init_zero;
    struct gk_error error;

    if (gk_registry_revoke(rig->fixture->registry, gk_rpc_call_principal(call)->id, request->scheme,
                           request->number, NULL, &error) == GK_OK) {
        guika_v1_issuer_service_revoke_card_reply(call, &response);
    } else {
        gk_rpc_fail(call, error.status, "%s", error.message);
    }
}

static bool authenticate(void *context, const char *token, struct gk_principal *ret_principal)
{
    (void)context;
    ret_principal->role = GK_ROLE_ISSUER;
    strcpy(ret_principal->id, "bank");
    return strcmp(token, TOKEN) == 0;
}

static void on_closed(void *context)
{
    (void)context;
}

static void on_stop(uv_async_t *handle)
{
    struct rig *rig = handle->data;

    gk_rpc_server_close(rig->server, on_closed, NULL);
    uv_close((uv_handle_t *)handle, NULL);
}

static void *serve(void *context)
{
    static const struct guika_v1_issuer_service_handlers handlers = {.import_cards = on_import,
                                                                     .revoke_card = on_revoke};
    struct rig *rig = context;
    const struct gk_rpc_binding binding = {
        .service = &guika_v1_issuer_service, .handlers = &handlers, .context = rig};
    const struct gk_rpc_server_options options = {
        .loop = &rig->loop, .bindings = &binding, .binding_count = 1, .authenticate = authenticate};
    struct gk_error error;

    uv_loop_init(&rig->loop);
    uv_async_init(&rig->loop, &rig->stop, on_stop);
    rig->stop.data = rig;
    if (gk_rpc_server_open(&options, &rig->server, &error) != GK_OK ||
        gk_rpc_server_listen(rig->server, "tcp://127.0.0.1:0", NULL, &error) != GK_OK) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    gk_rpc_server_set_serving(rig->server, true);
    snprintf(rig->url, sizeof rig->url, "%s", gk_rpc_server_url(rig->server, 0));
    sem_post(&rig->ready);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    uv_loop_close(&rig->loop);
    return NULL;
}

/* --- the rig --- */

static void write_file(const char *path, const char *text)
{
    FILE *stream = fopen(path, "we");

    assert_non_null(stream);
    fputs(text, stream);
    fclose(stream);
}

static int rig_setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    void *fixture;

    assert_non_null(rig);
    registry_setup(&fixture);
    rig->fixture = fixture;
    rig->pages_until_failure = -1;
    snprintf(rig->token_path, sizeof rig->token_path, "%s/token", rig->fixture->directory);
    snprintf(rig->list_path, sizeof rig->list_path, "%s/list.csv", rig->fixture->directory);
    write_file(rig->token_path, "gk_issuer_test\n");
    assert_int_equal(setenv("HOME", rig->fixture->directory, 1), 0);
    sem_init(&rig->ready, 0, 0);
    assert_int_equal(pthread_create(&rig->thread, NULL, serve, rig), 0);
    sem_wait(&rig->ready);
    *state = rig;
    return 0;
}

static int rig_teardown(void **state)
{
    struct rig *rig = *state;
    void *fixture = rig->fixture;

    uv_async_send(&rig->stop);
    pthread_join(rig->thread, NULL);
    sem_destroy(&rig->ready);
    registry_teardown(&fixture);
    free(rig);
    return 0;
}

/* Runs `guika registry` with `arguments` (NULL-terminated) and `input` as standard input; both outputs go to
 * rig->out. Returns the exit status. */
static int run_command(struct rig *rig, const char *const *arguments, const char *input)
{
    char *argv[16] = {(char *)(uintptr_t) "registry"};
    const int saved[3] = {dup(0), dup(1), dup(2)};
    FILE *in = tmpfile();
    FILE *out = tmpfile();
    int argc = 1;

    assert_true(in != NULL && out != NULL);
    fputs(input, in);
    rewind(in);
    for (; *arguments != NULL; arguments++) {
        argv[argc++] = (char *)(uintptr_t)*arguments;
    }
    fflush(stdout);
    dup2(fileno(in), 0);
    dup2(fileno(out), 1);
    dup2(fileno(out), 2);
    clearerr(stdin);
    const int status = gk_cli_registry(argc, argv);

    fflush(stdout);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    rewind(out);
    rig->out[fread(rig->out, 1, sizeof rig->out - 1, out)] = '\0';
    fclose(in);
    fclose(out);
    return status;
}

static int import_list(struct rig *rig)
{
    const char *const arguments[] = {"import",        "--server",     rig->url, "--token-file",
                                     rig->token_path, rig->list_path, NULL};

    return run_command(rig, arguments, "");
}

static void write_list(struct rig *rig, unsigned rows)
{
    FILE *stream = fopen(rig->list_path, "we");

    assert_non_null(stream);
    fputs("scheme,number,holder_id,name,language,contacts\r\n", stream);
    fprintf(stream, "iso7812,6222 0212 3456 7890 128,h,Wang Fang,zh,smtp:fang@bank.example\r\n");
    for (unsigned i = 1; i < rows; i++) {
        fprintf(stream, "iso7812,6217%014u0,h-%u,,,\r\n", i, i);
    }
    fclose(stream);
}

static void assert_said(const struct rig *rig, const char *text)
{
    if (strstr(rig->out, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, rig->out);
    }
}

/* --- tests --- */

static void test_list_is_imported_over_a_socket(void **state)
{
    struct rig *rig = *state;

    write_list(rig, 1200);
    assert_int_equal(import_list(rig), 0);
    assert_said(rig, "in force: 1200 rows read, 1200 accepted, 0 rejected");
    assert_true(registry_find(rig->fixture, A).registered);
    assert_int_equal(gk_registry_cards(rig->fixture->registry), 1200);
    /* Again: the service says that it has it. */
    rig->pages = 0;
    assert_int_equal(import_list(rig), 0);
    assert_said(rig, "already is in force");
    assert_int_equal(rig->pages, 1);
}

static void test_page_that_fails_is_sent_again(void **state)
{
    struct rig *rig = *state;

    write_list(rig, 1200);
    rig->pages_until_failure = 1;
    assert_int_equal(import_list(rig), 0);
    assert_int_equal(rig->pages, 4);
    assert_int_equal(gk_registry_cards(rig->fixture->registry), 1200);
}

static void test_rejected_rows_are_listed_and_numbers_are_not(void **state)
{
    struct rig *rig = *state;
    char path[160];
    char text[256] = "";

    write_file(rig->list_path, "scheme,number,holder_id,name,language,contacts\n"
                               "iso7812,6222021234567890128,h,,,\n"
                               "iso7812,6222021234567890129,h,,,\n"
                               "iso7812,4111111111111111,h,,,\n"
                               "iso7812,6222021234567890127,h,,\n");
    assert_int_equal(import_list(rig), 1);
    assert_said(rig, "list.csv:3: the check digit does not agree\n");
    assert_said(rig, "list.csv:4: not among this account's schemes and prefixes\n");
    assert_said(rig, "list.csv:5: the row has 5 columns instead of 6\n");
    assert_said(rig, "in force: 4 rows read, 1 accepted, 3 rejected");
    assert_null(strstr(rig->out, "62220212345"));
    assert_null(strstr(rig->out, "4111"));

    snprintf(path, sizeof path, "%s/rejected.csv", rig->fixture->directory);
    const char *const arguments[] = {"import",      "--server", rig->url,     "--token-file", rig->token_path,
                                     "--import-id", "again",    "--rejected", path,           rig->list_path,
                                     NULL};

    assert_int_equal(run_command(rig, arguments, ""), 1);
    FILE *stream = fopen(path, "re");

    assert_non_null(stream);
    text[fread(text, 1, sizeof text - 1, stream)] = '\0';
    fclose(stream);
    assert_non_null(strstr(text, "line,reason\r\n"));
    assert_non_null(strstr(text, "3,\"the check digit does not agree\"\r\n"));
}

static void test_card_is_revoked_by_a_number_from_standard_input(void **state)
{
    struct rig *rig = *state;
    const char *const arguments[] = {"revoke",        "--server", rig->url,  "--token-file",
                                     rig->token_path, "--scheme", "iso7812", NULL};

    write_list(rig, 2);
    assert_int_equal(import_list(rig), 0);
    assert_int_equal(run_command(rig, arguments, "6222021234567890128\n"), 0);
    assert_true(registry_find(rig->fixture, A).cancelled);
    assert_int_equal(run_command(rig, arguments, "6222021234567890000\n"), 1);
    assert_said(rig, "this account's list has no such card");
    assert_int_equal(run_command(rig, arguments, ""), 1);
    assert_said(rig, "standard input holds no number");
}

static void test_wrong_use_says_what_is_missing(void **state)
{
    struct rig *rig = *state;
    const char *const nothing[] = {NULL};
    const char *const unknown[] = {"export", NULL};
    const char *const no_file[] = {"import", "--server", rig->url, NULL};
    const char *const no_token[] = {"import", "--server", rig->url, rig->list_path, NULL};
    const char *const no_scheme[] = {"revoke", "--server", rig->url, "--token-file", rig->token_path, NULL};
    const char *const help[] = {"import", "--help", NULL};

    assert_int_equal(run_command(rig, nothing, ""), 2);
    assert_int_equal(run_command(rig, unknown, ""), 2);
    assert_int_equal(run_command(rig, no_file, ""), 2);
    assert_said(rig, "one FILE.csv is needed");
    assert_int_equal(run_command(rig, no_token, ""), 2);
    assert_said(rig, "give --token-file FILE");
    assert_int_equal(run_command(rig, no_scheme, ""), 2);
    assert_said(rig, "--scheme is missing");
    assert_int_equal(run_command(rig, help, ""), 0);
    assert_int_equal(strncmp(rig->out, "usage: ", 7), 0);
    assert_said(rig, "scheme,number,holder_id,name,language,contacts");
    assert_said(rig, "--config FILE");
}

static void test_wrong_token_is_said(void **state)
{
    struct rig *rig = *state;

    write_list(rig, 2);
    write_file(rig->token_path, "gk_issuer_other\n");
    assert_int_equal(import_list(rig), 1);
    assert_said(rig, "guika registry import: ");
    assert_said(rig, "look at --token-file");
    assert_int_equal(gk_registry_cards(rig->fixture->registry), 0);
}

static void test_configuration_file_is_read_and_options_win(void **state)
{
    struct rig *rig = *state;
    char conf[160];
    char home_conf[192];
    char text[512];
    const char *const import[] = {"import", "--config", conf, rig->list_path, NULL};
    const char *const at_home[] = {"revoke", "--scheme", "iso7812", NULL};
    const char *const elsewhere[] = {"import", "--server",     "nonsense", "--config",
                                     conf,     rig->list_path, NULL};
    const char *const other_ca[] = {"import",   "--ca", "/nowhere.pem", "--server", "tls+tcp://127.0.0.1:1",
                                    "--config", conf,   rig->list_path, NULL};
    const char *const no_file[] = {"import", "--config", "/nowhere.conf", rig->list_path, NULL};

    write_list(rig, 2);
    snprintf(conf, sizeof conf, "%s/issuer.conf", rig->fixture->directory);
    snprintf(text, sizeof text, "server = \"%s\"\ntoken_file = \"%s\"\nserver_name = \"guika\"\n", rig->url,
             rig->token_path);
    write_file(conf, text);
    assert_int_equal(run_command(rig, import, ""), 0);
    assert_said(rig, "in force: 2 rows read");
    assert_int_equal(run_command(rig, elsewhere, ""), 2);
    assert_said(rig, "nonsense");
    assert_int_equal(run_command(rig, other_ca, ""), 2);
    assert_said(rig, "/nowhere.pem");
    assert_int_equal(run_command(rig, no_file, ""), 2);
    assert_said(rig, "/nowhere.conf");

    assert_int_equal(run_command(rig, at_home, ""), 2);
    assert_said(rig, "give --server URL");
    snprintf(home_conf, sizeof home_conf, "%s/.config", rig->fixture->directory);
    mkdir(home_conf, 0700);
    snprintf(home_conf, sizeof home_conf, "%s/.config/guika", rig->fixture->directory);
    mkdir(home_conf, 0700);
    snprintf(home_conf, sizeof home_conf, "%s/.config/guika/guika.conf", rig->fixture->directory);
    write_file(home_conf, text);
    assert_int_equal(run_command(rig, at_home, "6222021234567890128\n"), 0);
    assert_true(registry_find(rig->fixture, A).cancelled);
}

static void test_unreached_service_is_named(void **state)
{
    struct rig *rig = *state;
    const char *const revoke[] = {"revoke",        "--server", "tcp://127.0.0.1:9", "--token-file",
                                  rig->token_path, "--scheme", "iso7812",           NULL};

    assert_int_equal(run_command(rig, revoke, "6222021234567890128\n"), 1);
    assert_said(rig, "is the service running at tcp://127.0.0.1:9? Start it, or give the right --server\n");
    assert_null(strstr(rig->out, "62220212345"));
}

int main(void)
{
#define COMMAND_TEST(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        COMMAND_TEST(test_list_is_imported_over_a_socket),
        COMMAND_TEST(test_page_that_fails_is_sent_again),
        COMMAND_TEST(test_rejected_rows_are_listed_and_numbers_are_not),
        COMMAND_TEST(test_card_is_revoked_by_a_number_from_standard_input),
        COMMAND_TEST(test_wrong_use_says_what_is_missing),
        COMMAND_TEST(test_wrong_token_is_said),
        COMMAND_TEST(test_configuration_file_is_read_and_options_win),
        COMMAND_TEST(test_unreached_service_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
