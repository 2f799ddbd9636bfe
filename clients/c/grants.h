/*
 * The grants that a box holds: leave to open its compartments by itself while the service cannot be reached.
 *
 * Owns two files in the box's folder, 0600, replaced whole and fsynced:
 *   grantor   the service's grant key (32 bytes) and the box's own name
 *   grants    "GKGRANT1", 8 bytes version, 4 bytes count, then each grant: 2 bytes length, the grant, 64
 * bytes signature; last 32 bytes BLAKE2b of all before. Numbers are big-endian. By case id. Every grant is
 * checked against the key and the box's name before it is kept, and once more before it is used. A damaged
 * file is as good as none: the box fetches anew when the line is back.
 */
#ifndef GUIKA_CLIENTS_C_GRANTS_H
#define GUIKA_CLIENTS_C_GRANTS_H

#include "core/security/pickup_grant.h"

#include <stddef.h>

#define GK_GRANTS_MOST 4096 /* of a box */
#define GK_BOX_ID_SIZE 33   /* bytes with the terminator */

struct gk_grants_held {
    int directory_fd; /* borrowed */
    bool known;       /* the grantor is */
    uint8_t key[GK_GRANT_KEY_SIZE];
    char box_id[GK_BOX_ID_SIZE];
    uint64_t version; /* 0: none are held */
    size_t count;
    guika_v1_SignedGrant *items; /* owned */
};

/* Reads what is held; what cannot be read is not held. */
void gk_grants_held_open(int directory_fd, struct gk_grants_held *ret_held);
void gk_grants_held_close(struct gk_grants_held *held);

/* Who grants, and to whom. Another key or name than before voids what is held. */
enum gk_status gk_grants_held_learn(struct gk_grants_held *held, const uint8_t key[GK_GRANT_KEY_SIZE],
                                    const char *box_id, struct gk_error *error);

/* Keeps these in place of those before. Where one does not pass, or they are more than GK_GRANTS_MOST,
 * nothing is changed and the status says why. */
enum gk_status gk_grants_held_replace(struct gk_grants_held *held, uint64_t version,
                                      const guika_v1_SignedGrant *items, size_t count,
                                      struct gk_error *error);

/* The grant of a case, by its number (8 hexadecimal digits, as "A1B2-C3D4") or whole case id (32). NOT_FOUND
 * where there is none, or two begin so; as gk_grant_open where it does not pass any more. */
enum gk_status gk_grants_held_find(const struct gk_grants_held *held, const char *case_number,
                                   guika_v1_PickupGrant *ret_grant, struct gk_error *error);

/* Reads a file of grants without looking at signatures. `*ret_items` is the caller's to free. DATA_LOSS where
 * it is none. */
enum gk_status gk_grants_file_read(const uint8_t *file, size_t size, uint64_t *ret_version,
                                   guika_v1_SignedGrant **ret_items, size_t *ret_count,
                                   struct gk_error *error);

#endif
