/* The inside of the keeper: keeper.c runs the rounds, keeper_strikes.c says what became of plugins. */
#ifndef GUIKA_CORE_PLUGINS_KEEPER_INTERNAL_H
#define GUIKA_CORE_PLUGINS_KEEPER_INTERNAL_H

#include "core/plugins/check.h"
#include "core/plugins/folder_watch.h"
#include "core/plugins/keeper.h"
#include "core/plugins/plugin_records.h"
#include "core/plugins/plugin_table.h"
#include "core/task.h"

struct gk_keeper {
    struct gk_keeper_options options;
    struct gk_folder_watch *watch;
    struct gk_readers *readers;
    struct gk_plugin_table table;
    uint64_t last_shelf;                      /* numbers given */
    bool loaded;                              /* the table knows what rested */
    bool started;                             /* the first round is over: readers are there */
    bool again;                               /* something changed while a round ran */
    bool dropped;                             /* a plugin that the readers have is used no more */
    char scan_problem[GK_PLUGIN_REASON_SIZE]; /* said in the log already */

    /* The round that runs. */
    bool busy;
    struct gk_task task;
    enum gk_status status;
    struct gk_error error;
    struct gk_plugin_table *rested; /* as the store has it; the first time */
    struct gk_plugin_known *known;
    size_t known_count;
    struct gk_plugin_found *found;
    size_t found_count;
    struct gk_shelf_folder *shelf;                           /* to be tried, and then to be used */
    uint8_t kept[4 * GK_TRAIL_PLUGINS][GK_PLUGIN_HASH_SIZE]; /* copies that may be needed yet */
    size_t kept_count;
    bool is_checked; /* of all that is in it a reader said what it is */
    struct gk_check *check;
    guika_v1_internal_AnnounceRequest *announced;
    uint64_t new_plugin_shelf; /* number of the shelf with a plugin that was not there before; 0: none */

    bool closing;
    bool watch_closed, readers_closed;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* Looks at the folder, now or when the round that runs is over. */
void gk_keeper_begin_round(struct gk_keeper *keeper);

/* For gk_readers_options. */
void gk_keeper_reader_died(void *context, const struct gk_reader_death *death);

#endif
