#include "clients/cli/registry/list_reader.h"
#include "clients/cli/registry/utf8.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEADER GK_LIST_HEADER "\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum gk_status try_open(const char *text, size_t size, struct gk_list_reader **ret_reader,
                               struct gk_error *error)
{
    FILE *stream = tmpfile();

    assert_non_null(stream);
    assert_int_equal(fwrite(text, 1, size, stream), size);
    rewind(stream);
    return gk_list_reader_open_stream(stream, ret_reader, error);
}

static struct gk_list_reader *open_list(const char *text)
{
    struct gk_list_reader *reader = NULL;
    struct gk_error error;

    assert_int_equal(try_open(text, strlen(text), &reader, &error), GK_OK);
    return reader;
}

static struct gk_list_row next_row(struct gk_list_reader *reader)
{
    struct gk_list_row row;
    struct gk_error error;

    assert_int_equal(gk_list_reader_next(reader, &row, &error), GK_OK);
    return row;
}

static void assert_end(struct gk_list_reader *reader)
{
    struct gk_list_row row;
    struct gk_error error;

    assert_int_equal(gk_list_reader_next(reader, &row, &error), GK_NOT_FOUND);
    assert_int_equal(gk_list_reader_next(reader, &row, &error), GK_NOT_FOUND);
    gk_list_reader_close(reader);
}

static void test_row_is_read_into_a_card(void **state)
{
    struct gk_list_reader *reader =
        open_list(HEADER "iso7812,4111 1111 1111 1111,h-1,Wang Fang,en,smtp:a@b.example;sms:+861\r\n");
    const struct gk_list_row row = next_row(reader);

    (void)state;
    assert_int_equal(row.line, 2);
    assert_string_equal(row.problem, "");
    assert_string_equal(row.card.scheme, "iso7812");
    assert_string_equal(row.card.number, "4111 1111 1111 1111");
    assert_string_equal(row.card.holder_id, "h-1");
    assert_string_equal(row.card.name, "Wang Fang");
    assert_string_equal(row.card.language, "en");
    assert_int_equal(row.card.contacts_count, 2);
    assert_string_equal(row.card.contacts[0], "smtp:a@b.example");
    assert_string_equal(row.card.contacts[1], "sms:+861");
    assert_end(reader);
}

static void test_quotes_marks_and_line_ends(void **state)
{
    static const char *const header_ends[] = {"\n", "\r\n", "\r"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char text[400];

        snprintf(text, sizeof text,
                 "\xEF\xBB\xBF" GK_LIST_HEADER "%siso7812,1,h,\"Wang, \"\"Fang\"\"\",,%s\"iso7812\",2,h,,,%s",
                 header_ends[i], header_ends[i], i == 0 ? "" : header_ends[i]);
        struct gk_list_reader *reader = open_list(text);

        assert_string_equal(next_row(reader).card.name, "Wang, \"Fang\"");
        const struct gk_list_row row = next_row(reader);

        assert_string_equal(row.card.scheme, "iso7812");
        assert_string_equal(row.card.number, "2");
        assert_int_equal(row.card.contacts_count, 0);
        assert_end(reader);
    }
}

static void test_lines_are_counted_over_blank_ones_and_quoted_ends(void **state)
{
    struct gk_list_reader *reader =
        open_list(HEADER "\r\n  \r\niso7812,1,h,\"two\r\nlines\",,\r\niso7812,2,h,,,\n\n\niso7812,3,h,,,");

    (void)state;
    assert_int_equal(next_row(reader).line, 4);
    assert_int_equal(next_row(reader).line, 6);
    assert_int_equal(next_row(reader).line, 9);
    assert_end(reader);
}

static void assert_header_refused(const char *text, size_t size, const char *message)
{
    struct gk_list_reader *reader = NULL;
    struct gk_error error;

    assert_int_equal(try_open(text, size, &reader, &error), GK_INVALID_ARGUMENT);
    assert_null(reader);
    assert_string_equal(error.message, message);
}

static void test_wrong_header_names_what_was_found_and_wanted(void **state)
{
    static const char wanted[] = "it must be \"" GK_LIST_HEADER "\"";
    static const char other[] = "Scheme;Number\n";
    static const char missing[] = "iso7812,4111111111111111,h,,,\n";
    char message[256];

    (void)state;
    snprintf(message, sizeof message, "the first line is \"Scheme;Number\"; %s", wanted);
    assert_header_refused(other, strlen(other), message);
    /* A list without a header: its number is not shown. */
    snprintf(message, sizeof message, "the first line is \"iso####,################,h,,,\"; %s", wanted);
    assert_header_refused(missing, strlen(missing), message);
    assert_header_refused("", 0, "the list is empty; its first line must be " GK_LIST_HEADER);
}

static void test_bad_rows_have_a_problem_and_the_list_goes_on(void **state)
{
    char text[1024];

    (void)state;
    snprintf(text, sizeof text,
             HEADER "iso7812,1,h\niso7812,2,h,,,,\niso7812,%080d,h,,,\niso7812,3,h,\xC1\xF7,,\n"
                    "iso7812,4,h,,,a:1;a:2;a:3;a:4;a:5\niso7812,5,h,,,a:%0200d\niso7812,6,h,,,\n",
             1, 1);
    struct gk_list_reader *reader = open_list(text);

    assert_string_equal(next_row(reader).problem, "the row has 3 columns instead of 6");
    assert_string_equal(next_row(reader).problem, "the row has 7 columns instead of 6");
    assert_string_equal(next_row(reader).problem, "column number is longer than 64 bytes");
    assert_string_equal(next_row(reader).problem, "column name is not UTF-8 text");
    assert_string_equal(next_row(reader).problem, "there are more than 4 contacts");
    assert_string_equal(next_row(reader).problem, "a contact is longer than 128 bytes");
    assert_string_equal(next_row(reader).problem, "");
    assert_end(reader);
}

