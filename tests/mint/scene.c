/*
 * From a face to a photograph. A pinhole camera looks straight down at the middle of the frame; the card lies
 * before it, turned and tilted about its own centre. That is a homography between the card's millimetres and
 * pixels, used forwards for the corners and backwards, pixel by pixel, for the picture. Then lens, lamp and
 * sensor: blur, the fall of light across the frame, noise.
 */
#include "tests/mint/mint_internal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CAMERA_DISTANCE_MM 280.0 /* a hand-held telephone; nearer means stronger perspective */
#define SUPERSAMPLING 2.0        /* face pixels per picture pixel along the card's long edge */
#define FACE_SCALE_MAX 26.0      /* pixels a millimetre: 2226 across the card */
#define SHADOW_MM 2.2
#define RADIANS (GK_PI / 180)

struct homography {
    double m[9];
};

static struct gk_mint_point project(const struct homography *h, double x, double y)
{
    double w = h->m[6] * x + h->m[7] * y + h->m[8];
    return (struct gk_mint_point){(h->m[0] * x + h->m[1] * y + h->m[2]) / w,
                                  (h->m[3] * x + h->m[4] * y + h->m[5]) / w};
}

static struct homography invert(const struct homography *h)
{
    const double *m = h->m;
    struct homography inverse = {{
        m[4] * m[8] - m[5] * m[7],
        m[2] * m[7] - m[1] * m[8],
        m[1] * m[5] - m[2] * m[4],
        m[5] * m[6] - m[3] * m[8],
        m[0] * m[8] - m[2] * m[6],
        m[2] * m[3] - m[0] * m[5],
        m[3] * m[7] - m[4] * m[6],
        m[1] * m[6] - m[0] * m[7],
        m[0] * m[4] - m[1] * m[3],
    }};
    return inverse; /* up to a factor, which projecting divides away */
}

static struct homography camera_of(const struct gk_mint_card *card, const struct gk_mint_scene *scene)
{
    double width, height;
    gk_face_size(card, &width, &height);
    double focal_px = scene->card_width_share * scene->width_px * CAMERA_DISTANCE_MM / fmax(width, height);
    double turn = scene->rotation_degrees * RADIANS, tilt_x = scene->tilt_x_degrees * RADIANS;
    double tilt_y = scene->tilt_y_degrees * RADIANS;
    double axes[3][2]; /* where the card's x and y axes point: columns of the rotation */
    for (int axis = 0; axis < 2; axis++) {
        double x = axis == 0 ? cos(turn) : -sin(turn), y = axis == 0 ? sin(turn) : cos(turn);
        double z = -y * sin(tilt_x);
        axes[0][axis] = x * cos(tilt_y) - z * sin(tilt_y);
        axes[1][axis] = y * cos(tilt_x);
        axes[2][axis] = x * sin(tilt_y) + z * cos(tilt_y);
    }
    double centre[2] = {scene->centre_x * scene->width_px, scene->centre_y * scene->height_px};
    struct homography h;
    for (int row = 0; row < 2; row++) {
        h.m[row * 3] = focal_px * axes[row][0] + centre[row] * axes[2][0];
        h.m[row * 3 + 1] = focal_px * axes[row][1] + centre[row] * axes[2][1];
        h.m[row * 3 + 2] = centre[row] * CAMERA_DISTANCE_MM;
    }
    h.m[6] = axes[2][0];
    h.m[7] = axes[2][1];
    h.m[8] = CAMERA_DISTANCE_MM;
    for (int row = 0; row < 3; row++) { /* the face's origin is its top left corner */
        h.m[row * 3 + 2] -= h.m[row * 3] * width / 2 + h.m[row * 3 + 1] * height / 2;
    }
    return h;
}

static void project_box(const struct homography *h, struct gk_box box, struct gk_mint_point *ret_corners)
{
    ret_corners[0] = project(h, box.left, box.top);
    ret_corners[1] = project(h, box.right, box.top);
    ret_corners[2] = project(h, box.right, box.bottom);
    ret_corners[3] = project(h, box.left, box.bottom);
}

