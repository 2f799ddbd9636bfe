/* Minted cards of the plugin's layouts, at various tilts and lights, read by a real reader with the whole
 * shelf. */
#include "core/recognition/descriptor.h"
#include "core/recognition/recogniser.h"
#include "plugins/sdk/conformance/sheet.h"
#include "plugins/sdk/conformance/specimen.h"
#include "plugins/sdk/conformance/steps.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JPEG_QUALITY 90
#define SHELF_SIZE 32
#define GOOD_PERCENT 85.0  /* of the cards whose likeliest number is right: below, a warning */
#define LEAST_PERCENT 50.0 /* below, the plugin fails: rules or regions do not describe the cards */

struct reading {
    const struct gk_conformance_options *options;
    struct gk_trial *trial;
    const struct guika_issuer *issuer;
    struct gk_recogniser *recogniser;
    struct gk_sheet *sheet; /* NULL: none is wanted */
};

/* The shelf with this plugin first, so that one of its name that is there already is passed over. */
static bool make_shelf(const struct gk_conformance_options *options, char directory[SHELF_SIZE])
{
    char from[PATH_MAX], to[PATH_MAX + 300];
    snprintf(directory, SHELF_SIZE, "/tmp/guika-shelf-XXXXXX");
    if (mkdtemp(directory) == NULL || realpath(options->file, from) == NULL) {
        return false;
    }
    snprintf(to, sizeof to, "%s/ .so", directory);
    bool made = symlink(from, to) == 0;
    DIR *entries = realpath(options->issuers, from) == NULL ? NULL : opendir(from);
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char file[PATH_MAX + 300];
        snprintf(file, sizeof file, "%s/%s", from, entry->d_name);
        snprintf(to, sizeof to, "%s/%s", directory, entry->d_name);
        if (entry->d_name[0] != '.') {
            made = symlink(file, to) == 0 && made;
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return made;
}

static void remove_shelf(const char *directory)
{
    DIR *entries = opendir(directory);
    for (const struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    (void)rmdir(directory);
}

static bool open_recogniser(struct reading *reading)
{
    char directory[SHELF_SIZE];
    struct gk_error error = {0};
    const struct gk_recogniser_options options = {.issuers_directory = directory};
    bool opened = make_shelf(reading->options, directory) &&
                  gk_recogniser_open(&options, &reading->recogniser, &error) == GK_OK;
    remove_shelf(directory);
    if (!opened) {
        gk_trial_note(reading->trial, true, "no reader: %s",
                      error.message[0] != '\0' ? error.message : strerror(errno));
    }
    return opened;
}

/* What the reader said, counted and marked on the sheet. */
static void take_answer(struct reading *reading, const struct gk_specimen *specimen,
                        const guika_v1_internal_CompleteRecognitionRequest *answer,
                        const struct gk_mint_picture *picture)
{
    const guika_v1_internal_Candidate none = {0},
                                      *best = answer->candidates_count > 0 ? &answer->candidates[0] : &none;
    bool sure = answer->reason == guika_v1_Reason_REASON_UNSPECIFIED && answer->candidates_count > 0;
    bool right = strcmp(best->number, specimen->card.number) == 0 &&
                 strcmp(best->scheme, reading->issuer->scheme) == 0;
    struct gk_trial_reading *figures = &reading->trial->reading;
    char caption[128];
    figures->pictures++;
    figures->likeliest_right += right;
    figures->read += right && sure;
    figures->wrong += sure && !right;
    if (sure && !right) {
        gk_trial_note(reading->trial, true, "layout \"%s\": %s was taken for %s of %s",
                      specimen->layout->name, specimen->card.number, best->number, best->issuer);
    }
    if (reading->sheet != NULL) {
        snprintf(caption, sizeof caption, "%.16s %.0f/%.0f: %s%s", specimen->layout->name,
                 specimen->scene.tilt_x_degrees, specimen->scene.tilt_y_degrees,
                 right                     ? best->number
                 : best->number[0] == '\0' ? "nothing"
                                           : best->number,
                 right && sure ? ""
                 : right       ? " (unsure)"
                               : " (wrong)");
        gk_sheet_add(reading->sheet, picture,
                     right && sure ? GK_SHEET_READ
                     : right       ? GK_SHEET_UNSURE
                                   : GK_SHEET_WRONG,
                     caption);
    }
}

static bool read_specimen(struct reading *reading, size_t layout, unsigned index)
{
    struct gk_specimen specimen;
    struct gk_mint_picture picture;
    guika_v1_Frame frame = {0};
    guika_v1_internal_CompleteRecognitionRequest answer;
    if (!gk_specimen_make(reading->issuer, layout, index, &specimen) ||
        gk_mint_draw(&specimen.card, &specimen.scene, &picture) != 0) {
        gk_trial_note(reading->trial, true, "layout %zu: no card of it could be minted", layout);
        return false;
    }
    uint8_t *jpeg = gk_mint_jpeg(&picture, JPEG_QUALITY, &frame.picture.size);
    gk_trial_doing(reading->trial, "card %u of the layout \"%.32s\" was being read", index,
                   specimen.layout->name);
    if (jpeg != NULL) {
        frame.picture.data = jpeg;
        frame.side =
            specimen.layout->side == GUIKA_SIDE_BACK ? guika_v1_Side_SIDE_BACK : guika_v1_Side_SIDE_FRONT;
        gk_recogniser_read(reading->recogniser, &frame, 1, &answer);
        take_answer(reading, &specimen, &answer, &picture);
    }
    free(jpeg);
    gk_mint_picture_clear(&picture);
    return true;
}

static double percent(unsigned part, unsigned whole)
{
    return whole == 0 ? 0 : 100.0 * part / whole;
}

/* All cards of a layout, and whether they were read well enough. */
static void read_layout(struct reading *reading, size_t layout)
{
    const struct gk_trial_reading *figures = &reading->trial->reading, before = *figures;
    for (unsigned i = 0; i < reading->options->cards && read_specimen(reading, layout, i); i++) {
    }
    unsigned pictures = figures->pictures - before.pictures;
    unsigned right = figures->likeliest_right - before.likeliest_right;
    if (pictures > 0 && percent(right, pictures) < GOOD_PERCENT) {
        gk_trial_note(
            reading->trial, percent(right, pictures) < LEAST_PERCENT,
            "layout \"%s\": the likeliest number is right on %u of %u minted cards; %.0f%% are wanted",
            reading->issuer->layouts[layout].name, right, pictures, GOOD_PERCENT);
    }
}

static void write_sheet(struct reading *reading)
{
    char path[PATH_MAX];
    struct gk_error error = {0};
    if (reading->sheet == NULL || reading->options->sheet == NULL) {
        return;
    }
    snprintf(path, sizeof path, "%s/%s.png", reading->options->sheet, reading->issuer->id);
    if (mkdir(reading->options->sheet, 0777) != 0 && errno != EEXIST) {
        gk_trial_note(reading->trial, true, "cannot make the folder %s: %s", reading->options->sheet,
                      strerror(errno));
    } else if (gk_sheet_write(reading->sheet, path, &error) != GK_OK) {
        gk_trial_note(reading->trial, true, "%s", error.message);
    }
    gk_sheet_free(reading->sheet);
}

void gk_step_reading(void *options, struct gk_trial *trial)
{
    struct reading reading = {.options = options, .trial = trial};
    reading.issuer = gk_step_open(reading.options, trial, gk_rules_check_descriptor);
    gk_trial_doing(trial, "the reader was being opened");
    if (reading.issuer == NULL || !open_recogniser(&reading)) {
        return;
    }
    if (reading.options->sheet != NULL) {
        reading.sheet = gk_sheet_new(reading.options->cards * reading.issuer->layout_count);
    }
    for (size_t layout = 0; layout < reading.issuer->layout_count; layout++) {
        read_layout(&reading, layout);
    }
    gk_trial_doing(trial, "the sheet was being written");
    write_sheet(&reading);
    const struct gk_trial_reading *figures = &trial->reading;
    gk_trial_sum_up(trial,
                    "%u minted cards: %.0f%% likeliest right, %.0f%% with certainty, %u wrong with certainty",
                    figures->pictures, percent(figures->likeliest_right, figures->pictures),
                    percent(figures->read, figures->pictures), figures->wrong);
}
