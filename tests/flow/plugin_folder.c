#include "tests/flow/plugin_folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 20000, LOG_WAIT_MS = 30000, TURN_MS = 20 };

static void path_of(const struct gk_test_service *service, const char *file, char path[256])
{
    (void)snprintf(path, 256, "%s/issuers/%s", service->directory, file);
}

void gk_test_plugins_make(struct gk_test_service *service, unsigned readers, const char *more)
{
    char folder[256];

    gk_test_service_make(service, readers);
    gk_test_service_configure(service,
                              "listen = {\"%s\"}\n"
                              "cache_mib = 8\n"
                              "readers {\n"
                              "    count = %u\n"
                              "    issuers = \"%s/issuers\"\n"
                              "    %s\n"
                              "}\n"
                              "channel \"smtp\" {\n"
                              "    plugin = \"maildir\"\n"
                              "    path = \"%s\"\n"
                              "    from = \"Guika <no-reply@guika.example>\"\n"
                              "}\n",
                              service->url, readers, service->directory, more, service->maildir);
    path_of(service, "", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    gk_test_plugins_put(service, GK_TEST_SHELF "octopus.so", "octopus.so", 0);
    gk_test_plugins_put(service, GK_TEST_SHELF "iso7812.so", "iso7812.so", 0);
}

void gk_test_plugins_put(const struct gk_test_service *service, const char *from, const char *file,
                         unsigned count)
{
    char path[256];
    size_t size;
    char *data = gk_test_read_file(from, &size);

    assert_non_null(data);
    data = realloc(data, size + count + 1);
    memset(data + size, 'x', count);
    path_of(service, file, path);
    gk_test_write_file(path, data, size + count);
    free(data);
}

void gk_test_plugins_remove(const struct gk_test_service *service, const char *file)
{
    char path[256];

    path_of(service, file, path);
    assert_int_equal(unlink(path), 0);
}

guika_v1_PluginRow gk_test_plugins_row(const struct gk_test_service *service, const char *file)
{
    struct gk_rpc_client *client = gk_test_client(service, service->operator_token);
    const guika_v1_ListPluginsRequest request = {0};
    guika_v1_ListPluginsResponse *response = calloc(1, sizeof *response);
    guika_v1_PluginRow row = {0};
    struct gk_error error = {0};

    if (guika_v1_operator_service_list_plugins(client, NULL, &request, response, &error) != GK_OK) {
        fail_msg("list of plugins: %s", error.message);
    }
    for (size_t i = 0; i < response->plugins_count; i++) {
        if (strcmp(response->plugins[i].file, file) == 0) {
            row = response->plugins[i];
        }
    }
    free(response);
    gk_rpc_client_close(client);
    return row;
}

guika_v1_PluginRow gk_test_plugins_wait(const struct gk_test_service *service, const char *file,
                                        guika_v1_PluginState state)
{
    guika_v1_PluginRow row = {0};

    for (unsigned waited = 0; waited < WAIT_MS; waited += TURN_MS) {
        row = gk_test_plugins_row(service, file);
        if (row.state == state) {
            return row;
        }
        gk_test_sleep_ms(TURN_MS);
    }
    fail_msg("%s is in state %d, not %d: %s", file, (int)row.state, (int)state, row.reason);
    return row;
}

/* The number behind the last `words` in the log; 0 for none. */
static unsigned long last_number(const struct gk_test_service *service, const char *words)
{
    size_t size;
    char *log = gk_test_read_file(service->log, &size);
    unsigned long number = 0;

    for (const char *at = log; at != NULL && (at = strstr(at, words)) != NULL; at += strlen(words)) {
        number = strtoul(at + strlen(words), NULL, 10);
    }
    free(log);
    return number;
}

void gk_test_plugins_settle(const struct gk_test_service *service)
{
    unsigned settled = 0;

    for (unsigned waited = 0; settled < 300; waited += TURN_MS) {
        const bool same = last_number(service, "event=shelf_changes shelf=") ==
                          last_number(service, "event=shelf_in_use shelf=");

        settled = same ? settled + TURN_MS : 0;
        if (waited >= LOG_WAIT_MS) {
            fail_msg("the readers did not all get the newest shelf; see %s", service->log);
        }
        gk_test_sleep_ms(TURN_MS);
    }
}

void gk_test_plugins_wait_gone(const struct gk_test_service *service, const char *file)
{
    (void)gk_test_plugins_wait(service, file, guika_v1_PluginState_PLUGIN_STATE_UNSPECIFIED);
    gk_test_plugins_settle(service);
}

void gk_test_wait_for_log(const struct gk_test_service *service, const char *words, size_t count)
{
    for (unsigned waited = 0; gk_test_occurrences(service->log, words) < count; waited += TURN_MS) {
        if (waited >= LOG_WAIT_MS) {
            fail_msg("guikad did not log \"%s\" %zu times; see %s", words, count, service->log);
        }
        gk_test_sleep_ms(TURN_MS);
    }
}
