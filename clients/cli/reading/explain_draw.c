#include "clients/cli/reading/explain_draw.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FONT "DejaVu Sans"

/* Layout of the strips' picture, pixels. */
#define STRIPS_WIDTH 1200
#define MARGIN 12
#define HEADING 44
#define CAPTION 20
#define STRIP_HEIGHT 72 /* at most; wide strips are lower */
#define BARS_HEIGHT 36
#define TEXT_HEIGHT 26
#define GAP 18

struct colour {
    double r, g, b;
};

/* By rank: green, orange, blue, magenta, and grey for all further ones. */
static const struct colour rank_colours[] = {
    {0.1, 0.85, 0.2}, {1, 0.6, 0}, {0.25, 0.55, 1}, {0.95, 0.2, 0.85}, {0.7, 0.7, 0.7}};
#define RANK_COLOURS (sizeof rank_colours / sizeof *rank_colours)

static const struct colour blue = {0.2, 0.6, 1}, red = {1, 0.25, 0.2}, green = {0.2, 0.95, 0.3};

static void use(cairo_t *cr, struct colour colour, double alpha)
{
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, alpha);
}

/* From red at 0.5 and below over yellow to green at 1. */
static struct colour colour_of(double probability)
{
    double share = fmin(fmax((probability - 0.5) * 2, 0), 1);
    return (struct colour){fmin(1, 2 - 2 * share), fmin(0.85, 1.7 * share), 0.1};
}

