/* What the finder is to say about a sketched scene, cell by cell. */
#include "tests/mint/sketch_internal.h"

#include <math.h>
#include <string.h>

#define STRIDE GK_SKETCH_STRIDE_PX
#define CORE_SHARE 0.6     /* of a digit's height that counts as the row */
#define LEAST_CORE_PX 4.8  /* so that no row falls between the cells */
#define LEAST_DIGIT_PX 4.0 /* smaller rows are not asked for, nor held against the net */
#define BORDER_HALF_PX 2.4 /* of the band along a card's outline */

struct row {
    struct gk_mint_point left, right; /* the ends of its centre line, pixels */
    double left_height, right_height;
};

double gk_sketch_edge_distance(double x, double y, double width, double height, double radius)
{
    double dx = fabs(x - width / 2) - (width / 2 - radius), dy = fabs(y - height / 2) - (height / 2 - radius);
    double outside_x = fmax(dx, 0), outside_y = fmax(dy, 0);
    return sqrt(outside_x * outside_x + outside_y * outside_y) + fmin(fmax(dx, dy), 0) - radius;
}

static size_t cells_of(const struct gk_sketch_scene *scene)
{
    return (size_t)(scene->width_px / STRIDE) * (size_t)(scene->height_px / STRIDE);
}

static uint8_t *map_of(struct gk_sketch_scene *scene, enum gk_sketch_map map)
{
    return scene->maps + (size_t)map * cells_of(scene);
}

static uint8_t to_byte(double share)
{
    return (uint8_t)(fmin(fmax(share, 0), 1) * 255 + 0.5);
}

void gk_sketch_label_clear(struct gk_sketch_scene *scene)
{
    memset(scene->maps, 0, GK_SKETCH_MAPS * cells_of(scene));
    memset(map_of(scene, GK_SKETCH_ROW_WEIGHT), 255, cells_of(scene));
    memset(map_of(scene, GK_SKETCH_HEIGHT), 128, cells_of(scene));
}

/* A digit's height across the row at a point of its centre line, pixels. */
static double height_at(const struct gk_sketch_camera *camera, double x, double y, double height_mm,
                        struct gk_mint_point along)
{
    struct gk_mint_point top = gk_sketch_project(camera->to_picture, x, y - height_mm / 2);
    struct gk_mint_point bottom = gk_sketch_project(camera->to_picture, x, y + height_mm / 2);
    return fabs((bottom.x - top.x) * along.y - (bottom.y - top.y) * along.x);
}

static struct row row_of(const struct gk_sketch_camera *camera, struct gk_box box)
{
    double y = (box.top + box.bottom) / 2, height = box.bottom - box.top;
    struct row row = {gk_sketch_project(camera->to_picture, box.left, y),
                      gk_sketch_project(camera->to_picture, box.right, y), 0, 0};
    double length = hypot(row.right.x - row.left.x, row.right.y - row.left.y) + 1e-6;
    struct gk_mint_point along = {(row.right.x - row.left.x) / length, (row.right.y - row.left.y) / length};
    row.left_height = height_at(camera, box.left, y, height, along);
    row.right_height = height_at(camera, box.right, y, height, along);
    return row;
}

