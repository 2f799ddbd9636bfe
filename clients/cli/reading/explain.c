#include "clients/cli/reading/explain.h"

#include "clients/cli/reading/explain_draw.h"
#include "clients/cli/reading/local_reader.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STRIPS_MOST 60 /* drawn; a reader shows about ten framings a line */
#define NAME_SIZE 200

struct gk_explainer {
    char directory[2048];
    struct gk_observer observer;
    char stem[NAME_SIZE]; /* of the file that is read; "": none */
    size_t cards;
    struct gk_explained_strip *strips; /* STRIPS_MOST */
    size_t strip_count, left_out;
    char verdict[160];
    enum gk_status status; /* the first failure of this file */
    struct gk_error error;
};

static void note_failure(struct gk_explainer *explainer, const char *path, const char *reason)
{
    if (explainer->status == GK_OK) {
        explainer->status =
            gk_error_set(&explainer->error, GK_UNAVAILABLE, "cannot write %s: %s", path, reason);
    }
}

/* Writes <stem>-<suffix>.png and destroys the surface. */
static void write_picture(struct gk_explainer *explainer, const char *suffix, cairo_surface_t *surface)
{
    char path[sizeof explainer->directory + NAME_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s-%s.png", explainer->directory, explainer->stem, suffix);
    cairo_status_t status = gk_explain_write_png(surface, path);
    if (status != CAIRO_STATUS_SUCCESS) {
        note_failure(explainer, path,
                     status == CAIRO_STATUS_WRITE_ERROR ? strerror(errno) : cairo_status_to_string(status));
    }
    cairo_surface_destroy(surface);
}

static void see_picture(void *context, const struct gk_image *picture, const struct gk_seen_quad *quads,
                        size_t count)
{
    write_picture(context, "1-photo", gk_explain_draw_photo(picture, quads, count));
}

static void see_card(void *context, const struct gk_seen_card *card)
{
    struct gk_explainer *explainer = context;
    char suffix[32];
    snprintf(suffix, sizeof suffix, "2-card-%zu", ++explainer->cards);
    write_picture(explainer, suffix, gk_explain_draw_card(card));
}

static void see_strip(void *context, const struct gk_seen_strip *seen)
{
    struct gk_explainer *explainer = context;
    struct gk_explained_strip *strip = &explainer->strips[explainer->strip_count];
    if (explainer->strip_count == STRIPS_MOST ||
        !gk_image_make(seen->image->width_px, seen->image->height_px, false, &strip->image)) {
        explainer->left_out++;
        return;
    }
    memcpy(strip->image.grey, seen->image->grey,
           (size_t)seen->image->width_px * (size_t)seen->image->height_px);
    strip->card = seen->card;
    strip->line = seen->line;
    strip->chosen = seen->chosen;
    strip->count = seen->count < GK_EXPLAIN_CHARACTERS_MOST ? seen->count : GK_EXPLAIN_CHARACTERS_MOST;
    memcpy(strip->characters, seen->characters, strip->count * sizeof *strip->characters);
    explainer->strip_count++;
}

static void see_verdict(void *context, const struct gk_seen_verdict *verdict)
{
    struct gk_explainer *explainer = context;
    const char *reason = gk_cli_reason_word((guika_v1_Reason)verdict->reason);
    if (verdict->number[0] == '\0') {
        snprintf(explainer->verdict, sizeof explainer->verdict, "difficult, %s: no number", reason);
    } else {
        snprintf(explainer->verdict, sizeof explainer->verdict, "%s%s%s: %s %s (%.4f)",
                 verdict->accepted ? "read" : "difficult", verdict->accepted ? "" : ", ",
                 verdict->accepted ? "" : reason, verdict->issuer, verdict->number, verdict->probability);
    }
}

enum gk_status gk_explainer_open(const char *directory, struct gk_explainer **ret_explainer,
                                 struct gk_error *error)
{
    assert(directory != NULL && ret_explainer != NULL);
    struct gk_explainer *explainer = calloc(1, sizeof *explainer);
    struct gk_explained_strip *strips = calloc(STRIPS_MOST, sizeof *strips);
    if (explainer == NULL || strips == NULL) {
        free(explainer);
        free(strips);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory");
    }
    explainer->strips = strips;
    size_t length = (size_t)snprintf(explainer->directory, sizeof explainer->directory, "%s", directory);
    if (length >= sizeof explainer->directory || (mkdir(directory, 0700) != 0 && errno != EEXIST)) {
        int reason = length >= sizeof explainer->directory ? ENAMETOOLONG : errno;
        gk_explainer_close(explainer);
        return gk_error_set(error, GK_UNAVAILABLE, "cannot make the folder %s: %s", directory,
                            strerror(reason));
    }
    explainer->observer = (struct gk_observer){.context = explainer,
                                               .picture = see_picture,
                                               .card = see_card,
                                               .strip = see_strip,
                                               .verdict = see_verdict};
    *ret_explainer = explainer;
    return GK_OK;
}

static void clear_strips(struct gk_explainer *explainer)
{
    for (size_t i = 0; i < explainer->strip_count; i++) {
        gk_image_clear(&explainer->strips[i].image);
    }
    explainer->strip_count = 0;
}

void gk_explainer_close(struct gk_explainer *explainer)
{
    if (explainer != NULL) {
        clear_strips(explainer);
        free(explainer->strips);
        free(explainer);
    }
}

const struct gk_observer *gk_explainer_observer(struct gk_explainer *explainer)
{
    return &explainer->observer;
}

void gk_explainer_begin(struct gk_explainer *explainer, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    size_t length = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
    snprintf(explainer->stem, sizeof explainer->stem, "%.*s",
             (int)(length < NAME_SIZE ? length : NAME_SIZE - 1), name);
    clear_strips(explainer);
    explainer->cards = explainer->left_out = 0;
    explainer->status = GK_OK;
    snprintf(explainer->verdict, sizeof explainer->verdict, "no verdict");
}

enum gk_status gk_explainer_end(struct gk_explainer *explainer, struct gk_error *error)
{
    write_picture(explainer, "3-strips",
                  gk_explain_draw_strips(explainer->strips, explainer->strip_count, explainer->left_out,
                                         explainer->verdict));
    clear_strips(explainer);
    if (explainer->status != GK_OK && error != NULL) {
        *error = explainer->error;
    }
    return explainer->status;
}