struct gk_mint_point gk_mint_picture_at(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                                        double x_mm, double y_mm)
{
    struct homography h = camera_of(card, scene);
    return project(&h, x_mm, y_mm);
}

void gk_mint_scene_fit(const struct gk_mint_card *card, struct gk_mint_scene *scene)
{
    struct gk_mint_point corners[4];
    struct gk_box card_box = {0};
    double margin = 0.02 * scene->width_px, width = scene->width_px, height = scene->height_px;
    gk_face_size(card, &card_box.right, &card_box.bottom);
    for (int step = 0; step < 60; step++) {
        struct homography h = camera_of(card, scene);
        double left = width, top = height, right = 0, bottom = 0;
        project_box(&h, card_box, corners);
        for (int i = 0; i < 4; i++) {
            left = fmin(left, corners[i].x);
            right = fmax(right, corners[i].x);
            top = fmin(top, corners[i].y);
            bottom = fmax(bottom, corners[i].y);
        }
        if (right - left > width - 2.2 * margin || bottom - top > height - 2.2 * margin) {
            scene->card_width_share *= 0.96;
            continue;
        }
        double move_x = fmax(0, margin - left) - fmax(0, right - (width - margin));
        double move_y = fmax(0, margin - top) - fmax(0, bottom - (height - margin));
        if (move_x == 0 && move_y == 0) {
            return;
        }
        scene->centre_x += move_x * 1.02 / width;
        scene->centre_y += move_y * 1.02 / height;
    }
}

/* Distance in millimetres to the rounded rectangle's edge, negative inside. */
static double edge_distance(double x, double y, double width, double height, double radius)
{
    double dx = fabs(x - width / 2) - (width / 2 - radius), dy = fabs(y - height / 2) - (height / 2 - radius);
    double outside_x = fmax(dx, 0), outside_y = fmax(dy, 0);
    return sqrt(outside_x * outside_x + outside_y * outside_y) + fmin(fmax(dx, dy), 0) - radius;
}

struct sampler {
    const unsigned char *pixels;
    size_t stride;
    int width, height;
    double scale;
};

static void sample(const struct sampler *sampler, double x_mm, double y_mm, float *ret_rgb)
{
    double x = fmin(fmax(x_mm * sampler->scale - 0.5, 0), sampler->width - 1.001);
    double y = fmin(fmax(y_mm * sampler->scale - 0.5, 0), sampler->height - 1.001);
    size_t column = (size_t)x, line = (size_t)y;
    float fx = (float)(x - (double)column), fy = (float)(y - (double)line);
    const uint32_t *top = (const uint32_t *)(const void *)(sampler->pixels + line * sampler->stride) + column;
    const uint32_t *bottom =
        (const uint32_t *)(const void *)(sampler->pixels + (line + 1) * sampler->stride) + column;
    for (int channel = 0; channel < 3; channel++) {
        int shift = 16 - 8 * channel;
        float a = (float)((top[0] >> shift) & 255), b = (float)((top[1] >> shift) & 255);
        float c = (float)((bottom[0] >> shift) & 255), d = (float)((bottom[1] >> shift) & 255);
        float above = a + (b - a) * fx, below = c + (d - c) * fx;
        ret_rgb[channel] = above + (below - above) * fy;
    }
}

struct extent {
    uint32_t left, top, right, bottom;
};

static struct extent extent_of(const struct homography *h, struct gk_box box,
                               const struct gk_mint_scene *scene)
{
    struct gk_mint_point corners[4];
    double left = scene->width_px, top = scene->height_px, right = 0, bottom = 0;
    project_box(h, box, corners);
    for (int i = 0; i < 4; i++) {
        left = fmin(left, corners[i].x);
        right = fmax(right, corners[i].x);
        top = fmin(top, corners[i].y);
        bottom = fmax(bottom, corners[i].y);
    }
    return (struct extent){(uint32_t)fmax(left, 0), (uint32_t)fmax(top, 0),
                           (uint32_t)fmin(fmax(right + 1, 0), scene->width_px),
                           (uint32_t)fmin(fmax(bottom + 1, 0), scene->height_px)};
}

