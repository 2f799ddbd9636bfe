/* What lies on a strip: artwork, the line, and what stands around a line on real cards. */
#include "tests/mint/strip_internal.h"

#include <math.h>
#include <string.h>

/* The strip's middle in digit heights, where `face` is translated so that its middle is the origin. */
struct reach {
    double half_width, half_height;
};

/* Artwork is drawn as on a whole card, in millimetres, of which the strip shows a part. */
static void draw_artwork(struct gk_face *face, const struct gk_strip_plan *plan, struct gk_random *random)
{
    struct gk_mint_card card = {.kind = GK_MINT_PAYMENT,
                                .print = plan->embossed ? GK_MINT_EMBOSSED : GK_MINT_FLAT};
    cairo_save(face->cr);
    cairo_scale(face->cr, 1 / plan->digit_mm, 1 / plan->digit_mm);
    cairo_translate(face->cr, -GK_MINT_CARD_WIDTH_MM / 2,
                    -gk_random_between(random, 0.1, 0.9) * GK_MINT_CARD_HEIGHT_MM);
    gk_artwork_payment(face, &card, random);
    cairo_restore(face->cr);
}

/* Anything that is no digit, over or beside which numbers are printed: words, strokes, discs, panels. */
static void draw_clutter(struct gk_face *face, struct reach reach, struct gk_random *random)
{
    static const char *const words[] = {"银行",      "BANK", "Visa",  "GOLD",   "信用卡",
                                        "Corporate", "NBA",  "world", "借记卡", "card",
                                        "TORONTO",   "银联", "debit", "AS",     "Q"};
    uint32_t count = gk_random_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        double x = gk_random_between(random, -1, 1) * reach.half_width,
               y = gk_random_between(random, -1.5, 1.5);
        struct gk_colour colour =
            gk_colour_hsv(gk_random_between(random, 0, 360), gk_random_between(random, 0, 0.9),
                          gk_random_between(random, 0.05, 1));
        gk_colour_set(face->cr, colour, gk_random_between(random, 0.3, 1));
        cairo_set_line_width(face->cr, gk_random_between(random, 0.03, 0.6));
        switch (gk_random_below(random, 5)) {
        case 0: {
            struct gk_font font = {"Noto Sans CJK SC", gk_random_chance(random, 0.5), false};
            gk_text(face->cr, font, x, y, gk_random_between(random, 0.7, 5),
                    words[gk_random_below(random, 15)]);
            break;
        }
        case 1:
            cairo_move_to(face->cr, x, y - 3);
            cairo_curve_to(face->cr, x + gk_random_between(random, -4, 4), y,
                           x + gk_random_between(random, -4, 4), y, x + gk_random_between(random, -6, 6),
                           y + 4);
            cairo_stroke(face->cr);
            break;
        case 2:
            cairo_arc(face->cr, x, y, gk_random_between(random, 0.3, 3.5), 0, 2 * GK_PI);
            gk_random_chance(random, 0.5) ? cairo_fill(face->cr) : cairo_stroke(face->cr);
            break;
        case 3:
            cairo_rectangle(face->cr, x, y, gk_random_between(random, 0.3, 8),
                            gk_random_between(random, 0.3, 3));
            cairo_fill(face->cr);
            break;
        default:
            for (int corner = 0; corner < 3; corner++) {
                cairo_line_to(face->cr, x + gk_random_between(random, -4, 4),
                              y + gk_random_between(random, -3, 3));
            }
            cairo_close_path(face->cr);
            cairo_fill(face->cr);
            break;
        }
    }
}

static void set_strong(struct gk_face *face, struct gk_random *random)
{
    double value =
        gk_random_chance(random, 0.7) ? gk_random_between(random, 0, 0.2) : gk_random_between(random, 0.8, 1);
    gk_colour_set(face->cr,
                  gk_colour_hsv(gk_random_between(random, 0, 360), gk_random_between(random, 0, 0.8), value),
                  gk_random_between(random, 0.7, 1));
}

