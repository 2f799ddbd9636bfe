/* The two formats behind picture.h. Both fill image.rgb, stored size and (JPEG) orientation; grey stays
 * unset. */
#ifndef GUIKA_CORE_RECOGNITION_PICTURE_CODECS_H
#define GUIKA_CORE_RECOGNITION_PICTURE_CODECS_H

#include "core/recognition/picture.h"

/* INVALID_ARGUMENT where the header's size is over a limit of picture.h. [any] */
enum gk_status gk_picture_check_size(double width_px, double height_px, struct gk_error *error);

enum gk_status gk_jpeg_decode(const uint8_t *data, size_t size, struct gk_picture *ret_picture,
                              struct gk_error *error);
enum gk_status gk_png_decode(const uint8_t *data, size_t size, struct gk_picture *ret_picture,
                             struct gk_error *error);

#endif
