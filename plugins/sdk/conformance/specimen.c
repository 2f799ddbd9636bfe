#include "plugins/sdk/conformance/specimen.h"

#include "core/recognition/descriptor.h"
#include "tests/mint/issued.h"

#include <stdio.h>
#include <string.h>

static const struct {
    double tilt_x, tilt_y, rotation; /* degrees */
} poses[] = {{0, 0, 0},    {12, 0, 3},   {0, 15, -4},   {-15, 8, 1}, {20, -12, -6},
             {-8, -20, 9}, {25, 10, -2}, {-22, -18, 5}, {5, 5, 180}, {-12, 16, 172}};

static const struct {
    double degrees, strength, brightness, warmth;
} lights[] = {{90, 0.2, 1, 0}, {30, 0.6, 0.9, 0.4}, {200, 0.8, 1.05, -0.3}, {300, 0.4, 0.75, 0.8}};

static struct gk_mint_window window_of(const struct guika_region *region)
{
    return (struct gk_mint_window){(double)region->left_mm, (double)region->top_mm, (double)region->width_mm,
                                   (double)region->height_mm};
}

static void lay_out(const struct guika_layout *layout, unsigned index, struct gk_mint_card *card)
{
    card->portrait = layout->portrait;
    card->window = window_of(&layout->numbers[index % layout->number_count]);
    for (size_t i = 0; i < layout->redact_count && i < GK_MINT_HIDDEN_MOST; i++) {
        card->hidden[card->hidden_count++] = window_of(&layout->redact[i]);
    }
    card->back = layout->side == GUIKA_SIDE_BACK;
}

/* The first declared code that the mint draws; what stands around the number is made up. */
static void make_code(const struct guika_issuer *issuer, struct gk_mint_card *card)
{
    size_t count = 0;
    const struct guika_barcode *fields = gk_descriptor_barcodes(issuer, &count);
    for (size_t i = 0; i < count; i++) {
        bool qr = fields[i].symbology == GUIKA_CODE_QR;
        const char *marker = fields[i].marker == NULL ? "" : fields[i].marker;
        if (!qr && fields[i].symbology != GUIKA_CODE_128 && fields[i].symbology != GUIKA_CODE_ANY) {
            continue;
        }
        int size = snprintf(card->barcode_text, sizeof card->barcode_text, "%s%.*s%s", marker,
                            (int)fields[i].skip, "00000000000000000000", card->number);
        if (fields[i].skip <= 20 && size < (int)sizeof card->barcode_text) {
            card->barcode = qr ? GK_MINT_BARCODE_QR : GK_MINT_BARCODE_CODE128;
            return;
        }
    }
    card->barcode_text[0] = '\0';
}

static bool is_embossed(const struct guika_layout *layout, const char *number, unsigned index)
{
    bool figures = strspn(number, "0123456789") == strlen(number);
    return figures &&
           (layout->print == GUIKA_PRINT_EMBOSSED || (layout->print == GUIKA_PRINT_EITHER && index % 2 == 1));
}

bool gk_specimen_make(const struct guika_issuer *issuer, size_t layout, unsigned index,
                      struct gk_specimen *ret_specimen)
{
    struct gk_specimen *made = ret_specimen;
    uint64_t seed = (layout + 1) * UINT64_C(1000003) + index;
    size_t pose = index % (sizeof poses / sizeof *poses), light = index % (sizeof lights / sizeof *lights);
    made->layout = &issuer->layouts[layout];
    made->card = (struct gk_mint_card){.kind = GK_MINT_ISSUED, .seed = seed};
    lay_out(made->layout, index / 2, &made->card);
    if (!gk_mint_issue_number(issuer, index % issuer->rule_count, seed, made->card.number,
                              made->card.grouping)) {
        return false;
    }
    snprintf(made->card.issuer, sizeof made->card.issuer, "%.44s", issuer->names[0].text);
    made->card.print = is_embossed(made->layout, made->card.number, index) ? GK_MINT_EMBOSSED : GK_MINT_FLAT;
    made->card.foil_wear = (double)(index % 5) / 10;
    if (index % 3 == 2) {
        make_code(issuer, &made->card);
    }
    gk_mint_scene_random(0.2, made->card.seed, &made->scene);
    made->scene.tilt_x_degrees = poses[pose].tilt_x;
    made->scene.tilt_y_degrees = poses[pose].tilt_y;
    made->scene.rotation_degrees = poses[pose].rotation;
    made->scene.light_degrees = lights[light].degrees;
    made->scene.light_strength = lights[light].strength;
    made->scene.brightness = lights[light].brightness;
    made->scene.warmth = lights[light].warmth;
    made->scene.glare = 0;
    gk_mint_scene_fit(&made->card, &made->scene);
    return true;
}