/* The image as an opaque surface. */
static cairo_surface_t *surface_of(const struct gk_image *image)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width_px, image->height_px);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface), width = (size_t)image->width_px;
    for (size_t y = 0; pixels != NULL && y < (size_t)image->height_px; y++) {
        uint32_t *row = (uint32_t *)(void *)(pixels + y * stride);
        for (size_t x = 0; x < width; x++) {
            size_t i = y * width + x;
            const uint8_t *rgb = image->rgb == NULL ? NULL : image->rgb + i * 3;
            row[x] = rgb == NULL ? image->grey[i] * 0x010101u
                                 : (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

/* A label on a dark ground; (x, y) is its left bottom corner. */
static void label(cairo_t *cr, double x, double y, double size, struct colour colour, const char *text)
{
    cairo_text_extents_t extents;
    cairo_select_font_face(cr, FONT, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, size);
    cairo_text_extents(cr, text, &extents);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.65);
    cairo_rectangle(cr, x, y - size * 1.2, extents.x_advance + size * 0.6, size * 1.4);
    cairo_fill(cr);
    use(cr, colour, 1);
    cairo_move_to(cr, x + size * 0.3, y - size * 0.15);
    cairo_show_text(cr, text);
}

static void outline(cairo_t *cr, const struct gk_quad *quad)
{
    for (int i = 0; i < 4; i++) {
        (i == 0 ? cairo_move_to : cairo_line_to)(cr, quad->corner[i].x, quad->corner[i].y);
    }
    cairo_close_path(cr);
    cairo_stroke(cr);
}

cairo_surface_t *gk_explain_draw_photo(const struct gk_image *picture, const struct gk_seen_quad *quads,
                                       size_t count)
{
    cairo_surface_t *surface = surface_of(picture);
    cairo_t *cr = cairo_create(surface);
    double unit = fmax(picture->width_px, picture->height_px) / 640.0;
    for (size_t i = count; i-- > 0;) { /* the best lies on top */
        const struct gk_point *first = &quads[i].quad.corner[0];
        struct colour colour = rank_colours[i < RANK_COLOURS ? i : RANK_COLOURS - 1];
        char text[64];
        use(cr, colour, 0.95);
        cairo_set_line_width(cr, (i == 0 ? 2.4 : 1.2) * unit);
        outline(cr, &quads[i].quad);
        cairo_arc(cr, first->x, first->y, 4 * unit, 0, 6.2832);
        cairo_fill(cr);
        snprintf(text, sizeof text, "%zu: %.3f%s", i + 1, quads[i].score, quads[i].supplied ? " box" : "");
        double x = fmin(fmax(first->x + 6 * unit, 0), picture->width_px - 80 * unit);
        label(cr, x, fmin(fmax(first->y, 16 * unit), picture->height_px), 12 * unit, colour, text);
    }
    cairo_destroy(cr);
    return surface;
}

static void draw_region(cairo_t *cr, const struct guika_region *region, struct colour colour, bool filled,
                        const char *text)
{
    double scale = GK_CARD_PX_PER_MM, x = region->left_mm * scale, y = region->top_mm * scale;
    cairo_rectangle(cr, x, y, region->width_mm * scale, region->height_mm * scale);
    if (filled) {
        use(cr, colour, 0.12);
        cairo_fill_preserve(cr);
    }
    use(cr, colour, 0.8);
    cairo_stroke(cr);
    label(cr, x, y, 11, colour, text);
}

static void draw_layout(cairo_t *cr, const struct guika_issuer *issuer, const struct guika_layout *layout)
{
    static const double dashes[] = {7, 4};
    char text[96];
    snprintf(text, sizeof text, "%s %s", issuer->id, layout->name);
    cairo_set_line_width(cr, 1.5);
    cairo_set_dash(cr, dashes, 2, 0);
    for (size_t i = 0; i < layout->redact_count; i++) {
        draw_region(cr, &layout->redact[i], red, true, text);
    }
    for (size_t i = 0; i < layout->number_count; i++) {
        draw_region(cr, &layout->numbers[i], blue, false, text);
    }
    cairo_set_dash(cr, NULL, 0, 0);
}

cairo_surface_t *gk_explain_draw_card(const struct gk_seen_card *card)
{
    cairo_surface_t *surface = surface_of(card->image);
    cairo_t *cr = cairo_create(surface);
    bool portrait = card->image->height_px > card->image->width_px;
    for (size_t i = 0; i < card->issuer_count; i++) {
        for (size_t j = 0; j < card->issuers[i]->layout_count; j++) {
            if (card->issuers[i]->layouts[j].portrait == portrait) {
                draw_layout(cr, card->issuers[i], &card->issuers[i]->layouts[j]);
            }
        }
    }
    for (size_t i = card->line_count; i-- > 0;) {
        const struct gk_point *end = &card->lines[i].quad.corner[1];
        char text[48];
        use(cr, green, 1);
        cairo_set_line_width(cr, i == 0 ? 3 : 1.5);
        outline(cr, &card->lines[i].quad);
        snprintf(text, sizeof text, "line %zu: %.3f", i + 1, card->lines[i].score);
        label(cr, fmin(fmax(end->x - 100, 0), card->image->width_px - 110), fmax(end->y, 18), 14, green,
              text);
    }
    cairo_destroy(cr);
    return surface;
}

/* How a strip is enlarged or shrunk. */
static double strip_scale(const struct gk_image *strip)
{
    return fmin((double)STRIP_HEIGHT / strip->height_px,
                (double)(STRIPS_WIDTH - 2 * MARGIN) / strip->width_px);
}

static double block_height(const struct gk_explained_strip *strip)
{
    return CAPTION + strip->image.height_px * strip_scale(&strip->image) + BARS_HEIGHT + TEXT_HEIGHT + GAP;
}

static void draw_character(cairo_t *cr, const struct gk_seen_character *seen, double scale, double y)
{
    double left = MARGIN + seen->left_px * scale, width = fmax(2, (seen->right_px - seen->left_px) * scale);
    double height = (BARS_HEIGHT - 4) * fmin(fmax(seen->probability, 0), 1);
    char text[2] = {seen->character, '\0'};
    cairo_text_extents_t extents;
    cairo_set_source_rgb(cr, 0.25, 0.25, 0.27);
    cairo_rectangle(cr, left + 0.5, y + 2, width - 1, BARS_HEIGHT - 4);
    cairo_fill(cr);
    use(cr, colour_of(seen->probability), 1);
    cairo_rectangle(cr, left + 0.5, y + BARS_HEIGHT - 2 - height, width - 1, height);
    cairo_fill(cr);
    cairo_set_font_size(cr, 22);
    cairo_text_extents(cr, text, &extents);
    cairo_move_to(cr, left + width / 2 - extents.x_advance / 2, y + BARS_HEIGHT + TEXT_HEIGHT - 5);
    cairo_show_text(cr, text);
}

static void draw_strip(cairo_t *cr, const struct gk_explained_strip *strip, double y)
{
    double scale = strip_scale(&strip->image), least = 1, height = strip->image.height_px * scale;
    char caption[128];
    for (size_t i = 0; i < strip->count; i++) {
        least = fmin(least, strip->characters[i].probability);
    }
    int length = snprintf(caption, sizeof caption, "card %zu, line %zu: ", strip->card + 1, strip->line + 1);
    if (strip->count == 0) {
        snprintf(caption + length, sizeof caption - (size_t)length, "nothing");
    } else {
        snprintf(caption + length, sizeof caption - (size_t)length, "%zu characters, least sure %.3f%s",
                 strip->count, least, strip->chosen ? ", believed" : "");
    }
    use(cr, strip->chosen ? green : (struct colour){0.8, 0.8, 0.8}, 1);
    cairo_set_font_size(cr, 14);
    cairo_move_to(cr, MARGIN, y + CAPTION - 6);
    cairo_show_text(cr, caption);
    cairo_surface_t *picture = surface_of(&strip->image);
    cairo_save(cr);
    cairo_translate(cr, MARGIN, y + CAPTION);
    cairo_scale(cr, scale, scale);
    cairo_set_source_surface(cr, picture, 0, 0);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_surface_destroy(picture);
    for (size_t i = 0; i < strip->count; i++) {
        draw_character(cr, &strip->characters[i], scale, y + CAPTION + height);
    }
}

cairo_surface_t *gk_explain_draw_strips(const struct gk_explained_strip *strips, size_t count,
                                        size_t left_out, const char *verdict)
{
    double height = HEADING + MARGIN + (left_out > 0 ? CAPTION : 0);
    for (size_t i = 0; i < count; i++) {
        height += block_height(&strips[i]);
    }
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, STRIPS_WIDTH, (int)height);
    cairo_t *cr = cairo_create(surface);
    cairo_set_source_rgb(cr, 0.1, 0.1, 0.12);
    cairo_paint(cr);
    cairo_select_font_face(cr, FONT, CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_BOLD);
    cairo_set_font_size(cr, 20);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, MARGIN, HEADING - 16);
    cairo_show_text(cr, verdict);
    double y = HEADING;
    for (size_t i = 0; i < count; i++) {
        draw_strip(cr, &strips[i], y);
        y += block_height(&strips[i]);
    }
    if (left_out > 0) {
        char text[64];
        snprintf(text, sizeof text, "and %zu strips more", left_out);
        cairo_set_source_rgb(cr, 1, 1, 1);
        cairo_set_font_size(cr, 14);
        cairo_move_to(cr, MARGIN, y + CAPTION - 6);
        cairo_show_text(cr, text);
    }
    cairo_destroy(cr);
    return surface;
}

static cairo_status_t write_bytes(void *context, const unsigned char *data, unsigned length)
{
    FILE *stream = context;
    return fwrite(data, 1, length, stream) == length ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* Opens a new file for its owner alone; one that is there already goes first, whatever its mode was, but no
 * device and the like. */
static FILE *create_private(const char *path)
{
    struct stat found;
    if (lstat(path, &found) == 0 && !S_ISREG(found.st_mode) && !S_ISLNK(found.st_mode)) {
        errno = EEXIST;
        return NULL;
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return NULL;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *stream = fd < 0 ? NULL : fdopen(fd, "wb");
    if (stream == NULL && fd >= 0) {
        close(fd);
    }
    return stream;
}

cairo_status_t gk_explain_write_png(cairo_surface_t *surface, const char *path)
{
    FILE *stream = create_private(path);
    if (stream == NULL) {
        return CAIRO_STATUS_WRITE_ERROR;
    }
    cairo_status_t status = cairo_surface_write_to_png_stream(surface, write_bytes, stream);
    return fclose(stream) == 0 ? status : CAIRO_STATUS_WRITE_ERROR;
}
