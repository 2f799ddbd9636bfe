#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MESSAGE_ID "00112233445566778899aabbccddeeff"

struct open_smtp {
    struct fixture_server server;
    const struct guika_channel *plugin;
    void *channel;
    char *folder;
};

/* Starts a server and opens the channel to it, with up to two settings of the test's own. */
static struct open_smtp open_smtp(const char *argument, const char *value, struct guika_pair first,
                                  struct guika_pair second)
{
    struct open_smtp open = {.plugin = fixture_open_plugin("smtp"), .folder = fixture_folder()};
    fixture_start_server(&open.server, open.folder, argument, value);
    char port[16], ca_file[1024], detail[256] = "";
    snprintf(port, sizeof port, "%d", open.server.port);
    snprintf(ca_file, sizeof ca_file, "%s/cert.pem", open.folder);
    const struct guika_pair settings[] = {first,
                                          second,
                                          {"host", "127.0.0.1"},
                                          {"port", port},
                                          {"from", "Guika <noreply@guika.example>"},
                                          {"ca_file", ca_file}};
    open.channel = open.plugin->open(settings, 6, detail, sizeof detail);
    if (open.channel == NULL)
        fail_msg("%s", detail);
    return open;
}

static const struct guika_pair none = {"", ""};

static void close_smtp(struct open_smtp *open)
{
    open->plugin->close(open->channel);
    fixture_stop_server(&open->server);
    fixture_remove_folder(open->folder);
}

static struct guika_result deliver(const struct open_smtp *open, const char *address)
{
    struct guika_notice notice = {
        .message_id = MESSAGE_ID,
        .address = address,
        .name = "王小明",
        .language = "zh",
        .subject = "您遗失的卡找到了：银联，尾号 1234",
        .text = "王小明，您好！\n\n卡片：银联，尾号 1234\n",
        .template_id = "card_found",
        .created_at_ms = 1700000000123,
    };
    struct guika_result result;
    open->plugin->deliver(open->channel, &notice, 5000, &result);
    fixture_assert_lacks(result.detail, "holder.example");
    return result;
}

static void test_notice_arrives_over_starttls(void **state)
{
    (void)state;
    struct open_smtp open = open_smtp(NULL, NULL, none, none);
    struct guika_result result = deliver(&open, "wang@holder.example");
    if (result.outcome != GUIKA_DELIVERED)
        fail_msg("%s", result.detail);
    char path[1024];
    snprintf(path, sizeof path, "%s/1.eml", open.folder);
    char *mail = fixture_show_mail(path);
    fixture_assert_has(mail, "X-Tls: yes\n");
    fixture_assert_has(mail, "X-Envelope-To: wang@holder.example\n");
    fixture_assert_has(mail, "X-Envelope-From: noreply@guika.example\n");
    fixture_assert_has(mail, "Message-ID: <" MESSAGE_ID "@guika.example>\n");
    fixture_assert_has(mail, "Subject: 您遗失的卡找到了：银联，尾号 1234\n");
    fixture_assert_has(mail, "\n\n王小明，您好！\n\n卡片：银联，尾号 1234\n");
    fixture_assert_lacks(mail, "DEFECT");
    free(mail);
    close_smtp(&open);
}

static void test_answers_decide_the_outcome(void **state)
{
    (void)state;
    struct open_smtp open = open_smtp(NULL, NULL, none, none);
    struct guika_result result = deliver(&open, "later@holder.example");
    assert_int_equal(result.outcome, GUIKA_TRY_LATER);
    assert_string_equal(result.detail, "recipient refused with 451");
    result = deliver(&open, "unknown@holder.example");
    assert_int_equal(result.outcome, GUIKA_REFUSED);
    assert_string_equal(result.detail, "recipient refused with 550");
    result = deliver(&open, "content@holder.example");
    assert_int_equal(result.outcome, GUIKA_REFUSED);
    assert_string_equal(result.detail, "message refused with 554");
    assert_int_equal(fixture_count_files(open.folder, NULL, ".eml"), 0);
    close_smtp(&open);
}

static void test_refused_sender_is_ours_to_mend(void **state)
{
    (void)state;
    struct open_smtp open = open_smtp(NULL, NULL, (struct guika_pair){"from", "banned@guika.example"}, none);
    struct guika_result result = deliver(&open, "wang@holder.example");
    assert_int_equal(result.outcome, GUIKA_TRY_LATER);
    assert_string_equal(result.detail, "sender refused with 553");
    close_smtp(&open);
}

