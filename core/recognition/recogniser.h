/*
 * Reads a card from its pictures: the whole of recognition behind one call, for guika-reader and `guika read`
 * alike.
 *
 * Owns: the issuer plugins, compiled into rules and layouts, and one Tesseract handle. One thread at a time.
 */
#ifndef GUIKA_CORE_RECOGNITION_RECOGNISER_H
#define GUIKA_CORE_RECOGNITION_RECOGNISER_H

#include "core/recognition/image.h"
#include "core/recognition/observer.h"
#include "core/recognition/stages.h"
#include "guika/v1/internal/reader.pb.h"
#include "rpc/status.h"

#include <stdbool.h>

struct gk_recogniser;

struct gk_recogniser_options {
    const char *issuers_directory; /* of plugins */
    bool keep_pictures; /* make a redacted picture of what a person must look at; costs half as much again */
    bool plugins_only;  /* open the plugins and nothing that reads: to see whether they are good */
    bool no_check;      /* ignore check characters and prefixes: specimens have neither */
    void (*on_refused)(void *context, const char *path,
                       const struct gk_error *error); /* a plugin was refused; may be NULL */
    void *context;
    const struct gk_observer *observer; /* borrowed while open; sees what the reader sees. NULL: none */
    struct gk_stages *stages; /* borrowed while open; gk_recogniser_read adds to it. NULL: not measured */
};

enum gk_status gk_recogniser_open(const struct gk_recogniser_options *options,
                                  struct gk_recogniser **ret_recogniser, struct gk_error *error);
void gk_recogniser_close(struct gk_recogniser *recogniser);

/* The shelf, for Announce. */
void gk_recogniser_shelf(const struct gk_recogniser *recogniser,
                         guika_v1_internal_AnnounceRequest *ret_shelf);

/* Reads 1 to 8 frames of one card. Never fails: what cannot be read is a reason in the result.
 * `ret_result->redacted_picture` points into memory of the recogniser until the next call. */
void gk_recogniser_read(struct gk_recogniser *recogniser, const guika_v1_Frame *frames, size_t frame_count,
                        guika_v1_internal_CompleteRecognitionRequest *ret_result);

/* Reads a picture that is a number's line already, upright and cut by somebody else (strip_reader.h). What it
 * says is what the same line on a card would say; it has no redacted picture. About 40 ms for 16 digits. */
void gk_recogniser_read_strip(struct gk_recogniser *recogniser, const struct gk_image *strip,
                              guika_v1_internal_CompleteRecognitionRequest *ret_result);

/* Answers one question about a typed or imported number. Pure. */
void gk_recogniser_check_number(const struct gk_recogniser *recogniser,
                                const guika_v1_internal_NumberQuestion *question,
                                guika_v1_internal_NumberAnswer *ret_answer);

#endif