/* Lays the face, and its shadow away from the light, over the background. */
static void composite(const struct gk_face *face, const struct homography *h,
                      const struct gk_mint_scene *scene, double radius_mm, double azimuth, uint8_t *rgb)
{
    struct homography back = invert(h);
    struct sampler sampler = {cairo_image_surface_get_data(face->surface),
                              (size_t)cairo_image_surface_get_stride(face->surface),
                              cairo_image_surface_get_width(face->surface),
                              cairo_image_surface_get_height(face->surface), face->scale};
    double width = face->width_mm, height = face->height_mm;
    struct gk_box reach = {-SHADOW_MM, -SHADOW_MM, width + SHADOW_MM, height + SHADOW_MM};
    struct extent extent = extent_of(h, reach, scene);
    double pixels_per_mm = face->scale / SUPERSAMPLING, depth = 0.25 + 0.35 * scene->light_strength;
    double shadow_x = -cos(azimuth) * SHADOW_MM * 0.4, shadow_y = sin(azimuth) * SHADOW_MM * 0.4;
    for (uint32_t y = extent.top; y < extent.bottom; y++) {
        uint8_t *out = rgb + ((size_t)y * scene->width_px + extent.left) * 3;
        for (uint32_t x = extent.left; x < extent.right; x++, out += 3) {
            struct gk_mint_point at = project(&back, x + 0.5, y + 0.5);
            double distance = edge_distance(at.x, at.y, width, height, radius_mm);
            double covered = fmin(fmax(0.5 - distance * pixels_per_mm, 0), 1);
            float behind = 1, card[3] = {0};
            if (covered < 1) {
                double away = edge_distance(at.x - shadow_x, at.y - shadow_y, width, height, radius_mm);
                double share = fmin(fmax(1 - away / (SHADOW_MM * 0.6), 0), 1);
                behind = (float)(1 - depth * share * share);
            }
            if (covered > 0) {
                sample(&sampler, at.x, at.y, card);
                float rim = distance > -0.25 ? 1.08f : 1.0f; /* the card's edge catches light */
                for (int channel = 0; channel < 3; channel++) {
                    card[channel] = fminf(card[channel] * rim, 255);
                }
            }
            for (int channel = 0; channel < 3; channel++) {
                float under = (float)out[channel] * behind;
                out[channel] = (uint8_t)(under + (card[channel] - under) * (float)covered);
            }
        }
    }
}

enum { BLUR_RADIUS_MAX = 50 };

struct kernel {
    size_t radius;
    float taps[2 * BLUR_RADIUS_MAX + 1];
};

static struct kernel gaussian(double sigma_px)
{
    struct kernel kernel = {.radius = (size_t)fmin(ceil(sigma_px * 2.5), BLUR_RADIUS_MAX)};
    float sum = 0;
    for (size_t i = 0; i <= 2 * kernel.radius; i++) {
        double offset = ((double)i - (double)kernel.radius) / sigma_px;
        kernel.taps[i] = (float)exp(-offset * offset / 2);
        sum += kernel.taps[i];
    }
    for (size_t i = 0; i <= 2 * kernel.radius; i++) {
        kernel.taps[i] /= sum;
    }
    return kernel;
}

static void add_weighted(float *restrict sum, const uint8_t *restrict from, float weight, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sum[i] += weight * (float)from[i];
    }
}

static void round_row(uint8_t *restrict to, const float *restrict sum, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        to[i] = (uint8_t)(sum[i] + 0.5f);
    }
}

/* Along the rows, each padded with its end pixels. `padded` holds width + 2 * radius pixels. */
static void blur_rows(const struct kernel *kernel, uint8_t *rgb, size_t width, size_t height, uint8_t *padded,
                      float *sum)
{
    for (size_t y = 0; y < height; y++) {
        uint8_t *row = rgb + y * width * 3;
        for (size_t i = 0; i < kernel->radius; i++) {
            memcpy(padded + i * 3, row, 3);
            memcpy(padded + (kernel->radius + width + i) * 3, row + (width - 1) * 3, 3);
        }
        memcpy(padded + kernel->radius * 3, row, width * 3);
        memset(sum, 0, width * 3 * sizeof *sum);
        for (size_t tap = 0; tap <= 2 * kernel->radius; tap++) {
            add_weighted(sum, padded + tap * 3, kernel->taps[tap], width * 3);
        }
        round_row(row, sum, width * 3);
    }
}

