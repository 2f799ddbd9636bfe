/*
 * What the service knows of one holder, for the holder who asks, and forgetting them: list, cases and
 * notices.
 */
#ifndef GUIKA_CORE_HOLDER_RIGHTS_H
#define GUIKA_CORE_HOLDER_RIGHTS_H

#include "core/registry/registry.h"

struct gk_holder_rights {
    struct gk_registry *registry;
    struct gk_store *store;
    const struct gk_keys *keys;
};

/* All that is known of holder `holder_id` (the issuer's own name of them) at `issuer_account`. */
struct gk_holder_export {
    guika_v1_internal_HolderContacts contacts;
    size_t cards; /* in the list in force */
    size_t cancelled;
    guika_v1_internal_FoundCard *cases; /* the caller frees */
    size_t case_count;
};

/* Audited as holder.export by `actor`; the holder's token is the subject. NOT_FOUND where neither list nor
 * cases know the holder. [worker] */
enum gk_status gk_holder_export(const struct gk_holder_rights *rights, const char *issuer_account,
                                const char *holder_id, const char *actor, struct gk_holder_export *ret_export,
                                struct gk_error *error);

struct gk_holder_forgotten {
    size_t cards;   /* rows of lists */
    size_t cases;   /* that named the holder, and do so no more */
    size_t notices; /* that will not leave */
};

/* Deletes the holder and their cards from the issuer's lists, cancels what would be sent to them, and unlinks
 * their cases, all in one transition. The cards themselves stay where they are until an operator or a clock
 * moves them. NOT_FOUND, ABORTED (the list was replaced meanwhile). [worker] */
enum gk_status gk_holder_forget(const struct gk_holder_rights *rights, const char *issuer_account,
                                const char *holder_id, const char *actor,
                                struct gk_holder_forgotten *ret_forgotten, struct gk_error *error);

#endif
