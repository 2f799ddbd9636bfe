#include "plugins/sdk/conformance/sheet.h"

#include <cairo.h>
#include <stdlib.h>

#define COLUMNS 4
#define CELL_WIDTH 330
#define CELL_HEIGHT 280
#define PICTURE_WIDTH 320
#define CAPTION_SIZE 13

struct gk_sheet {
    cairo_surface_t *surface;
    cairo_t *cr;
    size_t count, room;
};

struct gk_sheet *gk_sheet_new(size_t count)
{
    size_t rows = (count + COLUMNS - 1) / COLUMNS;
    struct gk_sheet *sheet = calloc(1, sizeof *sheet);
    if (sheet == NULL) {
        return NULL;
    }
    sheet->room = count;
    sheet->surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, COLUMNS * CELL_WIDTH, (int)rows * CELL_HEIGHT);
    sheet->cr = cairo_create(sheet->surface);
    cairo_set_source_rgb(sheet->cr, 0.13, 0.13, 0.15);
    cairo_paint(sheet->cr);
    cairo_select_font_face(sheet->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(sheet->cr, CAPTION_SIZE);
    return sheet;
}

void gk_sheet_free(struct gk_sheet *sheet)
{
    if (sheet != NULL) {
        cairo_destroy(sheet->cr);
        cairo_surface_destroy(sheet->surface);
        free(sheet);
    }
}

static cairo_surface_t *surface_of(const struct gk_mint_picture *picture)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)picture->width_px, (int)picture->height_px);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (size_t y = 0; pixels != NULL && y < picture->height_px; y++) {
        uint32_t *row = (uint32_t *)(void *)(pixels + y * stride);
        const uint8_t *rgb = picture->rgb + y * picture->width_px * 3;
        for (size_t x = 0; x < picture->width_px; x++, rgb += 3) {
            row[x] = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
        }
    }
    cairo_surface_mark_dirty(surface);
    return surface;
}

void gk_sheet_add(struct gk_sheet *sheet, const struct gk_mint_picture *picture, enum gk_sheet_mark mark,
                  const char *caption)
{
    static const double colours[][3] = {{0.2, 0.85, 0.3}, {0.95, 0.8, 0.2}, {1, 0.25, 0.2}};
    if (sheet->count == sheet->room) {
        return;
    }
    double x = (double)(sheet->count % COLUMNS) * CELL_WIDTH + 5;
    double y = (double)(sheet->count / COLUMNS) * CELL_HEIGHT + 5;
    double scale = (double)PICTURE_WIDTH / picture->width_px;
    cairo_surface_t *surface = surface_of(picture);
    sheet->count++;
    cairo_save(sheet->cr);
    cairo_translate(sheet->cr, x, y);
    cairo_scale(sheet->cr, scale, scale);
    cairo_set_source_surface(sheet->cr, surface, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(sheet->cr), CAIRO_FILTER_GOOD);
    cairo_paint(sheet->cr);
    cairo_restore(sheet->cr);
    cairo_surface_destroy(surface);
    cairo_set_source_rgb(sheet->cr, colours[mark][0], colours[mark][1], colours[mark][2]);
    cairo_set_line_width(sheet->cr, 3);
    cairo_rectangle(sheet->cr, x, y, PICTURE_WIDTH, picture->height_px * scale);
    cairo_stroke(sheet->cr);
    cairo_move_to(sheet->cr, x + 2, y + picture->height_px * scale + CAPTION_SIZE + 5);
    cairo_show_text(sheet->cr, caption);
}

enum gk_status gk_sheet_write(struct gk_sheet *sheet, const char *path, struct gk_error *error)
{
    cairo_status_t status = cairo_surface_write_to_png(sheet->surface, path);
    return status == CAIRO_STATUS_SUCCESS ? GK_OK
                                          : gk_error_set(error, GK_UNAVAILABLE, "cannot write %s: %s", path,
                                                         cairo_status_to_string(status));
}