static void blur_columns(const struct kernel *kernel, const uint8_t *from, uint8_t *to, size_t width,
                         size_t height, float *sum)
{
    for (size_t y = 0; y < height; y++) {
        memset(sum, 0, width * 3 * sizeof *sum);
        for (size_t tap = 0; tap <= 2 * kernel->radius; tap++) {
            size_t line = y + tap < kernel->radius ? 0 : y + tap - kernel->radius;
            line = line < height ? line : height - 1;
            add_weighted(sum, from + line * width * 3, kernel->taps[tap], width * 3);
        }
        round_row(to + y * width * 3, sum, width * 3);
    }
}

static int blur(const struct gk_mint_scene *scene, uint8_t *rgb)
{
    size_t width = scene->width_px, height = scene->height_px;
    if (scene->blur_sigma_px < 0.2) {
        return 0;
    }
    struct kernel kernel = gaussian(scene->blur_sigma_px);
    uint8_t *copy = malloc(width * height * 3), *padded = malloc((width + 2 * kernel.radius) * 3);
    float *sum = malloc(width * 3 * sizeof *sum);
    int status = copy != NULL && padded != NULL && sum != NULL ? 0 : -1;
    if (status == 0) {
        blur_rows(&kernel, rgb, width, height, padded, sum);
        memcpy(copy, rgb, width * height * 3);
        blur_columns(&kernel, copy, rgb, width, height, sum);
    }
    free(sum);
    free(padded);
    free(copy);
    return status;
}