static void mark_row(struct gk_sketch_scene *scene, const struct row *row)
{
    int columns = scene->width_px / STRIDE, lines = scene->height_px / STRIDE;
    uint8_t *mask = map_of(scene, GK_SKETCH_ROW), *weight = map_of(scene, GK_SKETCH_ROW_WEIGHT);
    uint8_t *angle = map_of(scene, GK_SKETCH_ANGLE), *height = map_of(scene, GK_SKETCH_HEIGHT);
    double dx = row->right.x - row->left.x, dy = row->right.y - row->left.y, length = hypot(dx, dy) + 1e-6;
    double turn = atan2(dy, dx);
    uint8_t turn_byte = (uint8_t)(int)lround((turn < 0 ? turn + GK_PI : turn) / GK_PI * 256);
    bool tiny = fmin(row->left_height, row->right_height) < LEAST_DIGIT_PX;
    for (int y = 0; y < lines; y++) {
        for (int x = 0; x < columns; x++) {
            double from_x = (x + 0.5) * STRIDE - row->left.x, from_y = (y + 0.5) * STRIDE - row->left.y;
            double along = (from_x * dx + from_y * dy) / length,
                   across = (from_y * dx - from_x * dy) / length;
            double share = fmin(fmax(along / length, 0), 1);
            double digit = row->left_height + (row->right_height - row->left_height) * share;
            double half = fmax(CORE_SHARE * digit, LEAST_CORE_PX) / 2;
            double inside = fmin(half - fabs(across), fmin(along, length - along) - 0.2 * digit);
            double covered = fmin(fmax(inside / 3 + 0.5, 0), 1);
            size_t at = (size_t)y * (size_t)columns + (size_t)x;
            if (covered <= 0) {
                continue;
            }
            if (tiny) {
                weight[at] = 0;
                continue;
            }
            mask[at] = to_byte(covered);
            weight[at] = 255;
            angle[at] = turn_byte;
            height[at] = (uint8_t)fmin(fmax(128 + 48 * log(digit / 8), 0), 255);
        }
    }
}

static bool in_figures(const struct gk_sketch_face *face, struct gk_mint_point at)
{
    for (size_t i = 0; i < face->figure_count; i++) {
        const struct gk_box *box = &face->figures[i];
        if (at.x > box->left && at.x < box->right && at.y > box->top && at.y < box->bottom) {
            return true;
        }
    }
    return false;
}

void gk_sketch_label_card(struct gk_sketch_scene *scene, const struct gk_sketch_face *face,
                          const struct gk_sketch_camera *camera, double radius_mm)
{
    int columns = scene->width_px / STRIDE, lines = scene->height_px / STRIDE;
    uint8_t *rows = map_of(scene, GK_SKETCH_ROW), *weight = map_of(scene, GK_SKETCH_ROW_WEIGHT);
    uint8_t *card = map_of(scene, GK_SKETCH_CARD), *border = map_of(scene, GK_SKETCH_BORDER);
    for (int y = 0; y < lines; y++) {
        for (int x = 0; x < columns; x++) {
            double px = (x + 0.5) * STRIDE, py = (y + 0.5) * STRIDE;
            struct gk_mint_point at = gk_sketch_project(camera->to_face, px, py);
            struct gk_mint_point right = gk_sketch_project(camera->to_face, px + 1, py);
            struct gk_mint_point below = gk_sketch_project(camera->to_face, px, py + 1);
            double here = gk_sketch_edge_distance(at.x, at.y, face->width_mm, face->height_mm, radius_mm);
            double slope_x =
                gk_sketch_edge_distance(right.x, right.y, face->width_mm, face->height_mm, radius_mm) - here;
            double slope_y =
                gk_sketch_edge_distance(below.x, below.y, face->width_mm, face->height_mm, radius_mm) - here;
            double distance = here / fmax(hypot(slope_x, slope_y), 1e-3);
            size_t i = (size_t)y * (size_t)columns + (size_t)x;
            uint8_t inside = to_byte(0.5 - distance / STRIDE);
            uint8_t band = to_byte(0.5 + (BORDER_HALF_PX - fabs(distance)) / 3);
            if (inside > 127) {
                rows[i] = 0;
                weight[i] = in_figures(face, at) ? 0 : 255;
                border[i] = 0;
            }
            card[i] = inside > card[i] ? inside : card[i];
            border[i] = band > border[i] ? band : border[i];
        }
    }
    for (size_t i = 0; i < face->row_count; i++) {
        struct row row = row_of(camera, face->rows[i]);
        mark_row(scene, &row);
    }
}
