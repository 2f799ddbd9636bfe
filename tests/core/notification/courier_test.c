#include "fixture.h"
#include "outbox_rig.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM GUIKA_BINARY_DIR "/bin/guika-courier"
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define DELIVERED_STATE guika_v1_internal_NoticeRecord_State_NOTICE_DELIVERED

struct state {
    struct outbox_rig rig;
    struct fixture_server server;
    char maildir[1024];
    char port[16];
    char ca_file[1024];
    char *mail_folder;
    pid_t courier;
    int socket; /* the test's copy of the courier's end; -1: closed */
    char log[1100];
};

/* A rig with two channels: "smtp" to a real mail server, "box" into a maildir. */
static struct state *start(const char *const *contacts)
{
    struct state *state = calloc(1, sizeof *state);
    assert_non_null(state);
    rig_make(&state->rig, contacts);
    state->mail_folder = fixture_folder();
    fixture_start_server(&state->server, state->mail_folder, NULL, NULL);
    snprintf(state->port, sizeof state->port, "%d", state->server.port);
    snprintf(state->ca_file, sizeof state->ca_file, "%s/cert.pem", state->mail_folder);
    snprintf(state->maildir, sizeof state->maildir, "%s/mail", state->rig.folder);
    snprintf(state->log, sizeof state->log, "%s/courier.log", state->rig.folder);
    rig_set(&state->rig, "smtp", "host", "127.0.0.1");
    rig_set(&state->rig, "smtp", "port", state->port);
    rig_set(&state->rig, "smtp", "from", "Guika <noreply@guika.example>");
    rig_set(&state->rig, "smtp", "ca_file", state->ca_file);
    rig_set(&state->rig, "box", "plugin", "maildir");
    rig_set(&state->rig, "box", "path", state->maildir);
    rig_set(&state->rig, "box", "from", "Guika <noreply@guika.example>");
    rig_start(&state->rig);
    return state;
}

