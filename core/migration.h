/*
 * Rows that a store from before an index lacks: they are written at the start, before anything else is, and
 * again from the beginning where a crash cut that short.
 *
 * Owns: in the family meta, "indexes".
 */
#ifndef GUIKA_CORE_MIGRATION_H
#define GUIKA_CORE_MIGRATION_H

#include "core/log.h"
#include "core/store/store.h"

/* Makes hand_over and audit_by_subject whole; nothing where they are. `log` may be NULL. [worker] */
enum gk_status gk_migrate(struct gk_store *store, const struct gk_log *log, struct gk_error *error);

#endif
