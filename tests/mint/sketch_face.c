/* The print on sketched cards: the number, or none, and everything else that has letters or digits. */
#include "tests/mint/sketch.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double between(struct gk_random *random, double low, double high)
{
    return gk_random_between(random, low, high);
}

static bool is_free(const struct gk_sketch_face *face, struct gk_box box)
{
    for (size_t i = 0; i < face->taken_count; i++) {
        const struct gk_box *other = &face->taken[i];
        if (box.left < other->right && box.right > other->left && box.top < other->bottom &&
            box.bottom > other->top) {
            return false;
        }
    }
    return true;
}

static void take(struct gk_sketch_face *face, struct gk_box box)
{
    if (face->taken_count < GK_SKETCH_TAKEN_MOST) {
        face->taken[face->taken_count++] = box;
    }
}

static struct gk_box box_of(double x, double y, double width, double height)
{
    return (struct gk_box){x, y - height / 2, x + width, y + height / 2};
}

static struct gk_box grown(struct gk_box box, double by)
{
    return (struct gk_box){box.left - by, box.top - by, box.right + by, box.bottom + by};
}

/* Mean level of the face under a box. */
static double level_under(const struct gk_sketch_face *face, struct gk_box box)
{
    int width = cairo_image_surface_get_width(face->surface),
        height = cairo_image_surface_get_height(face->surface);
    int stride = cairo_image_surface_get_stride(face->surface), count = 0, sum = 0;
    cairo_surface_flush(face->surface);
    const unsigned char *pixels = cairo_image_surface_get_data(face->surface);
    for (int y = (int)(box.top * face->scale); y < (int)(box.bottom * face->scale); y += 2) {
        for (int x = (int)(box.left * face->scale); x < (int)(box.right * face->scale); x += 3) {
            if (x >= 0 && y >= 0 && x < width && y < height) {
                sum += pixels[(ptrdiff_t)y * stride + x * 4];
                count++;
            }
        }
    }
    return count > 0 ? sum / (255.0 * count) : 0.5;
}

/* A level that stands out from the ground by `contrast`, to the side where there is room, mostly. */
static double level_against(struct gk_random *random, double ground, double contrast)
{
    double side = gk_random_chance(random, 0.8) ? (ground > 0.5 ? -1 : 1) : (ground > 0.5 ? 1 : -1);
    double level = ground + side * contrast;
    if (level < -0.1 || level > 1.1) {
        level = ground - side * contrast;
    }
    return fmin(fmax(level, 0), 1);
}

static struct gk_sketch_print embossing(struct gk_random *random, double height)
{
    double turn = between(random, 0, 2 * GK_PI);
    struct gk_sketch_print print = {.font = gk_sketch_font(random, true), .embossed = true};
    print.stamped = gk_random_chance(random, 0.6);
    if (!print.stamped && gk_random_chance(random, 0.7)) {
        print.font = (struct gk_font){gk_random_chance(random, 0.5) ? "OCR B" : "OCRA", false, false};
    }
    print.pitch_mm = height * between(random, 0.8, 1.0);
    print.relief_mm = between(random, 0.15, 0.4);
    print.light_x = cos(turn);
    print.light_y = sin(turn);
    print.alpha = gk_random_chance(random, 0.35) ? between(random, 0.1, 0.5) : between(random, 0.5, 1);
    return print;
}

static struct gk_sketch_print flat_print(struct gk_random *random, bool digits)
{
    return (struct gk_sketch_print){.font = gk_sketch_font(random, digits), .alpha = between(random, 0.7, 1)};
}

/* Digits in groups, e.g. "4-4-4-4"; a letter before them or a digit in brackets now and then. */
static void random_number(struct gk_random *random, const char *grouping, char *text)
{
    size_t length = 0;
    bool dull = gk_random_chance(random, 0.25); /* specimens repeat a digit */
    uint32_t dull_digit = gk_random_below(random, 10);
    for (; *grouping != '\0'; grouping++) {
        int size = *grouping == '-' ? 0 : *grouping - 'a' + 1;
        if (size == 0) {
            text[length++] = ' ';
        }
        for (int i = 0; i < size; i++) {
            bool same = dull && length > 6;
            text[length++] = (char)('0' + (same ? dull_digit : gk_random_below(random, 10)));
        }
    }
    text[length] = '\0';
}

