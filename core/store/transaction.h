/* The inside of struct gk_transaction, for the committer. */
#ifndef GUIKA_CORE_STORE_TRANSACTION_H
#define GUIKA_CORE_STORE_TRANSACTION_H

#include "core/store/audit.h"
#include "core/store/engine.h"
#include "core/store/overlay.h"

struct gk_transaction {
    struct gk_engine *engine;   /* borrowed */
    struct gk_overlay *overlay; /* borrowed: the group's changes so far */
    struct gk_audit_head head;  /* of the group so far */
    size_t mark;                /* where this work's changes begin */
    int64_t now_ms;             /* of this work */
    bool audited;               /* by this work */
};

#endif