static void test_server_without_tls_gets_nothing_when_it_is_required(void **state)
{
    (void)state;
    struct open_smtp open = open_smtp("--plain", NULL, none, none);
    assert_int_equal(deliver(&open, "wang@holder.example").outcome, GUIKA_TRY_LATER);
    assert_int_equal(fixture_count_files(open.folder, NULL, ".eml"), 0);
    close_smtp(&open);

    open = open_smtp("--plain", NULL, (struct guika_pair){"starttls", "opportunistic"}, none);
    assert_int_equal(deliver(&open, "wang@holder.example").outcome, GUIKA_DELIVERED);
    close_smtp(&open);

    open = open_smtp("--plain", NULL, (struct guika_pair){"starttls", "none"}, none);
    assert_int_equal(deliver(&open, "wang@holder.example").outcome, GUIKA_DELIVERED);
    close_smtp(&open);
}

static void test_certificate_of_a_stranger_is_refused(void **state)
{
    (void)state;
    char *stranger = fixture_folder();
    struct fixture_server other;
    fixture_start_server(&other, stranger, NULL, NULL);
    char ca_file[1024];
    snprintf(ca_file, sizeof ca_file, "%s/cert.pem", stranger);
    struct open_smtp open = open_smtp(NULL, NULL, (struct guika_pair){"ca_file", ca_file}, none);
    assert_int_equal(deliver(&open, "wang@holder.example").outcome, GUIKA_TRY_LATER);
    assert_int_equal(fixture_count_files(open.folder, NULL, ".eml"), 0);
    close_smtp(&open);
    fixture_stop_server(&other);
    fixture_remove_folder(stranger);
}

static void write_password(const char *path, const char *password)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", password);
    fclose(file);
}

static void test_login(void **state)
{
    (void)state;
    char *folder = fixture_folder();
    char path[1024];
    snprintf(path, sizeof path, "%s/password", folder);
    const struct guika_pair username = {"username", "guika"}, password_file = {"password_file", path};

    write_password(path, "open sesame");
    struct open_smtp open = open_smtp("--auth", "guika:open sesame", username, password_file);
    assert_int_equal(deliver(&open, "wang@holder.example").outcome, GUIKA_DELIVERED);
    close_smtp(&open);

    write_password(path, "wrong");
    open = open_smtp("--auth", "guika:open sesame", username, password_file);
    struct guika_result result = deliver(&open, "wang@holder.example");
    assert_int_equal(result.outcome, GUIKA_TRY_LATER);
    assert_string_equal(result.detail, "login refused with 535");
    close_smtp(&open);
    fixture_remove_folder(folder);
}

static void test_absent_and_slow_servers_are_passing_faults(void **state)
{
    (void)state;
    struct open_smtp open = open_smtp("--delay", "20", none, none);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    struct guika_notice notice = {.message_id = MESSAGE_ID,
                                  .address = "wang@holder.example",
                                  .name = "",
                                  .language = "en",
                                  .subject = "s",
                                  .text = "t\n",
                                  .template_id = "card_found"};
    struct guika_result result;
    open.plugin->deliver(open.channel, &notice, 1000, &result);
    clock_gettime(CLOCK_MONOTONIC, &end);
    assert_int_equal(result.outcome, GUIKA_TRY_LATER);
    assert_true(end.tv_sec - start.tv_sec <= 3);
    fixture_stop_server(&open.server);
    assert_int_equal(deliver(&open, "wang@holder.example").outcome, GUIKA_TRY_LATER);
    open.plugin->close(open.channel);
    fixture_remove_folder(open.folder);
}

static void assert_refused(const struct guika_pair *settings, size_t count, const char *word)
{
    char detail[256] = "";
    assert_null(fixture_open_plugin("smtp")->open(settings, count, detail, sizeof detail));
    fixture_assert_has(detail, word);
}

static void test_settings_are_checked(void **state)
{
    (void)state;
    const struct guika_pair host = {"host", "mail.example"}, from = {"from", "a@b.example"};
    assert_refused((struct guika_pair[]){from}, 1, "host");
    assert_refused((struct guika_pair[]){from, {"host", "mail.example/path"}}, 2, "host");
    assert_refused((struct guika_pair[]){host, from, {"port", "70000"}}, 3, "1 to 65535");
    assert_refused((struct guika_pair[]){host}, 1, "from");
    assert_refused((struct guika_pair[]){host, from, {"starttls", "maybe"}}, 3, "maybe");
    assert_refused((struct guika_pair[]){host, from, {"username", "guika"}}, 3, "password_file");
    assert_refused((struct guika_pair[]){host, from, {"username", "guika"}, {"password_file", "/nowhere"}}, 4,
                   "password_file");
    assert_refused(
        (struct guika_pair[]){host, from, {"username", "g"}, {"password_file", "x"}, {"starttls", "none"}}, 5,
        "starttls");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notice_arrives_over_starttls),
        cmocka_unit_test(test_answers_decide_the_outcome),
        cmocka_unit_test(test_refused_sender_is_ours_to_mend),
        cmocka_unit_test(test_server_without_tls_gets_nothing_when_it_is_required),
        cmocka_unit_test(test_certificate_of_a_stranger_is_refused),
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_absent_and_slow_servers_are_passing_faults),
        cmocka_unit_test(test_settings_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
