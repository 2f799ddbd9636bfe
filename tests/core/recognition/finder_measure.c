/*
 * guika-measure-finder MODEL mint COUNT: how well cards and numbers are found in minted photographs of 1280 x
 * 960 at difficulty 1, by condition. guika-measure-finder MODEL PICTURE...: what is found in pictures, a line
 * each: card SCORE x,y x,y x,y x,y (pixels, clockwise from a long side's left end) line picture|card SCORE
 * HEIGHT x,y x,y (pixels of the picture: the digits' centre line)
 */
#include "core/recognition/card_finder.h"
#include "core/recognition/number_line.h"
#include "core/recognition/picture.h"
#include "tests/mint/mint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct truth {
    struct gk_quad quad, digits; /* of the upright card, pixels */
    int rows;                    /* of the number, evenly spread in `digits` */
    double row_share;            /* of the height of `digits` that a row takes */
};

struct found {
    struct gk_found_card cards[GK_CARD_FINDER_MOST];
    size_t card_count;
    struct gk_number_line
        lines[2][GK_NUMBER_LINES_MOST]; /* in the picture's pixels; seen in the picture, on the card */
    size_t line_counts[2];
    double picture_ms, card_ms;
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double distance(struct gk_point a, struct gk_point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

/* From the card's frame to the picture. */
static struct gk_number_line to_picture(const struct gk_homography *frame, struct gk_number_line line)
{
    double dx = line.right.x - line.left.x, dy = line.right.y - line.left.y, length = hypot(dx, dy);
    struct gk_point *ends[2] = {&line.left, &line.right};
    double *heights[2] = {&line.left_height, &line.right_height};
    for (int i = 0; i < 2; i++) {
        double nx = -dy / length * *heights[i] / 2, ny = dx / length * *heights[i] / 2;
        struct gk_point above =
            gk_homography_apply(frame, (struct gk_point){ends[i]->x - nx, ends[i]->y - ny});
        struct gk_point below =
            gk_homography_apply(frame, (struct gk_point){ends[i]->x + nx, ends[i]->y + ny});
        *ends[i] = gk_homography_apply(frame, *ends[i]);
        *heights[i] = distance(above, below);
    }
    return line;
}

static void look(struct gk_network *network, const struct gk_image *picture, struct found *found)
{
    struct gk_sight sight;
    struct gk_homography frame;
    double begin = now_ms();
    found->card_count = found->line_counts[0] = found->line_counts[1] = 0;
    if (gk_sight_of_picture(network, picture, &sight)) {
        found->card_count = gk_cards_find(&sight, picture, found->cards);
        found->line_counts[0] = gk_number_lines_find(&sight, found->lines[0]);
    }
    found->picture_ms = now_ms() - begin;
    if (found->card_count > 0 &&
        gk_homography_from_quad(&found->cards[0].quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &frame) &&
        gk_sight_of_card(network, picture, &frame, &sight)) {
        found->line_counts[1] = gk_number_lines_find(&sight, found->lines[1]);
        for (size_t i = 0; i < found->line_counts[1]; i++) {
            found->lines[1][i] = to_picture(&frame, found->lines[1][i]);
        }
    }
    found->card_ms = now_ms() - begin - found->picture_ms;
}

/* The largest distance of a corner, in shares of the card's longest side; either way up. */
static double corner_error(const struct gk_quad *found, const struct gk_quad *truth)
{
    double best = INFINITY, longest = 0;
    for (int turn = 0; turn < 4; turn++) {
        double worst = 0;
        for (int i = 0; i < 4; i++) {
            worst = fmax(worst, distance(found->corner[i], truth->corner[(i + turn) % 4]));
            longest = fmax(longest, distance(truth->corner[i], truth->corner[(i + 1) % 4]));
        }
        best = fmin(best, worst);
    }
    return best / longest;
}

static struct gk_point between(struct gk_point a, struct gk_point b, double share)
{
    return (struct gk_point){a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

static double off_line(const struct gk_number_line *line, struct gk_point point, double *ret_along)
{
    double length = distance(line->left, line->right);
    double dx = (line->right.x - line->left.x) / length, dy = (line->right.y - line->left.y) / length;
    double px = point.x - line->left.x, py = point.y - line->left.y;
    *ret_along = px * dx + py * dy;
    return fabs(py * dx - px * dy);
}

/* Does a line run through the middle of the row, at most a quarter of a digit off, and end within one height
 * of its ends? */
static bool row_found(const struct truth *truth, int row, const struct gk_number_line *lines, size_t count)
{
    double step = truth->rows > 1 ? (1 - truth->row_share) / (truth->rows - 1) : 0;
    double down = truth->row_share / 2 + row * step;
    struct gk_point left = between(truth->digits.corner[0], truth->digits.corner[3], down);
    struct gk_point right = between(truth->digits.corner[1], truth->digits.corner[2], down);
    double height = truth->row_share *
                    (distance(truth->digits.corner[0], truth->digits.corner[3]) +
                     distance(truth->digits.corner[1], truth->digits.corner[2])) /
                    2;
    for (size_t i = 0; i < count; i++) {
        double along[2],
            off = fmax(off_line(&lines[i], left, &along[0]), off_line(&lines[i], right, &along[1]));
        double length = distance(lines[i].left, lines[i].right);
        double first = fmin(along[0], along[1]), last = fmax(along[0], along[1]);
        if (off < 0.25 * height && fabs(first) < height && fabs(last - length) < height) {
            return true;
        }
    }
    return false;
}

enum { PLAIN, SMALL, BEYOND, PORTRAIT, BLOCKS, OTHERS, NOTHING, CONDITIONS };

static const char *const names[CONDITIONS] = {"payment card, any turn, tilt to 40",
                                              "a quarter of the width",
                                              "a side beyond the picture",
                                              "portrait",
                                              "blocks of four rows",
                                              "transit, ID, campus, parking",
                                              "no card"};

static void set_up(int condition, uint64_t seed, struct gk_mint_card *card, struct gk_mint_scene *scene)
{
    static const enum gk_mint_kind others[] = {GK_MINT_TRANSIT, GK_MINT_ID, GK_MINT_CAMPUS, GK_MINT_PARKING};
    enum gk_mint_kind kind = condition == OTHERS ? others[seed % 4] : GK_MINT_PAYMENT;
    kind = condition == NOTHING ? (seed % 2 == 0 ? GK_MINT_RECEIPT : GK_MINT_NOTHING) : kind;
    gk_mint_card_random(kind, NULL, seed, card);
    gk_mint_scene_random(1, seed, scene);
    if (condition == PORTRAIT || condition == BLOCKS) {
        card->print = GK_MINT_FLAT;
        card->layout = condition == PORTRAIT ? GK_MINT_PORTRAIT : GK_MINT_BLOCKS;
        strcpy(card->grouping, "4-4-4-4");
        gk_mint_scene_fit(card, scene);
    }
    if (condition == SMALL) {
        scene->card_width_share = 0.25;
    }
    if (condition == BEYOND) {
        scene->card_width_share = 0.9;
        scene->centre_x = 0.5 + (seed % 2 == 0 ? 0.12 : -0.12);
        scene->tilt_x_degrees /= 2;
        scene->tilt_y_degrees /= 2;
    }
}

static struct truth truth_of(const struct gk_mint_card *card, const struct gk_mint_picture *picture)
{
    struct truth truth = {.rows = picture->digits[0].x != 0, .row_share = 1};
    for (int i = 0; i < 4; i++) {
        truth.quad.corner[i] = (struct gk_point){picture->quad[i].x, picture->quad[i].y};
        truth.digits.corner[i] = (struct gk_point){picture->digits[i].x, picture->digits[i].y};
    }
    if (card->layout == GK_MINT_BLOCKS) {
        truth.rows = 4;
        truth.row_share = 3.4 / (3.4 + 3 * GK_MINT_PAYMENT_BLOCKS_STEP_MM);
    }
    return truth;
}

static bool to_image(const struct gk_mint_picture *picture, struct gk_image *ret_image)
{
    if (!gk_image_make((int)picture->width_px, (int)picture->height_px, true, ret_image)) {
        return false;
    }
    memcpy(ret_image->rgb, picture->rgb, (size_t)picture->width_px * picture->height_px * 3);
    gk_image_fill_grey(ret_image);
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure_condition(struct gk_network *network, int condition, int count)
{
    double *errors = calloc((size_t)count, sizeof *errors), picture_ms = 0, card_ms = 0;
    int sure = 0, several = 0, rows = 0, seen[2] = {0, 0};
    for (int i = 0; errors != NULL && i < count; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct gk_mint_picture picture;
        struct gk_image image;
        struct found found;
        set_up(condition, (uint64_t)(5000 + i), &card, &scene);
        if (gk_mint_draw(&card, &scene, &picture) != 0 || !to_image(&picture, &image)) {
            break;
        }
        look(network, &image, &found);
        struct truth truth = truth_of(&card, &picture);
        sure += found.card_count > 0 && found.cards[0].score >= GK_CARD_SCORE_SURE;
        several += found.card_count > 1 && found.cards[1].score >= GK_CARD_SCORE_SURE;
        errors[i] = found.card_count > 0 ? corner_error(&found.cards[0].quad, &truth.quad) : 1;
        for (int row = 0; row < truth.rows; row++) {
            rows++;
            seen[0] += row_found(&truth, row, found.lines[0], found.line_counts[0]);
            seen[1] += row_found(&truth, row, found.lines[1], found.line_counts[1]);
        }
        picture_ms += found.picture_ms;
        card_ms += found.card_ms;
        if (getenv("GK_VERBOSE") != NULL) {
            printf("  %d error %.3f score %.2f %.2f\n", i, errors[i],
                   found.card_count > 0 ? found.cards[0].score : 0,
                   found.card_count > 1 ? found.cards[1].score : 0);
        }
        gk_image_clear(&image);
        gk_mint_picture_clear(&picture);
    }
    qsort(errors, (size_t)count, sizeof *errors, compare_doubles);
    int within[2] = {0, 0};
    for (int i = 0; i < count; i++) {
        within[0] += errors[i] < 0.02;
        within[1] += errors[i] < 0.05;
    }
    printf("%-34s card %3d%%, a second %2d%%; worst corner: median %.2f%%, within 2%% %3d%%, 5%% %3d%%; "
           "rows in picture %3d%%, on card %3d%%; %.1f + %.1f ms\n",
           names[condition], sure * 100 / count, several * 100 / count, errors[count / 2] * 100,
           within[0] * 100 / count, within[1] * 100 / count, rows > 0 ? seen[0] * 100 / rows : 0,
           rows > 0 ? seen[1] * 100 / rows : 0, picture_ms / count, card_ms / count);
    free(errors);
}

static void print_line(const char *where, const struct gk_number_line *line)
{
    printf("line %s %.2f %.1f %.1f,%.1f %.1f,%.1f\n", where, line->score,
           (line->left_height + line->right_height) / 2, line->left.x, line->left.y, line->right.x,
           line->right.y);
}

static void show(struct gk_network *network, const char *path)
{
    static uint8_t data[GK_PICTURE_MAX_BYTES];
    struct gk_picture picture;
    struct gk_error error;
    struct found found;
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(data, 1, sizeof data, file) : 0;
    if (file == NULL || gk_picture_decode(data, size, &picture, &error) != GK_OK) {
        printf("unreadable %s\n", path);
        return;
    }
    fclose(file);
    look(network, &picture.image, &found);
    printf("picture %s %d %d %.1f %.1f\n", path, picture.image.width_px, picture.image.height_px,
           found.picture_ms, found.card_ms);
    for (size_t i = 0; i < found.card_count; i++) {
        const struct gk_point *c = found.cards[i].quad.corner;
        printf("card %.2f %.1f,%.1f %.1f,%.1f %.1f,%.1f %.1f,%.1f\n", found.cards[i].score, c[0].x, c[0].y,
               c[1].x, c[1].y, c[2].x, c[2].y, c[3].x, c[3].y);
    }
    for (size_t i = 0; i < found.line_counts[0]; i++) {
        print_line("picture", &found.lines[0][i]);
    }
    for (size_t i = 0; i < found.line_counts[1]; i++) {
        print_line("card", &found.lines[1][i]);
    }
    gk_picture_clear(&picture);
}

static struct gk_network *load(const char *path)
{
    static uint8_t data[4 << 20];
    struct gk_network *network = NULL;
    struct gk_error error;
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(data, 1, sizeof data, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    return gk_network_load(data, size, GK_SIGHT_NETWORK, &network, &error) == GK_OK ? network : NULL;
}

int main(int argc, char **argv)
{
    struct gk_network *network = argc > 2 ? load(argv[1]) : NULL;
    if (network == NULL) {
        fprintf(stderr, "usage: %s MODEL mint COUNT | %s MODEL PICTURE...\n", argv[0], argv[0]);
        return 2;
    }
    if (strcmp(argv[2], "mint") == 0) {
        for (int condition = 0; condition < CONDITIONS; condition++) {
            measure_condition(network, condition, argc > 3 ? atoi(argv[3]) : 50);
        }
    } else {
        for (int i = 2; i < argc; i++) {
            show(network, argv[i]);
        }
    }
    gk_network_free(network);
    return 0;
}