/* 'a' is a group of one digit, 'b' of two, and so on. */
static const char *const payment_groupings[] = {"d-d-d-d", "d-d-d-d", "d-d-d-d",   "d-d-d-d", "d-f-e", "f-m",
                                                "p",       "s",       "d-d-d-d-c", "e-d-e-e", "d-f-d"};
static const char *const other_groupings[] = {"h",     "i",     "j",     "j",     "r",   "r",     "k", "l",
                                              "b-c-c", "f-h-d", "d-d-a", "c-c-c", "e-e", "d-d-d", "n", "d-d"};
#define COUNT(list) (uint32_t)(sizeof(list) / sizeof *(list))

static void add_row(struct gk_sketch_face *face, struct gk_box box)
{
    if (face->row_count < GK_SKETCH_ROWS_MOST) {
        face->rows[face->row_count++] = box;
    }
    take(face, grown(box, 0.5));
}

/* A plate under the number, as stickers and covered numbers have. */
static void lay_plate(struct gk_sketch_face *face, struct gk_random *random, struct gk_box box)
{
    double level = gk_random_chance(random, 0.5) ? between(random, 0, 0.2) : between(random, 0.75, 1);
    struct gk_box plate = grown(box, between(random, 0.5, 2.5));
    cairo_set_source_rgba(face->cr, level, level, level, between(random, 0.6, 1));
    cairo_rectangle(face->cr, plate.left, plate.top, plate.right - plate.left, plate.bottom - plate.top);
    cairo_fill(face->cr);
}

static double contrast_of(struct gk_random *random, const struct gk_sketch_print *print)
{
    return print->embossed && gk_random_chance(random, 0.5) ? between(random, 0, 0.3)
                                                            : between(random, 0.2, 1);
}

/* Four rows of four (or three to five of their like). */
static void print_block(struct gk_sketch_face *face, struct gk_random *random)
{
    double height = between(random, 2.6, 4.4), step = height * between(random, 1.35, 2.2);
    struct gk_sketch_print print = flat_print(random, true);
    int rows = gk_random_chance(random, 0.85) ? 4 : 3 + (int)gk_random_below(random, 3);
    print.pitch_mm = gk_random_chance(random, 0.5) ? height * between(random, 0.7, 1.1) : 0;
    double x = between(random, 3, face->width_mm * 0.75), y = between(random, 4, 20);
    char text[16];
    for (int i = 0; i < rows && y < face->height_mm - 3; i++, y += step) {
        random_number(random, "d", text);
        double width = gk_sketch_print_width(face->cr, &print, height, text);
        struct gk_box box = box_of(x, y, width, height);
        if (i == 0) {
            print.level = level_against(random, level_under(face, box), between(random, 0.3, 1));
        }
        gk_sketch_print(face->cr, &print, x, y, height, text);
        add_row(face, box);
    }
}

/* Where the row begins and how high it stands: mostly where payment cards have it, else anywhere. */
static void place_row(const struct gk_sketch_face *face, struct gk_random *random, double width,
                      double height, double *ret_x, double *ret_y)
{
    double room = fmax(face->width_mm - width - 2, 0.5), tall = face->height_mm;
    double x = between(random, 1, room), y = between(random, height, tall - height);
    if (gk_random_chance(random, 0.55)) {
        x = gk_random_chance(random, 0.7) ? fmin(between(random, 5, 14), room) : room - between(random, 0, 4);
        y = tall *
            (gk_random_chance(random, 0.7) ? between(random, 0.52, 0.68) : between(random, 0.72, 0.93));
    }
    *ret_x = x;
    *ret_y = y;
}