static void assert_fails(const char *text, const char *message)
{
    struct gk_list_reader *reader = open_list(text);
    struct gk_list_row row;
    struct gk_error error;
    enum gk_status status;

    do {
        status = gk_list_reader_next(reader, &row, &error);
    } while (status == GK_OK);
    assert_int_equal(status, GK_INVALID_ARGUMENT);
    assert_string_equal(error.message, message);
    gk_list_reader_close(reader);
}

static void test_stray_and_open_quotes_name_their_line(void **state)
{
    static const char message[] = "line 3: a quote is missing or stands where none may (RFC 4180)";
    char *text = malloc(200000);

    (void)state;
    assert_fails(HEADER "iso7812,1,h,,,\niso7812,2,h,Fa\"ng,,\n", message);
    assert_fails(HEADER "iso7812,1,h,,,\niso7812,2,h,\"Fang,,\nx", message);
    assert_non_null(text);
    strcpy(text, HEADER "iso7812,1,h,\"");
    memset(text + strlen(text), 'x', 150000);
    text[strlen(HEADER) + 150000] = '\0';
    assert_fails(text, "line 2: the row has more than 65536 bytes; is a quote not closed?");
    free(text);
}

static void test_utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    assert_true(gk_utf8_is_text("\xE7\x8E\x8B\xE8\x8A\xB3", 6));
    assert_true(gk_utf8_is_text("\xF0\x9F\x98\x80", 4));
    assert_false(gk_utf8_is_text("\xCD\xF5", 2));         /* GBK */
    assert_false(gk_utf8_is_text("\xC0\xAF", 2));         /* overlong */
    assert_false(gk_utf8_is_text("\xED\xA0\x80", 3));     /* surrogate */
    assert_false(gk_utf8_is_text("\xF4\x90\x80\x80", 4)); /* above U+10FFFF */
    assert_false(gk_utf8_is_text("\xE7\x8E", 2));
    assert_false(gk_utf8_is_text("a\0b", 3));
}

static void test_digest_follows_content_and_token(void **state)
{
    char path[] = "/tmp/guika-list-XXXXXX";
    const int fd = mkstemp(path);
    struct gk_error error;
    char first[65];
    char again[65];
    char other[65];
    uint64_t size;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "one", 3), 3);
    assert_int_equal(gk_list_digest(path, "token", first, &size, &error), GK_OK);
    assert_int_equal(size, 3);
    assert_int_equal(gk_list_digest(path, "token", again, &size, &error), GK_OK);
    assert_int_equal(gk_list_digest(path, "other", other, &size, &error), GK_OK);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_int_equal(write(fd, "two", 3), 3);
    assert_int_equal(gk_list_digest(path, "token", again, &size, &error), GK_OK);
    assert_string_not_equal(first, again);
    close(fd);
    unlink(path);
    assert_int_equal(gk_list_digest(path, "token", again, &size, &error), GK_UNAVAILABLE);
}

/* --- the fuzzer's corpus replays here --- */

static size_t read_seed(const char *path, uint8_t *ret_bytes, size_t size)
{
    FILE *stream = fopen(path, "re");

    assert_non_null(stream);
    const size_t got = fread(ret_bytes, 1, size, stream);

    fclose(stream);
    return got;
}

static void replay_with_changes(const uint8_t *seed, size_t size)
{
    uint32_t random = 12345;
    uint8_t changed[4096];

    LLVMFuzzerTestOneInput(seed, size);
    for (int round = 0; round < 2000 && size > 0; round++) {
        static const uint8_t telling[] = {'"', ',', '\r', '\n', ';', 0, 0xFF, 0xEF};

        memcpy(changed, seed, size);
        for (int change = 0; change < 1 + round % 4; change++) {
            random = random * 1664525 + 1013904223;
            changed[(random >> 8) % size] = telling[(random >> 5) % sizeof telling];
        }
        LLVMFuzzerTestOneInput(changed, size - (random >> 16) % (round % 2 == 0 ? 1 : size));
    }
}

static void test_corpus_of_the_fuzzer_replays(void **state)
{
    static const char directory[] = GUIKA_SOURCE_DIR "/tests/clients/cli/registry/corpus";
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    size_t seeds = 0;

    (void)state;
    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        uint8_t seed[4096];
        char path[1024];

        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
            replay_with_changes(seed, read_seed(path, seed, sizeof seed));
            seeds++;
        }
    }
    closedir(stream);
    assert_true(seeds >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_row_is_read_into_a_card),
        cmocka_unit_test(test_quotes_marks_and_line_ends),
        cmocka_unit_test(test_lines_are_counted_over_blank_ones_and_quoted_ends),
        cmocka_unit_test(test_wrong_header_names_what_was_found_and_wanted),
        cmocka_unit_test(test_bad_rows_have_a_problem_and_the_list_goes_on),
        cmocka_unit_test(test_stray_and_open_quotes_name_their_line),
        cmocka_unit_test(test_utf8_is_told_from_other_bytes),
        cmocka_unit_test(test_digest_follows_content_and_token),
        cmocka_unit_test(test_corpus_of_the_fuzzer_replays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
