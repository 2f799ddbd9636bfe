/* What the steps beside the reading of digits cost: processor time of one thread, median of rounds, on minted
 * cards. */
#include "core/recognition/barcode.h"
#include "core/recognition/lamps.h"
#include "core/recognition/redaction.h"
#include "tests/mint/mint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 31

/* A minted card as a file, and what a reader would know of it. */
struct subject {
    uint8_t *jpeg, *png;
    size_t jpeg_size, png_size;
    struct gk_image card; /* rectified */
    struct gk_card_sight sight;
};

static void die(const char *what)
{
    fprintf(stderr, "sight: %s\n", what);
    exit(1);
}

static uint8_t *encode(const struct gk_mint_picture *picture, bool png, size_t *ret_size)
{
    char *data = NULL;
    FILE *stream = open_memstream(&data, ret_size);
    if (stream == NULL ||
        (png ? gk_mint_write_png(stream, picture) : gk_mint_write_jpeg(stream, picture, 88)) != 0 ||
        fclose(stream) != 0) {
        die("cannot encode");
    }
    return (uint8_t *)data;
}

static struct subject make_subject(enum gk_mint_kind kind, enum gk_mint_barcode barcode)
{
    struct subject subject = {.sight = {.card_found = true, .row_count = 1}};
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;
    struct gk_picture decoded;
    struct gk_quad quad;
    gk_mint_card_random(kind, NULL, 1, &card);
    card.barcode = barcode;
    gk_mint_scene_random(0.3, 1, &scene);
    if (gk_mint_draw(&card, &scene, &picture) != 0) {
        die("cannot draw");
    }
    subject.jpeg = encode(&picture, false, &subject.jpeg_size);
    subject.png = encode(&picture, true, &subject.png_size);
    for (int i = 0; i < 4; i++) {
        quad.corner[i] = (struct gk_point){picture.quad[i].x, picture.quad[i].y};
        subject.sight.rows[0].corner[i] = (struct gk_point){picture.digits[i].x, picture.digits[i].y};
    }
    if (!gk_homography_from_quad(&quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &subject.sight.view) ||
        gk_picture_decode(subject.jpeg, subject.jpeg_size, &decoded, NULL) != GK_OK ||
        !gk_rectify(&decoded.image, &subject.sight.view, false, &subject.card)) {
        die("cannot rectify");
    }
    gk_picture_clear(&decoded);
    gk_mint_picture_clear(&picture);
    return subject;
}

static void clear_subject(struct subject *subject)
{
    free(subject->jpeg);
    free(subject->png);
    gk_image_clear(&subject->card);
}

static void decode_jpeg_grey(const struct subject *subject, void *context)
{
    struct gk_picture picture;
    (void)context;
    if (gk_picture_decode(subject->jpeg, subject->jpeg_size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
}

static void decode_jpeg_colour(const struct subject *subject, void *context)
{
    struct gk_picture picture;
    (void)context;
    if (gk_picture_decode_colour(subject->jpeg, subject->jpeg_size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
}

static void decode_png_grey(const struct subject *subject, void *context)
{
    struct gk_picture picture;
    (void)context;
    if (gk_picture_decode(subject->png, subject->png_size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
}

static void decode_png_colour(const struct subject *subject, void *context)
{
    struct gk_picture picture;
    (void)context;
    if (gk_picture_decode_colour(subject->png, subject->png_size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
}

static void redact(const struct subject *subject, void *context)
{
    const struct gk_redaction front = {.front = true};
    uint8_t *jpeg = NULL;
    size_t size;
    (void)context;
    if (gk_redaction_make(subject->jpeg, subject->jpeg_size, &subject->sight, &front, &jpeg, &size)) {
        free(jpeg);
    }
}

static void read_barcodes(const struct subject *subject, void *context)
{
    struct gk_barcode codes[GK_BARCODES_MOST];
    (void)gk_barcodes_read(context, &subject->card, codes);
}

static void take_difference(const struct subject *subject, void *context)
{
    struct gk_image relief;
    (void)context;
    if (gk_lamps_difference(&subject->card, &subject->card, &relief)) {
        gk_image_clear(&relief);
    }
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : left > right;
}

static void measure(const char *what, const struct subject *subject,
                    void (*step)(const struct subject *subject, void *context), void *context)
{
    double times[ROUNDS];
    step(subject, context);
    for (int i = 0; i < ROUNDS; i++) {
        double before = cpu_ms();
        step(subject, context);
        times[i] = cpu_ms() - before;
    }
    qsort(times, ROUNDS, sizeof *times, by_size);
    printf("%-40s %6.2f ms (%.2f to %.2f)\n", what, times[ROUNDS / 2], times[0], times[ROUNDS - 1]);
}

static double resident_mb(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        if (fscanf(file, "%ld %ld", &pages, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

int main(void)
{
    struct gk_barcode_reader *reader = NULL;
    struct subject plain = make_subject(GK_MINT_ID, GK_MINT_BARCODE_NONE);
    struct subject bars = make_subject(GK_MINT_CAMPUS, GK_MINT_BARCODE_CODE128);
    struct subject qr = make_subject(GK_MINT_CAMPUS, GK_MINT_BARCODE_QR);
    struct gk_barcode codes[GK_BARCODES_MOST];
    measure("JPEG 1280x960, grey", &plain, decode_jpeg_grey, NULL);
    measure("JPEG 1280x960, colour", &plain, decode_jpeg_colour, NULL);
    measure("PNG 1280x960, grey", &plain, decode_png_grey, NULL);
    measure("PNG 1280x960, colour", &plain, decode_png_colour, NULL);
    measure("redacted picture", &plain, redact, NULL);
    measure("difference of lamps, 1024x646", &plain, take_difference, NULL);
    double before = resident_mb();
    if (gk_barcode_reader_open(&reader, NULL) != GK_OK) {
        die("no bar code reader");
    }
    double opened = resident_mb();
    (void)gk_barcodes_read(reader, &plain.card, codes);
    printf("bar code reader: resident %.2f MB more once open, %.2f MB more after a card\n", opened - before,
           resident_mb() - before);
    measure("bar codes, card with none", &plain, read_barcodes, reader);
    measure("bar codes, card with Code 128", &bars, read_barcodes, reader);
    measure("bar codes, card with a QR code", &qr, read_barcodes, reader);
    printf("bar code reader: resident %.2f MB more after all cards\n", resident_mb() - before);
    gk_barcode_reader_close(reader);
    clear_subject(&plain);
    clear_subject(&bars);
    clear_subject(&qr);
    return 0;
}
