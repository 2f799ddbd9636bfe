/*
 * What the reader tells an observer (observer.h), made from its own types. Nothing here runs without an
 * observer.
 */
#ifndef GUIKA_CORE_RECOGNITION_OBSERVATION_H
#define GUIKA_CORE_RECOGNITION_OBSERVATION_H

#include "core/recognition/card_finder.h"
#include "core/recognition/digit_net.h"
#include "core/recognition/number_line.h"
#include "core/recognition/observer.h"

void gk_observe_picture(const struct gk_observer *observer, const struct gk_image *picture,
                        const struct gk_found_card *cards, size_t count, bool first_is_supplied);

/* Rectifies the card for the observer alone. `lines` are in pixels of the frame. */
void gk_observe_card(const struct gk_observer *observer, const struct gk_image *picture,
                     const struct gk_homography *frame, size_t quad, const struct gk_number_line *lines,
                     size_t count, const struct guika_issuer *const *issuers, size_t issuer_count);

/* The characters are the likeliest classes by column. */
void gk_observe_strip(const struct gk_observer *observer, const struct gk_image *strip,
                      const struct gk_digit_matrix *matrix, size_t card, size_t line, bool chosen);

#endif
