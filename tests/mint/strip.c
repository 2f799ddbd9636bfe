/* Plans strips at random and leads them through drawing, light and camera. */
#include "tests/mint/strip.h"

#include "tests/mint/strip_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of all strips. Without a number: bare artwork, words, numbers upside down; there the net must stay
 * silent. */
#define BARE 0.05
#define WORDS 0.06
#define UPSIDE_DOWN 0.1
#define EMBOSSED 0.55 /* flat print is easier: the rest suffices for it */

static struct gk_font random_font(struct gk_random *random)
{
    static const char *const families[] = {
        "Liberation Sans",
        "Liberation Sans",
        "Liberation Serif",
        "Liberation Mono",
        "Liberation Sans Narrow",
        "DejaVu Sans",
        "DejaVu Sans Mono",
        "DejaVu Serif",
        "OCR B",
        "OCR B",
        "OCRA",
        "Noto Sans CJK SC",
        "Noto Serif CJK SC",
        "Noto Sans Mono CJK SC",
        "Roboto",
        "Roboto Condensed",
        "Open Sans",
        "Lato",
        "Inconsolata",
        "Nimbus Sans",
        "Nimbus Sans Narrow",
        "Nimbus Roman",
        "Nimbus Mono PS",
        "URW Gothic",
        "URW Bookman",
        "C059",
        "P052",
        "Cousine",
    };
    struct gk_font font = {families[gk_random_below(random, sizeof families / sizeof *families)],
                           gk_random_chance(random, 0.45), gk_random_chance(random, 0.06)};
    return font;
}

/* A label before the number, or a sign in it: neither is to be read. Letters that look like digits are not
 * among them. */
static void add_marks(struct gk_strip_plan *plan, struct gk_random *random)
{
    if (gk_random_chance(random, 0.5)) {
        size_t label = 1 + gk_random_below(random, 3);
        for (size_t i = 0; i < label; i++) {
            plan->text[i] = "ACDEFHKLMNPRTUVWY"[gk_random_below(random, 17)];
            plan->gap_after[i] = i + 1 == label;
        }
    } else {
        size_t count = 1 + gk_random_below(random, 2);
        for (size_t i = 0; i < count; i++) {
            plan->text[1 + gk_random_below(random, (uint32_t)strlen(plan->text) - 2)] =
                "--()/."[gk_random_below(random, 6)];
        }
    }
}

/* Numbers without a check: runs of one digit are as common on real cards as chance would not make them. */
static void fill_number(struct gk_strip_plan *plan, size_t length, struct gk_random *random)
{
    bool runs = gk_random_chance(random, 0.12);
    for (size_t i = 0; i < length; i++) {
        bool again = runs && i > 0 && gk_random_chance(random, 0.6);
        plan->text[i] = again ? plan->text[i - 1] : (char)('0' + gk_random_below(random, 10));
    }
    if (!plan->drawn_glyphs && length > 2 && gk_random_chance(random, 0.06)) {
        plan->text[length - 1] = 'X';
    }
    size_t group = gk_random_chance(random, 0.25) ? 0 : 3 + gk_random_below(random, 4),
           next = gk_random_below(random, 4);
    for (size_t i = 0; group > 0 && i + 1 < length; i++) {
        plan->gap_after[i] = i == next;
        next += i == next ? group : 0;
    }
    if (length > 4 && gk_random_chance(random, 0.12)) {
        add_marks(plan, random);
    }
}

static void fill_words(struct gk_strip_plan *plan, size_t length, struct gk_random *random)
{
    for (size_t i = 0; i < length; i++) {
        plan->text[i] = (char)('A' + gk_random_below(random, 26));
        plan->gap_after[i] = gk_random_chance(random, 0.15);
    }
    plan->drawn_glyphs = false;
    plan->words = true;
}

/* Upside down only what cannot be read the other way: at least a third of 2, 3, 4, 5, 7. */
static bool has_direction(const char *text)
{
    size_t telling = 0;
    for (const char *at = text; *at != '\0'; at++) {
        telling += strchr("23457", *at) != NULL;
    }
    return telling * 3 >= strlen(text) && telling >= 2;
}

