#include "core/waiting_frames.h"

#include "core/memory.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct gk_waiting_frames {
    struct gk_waiting_deposit *first;
    size_t bytes;
};

struct gk_waiting_frames *gk_waiting_frames_new(void)
{
    return gk_allocate(sizeof(struct gk_waiting_frames));
}

void gk_waiting_frames_free(struct gk_waiting_frames *waiting)
{
    if (waiting == NULL) {
        return;
    }
    while (waiting->first != NULL) {
        gk_waiting_frames_forget(waiting, waiting->first->box_id, waiting->first->deposit_id);
    }
    free(waiting);
}

bool gk_waiting_frames_has_room(const struct gk_waiting_frames *waiting, size_t bytes)
{
    /* Frames that were let in side by side may go over the bound together. */
    return waiting->bytes <= GK_WAITING_FRAMES_BYTES_MAX &&
           bytes <= GK_WAITING_FRAMES_BYTES_MAX - waiting->bytes;
}

struct gk_waiting_deposit *gk_waiting_frames_find(struct gk_waiting_frames *waiting, const char *box_id,
                                                  const char *deposit_id)
{
    struct gk_waiting_deposit *deposit = waiting->first;

    while (deposit != NULL &&
           (strcmp(deposit->box_id, box_id) != 0 || strcmp(deposit->deposit_id, deposit_id) != 0)) {
        deposit = deposit->next;
    }
    return deposit;
}

void gk_waiting_frames_forget(struct gk_waiting_frames *waiting, const char *box_id, const char *deposit_id)
{
    struct gk_waiting_deposit *deposit = gk_waiting_frames_find(waiting, box_id, deposit_id);
    struct gk_waiting_deposit **link = &waiting->first;

    if (deposit == NULL) {
        return;
    }
    while (*link != deposit) {
        link = &(*link)->next;
    }
    *link = deposit->next;
    waiting->bytes -= deposit->memory_size;
    sodium_memzero(deposit->memory, deposit->memory_size);
    free(deposit->memory);
    free(deposit);
}

/* Moves the pictures into memory of the deposit's own. */
static void copy_frames(struct gk_waiting_deposit *deposit, const guika_v1_Frame *frames, size_t frame_count)
{
    uint8_t *to;

    for (size_t i = 0; i < frame_count; i++) {
        deposit->memory_size += frames[i].picture.size;
    }
    deposit->memory = gk_allocate(deposit->memory_size + 1);
    to = deposit->memory;
    for (size_t i = 0; i < frame_count; i++) {
        const struct gk_bytes picture = frames[i].picture;

        memcpy(to, picture.data, picture.size);
        deposit->frames[i] = frames[i];
        deposit->frames[i].picture = (struct gk_bytes){to, picture.size};
        to += picture.size;
    }
    deposit->frame_count = frame_count;
}

void gk_waiting_frames_keep(struct gk_waiting_frames *waiting, const uint8_t case_id[16], const char *box_id,
                            const char *deposit_id, const guika_v1_Frame *frames, size_t frame_count,
                            uint64_t expires_ms)
{
    struct gk_waiting_deposit *deposit = gk_allocate(sizeof *deposit);

    copy_frames(deposit, frames, frame_count); /* before the old ones go: `frames` may lie in them */
    memcpy(deposit->case_id, case_id, sizeof deposit->case_id);
    (void)snprintf(deposit->box_id, sizeof deposit->box_id, "%s", box_id);
    (void)snprintf(deposit->deposit_id, sizeof deposit->deposit_id, "%s", deposit_id);
    deposit->expires_ms = expires_ms;
    gk_waiting_frames_forget(waiting, box_id, deposit_id);
    deposit->next = waiting->first;
    waiting->first = deposit;
    waiting->bytes += deposit->memory_size;
}

struct gk_waiting_deposit *gk_waiting_frames_expired(struct gk_waiting_frames *waiting, uint64_t now_ms)
{
    struct gk_waiting_deposit *deposit = waiting->first;

    while (deposit != NULL && deposit->expires_ms > now_ms) {
        deposit = deposit->next;
    }
    return deposit;
}
