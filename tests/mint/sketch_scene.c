/*
 * A sketched scene: ground, cards through a pinhole camera, fingers, light, lens and sensor. A scene is
 * either a photograph or one card that fills the frame, slightly off, as it comes out of rectifying.
 */
#include "tests/mint/sketch_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CARDS_MOST 2
#define MINTED_SHARE 0.25 /* of the cards */
#define RADIANS (GK_PI / 180)

struct placing {
    double long_side_px, centre_x, centre_y, turn, tilt_x, tilt_y, distance_mm;
};

static double between(struct gk_random *random, double low, double high)
{
    return gk_random_between(random, low, high);
}

struct gk_mint_point gk_sketch_project(const double m[9], double x, double y)
{
    double w = m[6] * x + m[7] * y + m[8];
    return (struct gk_mint_point){(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w};
}

static void invert(const double m[9], double out[9])
{
    const double inverse[9] = {
        m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
        m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
        m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
    memcpy(out, inverse, sizeof inverse);
}

static struct gk_sketch_camera camera_of(const struct placing *placing, double width, double height)
{
    struct gk_sketch_camera camera;
    double focal_px = placing->long_side_px * placing->distance_mm / fmax(width, height);
    double c = cos(placing->turn), s = sin(placing->turn), axes[3][2];
    for (int axis = 0; axis < 2; axis++) {
        double x = axis == 0 ? c : -s, y = axis == 0 ? s : c, z = -y * sin(placing->tilt_x);
        axes[0][axis] = x * cos(placing->tilt_y) - z * sin(placing->tilt_y);
        axes[1][axis] = y * cos(placing->tilt_x);
        axes[2][axis] = x * sin(placing->tilt_y) + z * cos(placing->tilt_y);
    }
    double *m = camera.to_picture;
    const double centre[2] = {placing->centre_x, placing->centre_y};
    for (int row = 0; row < 2; row++) {
        m[row * 3] = focal_px * axes[row][0] + centre[row] * axes[2][0];
        m[row * 3 + 1] = focal_px * axes[row][1] + centre[row] * axes[2][1];
        m[row * 3 + 2] = centre[row] * placing->distance_mm;
    }
    m[6] = axes[2][0];
    m[7] = axes[2][1];
    m[8] = placing->distance_mm;
    for (int row = 0; row < 3; row++) {
        m[row * 3 + 2] -= m[row * 3] * width / 2 + m[row * 3 + 1] * height / 2;
    }
    invert(m, camera.to_face);
    return camera;
}

/* A card in a photograph. */
static struct placing place(struct gk_random *random, double width_px, double height_px)
{
    struct placing placing = {.distance_mm = between(random, 180, 500)};
    bool level = gk_random_chance(random, 0.3), render = gk_random_chance(random, 0.12);
    double share = exp(between(random, log(0.28), log(1.0)));
    if (gk_random_chance(random, 0.15)) {
        share = between(random, 0.8, 1.35);
    }
    double reach = fmax(0.05, 0.55 - share * 0.45);
    placing.long_side_px = share * width_px;
    placing.centre_x = width_px * (0.5 + between(random, -reach, reach));
    placing.centre_y = height_px * (0.5 + between(random, -reach, reach));
    placing.turn = level ? between(random, -0.12, 0.12) : between(random, 0, 2 * GK_PI);
    placing.turn += level && gk_random_chance(random, 0.3) ? GK_PI / 2 * gk_random_below(random, 4) : 0;
    if (gk_random_chance(random, 0.7)) {
        placing.tilt_x = between(random, -42, 42) * RADIANS;
        placing.tilt_y = between(random, -42, 42) * RADIANS;
    }
    if (render) { /* alone on a ground, squarely */
        placing.long_side_px = width_px * between(random, 0.7, 1.03);
        placing.centre_x = width_px * between(random, 0.48, 0.52);
        placing.centre_y = height_px * between(random, 0.47, 0.53);
        placing.turn = placing.tilt_x = placing.tilt_y = 0;
    }
    return placing;
}

/* A card that fills the frame, either way up, with a few per cent of error. */
static struct placing fill(struct gk_random *random, double width_px, double height_px, bool portrait)
{
    struct placing placing = {.distance_mm = between(random, 200, 500)};
    double wrong = between(random, 0, 1);
    placing.long_side_px = width_px * (1 + wrong * between(random, -0.06, 0.06));
    placing.centre_x = width_px * (0.5 + wrong * between(random, -0.03, 0.03));
    placing.centre_y = height_px * (0.5 + wrong * between(random, -0.04, 0.04));
    placing.turn = wrong * between(random, -0.06, 0.06) + GK_PI * gk_random_below(random, 2);
    placing.turn += portrait ? GK_PI / 2 : 0;
    placing.tilt_x = wrong * between(random, -8, 8) * RADIANS;
    placing.tilt_y = wrong * between(random, -8, 8) * RADIANS;
    return placing;
}

/* Lays a face and its shadow over the picture. */
static void composite(cairo_surface_t *picture, const struct gk_sketch_face *face,
                      const struct gk_sketch_camera *camera, double radius_mm, struct gk_random *random)
{
    int width = cairo_image_surface_get_width(picture), height = cairo_image_surface_get_height(picture);
    int stride = cairo_image_surface_get_stride(picture),
        from_stride = cairo_image_surface_get_stride(face->surface);
    int from_width = cairo_image_surface_get_width(face->surface),
        from_height = cairo_image_surface_get_height(face->surface);
    cairo_surface_flush(picture);
    unsigned char *to = cairo_image_surface_get_data(picture);
    const unsigned char *from = cairo_image_surface_get_data(face->surface);
    double shadow = gk_random_chance(random, 0.7) ? between(random, 0, 0.5) : 0,
           soft = between(random, 0.5, 6);
    double shift_x = between(random, -2.5, 2.5), shift_y = between(random, -2.5, 2.5),
           rim = between(random, -0.25, 0.25);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            struct gk_mint_point at = gk_sketch_project(camera->to_face, x + 0.5, y + 0.5);
            double away = gk_sketch_edge_distance(at.x, at.y, face->width_mm, face->height_mm, radius_mm);
            if (!(away < 12)) {
                continue;
            }
            unsigned char *out = to + (ptrdiff_t)y * stride + x * 4;
            double far = gk_sketch_edge_distance(at.x - shift_x, at.y - shift_y, face->width_mm,
                                                 face->height_mm, radius_mm);
            double under = out[0] * (1 - shadow * fmin(fmax(0.5 - far / soft, 0), 1));
            double covered = fmin(fmax(0.5 - away * face->scale / 1.3, 0), 1);
            double sx = fmin(fmax(at.x * face->scale - 0.5, 0), from_width - 1.001);
            double sy = fmin(fmax(at.y * face->scale - 0.5, 0), from_height - 1.001);
            int x0 = (int)sx, y0 = (int)sy;
            const unsigned char *a = from + (ptrdiff_t)y0 * from_stride + x0 * 4, *b = a + from_stride;
            double top = a[0] + (a[4] - a[0]) * (sx - x0), bottom = b[0] + (b[4] - b[0]) * (sx - x0);
            double level = (top + (bottom - top) * (sy - y0)) * (away > -0.4 ? 1 + rim : 1);
            level = fmin(under + (level - under) * covered, 255);
            out[0] = out[1] = out[2] = (unsigned char)level;
        }
    }
    cairo_surface_mark_dirty(picture);
}