static struct gk_strip_plan random_plan(double digits_wide, struct gk_random *random)
{
    struct gk_strip_plan plan = {
        .embossed = gk_random_chance(random, EMBOSSED), .font = random_font(random), .squeeze = 1};
    plan.drawn_glyphs = plan.embossed ? gk_random_chance(random, 0.85) : gk_random_chance(random, 0.08);
    plan.line_mm = gk_random_between(random, 0.42, 0.85);
    plan.digit_mm = plan.embossed ? 4.0 : gk_random_between(random, 2.4, 4.4);
    plan.squeeze =
        gk_random_between(random, plan.drawn_glyphs ? 0.82 : 0.78, plan.drawn_glyphs ? 1.25 : 1.12);
    if (plan.drawn_glyphs) {
        plan.pitch = gk_random_between(random, 0.8, 1.0);
    } else if (plan.embossed || gk_random_chance(random, 0.3)) {
        plan.pitch = gk_random_between(random, 0.72, 1.1);
    }
    plan.gap = gk_random_between(random, 0.25, 1.2);
    double widest = (plan.pitch > 0 ? plan.pitch : 0.85) * plan.squeeze + plan.gap / 4;
    size_t most = (size_t)fmin(digits_wide / widest, GK_MINT_STRIP_TEXT_SIZE - 1);
    size_t length = 1 + gk_random_below(random, (uint32_t)most);
    double kind = gk_random_between(random, 0, 1);
    if (kind < BARE) {
        return plan;
    }
    if (kind < BARE + WORDS) {
        fill_words(&plan, length, random);
        return plan;
    }
    fill_number(&plan, length, random);
    plan.upside_down = kind < BARE + WORDS + UPSIDE_DOWN && has_direction(plan.text);
    return plan;
}

/* Surface, colours and masks for `plan`; the light and the photograph follow. */
static int draw_strip(const struct gk_strip_plan *plan, int width, int height, struct gk_random *random,
                      struct gk_plane *ret_plane)
{
    struct gk_face face = {
        .width_mm = GK_MINT_CARD_WIDTH_MM, .height_mm = GK_MINT_CARD_HEIGHT_MM, .scale = plan->scale};
    face.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    face.cr = cairo_create(face.surface);
    face.raised = cairo_image_surface_create(CAIRO_FORMAT_A8, width, height);
    face.raised_cr = cairo_create(face.raised);
    int status = -1;
    if (cairo_status(face.cr) == CAIRO_STATUS_SUCCESS &&
        cairo_status(face.raised_cr) == CAIRO_STATUS_SUCCESS) {
        gk_strip_draw(&face, plan, random);
        status = gk_strip_light(&face, plan->scale, random, ret_plane);
    }
    gk_face_clear(&face);
    return status;
}

static void copy_readable(const char *text, char *ret_readable)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        if ((text[i] >= '0' && text[i] <= '9') || (text[i] == 'X' && i + 1 == length)) {
            *ret_readable++ = text[i];
        }
    }
}

int gk_mint_strip_random(uint64_t seed, struct gk_mint_strip *ret_strip)
{
    struct gk_random random = gk_random_new(seed, 200);
    struct gk_mint_strip strip = {.digit_height_px = (float)gk_random_between(&random, 16, 25)};
    /* Log-uniform: half of all lines are seen with fewer than 18 pixels a digit. */
    double camera_px = 8.5 * pow(4.5, gk_random_between(&random, 0, 1));
    double height = (double)strip.digit_height_px, digits_wide = GK_MINT_STRIP_WIDTH_PX / height;
    struct gk_strip_plan plan = random_plan(digits_wide * 0.94, &random);
    struct gk_plane surface;
    plan.scale = fmin(fmax(2 * camera_px, 24), 56);
    int width = (int)((digits_wide + 2) * plan.scale),
        rows = (int)((GK_MINT_STRIP_HEIGHT_PX / height + 1.5) * plan.scale);
    if (draw_strip(&plan, width, rows, &random, &surface) != 0) {
        return -1;
    }
    int status = gk_strip_photograph(&surface, plan.scale, camera_px, height, &random, strip.grey);
    free(surface.value);
    if (!plan.upside_down && !plan.words) {
        copy_readable(plan.text, strip.text);
    }
    if (status == 0) {
        *ret_strip = strip;
    }
    return status;
}
