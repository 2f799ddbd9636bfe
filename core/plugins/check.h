/*
 * A look at a shelf before it is used: one reader process of its own loads every plugin, says what each is,
 * and ends. A plugin that crashes or hangs while it is loaded ends that process, and nothing else. On the
 * loop.
 */
#ifndef GUIKA_CORE_PLUGINS_CHECK_H
#define GUIKA_CORE_PLUGINS_CHECK_H

#include "core/plugins/shelf_folder.h"
#include "guika/v1/internal/reader.pb.h"

struct gk_check;

struct gk_check_outcome {
    /* What the reader said, borrowed for the call; NULL: it came to no end. */
    const guika_v1_internal_AnnounceRequest *announced;
    const struct gk_shelf_copy
        *blamed;     /* without `announced`: the plugin at which it stopped; NULL: unknown */
    const char *why; /* without `announced`: in words */
};

struct gk_check_options {
    uv_loop_t *loop;
    const char *program;           /* guika-reader; borrowed */
    struct gk_shelf_folder *shelf; /* gets a user of its own */
    /* The callee owns `fd`, the service's end of the socket pair. */
    void (*adopt)(void *context, const char *reader_id, int process_id, int fd);
    /* Once, when the process has gone; the check is then freed. */
    void (*done)(void *context, const struct gk_check_outcome *outcome);
    void *context;
};

struct gk_check *gk_check_start(const struct gk_check_options *options); /* never NULL */

/* A reader has announced itself; false: it is not this check's. */
bool gk_check_announced(struct gk_check *check, const char *reader_id,
                        const guika_v1_internal_AnnounceRequest *announced);

#endif