/* Sets of parallel bars that run into the digits, upright, level or slanted. */
static void draw_bars(struct gk_face *face, struct reach reach, struct gk_random *random)
{
    uint32_t sets = 1 + gk_random_below(random, 6);
    for (uint32_t set = 0; set < sets; set++) {
        double length = gk_random_between(random, 0.4, 3), step = gk_random_between(random, 0.12, 0.5);
        cairo_save(face->cr);
        cairo_translate(face->cr, gk_random_between(random, -1, 1) * reach.half_width,
                        gk_random_between(random, -0.9, 0.7));
        cairo_rotate(face->cr, gk_random_chance(random, 0.7) ? 0 : gk_random_between(random, 0, GK_PI));
        set_strong(face, random);
        cairo_set_line_width(face->cr, step * gk_random_between(random, 0.2, 0.7));
        for (uint32_t i = 0, bars = 1 + gk_random_below(random, 5); i < bars; i++) {
            cairo_move_to(face->cr, gk_random_between(random, -0.2, 0), i * step);
            cairo_line_to(face->cr, length, i * step);
        }
        cairo_stroke(face->cr);
        cairo_restore(face->cr);
    }
}

/* A drawing with thick outlines, as on cards for children: blobs, curls, twigs. */
static void draw_outlines(struct gk_face *face, struct reach reach, struct gk_random *random)
{
    uint32_t count = 2 + gk_random_below(random, 7);
    cairo_set_line_cap(face->cr, CAIRO_LINE_CAP_ROUND);
    for (uint32_t i = 0; i < count; i++) {
        double x = gk_random_between(random, -1, 1) * reach.half_width,
               y = gk_random_between(random, -1.2, 1.2);
        cairo_move_to(face->cr, x, y);
        for (uint32_t bend = 0, bends = 1 + gk_random_below(random, 4); bend < bends; bend++) {
            double nx = x + gk_random_between(random, -1.6, 1.6),
                   ny = y + gk_random_between(random, -1.2, 1.2);
            cairo_curve_to(face->cr, x + gk_random_between(random, -1, 1),
                           y + gk_random_between(random, -1, 1), nx + gk_random_between(random, -1, 1),
                           ny + gk_random_between(random, -1, 1), nx, ny);
            x = nx;
            y = ny;
        }
        if (gk_random_chance(random, 0.4)) {
            set_strong(face, random);
            cairo_fill_preserve(face->cr);
        }
        set_strong(face, random);
        cairo_set_line_width(face->cr, gk_random_between(random, 0.04, 0.22));
        cairo_stroke(face->cr);
    }
}

/* Small print, rows of a block and the card's edge above and below the line: what a crop cuts through. */
static void draw_neighbours(struct gk_face *face, const struct gk_strip_plan *plan, struct reach reach,
                            struct gk_random *random)
{
    for (int side = -1; side <= 1; side += 2) {
        char text[24];
        double height = gk_random_between(random, 0.3, 1),
               distance = side * gk_random_between(random, 1.0 + height * 0.55, 1.9);
        if (gk_random_chance(random, 0.6)) {
            continue;
        }
        bool letters = gk_random_chance(random, 0.5);
        size_t length = 3 + gk_random_below(random, 16);
        for (size_t i = 0; i < length; i++) {
            text[i] = gk_random_chance(random, 0.12) ? ' '
                      : letters                      ? (char)('A' + gk_random_below(random, 26))
                                                     : (char)('0' + gk_random_below(random, 10));
        }
        text[length] = '\0';
        gk_colour_set(face->cr, face->ink, gk_random_between(random, 0.5, 1));
        cairo_t *cr = plan->embossed && gk_random_chance(random, 0.5) ? face->raised_cr : face->cr;
        gk_text(cr, plan->font, gk_random_between(random, -1, 0.7) * reach.half_width, distance, height,
                text);
    }
    if (gk_random_chance(random, 0.06)) {
        double y = (gk_random_chance(random, 0.5) ? -1 : 1) * gk_random_between(random, 0.8, 1.4);
        double grey = gk_random_between(random, 0, 1);
        cairo_set_source_rgb(face->cr, grey, grey, grey);
        cairo_rectangle(face->cr, -reach.half_width - 2, y, 2 * reach.half_width + 4, y < 0 ? -9 : 9);
        cairo_fill(face->cr);
    }
}

