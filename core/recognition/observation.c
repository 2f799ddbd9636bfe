#include "core/recognition/observation.h"

#include <math.h>

void gk_observe_picture(const struct gk_observer *observer, const struct gk_image *picture,
                        const struct gk_found_card *cards, size_t count, bool first_is_supplied)
{
    struct gk_seen_quad quads[GK_CARD_FINDER_MOST + 1];
    for (size_t i = 0; i < count; i++) {
        quads[i] = (struct gk_seen_quad){cards[i].quad, cards[i].score, first_is_supplied && i == 0};
    }
    if (observer->picture != NULL) {
        observer->picture(observer->context, picture, quads, count);
    }
}

void gk_observe_card(const struct gk_observer *observer, const struct gk_image *picture,
                     const struct gk_homography *frame, size_t quad, const struct gk_number_line *lines,
                     size_t count, const struct guika_issuer *const *issuers, size_t issuer_count)
{
    struct gk_seen_line seen[GK_NUMBER_LINES_MOST];
    struct gk_image card;
    if (observer->card == NULL || !gk_rectify(picture, frame, false, &card)) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        seen[i] = (struct gk_seen_line){gk_number_line_box(&lines[i]), lines[i].score};
    }
    const struct gk_seen_card whole = {.image = &card,
                                       .quad = quad,
                                       .lines = seen,
                                       .line_count = count,
                                       .issuers = issuers,
                                       .issuer_count = issuer_count};
    observer->card(observer->context, &whole);
    gk_image_clear(&card);
}

void gk_observe_strip(const struct gk_observer *observer, const struct gk_image *strip,
                      const struct gk_digit_matrix *matrix, size_t card, size_t line, bool chosen)
{
    struct gk_seen_character characters[GK_DIGIT_COLUMNS_MOST];
    size_t count = 0;
    int before = 0;
    for (int x = 0; x < matrix->columns; x++) {
        const float *logs = matrix->log_probability[x];
        int best = gk_digit_likeliest(logs);
        double probability = exp((double)logs[best]), right = (x + 1) * matrix->px_per_column;
        if (best != 0 && best == before) {
            characters[count - 1].right_px = right;
            characters[count - 1].probability = fmax(characters[count - 1].probability, probability);
        } else if (best != 0) {
            characters[count++] = (struct gk_seen_character){"0123456789X"[best - 1],
                                                             x * matrix -> px_per_column, right, probability};
        }
        before = best;
    }
    if (observer->strip != NULL) {
        observer->strip(observer->context,
                        &(struct gk_seen_strip){strip, card, line, characters, count, chosen});
    }
}
