/* guika plugin preview: the layouts drawn over a blank card, or over the card in a photograph. */
#include "clients/cli/cli.h"
#include "clients/cli/plugin/plugin.h"
#include "clients/cli/reading/explain_draw.h"
#include "core/recognition/card_finder.h"
#include "core/recognition/model.h"
#include "core/recognition/picture.h"
#include "core/recognition/rectify.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN_PX 20
#define CAPTION_PX 34
#define BLANK_GREY 226
#define LARGEST_PHOTO_BYTES (9L * 1024 * 1024)
#define PANELS_MOST 16 /* layouts of a plugin (guika/issuer.h) */

static const char help[] =
    "usage: guika plugin preview FILE.so [--photo FILE] -o OUT.png\n"
    "\n"
    "Draws each layout: where the number may stand (blue), and what a kept picture does not show (red).\n"
    "\n"
    "  --photo FILE         over the card in this photograph (JPEG or PNG, the card upright) instead of a "
    "blank\n"
    "                       card; OUT.png then shows the card, and is readable by you alone\n"
    "  -o OUT, --out OUT    the picture to write (PNG)\n" GK_CLI_LOCAL_HELP;

/* A photograph and the card in it. */
struct photo {
    struct gk_picture picture;
    struct gk_quad card; /* clockwise from a long side's left end */
};

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = file == NULL ? NULL : malloc(LARGEST_PHOTO_BYTES);
    if (data != NULL) {
        *ret_size = fread(data, 1, LARGEST_PHOTO_BYTES, file);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return data;
}

static bool find_card(struct photo *photo)
{
    struct gk_network *network = NULL;
    struct gk_found_card found[GK_CARD_FINDER_MOST];
    struct gk_sight sight;
    size_t size = 0, count = 0;
    const uint8_t *model = gk_model_bytes(&size);
    if (gk_network_load(model, size, GK_SIGHT_NETWORK, &network, NULL) == GK_OK &&
        gk_sight_of_picture(network, &photo->picture.image, &sight)) {
        count = gk_cards_find(&sight, &photo->picture.image, found);
    }
    gk_network_free(network);
    if (count > 0) {
        photo->card = found[0].quad;
    }
    return count > 0;
}

/* False where there is no card to draw on, which was told. */
static bool open_photo(const char *path, struct photo *ret_photo)
{
    size_t size = 0;
    struct gk_error error = {0};
    struct photo photo;
    uint8_t *data = read_file(path, &size);
    if (data == NULL) {
        fprintf(stderr, "guika plugin preview: %s cannot be read\n", path);
        return false;
    }
    enum gk_status status = gk_picture_decode_colour(data, size, &photo.picture, &error);
    free(data);
    if (status != GK_OK) {
        fprintf(stderr, "guika plugin preview: %s: %s\n", path, error.message);
        return false;
    }
    if (!find_card(&photo)) {
        fprintf(stderr, "guika plugin preview: %s: no card was found in it\n", path);
        gk_picture_clear(&photo.picture);
        return false;
    }
    *ret_photo = photo;
    return true;
}

/* Does the card stand on its short side in the photograph? */
static bool is_portrait(const struct photo *photo)
{
    const struct gk_point *from = &photo->card.corner[0], *to = &photo->card.corner[1];
    return fabs(to->y - from->y) > fabs(to->x - from->x);
}

/* The card lies upright in the photograph: of the turns that fit the layout, the one whose first corner is
 * nearest to the photograph's. */
static bool card_of_photo(const struct photo *photo, bool portrait, struct gk_image *ret_card)
{
    struct gk_homography view;
    struct gk_quad upright = gk_quad_turned(&photo->card, portrait);
    struct gk_quad other = gk_quad_turned(&photo->card, portrait ? 3 : 2);
    if (other.corner[0].x + other.corner[0].y < upright.corner[0].x + upright.corner[0].y) {
        upright = other;
    }
    return gk_homography_from_quad(&upright, portrait ? GK_CARD_HEIGHT_PX : GK_CARD_WIDTH_PX,
                                   portrait ? GK_CARD_WIDTH_PX : GK_CARD_HEIGHT_PX, &view) &&
           gk_rectify(&photo->picture.image, &view, true, ret_card);
}

static bool blank_card(bool portrait, struct gk_image *ret_card)
{
    int width = portrait ? GK_CARD_HEIGHT_PX : GK_CARD_WIDTH_PX;
    int height = portrait ? GK_CARD_WIDTH_PX : GK_CARD_HEIGHT_PX;
    bool made = gk_image_make(width, height, false, ret_card);
    if (made) {
        memset(ret_card->grey, BLANK_GREY, (size_t)width * (size_t)height);
    }
    return made;
}

/* A layout drawn on its card. */
struct panel {
    cairo_surface_t *surface;
    const struct guika_layout *layout;
};

