/* Print of sketches: fonts, words, flat and embossed lines. */
#include "tests/mint/sketch.h"

#include <math.h>
#include <string.h>

static const char *const digit_fonts[] = {"OCR B",
                                          "OCRA",
                                          "OCR B",
                                          "Cousine",
                                          "Inconsolata",
                                          "DejaVu Sans Mono",
                                          "Roboto",
                                          "Arimo",
                                          "Lato",
                                          "Open Sans",
                                          "Tinos",
                                          "Liberation Sans",
                                          "Nimbus Sans",
                                          "Liberation Mono",
                                          "DejaVu Sans",
                                          "DejaVu Serif",
                                          "Roboto Condensed",
                                          "Liberation Sans Narrow",
                                          "Nimbus Mono PS",
                                          "Noto Sans CJK SC",
                                          "URW Gothic"};
static const char *const text_fonts[] = {"Roboto",
                                         "Arimo",
                                         "Lato",
                                         "Open Sans",
                                         "Tinos",
                                         "Nimbus Roman",
                                         "URW Bookman",
                                         "URW Gothic",
                                         "C059",
                                         "P052",
                                         "Z003",
                                         "Cousine",
                                         "Roboto Condensed",
                                         "DejaVu Sans",
                                         "DejaVu Serif",
                                         "OCR B",
                                         "Liberation Sans",
                                         "Open Sans Condensed"};

#define COUNT(list) (uint32_t)(sizeof(list) / sizeof *(list))

struct gk_font gk_sketch_font(struct gk_random *random, bool digits)
{
    const char *family = digits ? digit_fonts[gk_random_below(random, COUNT(digit_fonts))]
                                : text_fonts[gk_random_below(random, COUNT(text_fonts))];
    bool bold = gk_random_chance(random, 0.35), slanted = gk_random_chance(random, 0.08);
    return (struct gk_font){family, bold, slanted};
}

static size_t put_chinese(uint32_t code, char *out)
{
    out[0] = (char)(0xe0 | (code >> 12));
    out[1] = (char)(0x80 | ((code >> 6) & 63));
    out[2] = (char)(0x80 | (code & 63));
    return 3;
}

void gk_sketch_words(struct gk_random *random, int letters, char *text)
{
    static const char lower[] = "eeeaaiioourrttnnssllccddmmpphhgbfywkvxzjq";
    bool chinese = gk_random_chance(random, 0.25), capitals = gk_random_chance(random, 0.4), first = true;
    size_t length = 0;
    for (int i = 0; i < letters && length < 120; i++) {
        if (!first && i + 1 < letters && gk_random_chance(random, chinese ? 0.06 : 0.16)) {
            text[length++] = ' ';
            first = true;
            continue;
        }
        if (chinese) {
            length += put_chinese(0x4e00 + gk_random_below(random, 0x1800), text + length);
        } else {
            char letter = lower[gk_random_below(random, sizeof lower - 1)];
            text[length++] = (char)(capitals || first ? letter - 32 : letter);
        }
        first = false;
    }
    text[length] = '\0';
}

/* Cairo's own selection shows boxes for what a font lacks. */
static struct gk_font font_for(const struct gk_sketch_print *print, const char *text)
{
    bool chinese = strpbrk(text, "\xe4\xe5\xe6") != NULL;
    return chinese ? (struct gk_font){"Noto Sans CJK SC", print->font.bold, false} : print->font;
}

static double step_of(const struct gk_sketch_print *print, char character)
{
    return character == ' ' ? 0.9 * print->pitch_mm : print->pitch_mm;
}

double gk_sketch_print_width(cairo_t *cr, const struct gk_sketch_print *print, double height_mm,
                             const char *text)
{
    if (print->pitch_mm <= 0) {
        return gk_text_width(cr, font_for(print, text), height_mm, text);
    }
    double width = 0;
    for (; *text != '\0'; text++) {
        width += step_of(print, *text);
    }
    return width;
}

static void put(cairo_t *cr, const struct gk_sketch_print *print, double x_mm, double y_mm, double height_mm,
                const char *text)
{
    if (print->pitch_mm <= 0) {
        gk_text(cr, font_for(print, text), x_mm, y_mm, height_mm, text);
        return;
    }
    for (; *text != '\0'; text++) {
        char one[2] = {*text, '\0'};
        if (print->stamped) {
            gk_glyph_embossed(cr, *text, x_mm + print->pitch_mm / 2, y_mm, height_mm, height_mm * 0.16);
        } else if (*text != ' ') {
            double width = gk_text_width(cr, print->font, height_mm, one);
            gk_text(cr, print->font, x_mm + (print->pitch_mm - width) / 2, y_mm, height_mm, one);
        }
        x_mm += step_of(print, *text);
    }
}

double gk_sketch_print(cairo_t *cr, const struct gk_sketch_print *print, double x_mm, double y_mm,
                       double height_mm, const char *text)
{
    if (print->embossed) {
        double dx = print->light_x * print->relief_mm, dy = print->light_y * print->relief_mm;
        cairo_set_source_rgba(cr, 0, 0, 0, 0.55);
        put(cr, print, x_mm - dx, y_mm - dy, height_mm, text);
        cairo_set_source_rgba(cr, 1, 1, 1, 0.6);
        put(cr, print, x_mm + dx, y_mm + dy, height_mm, text);
    }
    cairo_set_source_rgba(cr, print->level, print->level, print->level, print->alpha);
    put(cr, print, x_mm, y_mm, height_mm, text);
    return gk_sketch_print_width(cr, print, height_mm, text);
}
