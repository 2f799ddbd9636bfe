#include "core/configuration.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    char *path;
    struct gk_configuration *configuration;
    struct gk_error error;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->folder = scratch_make();
    fixture->path = scratch_path(fixture->folder, "guikad.conf");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_configuration_free(fixture->configuration);
    scratch_remove(fixture->folder);
    free(fixture->path);
    free(fixture);
    return 0;
}

static enum gk_status read_text(struct fixture *fixture, const char *text)
{
    FILE *file = fopen(fixture->path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    gk_configuration_free(fixture->configuration);
    fixture->configuration = NULL;
    fixture->error = (struct gk_error){.status = GK_OK};
    return gk_configuration_read(fixture->path, "/opt/guika/bin", &fixture->configuration, &fixture->error);
}

static void must_read(struct fixture *fixture, const char *text)
{
    if (read_text(fixture, text) != GK_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

/* The text is refused with "FILE:`line`: " and a message that has `word` in it. */
static void refuses(struct fixture *fixture, const char *text, int line, const char *word)
{
    char begin[512];

    (void)snprintf(begin, sizeof begin, "%s:%d: ", fixture->path, line);
    if (read_text(fixture, text) != GK_INVALID_ARGUMENT ||
        strncmp(fixture->error.message, begin, strlen(begin)) != 0 ||
        strstr(fixture->error.message + strlen(begin), word) == NULL) {
        fail_msg("%s: \"%s\", expected \"%s...%s\"", text, fixture->error.message, begin, word);
    }
    assert_null(fixture->configuration);
}

static void assert_below(const struct fixture *fixture, const char *path, const char *name)
{
    char expected[512];

    (void)snprintf(expected, sizeof expected, "%s/%s", fixture->folder, name);
    assert_string_equal(path, expected);
}

static void assert_defaults(const struct fixture *fixture)
{
    const struct gk_configuration *configuration = fixture->configuration;

    assert_below(fixture, configuration->data_directory, "data");
    assert_below(fixture, configuration->keys_directory, "keys");
    assert_int_equal(configuration->log_level, GK_LOG_INFO);
    assert_int_equal(configuration->listen_count, 3);
    assert_string_equal(configuration->listen[0], "tcp://127.0.0.1:7800");
    assert_string_equal(configuration->listen[1], "tls+tcp://0.0.0.0:7801");
    assert_string_equal(configuration->listen[2], "ws://127.0.0.1:7802/rpc");
    assert_false(configuration->plain_remote);
    assert_below(fixture, configuration->certificate_file, "tls.crt");
    assert_below(fixture, configuration->key_file, "keys/tls.key");
    assert_int_equal(configuration->cache_bytes, 64 << 20);
    assert_int_equal(configuration->heartbeat_ms, 30000);
    assert_in_range(configuration->readers, 1, 64);
    assert_string_equal(configuration->reader_program, "/opt/guika/bin/guika-reader");
    assert_string_equal(configuration->issuers_directory, "/opt/guika/bin/../lib/guika/issuers");
    assert_int_equal(configuration->couriers, 1);
    assert_string_equal(configuration->alerts_to, "");
    assert_string_equal(configuration->alerts_language, "en");
    assert_string_equal(configuration->courier_program, "/opt/guika/bin/guika-courier");
    assert_string_equal(configuration->channels_directory, "/opt/guika/bin/../lib/guika/channels");
    assert_true(configuration->threshold > 0.9989 && configuration->threshold < 0.9991);
    assert_true(configuration->registered_share > 0.49 && configuration->registered_share < 0.51);
}

static void test_empty_file_gives_the_defaults(void **state)
{
    struct fixture *fixture = *state;

    must_read(fixture, "");
    assert_defaults(fixture);
    assert_int_equal(fixture->configuration->setting_count, 0);
}

static void test_example_gives_the_defaults_and_a_maildir(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(GUIKA_SOURCE_DIR "/core/guikad.conf.example", "r");
    char text[16384];

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    must_read(fixture, text);
    assert_defaults(fixture);
    const struct gk_channel_setting *settings = fixture->configuration->settings;

    assert_int_equal(fixture->configuration->setting_count, 3);
    assert_string_equal(settings[0].channel, "smtp");
    assert_string_equal(settings[0].key, "plugin");
    assert_string_equal(settings[0].value, "maildir");
    assert_string_equal(settings[1].key, "path");
    assert_below(fixture, settings[1].value, "outgoing");
    assert_string_equal(settings[2].key, "from");
}

static void test_every_key_is_taken(void **state)
{
    struct fixture *fixture = *state;

    must_read(fixture, "data = \"/srv/data\"\nkeys = \"secret\"\nlog_level = \"debug\"\n"
                       "listen = {\"ipc:///run/a\", \"tcp://127.0.0.1:1\"}\nplain_remote = true\n"
                       "cache_mib = 128\nheartbeat_seconds = 5\n"
                       "tls {\n certificate = \"c.pem\"\n key = \"/k.pem\"\n}\n"
                       "readers {\n count = 3\n program = \"/r\"\n issuers = \"i\"\n}\n"
                       "couriers {\n count = 0\n program = \"/c\"\n channels = \"/ch\"\n}\n"
                       "decision {\n threshold = 0.9\n registered_share = 0.25\n}\n"
                       "alerts {\n to = \"smtp:a@b.example\"\n language = \"zh\"\n}\n"
                       "channel \"smtp\" {\n path = \"out\"\n}\n");
    const struct gk_configuration *configuration = fixture->configuration;

    assert_string_equal(configuration->data_directory, "/srv/data");
    assert_below(fixture, configuration->keys_directory, "secret");
    assert_int_equal(configuration->log_level, GK_LOG_DEBUG);
    assert_int_equal(configuration->listen_count, 2);
    assert_string_equal(configuration->listen[0], "ipc:///run/a");
    assert_true(configuration->plain_remote);
    assert_int_equal(configuration->cache_bytes, 128 << 20);
    assert_int_equal(configuration->heartbeat_ms, 5000);
    assert_below(fixture, configuration->certificate_file, "c.pem");
    assert_string_equal(configuration->key_file, "/k.pem");
    assert_int_equal(configuration->readers, 3);
    assert_string_equal(configuration->reader_program, "/r");
    assert_below(fixture, configuration->issuers_directory, "i");
    assert_int_equal(configuration->couriers, 0);
    assert_string_equal(configuration->alerts_to, "smtp:a@b.example");
    assert_string_equal(configuration->alerts_language, "zh");
    assert_string_equal(configuration->courier_program, "/c");
    assert_string_equal(configuration->channels_directory, "/ch");
    assert_true(configuration->threshold > 0.89 && configuration->threshold < 0.91);
    assert_true(configuration->registered_share > 0.24 && configuration->registered_share < 0.26);
}

static void test_channels_keep_their_own_keys_and_paths_become_absolute(void **state)
{
    struct fixture *fixture = *state;

    must_read(fixture,
              "channel \"smtp\" {\n host = \"mail.example\"\n password_file = \"p\"\n port = 587\n}\n"
              "channel \"sms\" {\n path = \"/abs\"\n filed = \"x\"\n}\n");
    const struct gk_channel_setting *settings = fixture->configuration->settings;

    assert_int_equal(fixture->configuration->setting_count, 5);
    assert_string_equal(settings[0].value, "mail.example");
    assert_string_equal(settings[1].key, "password_file");
    assert_below(fixture, settings[1].value, "p");
    assert_string_equal(settings[2].value, "587");
    assert_string_equal(settings[3].channel, "sms");
    assert_string_equal(settings[3].value, "/abs");
    assert_string_equal(settings[4].value, "x");
}

static void test_errors_name_file_line_and_key(void **state)
{
    struct fixture *fixture = *state;

    refuses(fixture, "bogus = 1\n", 1, "bogus");
    refuses(fixture, "\nlog_level = \"loud\"\n", 2, "log_level must be debug, info, warning or error");
    refuses(fixture, "plain_remote = maybe\n", 1, "plain_remote");
    refuses(fixture, "cache_mib = \"many\"\n", 1, "cache_mib");
    refuses(fixture, "\n\ntls {\n bogus = \"x\"\n}\n", 4, "bogus");
    refuses(fixture, "decision {\n threshold = high\n}\n", 2, "threshold");
    refuses(fixture, "channel {\n}\n", 1, "channel");
    refuses(fixture, "data = \"unfinished\n", 2, "end of file");
}

static void test_errors_after_a_channel_name_their_own_cause(void **state)
{
    struct fixture *fixture = *state;

    refuses(fixture, "channel \"smtp\" {\n host = \"a\"\n}\nbogus = 1\n", 4, "bogus");
    refuses(fixture, "channel \"smtp\" {\n host = \"a\"\n}\nreaders {\n count = 65\n}\n", 5, "count");
    refuses(fixture, "channel \"smtp\" {\n a = \"b\"\n}\nchannel \"smtp\" {\n a = \"c\"\n}\n", 4,
            "duplicate title 'smtp'");
    refuses(fixture, "channel \"smtp\" {\n a = {\"b\", \"c\"}\n}\n", 2, "unexpected");
}

static void test_audit_heads_inside_the_data_are_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(read_text(fixture, "audit {\n heads = \"data/audit.heads\"\n}\n"), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->error.message, "outside the data"));
    assert_null(fixture->configuration);
}

static void test_alerts_to_a_channel_that_nobody_set_up_are_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(
        read_text(fixture, "alerts {\n to = \"sms:+4420\"\n}\nchannel \"smtp\" {\n a = \"b\"\n}\n"),
        GK_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->error.message, "channel \"sms\""));
}

