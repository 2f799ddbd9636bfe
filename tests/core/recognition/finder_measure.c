/*
 * guika-measure-finder MODEL mint COUNT: how well cards and numbers are found in minted photographs of 1280 x
 * 960 at difficulty 1, by condition. guika-measure-finder MODEL PICTURE...: what is found in pictures, a line
 * each: card SCORE x,y x,y x,y x,y (pixels, clockwise from a long side's left end) line picture|card SCORE
 * HEIGHT x,y x,y (pixels of the picture: the digits' centre line)
 */
#include "core/recognition/picture.h"
#include "tests/core/recognition/finder_truth.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        scene->rotation_degrees = fmod(scene->rotation_degrees, 20) + (seed / 2 % 2 == 0 ? 0 : 180);
        scene->card_width_share = 0.75;
        scene->centre_x = seed % 2 == 0 ? 0.33 : 0.67;
        scene->centre_y = 0.5;
        scene->tilt_x_degrees /= 2;
        scene->tilt_y_degrees /= 2;
    }
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
        struct gk_image image;
        struct truth truth;
        struct found found;
        set_up(condition, (uint64_t)(5000 + i), &card, &scene);
        if (draw_minted(&card, &scene, &image, &truth) != 0) {
            break;
        }
        look(network, &image, &found);
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
        gk_image_clear(&image);
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