/* The lamp's fall across the frame, the white balance, and the sensor's noise. */
static void expose(const struct gk_mint_scene *scene, uint8_t *rgb)
{
    static const uint64_t noise_streams[] = {2, 7, 8}; /* by lamp */
    struct gk_random random = gk_random_new(scene->seed, noise_streams[scene->lamp]);
    double azimuth = scene->light_degrees * RADIANS;
    float slope_x = (float)(cos(azimuth) * scene->light_strength * 0.5 / scene->width_px);
    float slope_y = (float)(-sin(azimuth) * scene->light_strength * 0.5 / scene->height_px);
    float warm[3] = {(float)(1 + 0.08 * scene->warmth), 1, (float)(1 - 0.12 * scene->warmth)};
    /* the sum of four 16-bit parts has a deviation of 37837 */
    float noise = (float)(scene->noise / 37837.0), brightness = (float)scene->brightness;
    uint8_t *out = rgb;
    for (uint32_t y = 0; y < scene->height_px; y++) {
        for (uint32_t x = 0; x < scene->width_px; x++) {
            float light = brightness * (1 + slope_x * ((float)x - (float)scene->width_px / 2) +
                                        slope_y * ((float)y - (float)scene->height_px / 2));
            uint64_t bits = gk_random_next(&random);
            int32_t sum =
                (int32_t)((bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48));
            float grey = noise * (float)(sum - 131070) + 0.5f;
            for (int channel = 0; channel < 3; channel++, out++) {
                float tint = noise * (float)((int32_t)((bits >> (channel * 20)) & 0xffff) - 32768) * 0.7f;
                float value = (float)*out * light * warm[channel] + grey + tint;
                *out = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
    }
}

void gk_mint_scene_opposite_lamp(const struct gk_mint_scene *scene, struct gk_mint_scene *ret_scene)
{
    assert(scene->lamp != GK_MINT_LAMP_UNNAMED);
    *ret_scene = *scene;
    ret_scene->lamp = scene->lamp == GK_MINT_LAMP_LEFT ? GK_MINT_LAMP_RIGHT : GK_MINT_LAMP_LEFT;
    ret_scene->light_degrees = scene->light_degrees + 180;
}

static bool within(double value, double low, double high)
{
    return value >= low && value <= high; /* false for NaN */
}

static bool scene_is_valid(const struct gk_mint_scene *scene)
{
    return within(scene->width_px, 16, 8192) && within(scene->height_px, 16, 8192) &&
           within(scene->card_width_share, 0.05, 1.5) && within(scene->centre_x, -1, 2) &&
           within(scene->centre_y, -1, 2) && within(scene->rotation_degrees, -3600, 3600) &&
           within(scene->tilt_x_degrees, -60, 60) && within(scene->tilt_y_degrees, -60, 60) &&
           within(scene->light_degrees, -3600, 3600) && within(scene->light_strength, 0, 1) &&
           within(scene->brightness, 0, 4) && within(scene->warmth, -1, 1) && within(scene->glare, 0, 1) &&
           within(scene->blur_sigma_px, 0, 20) && within(scene->noise, 0, 100);
}

static bool barcode_is_valid(const struct gk_mint_card *card)
{
    bool may_have =
        card->kind == GK_MINT_CAMPUS || card->kind == GK_MINT_PARKING || card->kind == GK_MINT_ISSUED;
    const char *text = card->barcode_text[0] != '\0' ? card->barcode_text : card->number;
    for (const char *c = text; *c != '\0'; c++) {
        may_have = may_have && *c >= ' ' && *c <= '~';
    }
    return card->barcode == GK_MINT_BARCODE_NONE || (may_have && text[0] != '\0');
}

/* Only digits and dates have a drawing in relief, and only payment cards and issued ones are embossed. */
static bool card_is_valid(const struct gk_mint_card *card)
{
    bool embossed = card->print == GK_MINT_EMBOSSED, payment = card->kind == GK_MINT_PAYMENT;
    bool line = card->layout == GK_MINT_LINE;
    bool may_emboss = payment ? line || card->layout == GK_MINT_LOW : card->kind == GK_MINT_ISSUED;
    return (!embossed || may_emboss) && (payment || line) && card->hidden_count <= GK_MINT_HIDDEN_MOST &&
           within(card->foil_wear, 0, 1) && within(card->scratches, 0, 1) && barcode_is_valid(card);
}

static int lay_card(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                    struct gk_mint_picture *picture)
{
    struct homography h = camera_of(card, scene);
    struct gk_face face;
    struct gk_box whole = {0};
    gk_face_size(card, &whole.right, &whole.bottom);
    double long_edge = fmax(whole.right, whole.bottom);
    double scale =
        fmin(SUPERSAMPLING * scene->card_width_share * scene->width_px / long_edge, FACE_SCALE_MAX);
    struct gk_light light = {(scene->light_degrees + scene->rotation_degrees) * RADIANS,
                             scene->light_strength, scene->glare, scene->seed};
    if (gk_face_draw(card, scale, light, &face) != 0) {
        return -1;
    }
    bool paper = card->kind == GK_MINT_RECEIPT;
    composite(&face, &h, scene, paper ? 0 : GK_MINT_CORNER_RADIUS_MM, light.azimuth, picture->rgb);
    if (!paper) {
        project_box(&h, whole, picture->quad);
    }
    if (face.digits.right > 0) {
        project_box(&h, face.digits, picture->digits);
    }
    gk_face_clear(&face);
    return 0;
}

int gk_mint_draw(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                 struct gk_mint_picture *ret_picture)
{
    struct gk_mint_picture picture = {.width_px = scene->width_px, .height_px = scene->height_px};
    if (!scene_is_valid(scene) || !card_is_valid(card)) {
        return -1;
    }
    picture.rgb = malloc((size_t)scene->width_px * scene->height_px * 3);
    if (picture.rgb == NULL || gk_background_draw(scene, picture.rgb) != 0) {
        goto draw_failed;
    }
    if (card->kind != GK_MINT_NOTHING && lay_card(card, scene, &picture) != 0) {
        goto draw_failed;
    }
    if (blur(scene, picture.rgb) != 0) {
        goto draw_failed;
    }
    expose(scene, picture.rgb);
    *ret_picture = picture;
    return 0;

draw_failed:
    gk_mint_picture_clear(&picture);
    return -1;
}
