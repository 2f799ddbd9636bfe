/* JPEG through libjpeg: scaled decoding, errors by longjmp, EXIF orientation, and the redacted picture's
 * encoder. */
#include "core/recognition/picture_codecs.h"

#include <libexif/exif-data.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* A progressive file of a few kilobytes may hold thousands of scans, each as dear as a whole picture. */
#define MOST_SCANS 100

struct trap {
    struct jpeg_error_mgr manager; /* first: libjpeg hands back its address */
    jmp_buf jump;
    char message[JMSG_LENGTH_MAX];
};

static void on_error(j_common_ptr info)
{
    struct trap *trap = (struct trap *)info->err;
    info->err->format_message(info, trap->message);
    longjmp(trap->jump, 1);
}

/* A warning of these two kinds means that part of the picture is made up, and half a picture is not the card.
 */
static void on_message(j_common_ptr info, int level)
{
    if (level < 0 && (info->err->msg_code == JWRN_JPEG_EOF || info->err->msg_code == JWRN_HIT_MARKER)) {
        info->err->num_warnings++;
    }
}

static void on_progress(j_common_ptr info)
{
    if (((j_decompress_ptr)info)->input_scan_number > MOST_SCANS) {
        struct trap *trap = (struct trap *)info->err;
        snprintf(trap->message, sizeof trap->message, "more than %d scans", MOST_SCANS);
        longjmp(trap->jump, 1);
    }
}

/* The orientation in an APP1 segment (EXIF 2.3, tag 274); 1 where there is none. */
static int exif_orientation(const uint8_t *data, size_t size)
{
    if (size < 14 || memcmp(data, "Exif\0\0", 6) != 0) {
        return 1;
    }
    ExifData *exif = exif_data_new_from_data(data, (unsigned)size);
    if (exif == NULL) {
        return 1;
    }
    const ExifEntry *entry = exif_content_get_entry(exif->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
    int value = 1;
    if (entry != NULL && entry->format == EXIF_FORMAT_SHORT && entry->size >= 2) {
        value = exif_get_short(entry->data, exif_data_get_byte_order(exif));
    }
    exif_data_unref(exif);
    return value >= 1 && value <= 8 ? value : 1;
}

static void read_orientation(j_decompress_ptr info, struct gk_picture *picture)
{
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker != NULL; marker = marker->next) {
        int orientation = exif_orientation(marker->data, marker->data_length);
        if (orientation != 1) {
            picture->orientation = orientation;
            return;
        }
    }
}

/* Eighths, so that the long side is at most GK_PICTURE_LONG_SIDE_PX; 1 at least. */
static unsigned choose_scale(j_decompress_ptr info)
{
    JDIMENSION longest = info->image_width > info->image_height ? info->image_width : info->image_height;
    unsigned eighths = 8;
    while (eighths > 1 && longest * eighths / 8 > GK_PICTURE_LONG_SIDE_PX) {
        eighths--;
    }
    return eighths;
}

/* From the header to the last row. What fails jumps. */
static enum gk_status decode(j_decompress_ptr info, bool colour, struct gk_picture *picture,
                             struct gk_error *error)
{
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(info, TRUE);
    enum gk_status status = gk_picture_check_size(info->image_width, info->image_height, error);
    if (status != GK_OK) {
        return status;
    }
    picture->stored_width_px = (int)info->image_width;
    picture->stored_height_px = (int)info->image_height;
    read_orientation(info, picture);
    if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "JPEG: CMYK pictures are not taken");
    }
    info->out_color_space = colour ? JCS_RGB : JCS_GRAYSCALE;
    info->scale_num = choose_scale(info);
    info->scale_denom = 8;
    jpeg_start_decompress(info);
    if (!gk_image_make((int)info->output_width, (int)info->output_height, colour, &picture->image)) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory for a picture");
    }
    uint8_t *samples = colour ? picture->image.rgb : picture->image.grey;
    size_t stride = (size_t)info->output_width * (colour ? 3 : 1);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = samples + (size_t)info->output_scanline * stride;
        jpeg_read_scanlines(info, &row, 1);
    }
    jpeg_finish_decompress(info);
    return GK_OK;
}

enum gk_status gk_jpeg_decode(const uint8_t *data, size_t size, bool colour, struct gk_picture *ret_picture,
                              struct gk_error *error)
{
    struct trap trap = {0};
    struct jpeg_decompress_struct info = {.err = jpeg_std_error(&trap.manager)};
    struct jpeg_progress_mgr progress = {.progress_monitor = on_progress};
    trap.manager.error_exit = on_error;
    trap.manager.emit_message = on_message;
    enum gk_status status;
    if (setjmp(trap.jump) != 0) {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "JPEG: %s", trap.message);
    } else {
        jpeg_create_decompress(&info);
        info.progress = &progress;
        jpeg_mem_src(&info, data, size);
        status = decode(&info, colour, ret_picture, error);
        if (status == GK_OK && trap.manager.num_warnings > 0) {
            status = gk_error_set(error, GK_INVALID_ARGUMENT, "JPEG: damaged or cut off");
        }
    }
    jpeg_destroy_decompress(&info);
    if (status != GK_OK) {
        gk_image_clear(&ret_picture->image);
    }
    return status;
}

bool gk_picture_encode_jpeg(const struct gk_image *image, uint8_t **ret_data, size_t *ret_size)
{
    struct trap trap = {0};
    struct jpeg_compress_struct info = {.err = jpeg_std_error(&trap.manager)};
    unsigned char *volatile kept = NULL;
    unsigned char *data = NULL;
    unsigned long size = 0;
    trap.manager.error_exit = on_error;
    if (setjmp(trap.jump) != 0) {
        jpeg_destroy_compress(&info);
        free(kept);
        return false;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &data, &size);
    kept = data;
    info.image_width = (JDIMENSION)image->width_px;
    info.image_height = (JDIMENSION)image->height_px;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, 80, TRUE);
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = image->rgb + (size_t)info.next_scanline * info.image_width * 3;
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    *ret_data = data;
    *ret_size = size;
    return true;
}
