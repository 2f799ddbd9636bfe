/*
 * Decodes the pictures that boxes send: JPEG and PNG. Everything is checked against limits before memory is
 * taken, and every corrupt input is an error.
 */
#ifndef GUIKA_CORE_RECOGNITION_PICTURE_H
#define GUIKA_CORE_RECOGNITION_PICTURE_H

#include "core/recognition/image.h"
#include "rpc/status.h"

#define GK_PICTURE_MAX_BYTES (8u * 1024 * 1024)
#define GK_PICTURE_MAX_SIDE_PX 20000
#define GK_PICTURE_MAX_PIXELS 50000000.0
/* Larger pictures are shrunk while they are decoded (JPEG to at most this, in eighths; PNG by whole factors
 * to about this): a card that fills 60% of the long side then still has about 10 pixels a millimetre, and the
 * finest digits (2.6 mm) about 25. */
#define GK_PICTURE_LONG_SIDE_PX 1600

/* A decoded picture, upright as its EXIF orientation says. */
struct gk_picture {
    struct gk_image image;                 /* rgb only where it was decoded in colour */
    int stored_width_px, stored_height_px; /* of the file, before shrinking and orientation */
    int orientation;                       /* EXIF's, 1 to 8 */
};

/* Decodes `size` bytes to grey alone, which is all that reading needs. Of a JPEG only the luma is unpacked:
 * 2.8 ms for 1280x960 against 6.4 in colour (bench sight). INVALID_ARGUMENT: no picture,
 * corrupt, or over a limit. [worker] */
enum gk_status gk_picture_decode(const uint8_t *data, size_t size, struct gk_picture *ret_picture,
                                 struct gk_error *error);
/* The same with rgb, of the same size in pixels as the grey one. [worker] */
enum gk_status gk_picture_decode_colour(const uint8_t *data, size_t size, struct gk_picture *ret_picture,
                                        struct gk_error *error);
void gk_picture_clear(struct gk_picture *picture);

/* Where a point of the stored picture (pixels, before orientation) lies in `picture->image`. [any] */
struct gk_point gk_picture_from_stored(const struct gk_picture *picture, struct gk_point stored);

/* A JPEG of the image's rgb, quality 80. Allocated with malloc; false where memory ran out. [worker] */
bool gk_picture_encode_jpeg(const struct gk_image *image, uint8_t **ret_data, size_t *ret_size);

#endif
