/*
 * Adds signed heads of the audit chain to a file outside the data, at the start, regularly and at the end,
 * where entries came since the last one.
 *
 * Owns: a timer on the loop, and the file while it writes. A file that cannot be written is told in the log,
 * and tried again at the next turn.
 */
#ifndef GUIKA_CORE_AUDIT_EXPORTER_H
#define GUIKA_CORE_AUDIT_EXPORTER_H

#include "core/log.h"
#include "core/security/keys.h"
#include "core/store/store.h"

#include <uv.h>

struct gk_audit_exporter;

struct gk_audit_exporter_parts {
    uv_loop_t *loop;
    const struct gk_log *log;
    struct gk_store *store;
    const struct gk_keys *keys;
    const char *path;
    uint32_t every_ms;
};

/* All parts are borrowed. Never NULL. [loop] */
struct gk_audit_exporter *gk_audit_exporter_open(const struct gk_audit_exporter_parts *parts);

/* Adds the last head, then frees the exporter and calls `on_closed`. [loop] */
void gk_audit_exporter_close(struct gk_audit_exporter *exporter, void (*on_closed)(void *context),
                             void *context);

#endif