static void test_ranges_are_checked_and_named(void **state)
{
    struct fixture *fixture = *state;

    refuses(fixture, "cache_mib = 7\n", 1, "cache_mib must be 8 to 65536, not 7");
    refuses(fixture, "cache_mib = 65537\n", 1, "8 to 65536");
    refuses(fixture, "cache_mib = 99999999999999999999\n", 1, "cache_mib");
    refuses(fixture, "heartbeat_seconds = 0\n", 1, "heartbeat_seconds must be 1 to 3600, not 0");
    refuses(fixture, "heartbeat_seconds = 3601\n", 1, "1 to 3600");
    refuses(fixture, "readers {\n count = -1\n}\n", 2, "count must be 0 to 64, not -1");
    refuses(fixture, "readers {\n count = 65\n}\n", 2, "0 to 64");
    refuses(fixture, "couriers {\n count = 17\n}\n", 2, "count must be 0 to 16, not 17");
    refuses(fixture, "audit {\n every_seconds = 0\n}\n", 2, "every_seconds must be 1 to 86400, not 0");
    refuses(fixture, "alerts {\n to = \"a@b.example\"\n}\n", 2, "CHANNEL:ADDRESS");
    refuses(fixture, "alerts {\n language = \"fr\"\n}\n", 2, "en or zh, not fr");
    refuses(fixture, "decision {\n threshold = 0.49\n}\n", 2, "threshold must be 0.5 to 1, not 0.49");
    refuses(fixture, "decision {\n threshold = 1.01\n}\n", 2, "0.5 to 1");
    refuses(fixture, "decision {\n threshold = nan\n}\n", 2, "0.5 to 1");
    refuses(fixture, "decision {\n registered_share = 0\n}\n", 2, "registered_share must be 0.01 to 0.99");
    refuses(fixture, "decision {\n registered_share = 1\n}\n", 2, "0.01 to 0.99");
    must_read(fixture,
              "cache_mib = 8\nheartbeat_seconds = 3600\nreaders { count = 64 }\ncouriers { count = 16 }\n"
              "decision {\n threshold = 1.0\n registered_share = 0.01\n}\n");
    assert_int_equal(fixture->configuration->readers, 64);
}

