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
#define UPSIDE_DOWN 0.05
#define EMBOSSED 0.55 /* flat print is easier: the rest suffices for it */

/* On a card of 85.60 mm; wider print is narrowed. */
#define NUMBER_WIDEST_MM 79

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

/* Upside down only what cannot be read the other way: at least a third of 3, 4, 7. The others are digits
 * turned, too: in segments 2 and 5 even the same. */
static bool has_direction(const char *text)
{
    size_t telling = 0;
    for (const char *at = text; *at != '\0'; at++) {
        telling += strchr("347", *at) != NULL;
    }
    return telling * 3 >= strlen(text) && telling >= 2;
}

/* How a line is printed; what it says is left empty. */
static struct gk_strip_plan random_print(bool embossed, struct gk_random *random)
{
    struct gk_strip_plan plan = {.embossed = embossed, .font = random_font(random), .squeeze = 1};
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
    return plan;
}

static struct gk_strip_plan random_plan(double digits_wide, struct gk_random *random)
{
    struct gk_strip_plan plan = random_print(gk_random_chance(random, EMBOSSED), random);
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

/* Log-uniform: half of all lines are seen with fewer than 18 pixels a digit. */
static double random_camera_px(struct gk_random *random)
{
    return 8.5 * pow(4.5, gk_random_between(random, 0, 1));
}

/* Draws the plan, whose scale it chooses, and photographs it: `width_px` by GK_MINT_STRIP_HEIGHT_PX in which
 * a digit is `digit_px` high. */
static int take_strip(struct gk_strip_plan *plan, double digit_px, double camera_px, int width_px,
                      struct gk_random *random, uint8_t *ret_grey)
{
    struct gk_plane surface;
    plan->scale = fmin(fmax(2 * camera_px, 24), 56);
    int width = (int)((width_px / digit_px + 2) * plan->scale),
        rows = (int)((GK_MINT_STRIP_HEIGHT_PX / digit_px + 1.5) * plan->scale);
    if (draw_strip(plan, width, rows, random, &surface) != 0) {
        return -1;
    }
    int status = gk_strip_photograph(&surface, plan->scale, camera_px, digit_px, width_px, random, ret_grey);
    free(surface.value);
    return status;
}

int gk_mint_strip_random(uint64_t seed, struct gk_mint_strip *ret_strip)
{
    struct gk_random random = gk_random_new(seed, 200);
    struct gk_mint_strip strip = {.digit_height_px = (float)gk_random_between(&random, 16, 25)};
    double camera_px = random_camera_px(&random), height = (double)strip.digit_height_px;
    struct gk_strip_plan plan = random_plan(GK_MINT_STRIP_WIDTH_PX / height * 0.94, &random);
    int status = take_strip(&plan, height, camera_px, GK_MINT_STRIP_WIDTH_PX, &random, strip.grey);
    if (!plan.upside_down && !plan.words) {
        copy_readable(plan.text, strip.text);
    }
    if (status == 0) {
        *ret_strip = strip;
    }
    return status;
}

/* Sets the text and its gaps; false where they do not fit. */
static bool set_number(struct gk_strip_plan *plan, const char *number, const char *grouping)
{
    size_t length = strlen(number), end = 0;
    if (length == 0 || length >= GK_MINT_STRIP_TEXT_SIZE || strspn(number, "0123456789X") != length) {
        return false;
    }
    memcpy(plan->text, number, length);
    plan->drawn_glyphs = plan->drawn_glyphs && strspn(number, "0123456789") == length;
    for (const char *at = grouping; *at != '\0';) {
        char *after;
        end += strtoul(at, &after, 10);
        if (after == at) {
            return false;
        }
        at = *after == '-' ? after + 1 : after;
        if (*at != '\0' && end > 0 && end < length) {
            plan->gap_after[end - 1] = 1;
        }
    }
    return true;
}

int gk_mint_strip_number(const char *number, const char *grouping, bool embossed, uint64_t seed,
                         struct gk_mint_line *ret_line)
{
    struct gk_random random = gk_random_new(seed, 201);
    double digit_px = gk_random_between(&random, 16, 25), camera_px = random_camera_px(&random);
    struct gk_strip_plan plan = random_print(embossed, &random);
    if (!set_number(&plan, number, grouping)) {
        return -1;
    }
    double width = gk_strip_line_width(&plan), most = NUMBER_WIDEST_MM / plan.digit_mm;
    if (width > most) {
        plan.squeeze *= most / width;
        width = gk_strip_line_width(&plan);
    }
    /* The camera may see it wider than it is by 15 in a hundred. */
    double ends = gk_random_between(&random, 0.6, 3);
    struct gk_mint_line line = {.width_px = (int)((width * 1.15 + 2 * ends) * digit_px),
                                .digit_height_px = digit_px};
    line.grey = malloc((size_t)line.width_px * GK_MINT_STRIP_HEIGHT_PX);
    if (line.grey == NULL || take_strip(&plan, digit_px, camera_px, line.width_px, &random, line.grey) != 0) {
        free(line.grey);
        return -1;
    }
    *ret_line = line;
    return 0;
}