static double advance_of(cairo_t *cr, const struct gk_strip_plan *plan, const char *character)
{
    double natural = plan->drawn_glyphs ? 0 : gk_text_width(cr, plan->font, 1, character);
    return plan->pitch > 0 ? plan->pitch : natural * 1.06;
}

static void draw_character(cairo_t *cr, const struct gk_strip_plan *plan, double x, const char *character)
{
    double width = plan->drawn_glyphs ? 0 : gk_text_width(cr, plan->font, 1, character);
    cairo_save(cr);
    cairo_translate(cr, x, 0);
    cairo_scale(cr, plan->squeeze, 1);
    bool drawn = plan->drawn_glyphs && character[0] >= '0' && character[0] <= '9';
    if (drawn) {
        gk_glyph_embossed(cr, character[0], 0, 0, 1, plan->line_mm / 4);
    } else {
        gk_text(cr, plan->font, -width / 2, 0, 1, character);
    }
    cairo_restore(cr);
}

static double line_width(cairo_t *cr, const struct gk_strip_plan *plan)
{
    double width = 0;
    for (size_t i = 0; plan->text[i] != '\0'; i++) {
        char character[2] = {plan->text[i], '\0'};
        width += advance_of(cr, plan, character) * plan->squeeze + (plan->gap_after[i] ? plan->gap : 0);
    }
    return width;
}

double gk_strip_line_width(const struct gk_strip_plan *plan)
{
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_A8, 1, 1);
    cairo_t *cr = cairo_create(surface);
    cairo_scale(cr, 40, 40); /* fonts round their advances to pixels */
    double width = line_width(cr, plan);
    cairo_destroy(cr);
    cairo_surface_destroy(surface);
    return width;
}

/* Draws the line with its middle at the origin, in the colour set before. */
static void draw_line(cairo_t *cr, const struct gk_strip_plan *plan)
{
    double x = -line_width(cr, plan) / 2;
    for (size_t i = 0; plan->text[i] != '\0'; i++) {
        char character[2] = {plan->text[i], '\0'};
        double advance = advance_of(cr, plan, character) * plan->squeeze;
        draw_character(cr, plan, x + advance / 2, character);
        x += advance + (plan->gap_after[i] ? plan->gap : 0);
    }
}

static void set_ink(struct gk_face *face, struct gk_random *random)
{
    struct gk_colour colour = face->ink;
    if (gk_random_chance(random, 0.35)) {
        double away = gk_colour_luminance(face->base) > 0.5 ? gk_random_between(random, 0, 0.4)
                                                            : gk_random_between(random, 0.6, 1);
        colour = gk_colour_hsv(gk_random_between(random, 0, 360), gk_random_between(random, 0, 0.7), away);
    }
    gk_colour_set(face->cr, colour, gk_random_chance(random, 0.7) ? 1 : gk_random_between(random, 0.45, 1));
}

/* A panel behind the line, or boxes around it, as some cards have. */
static void draw_panel(struct gk_face *face, struct reach reach, struct gk_random *random)
{
    double value = gk_random_chance(random, 0.5) ? gk_random_between(random, 0, 0.15)
                                                 : gk_random_between(random, 0.85, 1);
    face->base = (struct gk_colour){value, value, value};
    face->ink = (struct gk_colour){1 - value, 1 - value, 1 - value};
    gk_colour_set(face->cr, face->base, 1);
    cairo_rectangle(face->cr, -reach.half_width * gk_random_between(random, 0.7, 1.1),
                    -gk_random_between(random, 0.6, 1.2), reach.half_width * 2,
                    gk_random_between(random, 1.3, 2.2));
    cairo_fill(face->cr);
}