/* One layout on its card; NULL where memory ran out. */
static cairo_surface_t *draw_panel(const struct guika_issuer *issuer, const struct guika_layout *layout,
                                   const struct photo *photo)
{
    const struct guika_issuer alone = {.id = issuer->id, .layouts = layout, .layout_count = 1};
    const struct guika_issuer *shelf = &alone;
    struct gk_image image;
    if (!(photo == NULL ? blank_card(layout->portrait, &image)
                        : card_of_photo(photo, layout->portrait, &image))) {
        return NULL;
    }
    const struct gk_seen_card card = {.image = &image, .issuers = &shelf, .issuer_count = 1};
    cairo_surface_t *surface = gk_explain_draw_card(&card);
    gk_image_clear(&image);
    return surface;
}

static void place_panel(cairo_t *cr, const struct panel *panel, double y)
{
    const struct guika_layout *layout = panel->layout;
    static const char *const prints[] = {"flat or embossed", "flat", "embossed"};
    char caption[160];
    snprintf(caption, sizeof caption,
             "\"%s\": %s, %s; blue: places of the number (%zu), red: hidden in kept pictures (%zu)",
             layout->name, layout->side == GUIKA_SIDE_BACK ? "back" : "front",
             (size_t)layout->print < 3 ? prints[layout->print] : "?", layout->number_count,
             layout->redact_count);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_move_to(cr, MARGIN_PX, y + CAPTION_PX - 12);
    cairo_show_text(cr, caption);
    cairo_set_source_surface(cr, panel->surface, MARGIN_PX, y + CAPTION_PX);
    cairo_paint(cr);
}

/* All panels below each other. */
static cairo_surface_t *compose(const struct panel *panels, size_t count)
{
    int width = 0, height = MARGIN_PX;
    for (size_t i = 0; i < count; i++) {
        int panel = cairo_image_surface_get_width(panels[i].surface);
        width = panel > width ? panel : width;
        height += cairo_image_surface_get_height(panels[i].surface) + CAPTION_PX + MARGIN_PX;
    }
    cairo_surface_t *sheet = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width + 2 * MARGIN_PX, height);
    cairo_t *cr = cairo_create(sheet);
    double y = MARGIN_PX / 2.0;
    cairo_set_source_rgb(cr, 0.13, 0.13, 0.15);
    cairo_paint(cr);
    cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cr, 18);
    for (size_t i = 0; i < count; i++) {
        place_panel(cr, &panels[i], y);
        y += cairo_image_surface_get_height(panels[i].surface) + CAPTION_PX + MARGIN_PX;
    }
    cairo_destroy(cr);
    return sheet;
}

/* Draws the layouts that stand as the card in the photograph does; returns how many. */
static size_t draw_panels(const struct guika_issuer *issuer, const struct photo *photo,
                          struct panel panels[PANELS_MOST])
{
    size_t count = 0;
    for (size_t i = 0; i < issuer->layout_count; i++) {
        const struct guika_layout *layout = &issuer->layouts[i];
        if (photo == NULL || layout->portrait == is_portrait(photo)) {
            panels[count] = (struct panel){draw_panel(issuer, layout, photo), layout};
            count += panels[count].surface != NULL;
        }
    }
    return count;
}

static int preview(const struct guika_issuer *issuer, const struct photo *photo, const char *out)
{
    struct panel panels[PANELS_MOST];
    size_t count = draw_panels(issuer, photo, panels);
    if (count == 0) {
        fprintf(stderr,
                "guika plugin preview: no layout of %s stands as the card in the photograph does; turn it\n",
                issuer->id);
        return 1;
    }
    cairo_surface_t *sheet = compose(panels, count);
    cairo_status_t status = gk_explain_write_png(sheet, out);
    cairo_surface_destroy(sheet);
    for (size_t i = 0; i < count; i++) {
        cairo_surface_destroy(panels[i].surface);
    }
    if (status != CAIRO_STATUS_SUCCESS) {
        fprintf(stderr, "guika plugin preview: cannot write %s: %s\n", out,
                status == CAIRO_STATUS_WRITE_ERROR ? strerror(errno) : cairo_status_to_string(status));
    }
    return status == CAIRO_STATUS_SUCCESS ? 0 : 1;
}

int gk_cli_plugin_preview(int argc, char **argv)
{
    struct gk_cli cli;
    const char *out = NULL, *photo_file = NULL;
    struct gk_plugin *plugin = NULL;
    struct photo photo;
    const struct gk_cli_option options[] = {{"out", &out, NULL}, {"photo", &photo_file, NULL}};
    gk_cli_plugin_long_out(argc, argv);
    int exit_status = gk_cli_begin_local(&cli, "plugin preview", help, argc, argv, options, 2);
    if (exit_status == GK_CLI_GO_ON && (cli.argument_count != 1 || out == NULL)) {
        exit_status = gk_cli_usage(&cli, "takes one file, and -o OUT.png");
    }
    if (exit_status == GK_CLI_GO_ON) {
        const struct guika_issuer *issuer =
            gk_cli_plugin_open("guika plugin preview", cli.arguments[0], &plugin);
        exit_status = 1;
        if (issuer != NULL && photo_file == NULL) {
            exit_status = preview(issuer, NULL, out);
        } else if (issuer != NULL && open_photo(photo_file, &photo)) {
            exit_status = preview(issuer, &photo, out);
            gk_picture_clear(&photo.picture);
        }
    }
    gk_plugin_close(plugin);
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
