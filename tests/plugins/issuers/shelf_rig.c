#include "tests/plugins/issuers/shelf_rig.h"

#include "core/recognition/descriptor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    (void)context;
    fail_msg("%s: %s", path, error->message);
}

int open_shelf(void **state)
{
    struct shelf *shelf = calloc(1, sizeof *shelf);
    assert_non_null(shelf);
    assert_int_equal(gk_plugin_open_all(GUIKA_BINARY_DIR "/lib/guika/issuers", gk_descriptor_kind(),
                                        on_refused, NULL, &shelf->plugins, &shelf->count, NULL),
                     GK_OK);
    assert_in_range(shelf->count, 1, sizeof shelf->issuers / sizeof *shelf->issuers);
    for (size_t i = 0; i < shelf->count; i++) {
        shelf->issuers[i] = (const struct guika_issuer *)(const void *)gk_plugin_head(shelf->plugins[i]);
    }
    *state = shelf;
    return 0;
}

int close_shelf(void **state)
{
    struct shelf *shelf = *state;
    for (size_t i = 0; i < shelf->count; i++) {
        gk_plugin_close(shelf->plugins[i]);
    }
    free(shelf->plugins);
    free(shelf);
    return 0;
}

const struct guika_issuer *find_issuer(const struct shelf *shelf, const char *id)
{
    for (size_t i = 0; i < shelf->count; i++) {
        if (strcmp(shelf->issuers[i]->id, id) == 0) {
            return shelf->issuers[i];
        }
    }
    fail_msg("there is no plugin %s", id);
    return NULL;
}
