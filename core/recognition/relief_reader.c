#include "core/recognition/relief_reader.h"

#include "core/recognition/lamps.h"

bool gk_lamps_are_opposite(guika_v1_Lamp one, guika_v1_Lamp other)
{
    return (one == guika_v1_Lamp_LAMP_LEFT && other == guika_v1_Lamp_LAMP_RIGHT) ||
           (one == guika_v1_Lamp_LAMP_RIGHT && other == guika_v1_Lamp_LAMP_LEFT) ||
           (one == guika_v1_Lamp_LAMP_TOP && other == guika_v1_Lamp_LAMP_BOTTOM) ||
           (one == guika_v1_Lamp_LAMP_BOTTOM && other == guika_v1_Lamp_LAMP_TOP);
}

void gk_relief_read(const struct gk_card_reader *reader, const struct gk_image *one,
                    const struct gk_image *other, const struct gk_homography *view,
                    struct gk_candidate_list *list)
{
    struct gk_image cards[2] = {0}, relief = {0};
    bool made = gk_rectify(one, view, false, &cards[0]) && gk_rectify(other, view, false, &cards[1]) &&
                gk_lamps_difference(&cards[0], &cards[1], &relief);
    gk_image_clear(&cards[0]);
    gk_image_clear(&cards[1]);
    if (!made) {
        return;
    }
    bool portrait = relief.height_px > relief.width_px;
    const double right = relief.width_px, bottom = relief.height_px;
    const struct gk_quad whole = {{{0, 0}, {right, 0}, {right, bottom}, {0, bottom}}};
    const struct gk_quad quad = portrait ? gk_quad_turned(&whole, 1) : whole;
    struct gk_card_sight sight;
    gk_card_read(reader, &relief, &quad, list, &sight);
    gk_image_clear(&relief);
}
