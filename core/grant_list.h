/*
 * A box's pickup grants, made from its cards as they are now. Runs on a worker and keeps nothing.
 *
 * Granted are cards that their holder may collect in the box now, once a notice carried a code. Not granted:
 * ID cards, which nobody can have blocked by a telephone call as a bank card, so that the service must see
 * each of them go; and cards whose place is uncertain.
 */
#ifndef GUIKA_CORE_GRANT_LIST_H
#define GUIKA_CORE_GRANT_LIST_H

#include "core/pickup.h"
#include "core/security/grant_key.h"

#include <stdatomic.h>

#define GK_GRANT_LIFE_MS (INT64_C(72) * 3600 * 1000) /* at most, and never longer than the code */
#define GK_GRANT_STEP_MS                                                                                     \
    (INT64_C(6) * 3600 * 1000) /* ends lie on this raster, so that lists seldom change                       \
                                */
#define GK_GRANTS_PER_BOX 1998 /* both zones of the largest box */

struct gk_granted {
    uint8_t case_id[GK_CASE_ID_SIZE];
    uint8_t salt[GK_GRANT_SALT_SIZE]; /* names the verifier: see gk_keys_grant_salt */
    uint8_t verifier[GK_GRANT_VERIFIER_SIZE];
    guika_v1_SignedGrant grant;
};

struct gk_grant_list {
    uint64_t version; /* of these grants; never 0 */
    size_t count;
    struct gk_granted *items; /* owned; by case id */
};

/* The grants of a box. `before` (may be NULL) has verifiers that may still be good; each other one takes some
 * 12 ms. Gives up with CANCELLED once `*stop`. [worker] */
enum gk_status gk_grant_list_make(const struct gk_pickup_parts *parts, const char *box_id, int64_t now_ms,
                                  const struct gk_grant_list *before, const atomic_bool *stop,
                                  struct gk_grant_list *ret_list, struct gk_error *error);
void gk_grant_list_clear(struct gk_grant_list *list);

#endif
