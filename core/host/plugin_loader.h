/*
 * Opens plugins: the only code in Guika that calls dlopen, in readers (issuers) and couriers (channels).
 *
 * A plugin is refused, with a message that says what was found and what is wanted, where its symbol is
 * missing, its descriptor is smaller than its minor version demands, its major is another, or its minor is
 * newer. What the file names hold is data of the kind that the descriptor's own module checks.
 */
#ifndef GUIKA_CORE_HOST_PLUGIN_LOADER_H
#define GUIKA_CORE_HOST_PLUGIN_LOADER_H

#include "rpc/status.h"

#include <stddef.h>
#include <stdint.h>

/* The head that every plugin descriptor begins with. */
struct gk_plugin_head {
    uint32_t struct_size;
    uint16_t abi_major;
    uint16_t abi_minor;
    const char *id;
    const char *version;
};

struct gk_plugin_kind {
    const char *symbol; /* "guika_issuer" */
    const char *word;   /* for messages: "issuer" */
    uint16_t abi_major;
    uint16_t abi_minor;
    uint32_t smallest_struct; /* bytes of the descriptor at minor 0 */
    /* Checks the descriptor's content; NULL: nothing to check. Returns INVALID_ARGUMENT with a message. */
    enum gk_status (*check)(const struct gk_plugin_head *head, struct gk_error *error);
};

struct gk_plugin;

/* Opens one file. The plugin is loaded from a uniquely named private copy, so that replacing the file never
 * touches what is mapped. [worker] */
enum gk_status gk_plugin_open(const char *path, const struct gk_plugin_kind *kind,
                              struct gk_plugin **ret_plugin, struct gk_error *error);
void gk_plugin_close(struct gk_plugin *plugin);
const struct gk_plugin_head *gk_plugin_head(const struct gk_plugin *plugin); /* borrowed */
const char *gk_plugin_file(const struct gk_plugin *plugin); /* the file's name without its folder; borrowed */

/* Opens every *.so of `directory` in order of name. `on_refused` hears of each that is refused (may be NULL);
 * two plugins of one id: the second is refused. `ret_plugins` and its array are the caller's. NOT_FOUND where
 * the directory is missing. [worker] */
enum gk_status
gk_plugin_open_all(const char *directory, const struct gk_plugin_kind *kind,
                   void (*on_refused)(void *context, const char *path, const struct gk_error *error),
                   void *context, struct gk_plugin ***ret_plugins, size_t *ret_count, struct gk_error *error);

#endif
