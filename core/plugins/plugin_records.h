/* The plugin table's records in the store (family meta, "plugin/" and the file's name). */
#ifndef GUIKA_CORE_PLUGINS_PLUGIN_RECORDS_H
#define GUIKA_CORE_PLUGINS_PLUGIN_RECORDS_H

#include "core/mailbox.h"
#include "core/plugins/plugin_table.h"
#include "core/store/store.h"

#define GK_PLUGIN_RECORD_PREFIX "plugin/"

/* For the start: makes <data>/plugins ready, fills the empty table with what rests, and drops what has no
 * whole copy any more. [worker] */
enum gk_status gk_plugin_records_load(struct gk_store *store, const char *copies,
                                      const struct gk_plugin_key *keys, size_t key_count,
                                      struct gk_plugin_table *table, struct gk_error *error);

/* Writes the records that changed, with one audit entry, and then calls `done`, also where none did (at
 * once). `any_new`: a plugin that was not used before is now. What is written is taken at the call. [loop] */
void gk_plugin_records_write(struct gk_store *store, struct gk_mailbox *mailbox,
                             struct gk_plugin_table *table, const char *actor, const char *action,
                             void (*done)(void *context, enum gk_status status, const struct gk_error *error,
                                          bool any_new),
                             void *context);

#endif
