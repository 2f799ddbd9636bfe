#include "core/notification/messages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t case_id[16] = {0xa1, 0xb2, 0xc3, 0xd4, 0xff};

static struct gk_message_input library_card(const char *language)
{
    return (struct gk_message_input){
        .template_id = GK_MESSAGE_CARD_FOUND,
        .language = language,
        .name = "王小明",
        .issuer = {"银联", "UnionPay"},
        .place = {"中心图书馆一楼东门", "Central Library, ground floor, by the east door"},
        .opening_hours = {"每天 9:00–21:00", "daily 9:00–21:00"},
        .collecting = {"凭本人有效证件到服务台领取", "Bring a photo ID to the service desk"},
        .map_url = "https://maps.example/library",
        .mask = "************1234",
        .case_id = case_id,
    };
}

static struct gk_message make(struct gk_message_input input)
{
    struct gk_message message;
    struct gk_error error = {0};
    if (gk_message_make(&input, &message, &error) != GK_OK)
        fail_msg("%s", error.message);
    if (getenv("GUIKA_SHOW") != NULL)
        printf("Subject: %s\n\n%s\n-----\n", message.subject, message.text);
    return message;
}

static const char *field(const struct gk_message *message, const char *name)
{
    for (size_t i = 0; i < GK_MESSAGE_FIELD_COUNT; i++) {
        if (strcmp(message->fields[i].name, name) == 0)
            return message->fields[i].value;
    }
    fail_msg("no field %s", name);
    return NULL;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is missing in: %s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in: %s", part, text);
}

