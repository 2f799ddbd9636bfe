/*
 * The face of a card that somebody planned: the number in its area, portraits and figures where the plan
 * hides something, the issuer's name and a bar code where there is room left.
 */
#include "tests/mint/mint_internal.h"

#include <math.h>
#include <string.h>

#define LEAST_DIGIT_MM 1.6
#define DIGIT_SHARE 0.6 /* of the area's height: an area goes around the line */
#define LARGEST_DIGIT_MM 4.0
#define PORTRAIT_LEAST_MM2                                                                                   \
    120.0 /* a hidden area at least as large holds a portrait, a smaller one figures                         \
           */
#define EMBOSSED_LEAST_MM 2.4

static const struct gk_font sans = {"Liberation Sans", false, false};
static const struct gk_font chinese_bold = {"Noto Sans CJK SC", true, false};
static const struct gk_colour white = {1, 1, 1};

static bool overlap(const struct gk_mint_area *a, const struct gk_mint_area *b)
{
    return a->left_mm < b->left_mm + b->width_mm && b->left_mm < a->left_mm + a->width_mm &&
           a->top_mm < b->top_mm + b->height_mm && b->top_mm < a->top_mm + a->height_mm;
}

/* Is the area on the card, and clear of the number and of what is hidden? */
static bool is_free(const struct gk_face *face, const struct gk_mint_plan *plan, struct gk_mint_area area)
{
    bool clear = area.left_mm >= 0 && area.top_mm >= 0 && area.left_mm + area.width_mm <= face->width_mm &&
                 area.top_mm + area.height_mm <= face->height_mm && !overlap(&area, &plan->number);
    for (size_t i = 0; i < plan->hidden_count; i++) {
        clear = clear && !overlap(&area, &plan->hidden[i]);
    }
    return clear;
}

/* The first free place of the size, searched from the bottom up and from the left. */
static bool find_room(const struct gk_face *face, const struct gk_mint_plan *plan, double width_mm,
                      double height_mm, struct gk_box *ret_box)
{
    for (double top = face->height_mm - height_mm - 2.5; top > 9; top -= 1.5) {
        for (double left = 5; left + width_mm < face->width_mm - 4; left += 2.5) {
            if (is_free(face, plan, (struct gk_mint_area){left, top, width_mm, height_mm})) {
                *ret_box = (struct gk_box){left, top, left + width_mm, top + height_mm};
                return true;
            }
        }
    }
    return false;
}

static void draw_hidden(struct gk_face *face, const struct gk_mint_area *area, struct gk_random *random)
{
    struct gk_box box = {area->left_mm, area->top_mm, area->left_mm + area->width_mm,
                         area->top_mm + area->height_mm};
    char text[24];
    if (area->width_mm * area->height_mm >= PORTRAIT_LEAST_MM2 && area->height_mm > area->width_mm * 0.9) {
        gk_artwork_person(face->cr, box, random);
        return;
    }
    gk_colour_set(face->cr, gk_colour_mix(white, face->base, 0.2), 1);
    cairo_rectangle(face->cr, box.left, box.top, area->width_mm, area->height_mm);
    cairo_fill(face->cr);
    snprintf(text, sizeof text, "%03u", gk_random_below(random, 1000));
    double height = fmin(2.4, area->height_mm * 0.5);
    cairo_set_source_rgb(face->cr, 0.1, 0.1, 0.15);
    gk_text_within(face->cr, sans, box.right - fmin(9, area->width_mm * 0.8), box.top + area->height_mm / 2,
                   height, area->width_mm * 0.8, text);
}

/* One line of the number in its area, as large as the area lets it be. */
static void draw_line(struct gk_face *face, const struct gk_mint_card *card, struct gk_mint_area area,
                      struct gk_random *random, const char *text)
{
    double height = fmin(LARGEST_DIGIT_MM, fmax(LEAST_DIGIT_MM, area.height_mm * DIGIT_SHARE));
    double slack = fmax(0, area.height_mm - height) * 0.25;
    double y = area.top_mm + area.height_mm / 2 + gk_random_between(random, -slack, slack);
    if (card->print == GK_MINT_EMBOSSED) {
        height = fmax(height, EMBOSSED_LEAST_MM);
        double pitch = GK_MINT_PAYMENT_PITCH_MM * height / GK_MINT_PAYMENT_DIGIT_HEIGHT_MM;
        pitch = fmin(pitch, area.width_mm / (double)strlen(text));
        height = fmin(height, pitch / GK_MINT_PAYMENT_PITCH_MM * GK_MINT_PAYMENT_DIGIT_HEIGHT_MM);
        gk_face_emboss(face, area.left_mm + pitch * 0.6, y, height, pitch, text);
        return;
    }
    double natural = gk_text_width(face->cr, sans, height, text);
    height *= fmin(1, area.width_mm * 0.95 / natural);
    double room = fmax(0, area.width_mm - gk_text_width(face->cr, sans, height, text) * 1.15);
    gk_face_print(face, random, area.left_mm + room * gk_random_between(random, 0.1, 0.5), y, height,
                  area.width_mm, text);
}

static void draw_number(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random)
{
    struct gk_mint_area area = card->plan->number;
    char text[64], *rest = NULL;
    int rows = 1;
    gk_mint_printed_number(card, text);
    if (area.height_mm <= GK_MINT_PLAN_LINE_MOST_MM) {
        draw_line(face, card, area, random, text);
        return;
    }
    for (const char *c = text; *c != '\0'; c++) {
        rows += *c == ' ';
    }
    area.height_mm = fmin(area.height_mm / rows, GK_MINT_PLAN_LINE_MOST_MM);
    for (char *row = strtok_r(text, " ", &rest); row != NULL; row = strtok_r(NULL, " ", &rest)) {
        struct gk_random same = *random; /* one font for all rows */
        draw_line(face, card, area, &same, row);
        area.top_mm += area.height_mm;
    }
}

static void draw_code(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_box place;
    bool qr = card->barcode == GK_MINT_BARCODE_QR;
    size_t length = strlen(card->barcode_text[0] != '\0' ? card->barcode_text : card->number);
    double size = length > 32 ? 16.0 : 12.5;
    if (card->barcode != GK_MINT_BARCODE_NONE &&
        find_room(face, card->plan, qr ? size : fmin(face->width_mm - 12, 54), qr ? size : 7.0, &place)) {
        face->failed = gk_barcode_draw(face->cr, card, place) != 0;
    }
}

void gk_face_planned(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    const struct gk_mint_area heading = {4, 3.5, face->width_mm - 8, 5};
    /* Plain artwork has a band of colour along the top, which is 13 mm high at most. */
    bool plain =
        card->print != GK_MINT_EMBOSSED && card->plan->number.top_mm >= 13 && gk_random_chance(&print, 0.6);
    if (plain) {
        gk_artwork_plain(face, &art);
    } else {
        gk_artwork_payment(face, card, &art);
    }
    gk_colour_set(face->cr, plain ? white : face->ink, 1);
    if (is_free(face, card->plan, heading)) {
        gk_text_within(face->cr, chinese_bold, 6, 6, 2.6, heading.width_mm - 4, card->issuer);
    }
    for (size_t i = 0; i < card->plan->hidden_count; i++) {
        draw_hidden(face, &card->plan->hidden[i], &art);
    }
    gk_colour_set(face->cr, face->ink, 1);
    if (card->number[0] != '\0') {
        draw_number(face, card, &print);
    }
    gk_text(face->cr, sans, 6, face->height_mm - 1.6, 0.9, "SPECIMEN");
    draw_code(face, card);
}
