#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MESSAGE_ID "00112233445566778899aabbccddeeff"

static struct guika_notice chinese_notice(void)
{
    return (struct guika_notice){
        .message_id = MESSAGE_ID,
        .address = "wang@holder.example",
        .name = "王小明",
        .language = "zh",
        .subject = "您遗失的卡找到了：银联，尾号 1234，请带上有效证件到中心图书馆一楼服务台领取",
        .text = "王小明，您好！\n\n卡片：银联，尾号 1234\n领取地点：中心图书馆\n",
        .template_id = "card_found",
        .created_at_ms = 1700000000123,
    };
}

struct open_maildir {
    const struct guika_channel *plugin;
    void *channel;
    char *folder;
};

static struct open_maildir open_maildir(void)
{
    struct open_maildir open = {.plugin = fixture_open_plugin("maildir"), .folder = fixture_folder()};
    char path[1024], detail[256] = "";
    snprintf(path, sizeof path, "%s/mail", open.folder);
    const struct guika_pair settings[] = {{"path", path}, {"from", "归卡 Guika <noreply@guika.example>"}};
    open.channel = open.plugin->open(settings, 2, detail, sizeof detail);
    if (open.channel == NULL)
        fail_msg("%s", detail);
    return open;
}

static void close_maildir(struct open_maildir *open)
{
    open->plugin->close(open->channel);
    fixture_remove_folder(open->folder);
}

static void deliver(const struct open_maildir *open, const struct guika_notice *notice)
{
    struct guika_result result;
    open->plugin->deliver(open->channel, notice, 10000, &result);
    if (result.outcome != GUIKA_DELIVERED)
        fail_msg("%s", result.detail);
    fixture_assert_lacks(result.detail, "holder.example");
}

static char *show(const struct open_maildir *open)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/mail/new/" MESSAGE_ID, open->folder);
    return fixture_show_mail(path);
}

static void test_notice_becomes_a_mail_that_readers_understand(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    struct guika_notice notice = chinese_notice();
    deliver(&open, &notice);
    char *mail = show(&open);
    fixture_assert_has(mail, "Message-ID: <" MESSAGE_ID "@guika.example>\n");
    fixture_assert_has(mail, "Date: Tue, 14 Nov 2023 22:13:20 +0000\n");
    fixture_assert_has(mail, "From: 归卡 Guika <noreply@guika.example>\n");
    fixture_assert_has(mail, "To: 王小明 <wang@holder.example>\n");
    char line[512];
    snprintf(line, sizeof line, "\nSubject: %s\n", notice.subject);
    fixture_assert_has(mail, line);
    snprintf(line, sizeof line, "\n\n%s", notice.text);
    fixture_assert_has(mail, line);
    fixture_assert_lacks(mail, "DEFECT");
    free(mail);
    close_maildir(&open);
}

static void test_english_body_survives_quoting(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    struct guika_notice notice = chinese_notice();
    notice.language = "en";
    notice.name = "Ann \"the\\Card\" Lee";
    notice.subject = "Your lost card has been found";
    notice.text =
        "Dear Ann,\n\n.dot at the start\nFrom here = there, 9:00–21:00, trailing space \n"
        "A very long line that goes on and on until it must be broken softly, because lines over 76 columns "
        "are not allowed in quoted-printable text.\nend without a line end";
    deliver(&open, &notice);
    char *mail = show(&open);
    char line[1024];
    snprintf(line, sizeof line, "\n\n%s\n", notice.text);
    fixture_assert_has(mail, line);
    fixture_assert_has(mail, "To: \"Ann \\\"the\\\\Card\\\" Lee\" <wang@holder.example>\n");
    fixture_assert_lacks(mail, "DEFECT");
    free(mail);
    close_maildir(&open);
}

static void test_repeated_delivery_leaves_one_file(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    struct guika_notice notice = chinese_notice();
    for (int i = 0; i < 3; i++)
        deliver(&open, &notice);
    assert_int_equal(fixture_count_files(open.folder, "mail/new", MESSAGE_ID), 1);

    char from[1024], to[1024];
    snprintf(from, sizeof from, "%s/mail/new/" MESSAGE_ID, open.folder);
    snprintf(to, sizeof to, "%s/mail/cur/" MESSAGE_ID ":2,S", open.folder);
    assert_int_equal(rename(from, to), 0);
    deliver(&open, &notice);
    assert_int_equal(fixture_count_files(open.folder, "mail/new", ""), 0);
    assert_int_equal(fixture_count_files(open.folder, "mail/cur", ""), 1);
    assert_int_equal(fixture_count_files(open.folder, "mail/tmp", ""), 0);
    close_maildir(&open);
}

