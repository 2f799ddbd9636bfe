/*
 * The frames of one deposit: their bounds, and what makes them the same. [any]
 */
#ifndef GUIKA_CORE_FRAMES_H
#define GUIKA_CORE_FRAMES_H

#include "core/security/keys.h"
#include "guika/v1/types.pb.h"

enum {
    GK_FRAMES_MAX = 8,              /* of a deposit, the added ones too */
    GK_FRAME_BYTES_MAX = 8 << 20,   /* Frame.picture's limit in the schema */
    GK_FRAMES_BYTES_MAX = 32 << 20, /* of all together: Deposit's limit in the schema, and a reader's job */
    GK_FRAMES_DIGEST_SIZE = 32,     /* bytes */
};

/* INVALID_ARGUMENT where there are not 1 to 8, a picture has not 1 byte to 8 MiB, or a side or a lamp is none
 * of the schema's. */
enum gk_status gk_frames_check(const guika_v1_Frame *frames, size_t count, struct gk_error *error);

/* As gk_frames_check, of all frames that a deposit has after `added` come to `before`. */
enum gk_status gk_frames_check_sum(const guika_v1_Frame *before, size_t before_count,
                                   const guika_v1_Frame *added, size_t added_count, struct gk_error *error);

/* Bytes of their pictures. */
size_t gk_frames_bytes(const guika_v1_Frame *frames, size_t count);

/* What makes frames the same: the pictures, in their order, each with its side and lamp. Their age differs
 * between two attempts. */
void gk_frames_digest(const struct gk_keys *keys, const guika_v1_Frame *frames, size_t count,
                      uint8_t ret_digest[GK_FRAMES_DIGEST_SIZE]);

#endif