static pid_t spawn(const char *const *arguments, int socket, const char *log)
{
    pid_t pid = 0;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (socket >= 0)
        posix_spawn_file_actions_adddup2(&actions, socket, 3);
    char *const environment[] = {NULL};
    assert_int_equal(
        posix_spawn(&pid, PROGRAM, &actions, NULL, (char *const *)(uintptr_t)arguments, environment), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void start_courier(struct state *state)
{
    state->socket = rig_connect(&state->rig);
    state->courier = spawn((const char *const[]){PROGRAM, NULL}, state->socket, state->log);
}

static int await_exit(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void stop_courier(struct state *state)
{
    kill(state->courier, SIGTERM);
    int status = await_exit(state->courier);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(state->socket);
}

static char *read_log(const struct state *state)
{
    char *text = calloc(1, 65536);
    assert_non_null(text);
    FILE *file = fopen(state->log, "r");
    if (file == NULL)
        return text;
    assert_true(fread(text, 1, 65535, file) < 65535);
    fclose(file);
    return text;
}

static void stop(struct state *state)
{
    char *log = read_log(state);
    fixture_assert_lacks(log, "holder.example");
    fixture_assert_lacks(log, "王小明");
    fixture_assert_lacks(log, "1234");
    free(log);
    rig_stop(&state->rig);
    rig_remove(&state->rig);
    fixture_stop_server(&state->server);
    fixture_remove_folder(state->mail_folder);
    free(state);
}

static void await_delivered(struct state *state, uint8_t seed)
{
    for (int i = 0; i < 500; i++) {
        if (rig_notice(&state->rig, seed).state == DELIVERED_STATE)
            return;
        usleep(20000);
    }
    char *log = read_log(state);
    fail_msg("notice %u was not delivered; the courier's log: %s", seed, log);
}

static void test_notices_leave_through_both_plugins(void **unused)
{
    (void)unused;
    struct state *state = start((const char *const[]){"smtp:wang@holder.example", NULL});
    start_courier(state);
    rig_add(&state->rig, 1, DUE);
    await_delivered(state, 1);
    char path[1100];
    snprintf(path, sizeof path, "%s/1.eml", state->mail_folder);
    char *mail = fixture_show_mail(path);
    fixture_assert_has(mail, "X-Tls: yes\n");
    fixture_assert_has(mail, "Message-ID: <aa010101010101010101010101010101@guika.example>\n");
    fixture_assert_has(mail, "To: 王小明 <wang@holder.example>\n");
    fixture_assert_has(mail, "尾号 1234");
    fixture_assert_has(mail, "中心图书馆一楼东门");
    free(mail);
    stop_courier(state);
    stop(state);

    state = start((const char *const[]){"box:wang@holder.example", NULL});
    start_courier(state);
    for (uint8_t seed = 1; seed <= 5; seed++)
        rig_add(&state->rig, seed, DUE);
    for (uint8_t seed = 1; seed <= 5; seed++)
        await_delivered(state, seed);
    assert_int_equal(fixture_count_files(state->maildir, "new", ""), 5);
    stop_courier(state);
    stop(state);
}

static void test_refused_address_falls_back_to_the_next_contact(void **unused)
{
    (void)unused;
    struct state *state = start((const char *const[]){"smtp:not an address", "smtp:unknown@holder.example",
                                                      "box:wang@holder.example", NULL});
    start_courier(state);
    rig_add(&state->rig, 1, DUE);
    await_delivered(state, 1);
    assert_int_equal(fixture_count_files(state->mail_folder, NULL, ".eml"), 0);
    assert_int_equal(fixture_count_files(state->maildir, "new", "aa010101010101010101010101010101"), 1);
    stop_courier(state);
    stop(state);
}

static void test_courier_killed_between_delivery_and_completion_leaves_one_mail(void **unused)
{
    (void)unused;
    struct state *state = start((const char *const[]){"box:wang@holder.example", NULL});
    struct gk_rpc_client *dying = rig_client(&state->rig);
    guika_v1_internal_LeaseNoticeResponse lease;
    rig_add(&state->rig, 1, DUE);
    assert_true(rig_lease(dying, 5000, &lease));

    const struct guika_channel *plugin = fixture_open_plugin("maildir");
    const struct guika_pair settings[] = {{"path", state->maildir},
                                          {"from", "Guika <noreply@guika.example>"}};
    char detail[256] = "";
    void *channel = plugin->open(settings, 2, detail, sizeof detail);
    assert_non_null(channel);
    const struct guika_notice notice = {.message_id = lease.message_id,
                                        .address = lease.address,
                                        .name = lease.name,
                                        .language = lease.language,
                                        .subject = lease.subject,
                                        .text = lease.text,
                                        .template_id = lease.template_id,
                                        .created_at_ms = lease.created_at_ms};
    struct guika_result result;
    plugin->deliver(channel, &notice, 1000, &result);
    assert_int_equal(result.outcome, GUIKA_DELIVERED);
    plugin->close(channel);
    gk_rpc_client_close(dying);

    start_courier(state);
    for (int i = 0; i < 250 && rig_notice(&state->rig, 1).attempts == 0; i++)
        usleep(20000);
    rig_advance(&state->rig, 5000);
    await_delivered(state, 1);
    assert_int_equal(fixture_count_files(state->maildir, "new", ""), 1);
    stop_courier(state);
    stop(state);
}

static void test_channel_that_does_not_open_is_put_off(void **unused)
{
    (void)unused;
    struct state *state = start((const char *const[]){"broken:wang@holder.example", NULL});
    rig_stop(&state->rig);
    rig_set(&state->rig, "broken", "plugin", "absent");
    rig_start(&state->rig);
    start_courier(state);
    rig_add(&state->rig, 1, DUE);
    for (int i = 0; i < 250 && rig_notice(&state->rig, 1).attempts == 0; i++)
        usleep(20000);
    const guika_v1_internal_NoticeRecord record = rig_notice(&state->rig, 1);
    assert_int_equal(record.state, DUE);
    assert_string_equal(record.last_detail, "this courier cannot serve the channel");
    stop_courier(state);
    stop(state);
}

static void test_courier_ends_with_the_core(void **unused)
{
    (void)unused;
    struct state *state = start((const char *const[]){"box:wang@holder.example", NULL});
    start_courier(state);
    rig_add(&state->rig, 1, DUE);
    await_delivered(state, 1);
    close(state->socket);
    rig_stop(&state->rig);
    int status = await_exit(state->courier);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    rig_start(&state->rig);
    stop(state);
}

static void assert_exits(const char *const *arguments, int expected)
{
    int status = await_exit(spawn(arguments, -1, "/dev/null"));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

static void test_command_line(void **unused)
{
    (void)unused;
    assert_exits((const char *const[]){PROGRAM, "--help", NULL}, 0);
    assert_exits((const char *const[]){PROGRAM, "--version", NULL}, 0);
    assert_exits((const char *const[]){PROGRAM, NULL}, 2);
    assert_exits((const char *const[]){PROGRAM, "--nonsense", NULL}, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notices_leave_through_both_plugins),
        cmocka_unit_test(test_refused_address_falls_back_to_the_next_contact),
        cmocka_unit_test(test_courier_killed_between_delivery_and_completion_leaves_one_mail),
        cmocka_unit_test(test_channel_that_does_not_open_is_put_off),
        cmocka_unit_test(test_courier_ends_with_the_core),
        cmocka_unit_test(test_command_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
