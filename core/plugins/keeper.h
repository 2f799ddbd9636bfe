/*
 * Keeps the readers' shelf in step with the plugin folder.
 *
 *   a change in the folder -> scan and copy (intake) -> a look at the new shelf by a reader of its own
 * (check)
 *   -> records and one audit entry, durable -> the readers change, one after the other (readers)
 *
 * A file that is refused leaves what was in use before it in use. A plugin that broke a reader gets a strike;
 * the third puts it into quarantine, until another file takes its place or the operator releases it. Strikes
 * and what is in use survive a restart. One round runs at a time; what changes meanwhile is the next one's.
 *
 * Owns: the watch, the table, the readers. On the loop.
 */
#ifndef GUIKA_CORE_PLUGINS_KEEPER_H
#define GUIKA_CORE_PLUGINS_KEEPER_H

#include "core/clock.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/plugins/readers.h"
#include "core/security/plugin_signature.h"
#include "core/store/store.h"
#include "guika/v1/operator.pb.h"

struct gk_keeper;

struct gk_keeper_options {
    uv_loop_t *loop;
    struct gk_mailbox *mailbox;
    const struct gk_log *log;
    struct gk_clock clock;
    struct gk_store *store;
    struct gk_reader_jobs *jobs;
    const char *folder; /* of plugins; borrowed while open, like all of these */
    const char *copies; /* <data>/plugins */
    const char *reader_program;
    unsigned readers;
    const struct gk_plugin_key *keys; /* that may sign plugins; none: nobody has to */
    size_t key_count;
    void (*adopt)(void *context, const char *reader_id, int process_id, int fd);
    /* Every reader has a shelf with a plugin that was not in use before: what was difficult may be tried
     * again.
     */
    void (*on_new_plugin)(void *context);
    void *context;
};

struct gk_keeper *gk_keeper_open(const struct gk_keeper_options *options); /* never NULL */

/* For gk_reader_jobs_options: a reader has announced itself; true: its shelf is the service's from now on. */
bool gk_keeper_announced(struct gk_keeper *keeper, const char *reader_id,
                         const guika_v1_internal_AnnounceRequest *announced);
/* The lease of a reader's job ran out. */
void gk_keeper_overdue(struct gk_keeper *keeper, const char *reader_id);

/* The plugins after the file name `page_token`, for the operator. */
void gk_keeper_list(const struct gk_keeper *keeper, const char *page_token,
                    guika_v1_ListPluginsResponse *ret_response);

/* Forgets a plugin's strikes; a quarantined one is looked at again. NOT_FOUND. `actor` for the audit. */
enum gk_status gk_keeper_release(struct gk_keeper *keeper, const char *file, const char *actor,
                                 struct gk_error *error);

/* Ends the readers within `grace_ms`, then frees the keeper and calls `on_closed`. */
void gk_keeper_close(struct gk_keeper *keeper, uint32_t grace_ms, void (*on_closed)(void *context),
                     void *context);

#endif
