/*
 * The digit net's input and output: a strip of a number line in, a matrix of probabilities by column out.
 * What the net is and how it was trained stands in core/recognition/models/README.md.
 */
#ifndef GUIKA_CORE_RECOGNITION_DIGIT_NET_H
#define GUIKA_CORE_RECOGNITION_DIGIT_NET_H

#include "core/recognition/decoder.h"
#include "core/recognition/image.h"
#include "core/recognition/network.h"

/* Rows of a strip. Digits are best 20 of them high; 13 to 29 were trained. */
#define GK_DIGIT_STRIP_HEIGHT_PX 32
/* Columns of a strip: a multiple of 4, the net's step. */
#define GK_DIGIT_STRIP_LEAST_WIDTH_PX 40
#define GK_DIGIT_STRIP_MOST_WIDTH_PX (4 * GK_DIGIT_COLUMNS_MOST)

struct gk_digit_net;

/* Takes the network "digits" of the model. INTERNAL where it is not the net that this code knows. */
enum gk_status gk_digit_net_open(struct gk_digit_net **ret_net, struct gk_error *error);
void gk_digit_net_close(struct gk_digit_net *net); /* accepts NULL */

/* Reads a strip of GK_DIGIT_STRIP_HEIGHT_PX rows, its width within the limits above; grey alone is looked at.
 * false where memory ran out. About 1.5 ms for 320 columns. [worker] */
bool gk_digit_net_read(struct gk_digit_net *net, const struct gk_image *strip,
                       struct gk_digit_matrix *ret_matrix);

/* The likeliest class of a column, 0 the blank. [any] */
int gk_digit_likeliest(const float log_probability[GK_DIGIT_CLASSES]);

#endif
