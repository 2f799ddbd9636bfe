#include "core/recognition/second_look.h"

#include "core/recognition/card_finder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Probability of an unforced candidate from which the first look is enough. As between the views of one look
 * (card_reader.c). */
#define READ 0.5
/* Of the picture's sides, that a closer look sees. */
#define PART 0.6
#define LEAST_PX 64 /* a side of such a part: below that no number can be read */

static double surest(const struct gk_candidate_list *list)
{
    return list->count > 0 && !list->items[0].forced ? list->items[0].probability : 0;
}

/* A line of figures that is not read well is no better in another light. */
static bool is_enough(const struct gk_card_sight *sight, const struct gk_candidate_list *list)
{
    return sight->figures_found || surest(list) >= READ;
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

/* Reads again what `picture`, or the card in it, shows, and keeps the better of both. */
static void look_again(const struct gk_card_reader *reader, const struct gk_image *picture,
                       const struct gk_quad *card, const struct gk_candidate_list *before,
                       struct gk_candidate_list *list, struct gk_card_sight *sight)
{
    struct gk_candidate_list other = *before;
    struct gk_card_sight again;
    gk_card_read(reader, picture, card, &other, &again);
    bool again_read = surest(&other) > surest(list);
    join_sights(sight, &again, again_read);
    if (again_read) {
        *list = other;
    }
}

/* The surest card that a part of the picture shows, where it shows one. */
static bool find_closer(const struct gk_card_reader *reader, const struct gk_image *picture,
                        struct gk_quad *ret_card)
{
    static const double places[][2] = {{0.5, 0.5}, {0, 0}, {1, 0}, {0, 1}, {1, 1}};
    const int width = (int)(picture->width_px * PART), height = (int)(picture->height_px * PART);
    double best = GK_CARD_SCORE_SURE;
    for (size_t i = 0; i < sizeof places / sizeof *places && width >= LEAST_PX && height >= LEAST_PX; i++) {
        const int left = (int)((picture->width_px - width) * places[i][0]),
                  top = (int)((picture->height_px - height) * places[i][1]);
        struct gk_image part;
        struct gk_sight seen;
        struct gk_found_card cards[GK_CARD_FINDER_MOST];
        if (gk_card_reader_out_of_time(reader) || !gk_image_make(width, height, false, &part)) {
            break;
        }
        for (int y = 0; y < height; y++) {
            memcpy(part.grey + (size_t)y * (size_t)width,
                   picture->grey + (size_t)(top + y) * (size_t)picture->width_px + left, (size_t)width);
        }
        if (gk_sight_of_picture(reader->finder, &part, &seen) && gk_cards_find(&seen, &part, cards) > 0 &&
            cards[0].score > best) {
            best = cards[0].score;
            *ret_card = cards[0].quad;
            for (int corner = 0; corner < 4; corner++) {
                ret_card->corner[corner].x += left;
                ret_card->corner[corner].y += top;
            }
        }
        gk_image_clear(&part);
    }
    return best > GK_CARD_SCORE_SURE;
}

void gk_second_look_read(const struct gk_card_reader *reader, const struct gk_image *picture,
                         const struct gk_quad *card, struct gk_candidate_list *list,
                         struct gk_card_sight *ret_sight)
{
    assert(reader != NULL && picture != NULL && list != NULL && ret_sight != NULL);
    const struct gk_candidate_list before = *list; /* of other frames */
    struct gk_card_reader quiet = *reader;
    struct gk_image negative;
    struct gk_quad closer;
    quiet.observer = NULL;
    gk_card_read(reader, picture, card, list, ret_sight);
    if (card == NULL && !is_enough(ret_sight, list) && find_closer(reader, picture, &closer)) {
        look_again(&quiet, picture, &closer, &before, list, ret_sight);
    }
    if (!is_enough(ret_sight, list) && !gk_card_reader_out_of_time(reader) &&
        make_negative(picture, &negative)) {
        quiet.finder_alone = true; /* print was looked for in either colour */
        look_again(&quiet, &negative, card, &before, list, ret_sight);
        free(negative.grey);
    }
}
