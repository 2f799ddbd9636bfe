/* The face of a card after an issuer's descriptor, and the scratches of any card. */
#include "tests/mint/mint_internal.h"

#include <math.h>
#include <string.h>

static const struct gk_font sans = {"Liberation Sans", false, false};
static const struct gk_font sans_italic = {"Liberation Sans", true, true};
static const struct gk_font chinese_bold = {"Noto Sans CJK SC", true, false};

/* Digits are this share of the window's height: a window is drawn around a line with room to spare. */
#define LEAST_SHARE 0.34
#define MOST_SHARE 0.44
#define PORTRAIT_LEAST_MM2 120.0 /* a hidden part as large holds a portrait, a smaller one figures */

static void paint(struct gk_face *face, struct gk_random *random)
{
    bool dark = gk_random_chance(random, 0.3);
    double hue = gk_random_between(random, 0, 360);
    face->base =
        gk_colour_hsv(hue, gk_random_between(random, 0, dark ? 0.8 : 0.25),
                      dark ? gk_random_between(random, 0.15, 0.5) : gk_random_between(random, 0.8, 1));
    face->ink = dark ? (struct gk_colour){0.95, 0.95, 0.93} : (struct gk_colour){0.1, 0.1, 0.14};
    gk_colour_set(face->cr, face->base, 1);
    cairo_paint(face->cr);
}

static bool is_in_window(const struct gk_mint_card *card, double y)
{
    return y > card->window.top_mm - 1.5 && y < card->window.top_mm + card->window.height_mm + 1.5;
}

/* Terms of use in type too small to read, a telephone number, an address to send the card to. */
static void small_print(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random)
{
    static const char *const lines[] = {
        "This card remains the property of the operator. Terms and conditions apply.",
        "If found please return to any service centre or hand it in at a station.",
        "Do not bend, punch or expose to strong magnetic fields.",
        "For enquiries call 1800 555 0142 or visit www.example.org/card",
        "Valid for travel only when a sufficient balance is held.",
        "Lost or stolen cards: +44 20 5550 1077, 24 hours"};
    gk_colour_set(face->cr, face->ink, 0.85);
    double height = gk_random_between(random, 1.0, 1.4);
    for (double y = card->stripe ? 33 : gk_random_between(random, 12, 18); y < face->height_mm - 4;
         y += height * 2.1) {
        const char *line = lines[gk_random_below(random, 6)];
        if (!is_in_window(card, y) && gk_random_chance(random, 0.7)) {
            gk_text_within(face->cr, sans, 5, y, height, 70, line);
        }
    }
}

static void stripe(struct gk_face *face)
{
    cairo_set_source_rgb(face->cr, 0.08, 0.07, 0.07);
    cairo_rectangle(face->cr, 0, 4, face->width_mm, 12); /* ISO/IEC 7811-2: within 15.9 mm of the edge */
    cairo_fill(face->cr);
    cairo_set_source_rgb(face->cr, 0.96, 0.95, 0.9);
    cairo_rectangle(face->cr, 5, 18.5, 52, 8);
    cairo_fill(face->cr);
    cairo_set_source_rgb(face->cr, 0.1, 0.1, 0.2);
    gk_text(face->cr, sans_italic, 47, 22.5, 2.2, "000");
}

static void emboss_window(struct gk_face *face, const struct gk_mint_window *window, const char *text)
{
    double pitch = fmin(GK_MINT_PAYMENT_PITCH_MM, window->width_mm / (double)strlen(text));
    double height = pitch / GK_MINT_PAYMENT_PITCH_MM * GK_MINT_PAYMENT_DIGIT_HEIGHT_MM;
    gk_face_emboss_number(face, window->left_mm + pitch * 0.6, window->top_mm + window->height_mm / 2, height,
                          pitch, text);
}

/* One line in the middle of the window; the same chance gives the same font. */
static void print_line(struct gk_face *face, const struct gk_mint_card *card,
                       const struct gk_mint_window *window, struct gk_random *random, const char *text)
{
    if (card->print == GK_MINT_EMBOSSED) {
        emboss_window(face, window, text);
        return;
    }
    struct gk_font font = gk_face_number_font(random);
    double height = fmin(window->height_mm * gk_random_between(random, LEAST_SHARE, MOST_SHARE), 4);
    double room = window->width_mm - 2;
    double width = fmin(gk_text_width(face->cr, font, height, text), room);
    double left = window->left_mm + 1 + gk_random_between(random, 0, 1) * (room - width);
    double middle = window->top_mm + window->height_mm * gk_random_between(random, 0.45, 0.55);
    gk_colour_set(face->cr, face->ink, 1);
    gk_face_print_number(face, font, left, middle, height, room, text);
}

