#include "core/frames.h"

enum gk_status gk_frames_check(const guika_v1_Frame *frames, size_t count, struct gk_error *error)
{
    if (count < 1 || count > GK_FRAMES_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a deposit has 1 to %d frames, not %zu",
                            GK_FRAMES_MAX, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (frames[i].side > _guika_v1_Side_MAX || frames[i].lamp > _guika_v1_Lamp_MAX) {
            return gk_error_set(
                error, GK_INVALID_ARGUMENT, "frame %zu: side is 0 to %d and lamp 0 to %d, not %d and %d", i,
                (int)_guika_v1_Side_MAX, (int)_guika_v1_Lamp_MAX, (int)frames[i].side, (int)frames[i].lamp);
        }
        if (frames[i].picture.size < 1 || frames[i].picture.size > GK_FRAME_BYTES_MAX) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "frame %zu: a picture has 1 to %d bytes, not %zu",
                                i, GK_FRAME_BYTES_MAX, frames[i].picture.size);
        }
    }
    return GK_OK;
}

enum gk_status gk_frames_check_sum(const guika_v1_Frame *before, size_t before_count,
                                   const guika_v1_Frame *added, size_t added_count, struct gk_error *error)
{
    const size_t count = before_count + added_count;
    const size_t bytes = gk_frames_bytes(before, before_count) + gk_frames_bytes(added, added_count);

    if (count > GK_FRAMES_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a deposit has at most %d frames in all, not %zu",
                            GK_FRAMES_MAX, count);
    }
    if (bytes > GK_FRAMES_BYTES_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a deposit's pictures have at most %d bytes in all, not %zu", GK_FRAMES_BYTES_MAX,
                            bytes);
    }
    return GK_OK;
}

size_t gk_frames_bytes(const guika_v1_Frame *frames, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        bytes += frames[i].picture.size;
    }
    return bytes;
}

void gk_frames_digest(const struct gk_keys *keys, const guika_v1_Frame *frames, size_t count,
                      uint8_t ret_digest[GK_FRAMES_DIGEST_SIZE])
{
    struct gk_digest *digest = gk_digest_start(keys);

    for (size_t i = 0; i < count; i++) {
        const uint8_t kind[2] = {(uint8_t)frames[i].side, (uint8_t)frames[i].lamp};

        gk_digest_add(digest, frames[i].picture);
        gk_digest_add(digest, (struct gk_bytes){kind, sizeof kind});
    }
    gk_digest_finish(digest, ret_digest);
}