/* Light across the frame, shadows with a straight edge, bands of glare. */
static void shine(float *picture, int width, int height, struct gk_random *random)
{
    double turn = between(random, 0, 2 * GK_PI), fall = between(random, 0, 0.5), glow = 0, glow_at = 0;
    double edge_turn = between(random, 0, 2 * GK_PI), edge_at = between(random, -0.4, 0.4),
           edge_soft = exp(between(random, log(0.004), log(0.2)));
    double depth = gk_random_chance(random, 0.25) ? between(random, 0.1, 0.65) : 0;
    double band_turn = between(random, 0, GK_PI), band_wide = exp(between(random, log(0.015), log(0.15)));
    if (gk_random_chance(random, 0.3)) {
        glow = between(random, 20, 260);
        glow_at = between(random, -0.4, 0.4);
    }
    double spot_x = between(random, -0.5, 0.5), spot_y = between(random, -0.5, 0.5),
           reach = between(random, 0.2, 2);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            double u = (x + 0.5) / width - 0.5, v = (y + 0.5 - height / 2.0) / width;
            double light = 1 - fall * (0.5 + u * cos(turn) + v * sin(turn));
            double edge = (u * cos(edge_turn) + v * sin(edge_turn) - edge_at) / edge_soft;
            light *= 1 - depth * fmin(fmax(0.5 + edge, 0), 1);
            float *out = &picture[(size_t)y * (size_t)width + (size_t)x];
            *out *= (float)light;
            if (glow > 0) {
                double band = (u * cos(band_turn) + v * sin(band_turn) - glow_at) / band_wide;
                double spot = ((u - spot_x) * (u - spot_x) + (v - spot_y) * (v - spot_y)) / (reach * reach);
                *out += (float)(glow * exp(-band * band - spot));
            }
        }
    }
}