static void test_missing_file_says_how_to_make_one(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(gk_configuration_read(fixture->path, "/bin", &fixture->configuration, &fixture->error),
                     GK_NOT_FOUND);
    assert_non_null(strstr(fixture->error.message, "guikad --init --config"));
}

static void test_folder_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(gk_configuration_read(fixture->folder, "/bin", &fixture->configuration, &fixture->error),
                     GK_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->error.message, "is no file"));
}

static void test_relative_path_of_the_file_is_resolved(void **state)
{
    struct fixture *fixture = *state;
    char before[4096];

    must_read(fixture, "");
    gk_configuration_free(fixture->configuration);
    fixture->configuration = NULL;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(fixture->folder), 0);
    const enum gk_status status =
        gk_configuration_read("guikad.conf", "/bin", &fixture->configuration, &fixture->error);

    assert_int_equal(chdir(before), 0);
    assert_int_equal(status, GK_OK);
    assert_below(fixture, fixture->configuration->data_directory, "data");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_empty_file_gives_the_defaults),
        TEST(test_example_gives_the_defaults_and_a_maildir),
        TEST(test_every_key_is_taken),
        TEST(test_channels_keep_their_own_keys_and_paths_become_absolute),
        TEST(test_errors_name_file_line_and_key),
        TEST(test_errors_after_a_channel_name_their_own_cause),
        TEST(test_audit_heads_inside_the_data_are_refused),
        TEST(test_alerts_to_a_channel_that_nobody_set_up_are_refused),
        TEST(test_ranges_are_checked_and_named),
        TEST(test_missing_file_says_how_to_make_one),
        TEST(test_folder_is_refused),
        TEST(test_relative_path_of_the_file_is_resolved),
    };

    return cmocka_run_group_tests_name("core/configuration", tests, NULL, NULL);
}
