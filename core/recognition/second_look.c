#include "core/recognition/second_look.h"

#include <assert.h>
#include <stdlib.h>

/* Probability of an unforced candidate from which the first look is enough. As between the views of one look
 * (card_reader.c). */
#define READ 0.5

static double surest(const struct gk_candidate_list *list)
{
    return list->count > 0 && !list->items[0].forced ? list->items[0].probability : 0;
}

static bool make_negative(const struct gk_image *picture, struct gk_image *ret_negative)
{
    size_t pixels = (size_t)picture->width_px * (size_t)picture->height_px;
    uint8_t *grey = malloc(pixels);
    if (grey == NULL) {
        return false;
    }
    for (size_t i = 0; i < pixels; i++) {
        grey[i] = (uint8_t)(255 - picture->grey[i]);
    }
    *ret_negative = (struct gk_image){picture->width_px, picture->height_px, grey, NULL};
    return true;
}

/* What the two looks found together; the place is that of the look that read more. */
static void join_sights(struct gk_card_sight *sight, const struct gk_card_sight *again, bool again_read)
{
    struct gk_card_sight joined = again_read || !sight->card_found ? *again : *sight;
    joined.card_found = sight->card_found || again->card_found;
    joined.several_cards = sight->several_cards || (again_read && again->several_cards);
    joined.figures_found = sight->figures_found || again->figures_found;
    joined.check_failed = sight->check_failed || again->check_failed;
    joined.unknown_issuer = sight->unknown_issuer || again->unknown_issuer;
    joined.glare = sight->glare; /* in the negative, black is burnt out */
    *sight = joined;
}

void gk_second_look_read(const struct gk_card_reader *reader, const struct gk_image *picture,
                         const struct gk_quad *card, struct gk_candidate_list *list,
                         struct gk_card_sight *ret_sight)
{
    assert(reader != NULL && picture != NULL && list != NULL && ret_sight != NULL);
    struct gk_candidate_list other = *list; /* of the frames before */
    struct gk_image negative;
    gk_card_read(reader, picture, card, list, ret_sight);
    if (surest(list) >= READ || gk_card_reader_out_of_time(reader) || !make_negative(picture, &negative)) {
        return;
    }
    struct gk_card_reader quiet = *reader;
    struct gk_card_sight again;
    quiet.observer = NULL;
    gk_card_read(&quiet, &negative, card, &other, &again);
    bool again_read = surest(&other) > surest(list);
    join_sights(ret_sight, &again, again_read);
    if (again_read) {
        *list = other;
    }
    free(negative.grey);
}
