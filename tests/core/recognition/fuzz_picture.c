/* Any bytes are a picture or an error, never a crash. */
#include "core/recognition/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gk_picture picture;
    if (gk_picture_decode(data, size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
    if (gk_picture_decode_colour(data, size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
    return 0;
}