static void print_row(struct gk_sketch_face *face, struct gk_random *random)
{
    bool payment = gk_random_chance(random, 0.65), embossed = payment && gk_random_chance(random, 0.6);
    double height = embossed ? between(random, 3.2, 4.8) : exp(between(random, log(1.7), log(5.0)));
    struct gk_sketch_print print = embossed ? embossing(random, height) : flat_print(random, true);
    char text[64];
    random_number(random,
                  payment ? payment_groupings[gk_random_below(random, COUNT(payment_groupings))]
                          : other_groupings[gk_random_below(random, COUNT(other_groupings))],
                  text);
    if (!embossed && gk_random_chance(random, 0.4)) {
        print.pitch_mm = height * between(random, 0.68, 1.1);
    }
    double width = gk_sketch_print_width(face->cr, &print, height, text), most = face->width_mm - 3;
    if (width > most) {
        height *= most / width;
        print.pitch_mm *= most / width;
        width = gk_sketch_print_width(face->cr, &print, height, text);
    }
    double x, y;
    place_row(face, random, width, height, &x, &y);
    struct gk_box box = box_of(x, y, width, height);
    if (!embossed && gk_random_chance(random, 0.15)) {
        lay_plate(face, random, box);
    }
    print.level = level_against(random, level_under(face, box), contrast_of(random, &print));
    gk_sketch_print(face->cr, &print, x, y, height, text);
    add_row(face, box);
    if (gk_random_chance(random, 0.3)) { /* a word right before it */
        char words[128];
        gk_sketch_words(random, 2 + (int)gk_random_below(random, 8), words);
        struct gk_sketch_print label = flat_print(random, false);
        label.level = print.level;
        double size = height * between(random, 0.6, 1.05);
        double before = gk_sketch_print_width(face->cr, &label, size, words);
        gk_sketch_print(face->cr, &label, x - before - between(random, 0.5, 3) * height / 2, y, size, words);
    }
}

/* Digits that are no number. Short ones, and ones with the signs of dates and telephones. */
static void random_figures(struct gk_random *random, char *text)
{
    uint32_t a = gk_random_below(random, 10000), b = gk_random_below(random, 10000),
             c = gk_random_below(random, 100);
    switch (gk_random_below(random, 7)) {
    case 0:
        snprintf(text, 64, "%02u/%02u", c % 12 + 1, b % 100);
        break;
    case 1:
        snprintf(text, 64, "%04u", a);
        break;
    case 2:
        snprintf(text, 64, "%03u-%04u-%04u", c, a, b);
        break;
    case 3:
        snprintf(text, 64, "%02u.%02u.%04u", c % 28 + 1, a % 12 + 1, 1940 + b % 100);
        break;
    case 4:
        snprintf(text, 64, "%02u/%02u-%02u/%02u", c % 12 + 1, b % 100, a % 12 + 1, a / 12 % 100);
        break;
    case 5:
        snprintf(text, 64, "+%u (%03u) %04u", c, a % 1000, b);
        break;
    default:
        snprintf(text, 64, "%05u", a * 7 % 100000);
    }
}