/* Words as they stand before, behind and instead of numbers; `text` holds 64 bytes. */
static void random_words(char *text, struct gk_random *random)
{
    static const char *const signs[] = {"公", "民", "身", "份", "号", "码", "卡", "学", "姓", "名",
                                        "出", "生", "年", "月", "日", "住", "址", "市", "路", "银",
                                        "行", "信", "用", "有", "效", "期", "性", "别", "族", "汉",
                                        "女", "客", "服", "热", "线", "电", "话", "编", "员", "证"};
    static const char *const words[] = {
        "Card No.",  "No.",  "ID",      "Member ID", "Student No:", "Phone", "VALID THRU", "MONTH/YEAR",
        "GOOD THRU", "Name", "Address", "DOB",       "EXPIRES END", "SINCE", "Tel"};
    text[0] = '\0';
    if (gk_random_chance(random, 0.35)) {
        strcpy(text, words[gk_random_below(random, sizeof words / sizeof *words)]);
        return;
    }
    for (uint32_t i = 0, count = 1 + gk_random_below(random, 7); i < count; i++) {
        strcat(text, signs[gk_random_below(random, sizeof signs / sizeof *signs)]);
    }
}

/* A label at one end of the line, in the ink that is set. */
static void draw_label(cairo_t *cr, const struct gk_strip_plan *plan, struct gk_random *random)
{
    char text[64];
    struct gk_font font = {gk_random_chance(random, 0.8) ? "Noto Sans CJK SC" : "Noto Serif CJK SC",
                           gk_random_chance(random, 0.4), false};
    double height = gk_random_between(random, 0.5, 1.1), half = line_width(cr, plan) / 2;
    random_words(text, random);
    double gap = gk_random_between(random, 0.3, 1.5), width = gk_text_width(cr, font, height, text);
    gk_text(cr, font, gk_random_chance(random, 0.8) ? -half - gap - width : half + gap,
            gk_random_between(random, -0.15, 0.15), height, text);
}

void gk_strip_draw(struct gk_face *face, const struct gk_strip_plan *plan, struct gk_random *random)
{
    struct reach reach = {cairo_image_surface_get_width(face->surface) / plan->scale / 2,
                          cairo_image_surface_get_height(face->surface) / plan->scale / 2};
    cairo_t *both[2] = {face->cr, face->raised_cr};
    for (int i = 0; i < 2; i++) {
        cairo_translate(both[i], cairo_image_surface_get_width(face->surface) / 2.0,
                        cairo_image_surface_get_height(face->surface) / 2.0);
        cairo_scale(both[i], plan->scale, plan->scale);
    }
    draw_artwork(face, plan, random);
    if (gk_random_chance(random, 0.6)) {
        draw_clutter(face, reach, random);
    }
    if (gk_random_chance(random, plan->embossed ? 0.22 : 0.08)) {
        draw_bars(face, reach, random);
    }
    if (gk_random_chance(random, plan->embossed ? 0.22 : 0.08)) {
        draw_outlines(face, reach, random);
    }
    if (!plan->embossed && gk_random_chance(random, 0.08)) {
        draw_panel(face, reach, random);
    }
    draw_neighbours(face, plan, reach, random);
    cairo_t *cr = plan->embossed ? face->raised_cr : face->cr;
    set_ink(face, random);
    if (gk_random_chance(random, plan->embossed ? 0.04 : 0.25)) {
        draw_label(face->cr, plan, random);
    }
    cairo_save(cr);
    cairo_rotate(cr, plan->upside_down ? GK_PI : 0);
    if (!plan->embossed && gk_random_chance(random, 0.08)) { /* a shadow under the print */
        cairo_save(cr);
        cairo_set_source_rgba(cr, 0, 0, 0, 0.6);
        cairo_translate(cr, 0.06, 0.06);
        draw_line(cr, plan);
        cairo_restore(cr);
        set_ink(face, random);
    }
    draw_line(cr, plan);
    cairo_restore(cr);
}
