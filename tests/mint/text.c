/* Text by Cairo's own font selection, and the mint's drawing of embossed digits. */
#include "tests/mint/mint_internal.h"

#include <math.h>

/* Size at which the height of an '8' is measured. */
#define PROBE_SIZE 10.0

static void select_font(cairo_t *cr, struct gk_font font, double height_mm)
{
    cairo_text_extents_t extents;
    cairo_select_font_face(cr, font.family, font.slanted ? CAIRO_FONT_SLANT_ITALIC : CAIRO_FONT_SLANT_NORMAL,
                           font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, PROBE_SIZE);
    cairo_text_extents(cr, "8", &extents);
    cairo_set_font_size(cr, extents.height > 0 ? PROBE_SIZE * height_mm / extents.height : height_mm * 1.4);
}

double gk_text_width(cairo_t *cr, struct gk_font font, double height_mm, const char *text)
{
    cairo_text_extents_t extents;
    select_font(cr, font, height_mm);
    cairo_text_extents(cr, text, &extents);
    return extents.x_advance;
}

double gk_text(cairo_t *cr, struct gk_font font, double x_mm, double y_mm, double height_mm, const char *text)
{
    double width_mm = gk_text_width(cr, font, height_mm, text);
    cairo_move_to(cr, x_mm, y_mm + height_mm / 2);
    cairo_show_text(cr, text);
    return width_mm;
}

double gk_text_within(cairo_t *cr, struct gk_font font, double x_mm, double y_mm, double height_mm,
                      double width_mm, const char *text)
{
    double natural_mm = gk_text_width(cr, font, height_mm, text);
    double narrowing = natural_mm > width_mm ? width_mm / natural_mm : 1;
    cairo_save(cr);
    cairo_translate(cr, x_mm, y_mm);
    cairo_scale(cr, narrowing, 1);
    gk_text(cr, font, 0, 0, height_mm, text);
    cairo_restore(cr);
    return natural_mm * narrowing;
}

/*
 * Digits as strokes on a unit square, x to the right, y down. Corners are rounded when drawn. A stroke that
 * ends where it began is closed. Square shapes with a narrow top on 3 and 8 and an open 4, as embossers make
 * them.
 */
struct stroke {
    int count;
    double points[9][2];
};

static const struct stroke digits[10][2] = {
    {{5, {{0, 0}, {1, 0}, {1, 1}, {0, 1}, {0, 0}}}},
    {{3, {{0.1, 0.16}, {0.52, 0}, {0.52, 1}}}, {2, {{0.08, 1}, {0.96, 1}}}},
    {{6, {{0, 0}, {0.96, 0}, {0.96, 0.47}, {0, 0.47}, {0, 1}, {1, 1}}}},
    {{4, {{0, 0}, {0.86, 0}, {0.86, 0.44}, {0.3, 0.44}}}, {4, {{0.3, 0.44}, {1, 0.44}, {1, 1}, {0, 1}}}},
    {{3, {{0.12, 0}, {0, 0.64}, {1, 0.64}}}, {2, {{0.72, 0.34}, {0.72, 1}}}},
    {{6, {{0.94, 0}, {0.1, 0}, {0.1, 0.44}, {1, 0.44}, {1, 1}, {0, 1}}}},
    {{7, {{0.3, 0}, {0.04, 0}, {0, 1}, {1, 1}, {1, 0.45}, {0.04, 0.45}, {0.04, 0.5}}}},
    {{5, {{0, 0.2}, {0, 0}, {1, 0}, {0.46, 0.52}, {0.46, 1}}}},
    {{5, {{0.14, 0}, {0.86, 0}, {0.86, 0.45}, {0.14, 0.45}, {0.14, 0}}},
     {5, {{0, 0.45}, {1, 0.45}, {1, 1}, {0, 1}, {0, 0.45}}}},
    {{7, {{0.62, 1}, {0.96, 1}, {1, 0}, {0, 0}, {0, 0.55}, {0.96, 0.55}, {0.96, 0.5}}}},
};

#define CORNER_MM 0.55
#define WIDTH_TO_HEIGHT 0.6

static void turn(cairo_t *cr, const double *from, const double *corner, const double *to, double radius)
{
    double in = hypot(from[0] - corner[0], from[1] - corner[1]);
    double out = hypot(to[0] - corner[0], to[1] - corner[1]);
    double in_share = fmin(radius, in / 2) / in, out_share = fmin(radius, out / 2) / out;
    double start[2], end[2];
    for (int axis = 0; axis < 2; axis++) {
        start[axis] = corner[axis] + (from[axis] - corner[axis]) * in_share;
        end[axis] = corner[axis] + (to[axis] - corner[axis]) * out_share;
    }
    cairo_line_to(cr, start[0], start[1]);
    cairo_curve_to(cr, corner[0] + (start[0] - corner[0]) * 0.45, corner[1] + (start[1] - corner[1]) * 0.45,
                   corner[0] + (end[0] - corner[0]) * 0.45, corner[1] + (end[1] - corner[1]) * 0.45, end[0],
                   end[1]);
}

static void draw_stroke(cairo_t *cr, const struct stroke *stroke, double x_mm, double y_mm, double height_mm,
                        double line_mm)
{
    double points[9][2], radius = CORNER_MM * height_mm / GK_MINT_PAYMENT_DIGIT_HEIGHT_MM;
    double height = height_mm - line_mm;
    int last = stroke->count - 1;
    for (int i = 0; i <= last; i++) {
        points[i][0] = x_mm + (stroke->points[i][0] - 0.5) * height * WIDTH_TO_HEIGHT;
        points[i][1] = y_mm + (stroke->points[i][1] - 0.5) * height;
    }
    bool closed =
        stroke->points[0][0] == stroke->points[last][0] && stroke->points[0][1] == stroke->points[last][1];
    if (closed) {
        cairo_move_to(cr, (points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2);
    } else {
        cairo_move_to(cr, points[0][0], points[0][1]);
    }
    for (int i = 1; i < last; i++) {
        turn(cr, points[i - 1], points[i], points[i + 1], radius);
    }
    if (closed) {
        turn(cr, points[last - 1], points[last], points[1], radius);
        cairo_close_path(cr);
    } else {
        cairo_line_to(cr, points[last][0], points[last][1]);
    }
    cairo_set_line_width(cr, line_mm);
    cairo_stroke(cr);
}

void gk_glyph_embossed(cairo_t *cr, char digit, double x_mm, double y_mm, double height_mm, double line_mm)
{
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    if (digit == '/') {
        static const struct stroke slash = {2, {{0.9, 0}, {0.1, 1}}};
        draw_stroke(cr, &slash, x_mm, y_mm, height_mm, line_mm);
    }
    if (digit < '0' || digit > '9') {
        return;
    }
    for (int i = 0; i < 2 && digits[digit - '0'][i].count > 0; i++) {
        draw_stroke(cr, &digits[digit - '0'][i], x_mm, y_mm, height_mm, line_mm);
    }
}
