/* The plugins that were built, for tests. */
#ifndef GUIKA_TESTS_PLUGINS_ISSUERS_SHELF_RIG_H
#define GUIKA_TESTS_PLUGINS_ISSUERS_SHELF_RIG_H

#include "core/host/plugin_loader.h"
#include "guika/issuer.h"

#include <stddef.h>

struct shelf {
    struct gk_plugin **plugins;
    const struct guika_issuer *issuers[64];
    size_t count;
};

/* Group set-up and tear-down: `*state` is a struct shelf. A refused plugin fails the test. */
int open_shelf(void **state);
int close_shelf(void **state);

/* The plugin of that id; fails where there is none. */
const struct guika_issuer *find_issuer(const struct shelf *shelf, const char *id);

#endif