static void print_window(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random)
{
    struct gk_mint_window window = card->window;
    char text[64], *rest = NULL;
    int rows = 1;
    gk_mint_printed_number(card, text);
    for (const char *c = text; *c != '\0' && window.height_mm > GK_MINT_WINDOW_LINE_MOST_MM; c++) {
        rows += *c == ' ';
    }
    if (rows == 1 && text[0] != '\0') {
        print_line(face, card, &window, random, text);
        return;
    }
    window.height_mm /= rows;
    for (char *row = strtok_r(text, " ", &rest); row != NULL; row = strtok_r(NULL, " ", &rest)) {
        struct gk_random same = *random;
        print_line(face, card, &window, &same, row);
        window.top_mm += window.height_mm;
    }
}

/* ---- what else a layout tells of ---- */

static void draw_hidden(struct gk_face *face, const struct gk_mint_window *hidden, struct gk_random *random)
{
    struct gk_box box = {hidden->left_mm, hidden->top_mm, hidden->left_mm + hidden->width_mm,
                         hidden->top_mm + hidden->height_mm};
    char text[8];
    if (hidden->width_mm * hidden->height_mm >= PORTRAIT_LEAST_MM2 && hidden->height_mm > hidden->width_mm) {
        gk_artwork_person(face->cr, box, random);
        return;
    }
    cairo_set_source_rgb(face->cr, 0.93, 0.93, 0.9);
    cairo_rectangle(face->cr, box.left, box.top, hidden->width_mm, hidden->height_mm);
    cairo_fill(face->cr);
    snprintf(text, sizeof text, "%03u", gk_random_below(random, 1000));
    cairo_set_source_rgb(face->cr, 0.1, 0.1, 0.15);
    gk_text_within(face->cr, sans, box.right - fmin(9, hidden->width_mm * 0.8),
                   box.top + hidden->height_mm / 2, fmin(2.4, hidden->height_mm * 0.5),
                   hidden->width_mm * 0.8, text);
}

static bool overlap(const struct gk_box *a, const struct gk_mint_window *b)
{
    return a->left < b->left_mm + b->width_mm && b->left_mm < a->right && a->top < b->top_mm + b->height_mm &&
           b->top_mm < a->bottom;
}

/* The first place of the size that is clear of number and hidden parts, from the bottom up and from the left.
 */
static bool find_room(const struct gk_face *face, const struct gk_mint_card *card, double width_mm,
                      double height_mm, struct gk_box *ret_box)
{
    for (double top = face->height_mm - height_mm - 2.5; top > 9; top -= 1.5) {
        for (double left = 5; left + width_mm < face->width_mm - 4; left += 2.5) {
            struct gk_box box = {left, top, left + width_mm, top + height_mm};
            bool clear = !overlap(&box, &card->window);
            for (size_t i = 0; i < card->hidden_count; i++) {
                clear = clear && !overlap(&box, &card->hidden[i]);
            }
            if (clear) {
                *ret_box = box;
                return true;
            }
        }
    }
    return false;
}

static void draw_code(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_box place;
    bool qr = card->barcode == GK_MINT_BARCODE_QR;
    double size = strlen(card->barcode_text) > 32 ? 16 : 12.5;
    if (card->barcode != GK_MINT_BARCODE_NONE &&
        find_room(face, card, qr ? size : fmin(face->width_mm - 12, 54), qr ? size : 7, &place)) {
        face->failed = gk_barcode_draw(face->cr, card, place) != 0;
    }
}

void gk_face_issued(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    if (card->back) {
        paint(face, &art);
        small_print(face, card, &print);
    } else {
        gk_artwork_payment(face, card, &art);
    }
    if (card->stripe) {
        stripe(face);
    } else if (!is_in_window(card, 6)) {
        gk_colour_set(face->cr, face->ink, 1);
        gk_text_within(face->cr, chinese_bold, 6, 6, 3, fmin(60, face->width_mm - 10), card->issuer);
    }
    for (size_t i = 0; i < card->hidden_count; i++) {
        draw_hidden(face, &card->hidden[i], &art);
    }
    print_window(face, card, &print);
    draw_code(face, card);
    gk_colour_set(face->cr, face->ink, 1);
    gk_text(face->cr, sans, 40, 2.2, 0.9, "SPECIMEN");
}

void gk_face_scratch(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random random = gk_random_new(card->seed, 7);
    cairo_set_line_cap(face->cr, CAIRO_LINE_CAP_ROUND);
    for (int i = 0; i < (int)(card->scratches * 60); i++) {
        double x = gk_random_between(&random, 0, face->width_mm),
               y = gk_random_between(&random, 0, face->height_mm);
        double angle = gk_random_between(&random, 0, GK_PI), length = gk_random_between(&random, 2, 25);
        double grey = gk_random_chance(&random, 0.7) ? 0.95 : 0.15;
        cairo_set_source_rgba(face->cr, grey, grey, grey, gk_random_between(&random, 0.15, 0.55));
        cairo_set_line_width(face->cr, gk_random_between(&random, 0.04, 0.14));
        cairo_move_to(face->cr, x, y);
        cairo_rel_line_to(face->cr, length * cos(angle), length * sin(angle));
        cairo_stroke(face->cr);
    }
}
