/* The two formats behind picture.h. Both fill stored size and (JPEG) orientation, and of the image grey
 * alone, or in colour rgb alone: grey is then unset. */
#ifndef GUIKA_CORE_RECOGNITION_PICTURE_CODECS_H
#define GUIKA_CORE_RECOGNITION_PICTURE_CODECS_H

#include "core/recognition/picture.h"

/* INVALID_ARGUMENT where the header's size is over a limit of picture.h. [any] */
enum gk_status gk_picture_check_size(double width_px, double height_px, struct gk_error *error);

enum gk_status gk_jpeg_decode(const uint8_t *data, size_t size, bool colour, struct gk_picture *ret_picture,
                              struct gk_error *error);
enum gk_status gk_png_decode(const uint8_t *data, size_t size, bool colour, struct gk_picture *ret_picture,
                             struct gk_error *error);

#endif