static void print_other(struct gk_sketch_face *face, struct gk_random *random, bool figures)
{
    char text[128], label[160];
    double height = exp(between(random, log(1.2), log(figures ? 3.6 : 5.5)));
    bool embossed = gk_random_chance(random, 0.2);
    struct gk_sketch_print print = embossed ? embossing(random, height) : flat_print(random, figures);
    if (figures) {
        random_figures(random, text);
    } else {
        gk_sketch_words(random, 3 + (int)gk_random_below(random, 24), text);
    }
    print.stamped = print.stamped && figures;
    print.pitch_mm = figures && embossed ? print.pitch_mm : 0;
    if (print.stamped && strspn(text, "0123456789/ ") != strlen(text)) {
        print.stamped = false;
    }
    if (figures && !embossed && gk_random_chance(random, 0.3)) {
        char words[32];
        gk_sketch_words(random, 3, words);
        snprintf(label, sizeof label, "%s %s", words, text);
        memcpy(text, label, sizeof text - 1);
    }
    double width = gk_sketch_print_width(face->cr, &print, height, text);
    double x = between(random, 1, fmax(face->width_mm - width, 3)),
           y = between(random, 2, face->height_mm - 2);
    struct gk_box box = box_of(x, y, width, height * 1.2);
    if (!is_free(face, grown(box, 0.4))) {
        return;
    }
    print.level = level_against(random, level_under(face, box), contrast_of(random, &print));
    gk_sketch_print(face->cr, &print, x, y, height, text);
    take(face, box);
    if (figures && face->figure_count < GK_SKETCH_FIGURES_MOST) {
        face->figures[face->figure_count++] = grown(box, 0.6);
    }
}

/* A paragraph, as on the back of cards. */
static void print_paragraph(struct gk_sketch_face *face, struct gk_random *random)
{
    char text[128];
    double height = between(random, 0.8, 1.8), x = between(random, 2, face->width_mm / 2),
           y = between(random, 4, face->height_mm);
    struct gk_sketch_print print = flat_print(random, false);
    print.level = level_against(random, level_under(face, box_of(x, y, 20, 4)), between(random, 0.3, 1));
    for (int i = 0; i < 6 && y < face->height_mm - 2; i++, y += height * 1.7) {
        gk_sketch_words(random, 20 + (int)gk_random_below(random, 30), text);
        double width = gk_sketch_print_width(face->cr, &print, height, text);
        if (is_free(face, box_of(x, y, width, height * 1.3))) {
            gk_sketch_print(face->cr, &print, x, y, height, text);
            take(face, box_of(x, y, width, height));
        }
    }
}

void gk_sketch_face_clear(struct gk_sketch_face *face)
{
    if (face == NULL) {
        return;
    }
    cairo_destroy(face->cr);
    cairo_surface_destroy(face->surface);
    *face = (struct gk_sketch_face){0};
}

static int make_surface(struct gk_sketch_face *face)
{
    face->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(face->width_mm * face->scale),
                                               (int)ceil(face->height_mm * face->scale));
    face->cr = cairo_create(face->surface);
    cairo_scale(face->cr, face->scale, face->scale);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(face->cr, options);
    cairo_font_options_destroy(options);
    return cairo_status(face->cr) == CAIRO_STATUS_SUCCESS ? 0 : -1;
}

int gk_sketch_face_draw(struct gk_random *random, double scale, struct gk_sketch_face *ret_face)
{
    bool portrait = gk_random_chance(random, 0.1);
    struct gk_sketch_face face = {.scale = scale};
    face.width_mm = portrait ? GK_MINT_CARD_HEIGHT_MM : GK_MINT_CARD_WIDTH_MM;
    face.height_mm = portrait ? GK_MINT_CARD_WIDTH_MM : GK_MINT_CARD_HEIGHT_MM;
    if (make_surface(&face) != 0) {
        gk_sketch_face_clear(&face);
        return -1;
    }
    gk_sketch_artwork(&face, random);
    double kind = between(random, 0, 1);
    if (kind < 0.08) {
        print_block(&face, random);
    } else if (kind < 0.86) {
        print_row(&face, random);
    }
    int lines = (int)gk_random_below(random, 9), figures = (int)gk_random_below(random, 4);
    for (int i = 0; i < figures; i++) {
        print_other(&face, random, true);
    }
    for (int i = 0; i < lines; i++) {
        print_other(&face, random, false);
    }
    if (gk_random_chance(random, 0.15)) {
        print_paragraph(&face, random);
    }
    if (gk_random_chance(random, 0.15)) { /* print and all, as scanned or scratched */
        gk_sketch_texture(face.surface, random, between(random, 0.02, 0.12));
    }
    cairo_surface_flush(face.surface);
    *ret_face = face;
    return 0;
}
