/*
 * The frames of deposits that were asked for more: kept in memory alone, for a minute, within a bound. A
 * picture of a card is a full number, so nothing of it waits on a disk; after a restart the deposit is
 * decided by what is known of it. On the loop.
 */
#ifndef GUIKA_CORE_WAITING_FRAMES_H
#define GUIKA_CORE_WAITING_FRAMES_H

#include "guika/v1/types.pb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_WAITING_FRAMES_MS 60000              /* a finder does not stand before the box longer */
#define GK_WAITING_FRAMES_BYTES_MAX (256 << 20) /* of all deposits together */

struct gk_waiting_frames;

/* One deposit's frames; borrowed from the collection. */
struct gk_waiting_deposit {
    struct gk_waiting_deposit *next;
    uint8_t case_id[16];
    char box_id[33];
    char deposit_id[65];
    guika_v1_Frame frames[8];
    size_t frame_count;
    uint64_t expires_ms; /* on the loop's clock */
    uint8_t *memory;     /* that the pictures lie in */
    size_t memory_size;
};

struct gk_waiting_frames *gk_waiting_frames_new(void); /* never NULL */
void gk_waiting_frames_free(struct gk_waiting_frames *waiting);

/* True where `bytes` more of pictures may be kept. */
bool gk_waiting_frames_has_room(const struct gk_waiting_frames *waiting, size_t bytes);

/* Keeps a copy of the frames in place of those that the deposit had, until `expires_ms` on the loop's clock.
 */
void gk_waiting_frames_keep(struct gk_waiting_frames *waiting, const uint8_t case_id[16], const char *box_id,
                            const char *deposit_id, const guika_v1_Frame *frames, size_t frame_count,
                            uint64_t expires_ms);

/* NULL where the deposit has none. */
struct gk_waiting_deposit *gk_waiting_frames_find(struct gk_waiting_frames *waiting, const char *box_id,
                                                  const char *deposit_id);

/* Erases the deposit's frames; none is no error. */
void gk_waiting_frames_forget(struct gk_waiting_frames *waiting, const char *box_id, const char *deposit_id);

/* One whose time is over, or NULL. */
struct gk_waiting_deposit *gk_waiting_frames_expired(struct gk_waiting_frames *waiting, uint64_t now_ms);

#endif