static void test_chinese_text_is_complete(void **state)
{
    (void)state;
    struct gk_message message = make(library_card("zh"));
    assert_string_equal(message.language, "zh");
    assert_string_equal(message.subject, "您遗失的卡找到了：银联，尾号 1234");
    static const char *const parts[] = {"王小明",
                                        "银联",
                                        "1234",
                                        "中心图书馆一楼东门",
                                        "https://maps.example/library",
                                        "每天 9:00–21:00",
                                        "凭本人有效证件",
                                        "A1B2-C3D4",
                                        "密码",
                                        "费用"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_has(message.text, parts[i]);
    assert_lacks(message.text, "Library");
    assert_lacks(message.text, "{");
    assert_lacks(message.text, "[");
}

static void test_english_text_is_complete(void **state)
{
    (void)state;
    struct gk_message message = make(library_card("en-GB"));
    assert_string_equal(message.language, "en");
    assert_string_equal(message.subject, "Your lost card has been found: UnionPay, ending in 1234");
    static const char *const parts[] = {"Dear 王小明",
                                        "UnionPay",
                                        "1234",
                                        "Central Library",
                                        "https://maps.example/library",
                                        "daily 9:00–21:00",
                                        "photo ID",
                                        "A1B2-C3D4",
                                        "PIN",
                                        "password",
                                        "fee"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_has(message.text, parts[i]);
    assert_lacks(message.text, "图书馆");
}

static void test_every_template_exists_in_both_languages(void **state)
{
    (void)state;
    static const char *const ids[] = {
        GK_MESSAGE_CARD_FOUND, GK_MESSAGE_CARD_MOVED,    GK_MESSAGE_CARD_REMINDER,    GK_MESSAGE_CARD_EXPIRED,
        GK_MESSAGE_NEW_CODE,   GK_MESSAGE_ENQUIRY_FOUND, GK_MESSAGE_ENQUIRY_NOT_FOUND};
    static const char *const languages[] = {"zh", "en"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct gk_message_input input = library_card(languages[j]);
            input.template_id = ids[i];
            struct gk_message message = make(input);
            assert_has(message.text, "1234");
            assert_has(message.text, j == 0 ? "密码" : "PIN");
            assert_has(message.subject, "1234");
        }
    }
    struct gk_message_input input = library_card("zh");
    input.template_id = "card_lost";
    struct gk_message message;
    struct gk_error error;
    assert_int_equal(gk_message_make(&input, &message, &error), GK_INVALID_ARGUMENT);
    assert_has(error.message, "card_lost");
}

static void test_code_comes_with_its_end_and_the_tail_that_it_needs(void **state)
{
    (void)state;
    struct gk_message_input input = library_card("en");
    input.code = "004711";
    input.tail_digits = 4;
    input.code_expires_at_ms = INT64_C(1700000000000);
    struct gk_message message = make(input);
    assert_has(message.text,
               "Pickup code: 004711, together with the last 4 digits of your telephone number\n");
    assert_has(message.text, "good until 2023-11-1"); /* local time */
    assert_string_equal(field(&message, "code"), "004711");
    input.code = "00471147";
    input.tail_digits = 0;
    assert_has(make(input).text, "Pickup code: 00471147\n");
    input.language = "zh";
    assert_has(make(input).text, "取卡码：00471147\n");
    input.code = "";
    assert_lacks(make(input).text, "取卡码");
}

static void test_language_is_the_holders(void **state)
{
    (void)state;
    assert_string_equal(make(library_card("")).language, "zh");
    assert_string_equal(make(library_card(NULL)).language, "zh");
    assert_string_equal(make(library_card("zh-Hant-HK")).language, "zh");
    assert_string_equal(make(library_card("ZH_cn")).language, "zh");
    assert_string_equal(make(library_card("fr")).language, "en");
    assert_string_equal(make(library_card("zha")).language, "en");
}

static void test_missing_words_fall_back_to_the_other_language(void **state)
{
    (void)state;
    struct gk_message_input input = library_card("en");
    input.place.en = "";
    input.collecting.en = NULL;
    input.opening_hours.en = "\r\n ";
    struct gk_message message = make(input);
    assert_has(message.text, "中心图书馆一楼东门");
    assert_has(message.text, "凭本人有效证件");
    assert_has(message.text, "每天");
}

static void test_lines_without_a_value_are_left_out(void **state)
{
    (void)state;
    struct gk_message_input input = library_card("zh");
    input.map_url = "";
    input.name = "";
    input.mask = "";
    input.issuer = (struct gk_local_words){"", ""};
    struct gk_message message = make(input);
    assert_string_equal(message.subject, "您遗失的卡找到了");
    assert_lacks(message.text, "地图");
    assert_lacks(message.text, "尾号");
    assert_lacks(message.text, "卡片：");
    assert_memory_equal(message.text, "您好！", strlen("您好！"));
}

static void test_last_four_only_whatever_the_mask_shows(void **state)
{
    (void)state;
    struct gk_message_input input = library_card("en");
    input.mask = "4111111111111111";
    struct gk_message message = make(input);
    assert_string_equal(field(&message, "last_four"), "1111");
    assert_lacks(message.text, "11111");
    assert_lacks(message.subject, "11111");
    input.mask = "**************002X";
    message = make(input);
    assert_string_equal(field(&message, "last_four"), "002X");
    input.mask = "*****2507(0)";
    message = make(input);
    assert_string_equal(field(&message, "last_four"), "5070");
    input.mask = "**********34";
    message = make(input);
    assert_string_equal(field(&message, "last_four"), "34");
}

static void test_values_cannot_add_lines_or_headers(void **state)
{
    (void)state;
    struct gk_message_input input = library_card("en");
    input.name = "Eve\r\nBcc: all@example.org\n\nHello";
    input.issuer.en = "Bank\r\nX-Evil: 1\x01\x7f\xc2\x85 end";
    input.place.en = "Hall\xe2\x80\xae gnp.exe \xff\xc0\xaf {map_url} [x]\xe2\x80\xa8"
                     "Room";
    struct gk_message message = make(input);
    assert_string_equal(field(&message, "issuer"), "Bank X-Evil: 1 end");
    assert_string_equal(field(&message, "place"), "Hall gnp.exe {map_url} [x] Room");
    assert_lacks(message.subject, "\n");
    assert_lacks(message.subject, "\r");
    assert_has(message.text, "Dear Eve Bcc: all@example.org Hello,\n");
    assert_lacks(message.text, "\nBcc:");
    assert_has(message.text, "Where: Hall gnp.exe {map_url} [x] Room\n");
}

static void test_long_values_are_cut_at_a_whole_character(void **state)
{
    (void)state;
    char clean[9];
    gk_message_clean("一二三四", clean, sizeof clean);
    assert_string_equal(clean, "一二");
    gk_message_clean("  a \t b  ", clean, sizeof clean);
    assert_string_equal(clean, "a b");
    char huge[2000];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    struct gk_message_input input = library_card("en");
    input.name = input.issuer.en = input.place.en = input.opening_hours.en = input.collecting.en =
        input.map_url = huge;
    struct gk_message message = make(input);
    assert_int_equal(strlen(field(&message, "place")), GK_MESSAGE_VALUE_SIZE - 1);
    assert_true(strlen(message.subject) < GK_MESSAGE_SUBJECT_SIZE);
    assert_has(message.text, "PIN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chinese_text_is_complete),
        cmocka_unit_test(test_english_text_is_complete),
        cmocka_unit_test(test_every_template_exists_in_both_languages),
        cmocka_unit_test(test_code_comes_with_its_end_and_the_tail_that_it_needs),
        cmocka_unit_test(test_language_is_the_holders),
        cmocka_unit_test(test_missing_words_fall_back_to_the_other_language),
        cmocka_unit_test(test_lines_without_a_value_are_left_out),
        cmocka_unit_test(test_last_four_only_whatever_the_mask_shows),
        cmocka_unit_test(test_values_cannot_add_lines_or_headers),
        cmocka_unit_test(test_long_values_are_cut_at_a_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