static void test_half_written_file_of_a_killed_courier_is_replaced(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    char path[1024];
    snprintf(path, sizeof path, "%s/mail/tmp/" MESSAGE_ID, open.folder);
    FILE *half = fopen(path, "w");
    assert_non_null(half);
    for (int i = 0; i < 1000; i++)
        fputs("half a message ", half);
    fclose(half);
    struct guika_notice notice = chinese_notice();
    deliver(&open, &notice);
    assert_int_equal(fixture_count_files(open.folder, "mail/tmp", ""), 0);
    char *mail = show(&open);
    fixture_assert_lacks(mail, "half a message");
    free(mail);
    close_maildir(&open);
}

static void test_values_cannot_add_headers(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    struct guika_notice notice = chinese_notice();
    notice.subject = "found\r\nBcc: all@example.org";
    notice.name = "Eve\nX-Evil: 1";
    deliver(&open, &notice);
    char *mail = show(&open);
    fixture_assert_lacks(mail, "\nBcc:");
    fixture_assert_lacks(mail, "\nX-Evil:");
    free(mail);
    close_maildir(&open);
}

static void test_odd_message_id_is_refused(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    struct guika_notice notice = chinese_notice();
    notice.message_id = "../../escape";
    struct guika_result result;
    open.plugin->deliver(open.channel, &notice, 1000, &result);
    assert_int_equal(result.outcome, GUIKA_REFUSED);
    close_maildir(&open);
}

static void test_vanished_folder_is_a_passing_fault(void **state)
{
    (void)state;
    struct open_maildir open = open_maildir();
    char path[1024];
    snprintf(path, sizeof path, "%s/mail/tmp", open.folder);
    assert_int_equal(rmdir(path), 0);
    struct guika_notice notice = chinese_notice();
    struct guika_result result;
    open.plugin->deliver(open.channel, &notice, 1000, &result);
    assert_int_equal(result.outcome, GUIKA_TRY_LATER);
    close_maildir(&open);
}

static void test_settings_are_checked(void **state)
{
    (void)state;
    const struct guika_channel *plugin = fixture_open_plugin("maildir");
    char detail[256] = "";
    const struct guika_pair no_path[] = {{"from", "a@b.example"}};
    assert_null(plugin->open(no_path, 1, detail, sizeof detail));
    fixture_assert_has(detail, "path");
    const struct guika_pair bad_from[] = {{"path", "/tmp"}, {"from", "nobody"}};
    assert_null(plugin->open(bad_from, 2, detail, sizeof detail));
    fixture_assert_has(detail, "from");
    const struct guika_pair bad_path[] = {{"path", "/proc/none/mail"}, {"from", "a@b.example"}};
    assert_null(plugin->open(bad_path, 2, detail, sizeof detail));
    fixture_assert_has(detail, "/proc/none/mail");
}

static void test_addresses(void **state)
{
    (void)state;
    const struct guika_channel *plugin = fixture_open_plugin("maildir");
    static const char *const good[] = {"a@b.example", "first.last+tag@sub.domain.example", "x@localhost",
                                       "o'hara@b.cn"};
    static const char *const bad[] = {
        "",       "a",      "@b.example",    "a@",           "a b@c.example", "a@b..c",
        "a..b@c", "a@-b.c", "a@b.c\r\nX: 1", "<a@b.c>",      "a@b.c>",        "a@b@c.d",
        ".a@b.c", "a.@b.c", "a@b_c.d",       "王@b.example", "a@b.c,d@e.f"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(plugin->accepts_address(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (plugin->accepts_address(bad[i]))
            fail_msg("accepted \"%s\"", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notice_becomes_a_mail_that_readers_understand),
        cmocka_unit_test(test_english_body_survives_quoting),
        cmocka_unit_test(test_repeated_delivery_leaves_one_file),
        cmocka_unit_test(test_half_written_file_of_a_killed_courier_is_replaced),
        cmocka_unit_test(test_values_cannot_add_headers),
        cmocka_unit_test(test_odd_message_id_is_refused),
        cmocka_unit_test(test_vanished_folder_is_a_passing_fault),
        cmocka_unit_test(test_settings_are_checked),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