static void blur(float *picture, float *spare, int width, int height, double sigma)
{
    float taps[17];
    int radius = (int)fmin(ceil(sigma * 2.3), 8);
    for (int pass = 0; pass < 2; pass++) {
        float sum = 0;
        for (int i = -radius; i <= radius; i++) {
            taps[i + radius] = (float)exp(-i * i / (2 * sigma * sigma));
            sum += taps[i + radius];
        }
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                float total = 0;
                for (int i = -radius; i <= radius; i++) {
                    int sx = pass == 0 ? x + i : x, sy = pass == 0 ? y : y + i;
                    sx = sx < 0 ? 0 : sx >= width ? width - 1 : sx;
                    sy = sy < 0 ? 0 : sy >= height ? height - 1 : sy;
                    total += taps[i + radius] * picture[sy * width + sx];
                }
                spare[y * width + x] = total / sum;
            }
        }
        float *kept = picture;
        picture = spare;
        spare = kept;
    }
}

/* Lens and sensor. */
static int expose(struct gk_sketch_scene *scene, cairo_surface_t *picture, struct gk_random *random)
{
    int width = scene->width_px, height = scene->height_px, stride = cairo_image_surface_get_stride(picture);
    size_t pixels = (size_t)width * (size_t)height;
    float *light = malloc(2 * pixels * sizeof *light);
    if (light == NULL) {
        return -1;
    }
    cairo_surface_flush(picture);
    const unsigned char *from = cairo_image_surface_get_data(picture);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            light[(size_t)y * (size_t)width + (size_t)x] = from[(ptrdiff_t)y * stride + x * 4];
        }
    }
    shine(light, width, height, random);
    if (gk_random_chance(random, 0.6)) {
        blur(light, light + pixels, width, height,
             gk_random_chance(random, 0.8) ? between(random, 0.3, 0.9) : between(random, 0.9, 2.2));
    }
    double noise = gk_random_chance(random, 0.85) ? between(random, 0, 3) : between(random, 0, 10);
    double gain = exp(between(random, -0.5, 0.2)), lift = between(random, 0, 25);
    for (size_t i = 0; i < pixels; i++) {
        uint64_t bits = gk_random_next(random);
        double sum =
            (double)(bits & 0xffff) + (double)((bits >> 16) & 0xffff) + (double)((bits >> 32) & 0xffff);
        double level = light[i] * gain + lift + noise * (sum / 65536 - 1.5) * 2;
        scene->grey[i] = (uint8_t)fmin(fmax(level + 0.5, 0), 255);
    }
    free(light);
    return 0;
}

static int add_card(struct gk_sketch_scene *scene, cairo_surface_t *picture, struct gk_random *random,
                    int index)
{
    struct gk_sketch_face face;
    double width = scene->width_px, height = scene->height_px;
    struct placing placing = place(random, width, height);
    if (scene->filled) {
        placing.long_side_px = width;
    }
    if (index > 0) {
        placing.long_side_px = fmin(placing.long_side_px, 0.5 * width);
    }
    double scale =
        fmin(fmax(placing.long_side_px * between(random, 1.0, 1.5), 90), 480) / GK_MINT_CARD_WIDTH_MM;
    bool minted = gk_random_chance(random, MINTED_SHARE);
    if ((minted ? gk_sketch_face_minted : gk_sketch_face_draw)(random, scale, &face) != 0) {
        return -1;
    }
    bool portrait = face.height_mm > face.width_mm;
    if (scene->filled) {
        placing = fill(random, width, height, portrait);
    }
    struct gk_sketch_camera camera = camera_of(&placing, face.width_mm, face.height_mm);
    double radius = gk_random_chance(random, 0.15) ? between(random, 0, 1) : GK_MINT_CORNER_RADIUS_MM;
    composite(picture, &face, &camera, radius, random);
    gk_sketch_label_card(scene, &face, &camera, radius);
    cairo_t *cr = cairo_create(picture);
    int fingers = gk_random_chance(random, 0.2) ? 1 + (int)gk_random_below(random, 4) : 0;
    for (int i = 0; i < fingers; i++) {
        gk_sketch_finger(cr, random, &face, &camera);
    }
    cairo_destroy(cr);
    gk_sketch_face_clear(&face);
    return 0;
}

int gk_sketch_scene_draw(uint64_t seed, struct gk_sketch_scene *scene)
{
    struct gk_random random = gk_random_new(seed, scene->filled ? 41 : 40);
    cairo_surface_t *picture =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, scene->width_px, scene->height_px);
    if (cairo_surface_status(picture) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(picture);
        return -1;
    }
    gk_sketch_label_clear(scene);
    double kind = between(&random, 0, 1);
    int cards = scene->filled || kind < 0.75 ? 1 : kind < 0.84 ? CARDS_MOST : 0, status = 0;
    gk_sketch_ground(picture, &random, cards == 0);
    for (int i = 0; i < cards && status == 0; i++) {
        status = add_card(scene, picture, &random, i);
    }
    if (status == 0) {
        status = expose(scene, picture, &random);
    }
    cairo_surface_destroy(picture);
    return status;
}
