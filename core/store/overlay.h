/*
 * The changes of a group of works that are not written yet: what the works of the group read through, and
 * what becomes one atomic batch.
 *
 * Owns: copies of the keys and values. Changes are kept in the order in which they were made; undoing a work
 * drops the newest ones. RocksDB's own indexed batch was not taken: it knows no range deletes, and undoing a
 * work makes it index the whole group anew.
 *
 * Not thread-safe; the committer's.
 */
#ifndef GUIKA_CORE_STORE_OVERLAY_H
#define GUIKA_CORE_STORE_OVERLAY_H

#include "core/store/store.h"

enum gk_change_kind { GK_CHANGE_PUT, GK_CHANGE_DELETE, GK_CHANGE_ADD, GK_CHANGE_DELETE_RANGE };

/* One change, as handed out. */
struct gk_change {
    enum gk_change_kind kind;
    enum gk_family family;
    struct gk_bytes key;   /* borrowed; of a range its first key */
    struct gk_bytes value; /* borrowed; of a range the key after its last */
    uint64_t amount;       /* of an addition */
};

/* What the overlay knows of one record. */
struct gk_overlay_view {
    enum { GK_VIEW_UNTOUCHED, GK_VIEW_VALUE, GK_VIEW_DELETED } base;
    struct gk_bytes value; /* of GK_VIEW_VALUE; borrowed until the next change */
    bool added;            /* `amount` is to be added to the base */
    uint64_t amount;
};

struct gk_overlay;

struct gk_overlay *gk_overlay_new(void); /* never NULL */
void gk_overlay_free(struct gk_overlay *overlay);

/* How many changes there are: give it to gk_overlay_rollback to drop those made since. */
size_t gk_overlay_mark(const struct gk_overlay *overlay);
void gk_overlay_rollback(struct gk_overlay *overlay, size_t mark);

/* Bytes of the keys and values held. */
size_t gk_overlay_bytes(const struct gk_overlay *overlay);

void gk_overlay_put(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key,
                    struct gk_bytes value);
void gk_overlay_delete(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key);
void gk_overlay_delete_range(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes from,
                             struct gk_bytes to);
/* Additions to one key made since `mark` become one change. */
void gk_overlay_add(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key, uint64_t amount,
                    size_t mark);

struct gk_overlay_view gk_overlay_look(const struct gk_overlay *overlay, enum gk_family family,
                                       struct gk_bytes key);

/* The change at `index` (0 to gk_overlay_mark - 1), oldest first. */
struct gk_change gk_overlay_change(const struct gk_overlay *overlay, size_t index);

#endif
