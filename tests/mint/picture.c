/* Pictures as files: JPEG and PNG, and the manifest of a folder. */
#include "tests/mint/mint.h"

#include <errno.h>
#include <jpeglib.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

void gk_mint_picture_clear(struct gk_mint_picture *picture)
{
    if (picture != NULL) {
        free(picture->rgb);
        *picture = (struct gk_mint_picture){0};
    }
}

struct jpeg_trap {
    struct jpeg_error_mgr manager;
    jmp_buf jump;
};

static void jpeg_failed(j_common_ptr info)
{
    longjmp(((struct jpeg_trap *)(void *)info->err)->jump, 1);
}

int gk_mint_write_jpeg(FILE *stream, const struct gk_mint_picture *picture, int quality)
{
    struct jpeg_compress_struct compressor;
    struct jpeg_trap trap;
    compressor.err = jpeg_std_error(&trap.manager);
    trap.manager.error_exit = jpeg_failed;
    jpeg_create_compress(&compressor);
    if (setjmp(trap.jump) != 0) {
        jpeg_destroy_compress(&compressor);
        errno = errno != 0 ? errno : EIO;
        return -1;
    }
    jpeg_stdio_dest(&compressor, stream);
    compressor.image_width = picture->width_px;
    compressor.image_height = picture->height_px;
    compressor.input_components = 3;
    compressor.in_color_space = JCS_RGB;
    jpeg_set_defaults(&compressor);
    jpeg_set_quality(&compressor, quality, TRUE);
    jpeg_start_compress(&compressor, TRUE);
    while (compressor.next_scanline < compressor.image_height) {
        JSAMPROW row = picture->rgb + (size_t)compressor.next_scanline * picture->width_px * 3;
        jpeg_write_scanlines(&compressor, &row, 1);
    }
    jpeg_finish_compress(&compressor);
    jpeg_destroy_compress(&compressor);
    return fflush(stream) == 0 ? 0 : -1;
}

int gk_mint_write_png(FILE *stream, const struct gk_mint_picture *picture)
{
    png_image image = {0};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture->width_px;
    image.height = picture->height_px;
    image.format = PNG_FORMAT_RGB;
    image.flags = PNG_IMAGE_FLAG_FAST;
    if (png_image_write_to_stdio(&image, stream, 0, picture->rgb, 0, NULL) == 0) {
        errno = errno != 0 ? errno : EIO;
        return -1;
    }
    return fflush(stream) == 0 ? 0 : -1;
}

uint8_t *gk_mint_jpeg(const struct gk_mint_picture *picture, int quality, size_t *ret_size)
{
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);
    int status = stream == NULL ? -1 : gk_mint_write_jpeg(stream, picture, quality);
    if (stream != NULL && fclose(stream) != 0) {
        status = -1;
    }
    if (status != 0) {
        free(data);
        return NULL;
    }
    *ret_size = size;
    return (uint8_t *)data;
}

int gk_mint_write_manifest_header(FILE *stream)
{
    return fputs("file\tkind\tissuer\tnumber\tcheck\tprint\tcapture\twidth\theight\tnotes\n", stream) < 0 ? -1
                                                                                                          : 0;
}

static const char *kind_word(enum gk_mint_kind kind)
{
    switch (kind) {
    case GK_MINT_PAYMENT:
        return "bank";
    case GK_MINT_TRANSIT:
        return "transit";
    case GK_MINT_ID:
        return "national_id";
    case GK_MINT_CAMPUS:
        return "campus";
    case GK_MINT_PARKING:
        return "parking";
    case GK_MINT_RECEIPT:
    case GK_MINT_NOTHING:
    case GK_MINT_ISSUED:
        break;
    }
    return "other";
}

/* The corpus's words, the harder one first. */
static const char *capture_word(const struct gk_mint_scene *scene)
{
    double rotation = scene->rotation_degrees;
    if (scene->glare > 0.3) {
        return "glare";
    }
    if (rotation > 10 && rotation < 350) {
        return "photo-rotated";
    }
    double tilt_x = scene->tilt_x_degrees, tilt_y = scene->tilt_y_degrees;
    return tilt_x * tilt_x + tilt_y * tilt_y > 100 ? "photo-perspective" : "photo-straight";
}

int gk_mint_write_manifest_line(FILE *stream, const char *file, const struct gk_mint_card *card,
                                const struct gk_mint_scene *scene, const struct gk_mint_picture *picture)
{
    char notes[192] = "no card";
    if (card->kind != GK_MINT_NOTHING && card->kind != GK_MINT_RECEIPT) {
        const struct gk_mint_point *q = picture->quad;
        snprintf(notes, sizeof notes, "quad=%.1f,%.1f;%.1f,%.1f;%.1f,%.1f;%.1f,%.1f", q[0].x, q[0].y, q[1].x,
                 q[1].y, q[2].x, q[2].y, q[3].x, q[3].y);
    }
    if (scene->lamp != GK_MINT_LAMP_UNNAMED) {
        size_t length = strlen(notes);
        snprintf(notes + length, sizeof notes - length, " lamp=%s",
                 scene->lamp == GK_MINT_LAMP_LEFT ? "left" : "right");
    }
    int written = fprintf(stream, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%u\t%u\t%s\n", file, kind_word(card->kind),
                          card->brand[0] != '\0' ? card->brand : card->issuer, card->number,
                          gk_mint_check_word(card), card->print == GK_MINT_EMBOSSED ? "embossed" : "flat",
                          capture_word(scene), picture->width_px, picture->height_px, notes);
    return written < 0 ? -1 : 0;
}
