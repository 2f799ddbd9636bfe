/*
 * What is known of every file in the plugin folder: what lies there, what of it is used, why not, and how
 * often it broke a reader. Memory alone, and pure: the keeper (keeper.h) feeds it and writes its records. On
 * the loop.
 */
#ifndef GUIKA_CORE_PLUGINS_PLUGIN_TABLE_H
#define GUIKA_CORE_PLUGINS_PLUGIN_TABLE_H

#include "core/plugins/shelf_folder.h"
#include "guika/v1/internal/reader.pb.h"
#include "guika/v1/internal/records.pb.h"
#include "guika/v1/operator.pb.h"

#define GK_PLUGIN_STRIKES 3 /* a plugin that broke so many readers is used no more */

/* One file. */
struct gk_plugin_entry {
    char file[GK_TRAIL_FILE_SIZE];
    bool present;                      /* in the folder, as last seen */
    struct gk_plugin_stamp stamp;      /* then */
    uint8_t hash[GK_PLUGIN_HASH_SIZE]; /* of what lies there; zero: it could not be read */
    char signed_by[GK_PLUGIN_KEY_ID_SIZE];
    bool is_candidate;                   /* what lies there is neither used nor refused yet */
    char refused[GK_PLUGIN_REASON_SIZE]; /* why what lies there is not used; empty: it is, or may be */
    guika_v1_internal_PluginRecord record;
    bool is_changed; /* the record rests otherwise */
};

struct gk_plugin_table {
    size_t count;
    struct gk_plugin_entry entries[2 * GK_TRAIL_PLUGINS]; /* by file name */
};

/* NULL where the file is not known. */
struct gk_plugin_entry *gk_plugin_table_find(struct gk_plugin_table *table, const char *file);

/* Takes a record as it rests; for the start. What was signed by none of the keys, where there are keys, is
 * not used any more. */
void gk_plugin_table_load(struct gk_plugin_table *table, const char *file,
                          const guika_v1_internal_PluginRecord *record, const struct gk_plugin_key *keys,
                          size_t key_count);

/* Takes what a scan found. Files that are no longer there are forgotten, but for their strikes. True: one of
 * them was in use. */
bool gk_plugin_table_merge(struct gk_plugin_table *table, const struct gk_plugin_found *found, size_t count);

/* What shall be tried: of every file the candidate, or else what is in use. */
void gk_plugin_table_fill(const struct gk_plugin_table *table, struct gk_shelf_folder *shelf);

/* The reader refused this copy, or broke over it. Without effect where the file has changed meanwhile. */
void gk_plugin_table_refuse(struct gk_plugin_table *table, const struct gk_shelf_copy *copy, const char *why);

/* The shelf is in use from now on: what is known of its plugins is what the reader announced. */
void gk_plugin_table_accept(struct gk_plugin_table *table, const struct gk_shelf_folder *shelf,
                            const guika_v1_internal_AnnounceRequest *announced, int64_t now_ms);

/* This copy broke a reader. True: that was one time too often, and it is used no more. */
bool gk_plugin_table_strike(struct gk_plugin_table *table, const struct gk_shelf_copy *copy, const char *why,
                            int64_t now_ms);

/* Forgets strikes and quarantine; what lies in the folder may be tried again. NOT_FOUND. */
enum gk_status gk_plugin_table_release(struct gk_plugin_table *table, const char *file,
                                       struct gk_error *error);

/* For the operator. False where the file is not in the folder. */
bool gk_plugin_table_row(const struct gk_plugin_entry *entry, guika_v1_PluginRow *ret_row);

#endif
