#include "core/recognition/recogniser.h"

#include "core/recognition/card_reader.h"
#include "core/recognition/descriptor.h"
#include "core/recognition/model.h"
#include "core/recognition/redaction.h"
#include "core/recognition/relief_reader.h"
#include "core/recognition/second_look.h"
#include "core/recognition/sight.h"
#include "core/recognition/strip_reader.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What takes longer than this is left unread. A reader's lease is 2 s; on a busy machine the wall clock runs
 * away from the processor's. */
#define CPU_FOR_ALL_FRAMES_MS 1100
#define WALL_FOR_ALL_FRAMES_MS 1700
#define LEAST_PROBABILITY 1e-6 /* of a candidate worth a look-up */
#define RECOGNISED 0.5         /* probability from which a card is taken for the candidate's issuer's */

struct gk_recogniser {
    struct gk_plugin **plugins;
    size_t plugin_count;
    const struct guika_issuer **issuers; /* of the plugins, in their order */
    struct gk_network *finder;
    struct gk_digit_net *digits;
    struct gk_text_reader *text;
    struct gk_barcode_reader *barcodes;
    const struct gk_observer *observer;
    struct gk_stages *stages;
    bool no_check, keep_pictures;
    uint8_t *redacted; /* the last picture handed out */
};

static enum gk_status open_readers(struct gk_recogniser *recogniser, struct gk_error *error)
{
    size_t size = 0;
    const uint8_t *model = gk_model_bytes(&size);
    enum gk_status status = gk_network_load(model, size, GK_SIGHT_NETWORK, &recogniser->finder, error);
    if (status == GK_OK) {
        status = gk_digit_net_open(&recogniser->digits, error);
    }
    if (status == GK_OK) {
        status = gk_barcode_reader_open(&recogniser->barcodes, error);
    }
    if (status == GK_OK) {
        status = gk_text_reader_open(&recogniser->text, error);
    }
    return status;
}

enum gk_status gk_recogniser_open(const struct gk_recogniser_options *options,
                                  struct gk_recogniser **ret_recogniser, struct gk_error *error)
{
    assert(options != NULL && options->issuers_directory != NULL && ret_recogniser != NULL);
    struct gk_recogniser *recogniser = calloc(1, sizeof *recogniser);
    if (recogniser == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory");
    }
    recogniser->no_check = options->no_check;
    recogniser->keep_pictures = options->keep_pictures;
    recogniser->observer = options->observer;
    enum gk_status status =
        gk_plugin_open_all(options->issuers_directory, gk_descriptor_kind(), options->on_refused,
                           options->context, &recogniser->plugins, &recogniser->plugin_count, error);
    if (status != GK_OK) {
        goto close;
    }
    recogniser->issuers = calloc(recogniser->plugin_count + 1, sizeof *recogniser->issuers);
    if (recogniser->issuers == NULL) {
        status = gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory");
        goto close;
    }
    for (size_t i = 0; i < recogniser->plugin_count; i++) {
        recogniser->issuers[i] =
            (const struct guika_issuer *)(const void *)gk_plugin_head(recogniser->plugins[i]);
    }
    recogniser->observer = options->observer;
    recogniser->stages = options->stages;
    status = options->plugins_only ? GK_OK : open_readers(recogniser, error);
    if (status != GK_OK) {
        goto close;
    }
    *ret_recogniser = recogniser;
    return GK_OK;
close:
    gk_recogniser_close(recogniser);
    return status;
}

void gk_recogniser_close(struct gk_recogniser *recogniser)
{
    if (recogniser == NULL) {
        return;
    }
    gk_text_reader_close(recogniser->text);
    gk_barcode_reader_close(recogniser->barcodes);
    gk_digit_net_close(recogniser->digits);
    gk_network_free(recogniser->finder);
    for (size_t i = 0; i < recogniser->plugin_count; i++) {
        gk_plugin_close(recogniser->plugins[i]);
    }
    free(recogniser->plugins);
    free(recogniser->issuers);
    free(recogniser->redacted);
    free(recogniser);
}

static const char *name_in(const struct guika_issuer *issuer, const char *language)
{
    for (size_t i = 0; i < issuer->name_count; i++) {
        if (strcmp(issuer->names[i].language, language) == 0) {
            return issuer->names[i].text;
        }
    }
    return issuer->names[0].text;
}

void gk_recogniser_shelf(const struct gk_recogniser *recogniser, guika_v1_internal_AnnounceRequest *ret_shelf)
{
    guika_v1_internal_AnnounceRequest shelf = {0};
    size_t most = sizeof shelf.issuers / sizeof *shelf.issuers;
    for (size_t i = 0; i < recogniser->plugin_count && i < most; i++) {
        const struct guika_issuer *issuer = recogniser->issuers[i];
        guika_v1_internal_ShelfIssuer *entry = &shelf.issuers[shelf.issuers_count++];
        snprintf(entry->issuer, sizeof entry->issuer, "%s", issuer->id);
        snprintf(entry->scheme, sizeof entry->scheme, "%s", issuer->scheme);
        snprintf(entry->name_zh, sizeof entry->name_zh, "%s", name_in(issuer, "zh"));
        snprintf(entry->name_en, sizeof entry->name_en, "%s", name_in(issuer, "en"));
        snprintf(entry->version, sizeof entry->version, "%s", issuer->version == NULL ? "" : issuer->version);
        snprintf(entry->file, sizeof entry->file, "%s", gk_plugin_file(recogniser->plugins[i]));
        entry->kind = (guika_v1_CardKind)issuer->kind;
    }
    *ret_shelf = shelf;
}

/* The box's quadrilateral in pixels of the decoded picture; false where it gave none. */
static bool supplied_quad(const guika_v1_Frame *frame, const struct gk_picture *picture,
                          struct gk_quad *ret_quad)
{
    const guika_v1_Quadrilateral *card = &frame->card;
    if (!frame->has_card || !card->has_top_left || !card->has_top_right || !card->has_bottom_right ||
        !card->has_bottom_left) {
        return false;
    }
    const guika_v1_Point *points[4] = {&card->top_left, &card->top_right, &card->bottom_right,
                                       &card->bottom_left};
    double longest = picture->stored_width_px + picture->stored_height_px;
    for (int i = 0; i < 4; i++) {
        struct gk_point stored = {(double)points[i]->x_px, (double)points[i]->y_px};
        /* Written so that NaN is refused as well. */
        if (!(stored.x > -longest && stored.x < 2 * longest && stored.y > -longest &&
              stored.y < 2 * longest)) {
            return false;
        }
        ret_quad->corner[i] = gk_picture_from_stored(picture, stored);
    }
    return true;
}

/* All frames of one call. */
struct reading {
    struct gk_candidate_list list;
    bool any_picture, card_found, several_cards, figures_found, check_failed, unknown_issuer, glare;
    char problem[sizeof((struct gk_error *)NULL)->message];
    /* The frame that a kept picture is made of: the first with a card, better one that was read. */
    const guika_v1_Frame *kept;
    struct gk_card_sight kept_sight;
};

static void keep_frame(struct reading *reading, const guika_v1_Frame *frame,
                       const struct gk_card_sight *sight)
{
    if (sight->card_found &&
        (reading->kept == NULL || (sight->position_known && !reading->kept_sight.position_known))) {
        reading->kept = frame;
        reading->kept_sight = *sight;
    }
}

static void read_frame(const struct gk_card_reader *reader, const guika_v1_Frame *frame,
                       struct reading *reading)
{
    struct gk_picture picture;
    struct gk_error error = {0};
    int64_t began = gk_stage_begin(reader->stages);
    enum gk_status decoded = gk_picture_decode(frame->picture.data, frame->picture.size, &picture, &error);
    gk_stage_end(reader->stages, GK_STAGE_DECODE, began);
    if (decoded != GK_OK) {
        memcpy(reading->problem, error.message, sizeof reading->problem);
        return;
    }
    reading->any_picture = true;
    struct gk_quad quad;
    struct gk_card_sight sight;
    bool supplied = supplied_quad(frame, &picture, &quad);
    gk_second_look_read(reader, &picture.image, supplied ? &quad : NULL, &reading->list, &sight);
    reading->card_found = reading->card_found || sight.card_found;
    reading->several_cards = reading->several_cards || sight.several_cards;
    reading->figures_found = reading->figures_found || sight.figures_found;
    reading->check_failed = reading->check_failed || sight.check_failed;
    reading->unknown_issuer = reading->unknown_issuer || sight.unknown_issuer;
    reading->glare = reading->glare || sight.glare;
    keep_frame(reading, frame, &sight);
    gk_picture_clear(&picture);
}

static bool is_accepted(const struct gk_candidate_list *list)
{
    return list->count > 0 && list->items[0].probability >= GK_CANDIDATE_ACCEPTED && !list->items[0].forced;
}

/* A registry of consecutive numbers wants more than acceptance does: further frames are read until nothing is
 * gained. Nothing is either where all doubt that is left is whether the figures are a card's number, but by a
 * bar code. */
static bool is_certain(const struct gk_candidate_list *list)
{
    const struct gk_candidate *top = &list->items[0];
    if (list->count == 0 || top->forced || top->probability < GK_CANDIDATE_CERTAIN * (1 - top->alien)) {
        return false;
    }
    return is_accepted(list) || (top->probability >= RECOGNISED && !gk_descriptor_has_barcodes(top->issuer));
}

/* Decodes again what was read alone before: pictures are not kept in memory for a pair that is seldom needed.
 */
static void read_pair(const struct gk_card_reader *reader, const guika_v1_Frame *one,
                      const guika_v1_Frame *other, struct reading *reading)
{
    struct gk_picture pictures[2];
    if (gk_picture_decode(one->picture.data, one->picture.size, &pictures[0], NULL) != GK_OK) {
        return;
    }
    if (gk_picture_decode(other->picture.data, other->picture.size, &pictures[1], NULL) == GK_OK) {
        if (pictures[0].image.width_px == pictures[1].image.width_px &&
            pictures[0].image.height_px == pictures[1].image.height_px) {
            gk_relief_read(reader, &pictures[0].image, &pictures[1].image, &reading->kept_sight.view,
                           &reading->list);
        }
        gk_picture_clear(&pictures[1]);
    }
    gk_picture_clear(&pictures[0]);
}

/* Frames of one side under opposite lamps, once per pair. The card lies still: where it was seen in one
 * frame, it is in all of its camera. */
static void read_pairs(const struct gk_card_reader *reader, const guika_v1_Frame *frames, size_t count,
                       struct reading *reading)
{
    for (size_t i = 0; i < count && reading->kept != NULL; i++) {
        for (size_t j = i + 1;
             j < count && !is_accepted(&reading->list) && !gk_card_reader_out_of_time(reader); j++) {
            bool same_camera = frames[i].side == frames[j].side && frames[i].side == reading->kept->side;
            if (same_camera && gk_lamps_are_opposite(frames[i].lamp, frames[j].lamp)) {
                read_pair(reader, &frames[i], &frames[j], reading);
            }
        }
    }
}

static guika_v1_Reason choose_reason(const struct reading *reading)
{
    if (reading->several_cards) {
        return guika_v1_Reason_REASON_SEVERAL_CARDS;
    }
    if (is_accepted(&reading->list)) {
        return guika_v1_Reason_REASON_UNSPECIFIED;
    }
    if (!reading->card_found && !reading->figures_found) {
        return guika_v1_Reason_REASON_NOT_A_CARD;
    }
    if (reading->list.count == 0 || reading->list.items[0].forced ||
        reading->list.items[0].probability < RECOGNISED) {
        if (reading->check_failed) {
            return guika_v1_Reason_REASON_CHECK_FAILED;
        }
        if (reading->unknown_issuer) {
            return guika_v1_Reason_REASON_UNKNOWN_ISSUER;
        }
    }
    return reading->glare && !reading->figures_found ? guika_v1_Reason_REASON_GLARE
                                                     : guika_v1_Reason_REASON_UNREADABLE;
}

/* See Candidate.unchecked_reading. Of a number with letters nearly all doubt is about the letters, and those
 * are told apart within the few prefixes that there are. */
static double unchecked_reading(const struct gk_candidate *candidate)
{
    struct gk_judgement judgement;
    bool digits = candidate->number[strspn(candidate->number, "0123456789")] == '\0';
    bool unchecked = digits && candidate->issuer != NULL &&
                     gk_rules_judge(candidate->issuer, candidate->number, &judgement) == GK_FIT_VALID &&
                     judgement.rule->check == GUIKA_CHECK_NONE;
    return unchecked ? candidate->probability / (1 - candidate->alien) : 0;
}

static void fill_candidates(const struct gk_candidate_list *list,
                            guika_v1_internal_CompleteRecognitionRequest *result)
{
    for (size_t i = 0; i < list->count && list->items[i].probability >= LEAST_PROBABILITY; i++) {
        const struct gk_candidate *from = &list->items[i];
        guika_v1_internal_Candidate *to = &result->candidates[result->candidates_count++];
        if (from->issuer != NULL) {
            snprintf(to->issuer, sizeof to->issuer, "%s", from->issuer->id);
            snprintf(to->scheme, sizeof to->scheme, "%s", from->issuer->scheme);
            to->kind = (guika_v1_CardKind)from->issuer->kind;
        }
        snprintf(to->number, sizeof to->number, "%s", from->number);
        gk_rules_mask(from->issuer, from->number, to->masked);
        to->probability = from->probability;
        to->forced = from->forced;
        to->place = from->place;
        to->unchecked_reading = unchecked_reading(from);
    }
}

/* For a difficult card alone: one that was read needs no person to look at it. */
static void make_redacted(struct gk_recogniser *recogniser, const struct reading *reading,
                          guika_v1_internal_CompleteRecognitionRequest *result)
{
    const struct guika_issuer *recognised[GK_CANDIDATES_MOST];
    const guika_v1_Frame *kept = reading->kept;
    size_t count = 0, size = 0;
    if (!recogniser->keep_pictures || kept == NULL || result->reason == guika_v1_Reason_REASON_UNSPECIFIED) {
        return;
    }
    for (size_t i = 0; i < reading->list.count; i++) {
        if (reading->list.items[i].probability >= RECOGNISED && reading->list.items[i].issuer != NULL) {
            recognised[count++] = reading->list.items[i].issuer;
        }
    }
    const struct gk_redaction redaction = {.issuers = recognised,
                                           .issuer_count = count,
                                           .front = kept->side != guika_v1_Side_SIDE_BACK,
                                           .back = kept->side != guika_v1_Side_SIDE_FRONT};
    if (gk_redaction_make(kept->picture.data, kept->picture.size, &reading->kept_sight, &redaction,
                          &recogniser->redacted, &size)) {
        result->redacted_picture.data = recogniser->redacted;
        result->redacted_picture.size = size;
    }
}

static void tell_verdict(const struct gk_observer *observer, const struct reading *reading,
                         guika_v1_Reason reason)
{
    if (observer == NULL || observer->verdict == NULL) {
        return;
    }
    const struct gk_candidate none = {0}, *best = reading->list.count > 0 ? &reading->list.items[0] : &none;
    const struct gk_seen_verdict verdict = {.number = best->number,
                                            .issuer = best->issuer == NULL ? "" : best->issuer->id,
                                            .probability = best->probability,
                                            .accepted = is_accepted(&reading->list),
                                            .reason = (int)reason};
    observer->verdict(observer->context, &verdict);
}

void gk_recogniser_read(struct gk_recogniser *recogniser, const guika_v1_Frame *frames, size_t frame_count,
                        guika_v1_internal_CompleteRecognitionRequest *ret_result)
{
    assert(recogniser != NULL && ret_result != NULL && (frames != NULL || frame_count == 0));
    struct reading *reading = calloc(1, sizeof *reading);
    free(recogniser->redacted);
    recogniser->redacted = NULL;
    *ret_result = (guika_v1_internal_CompleteRecognitionRequest){0};
    if (reading == NULL) {
        ret_result->reason = guika_v1_Reason_REASON_UNREADABLE;
        return;
    }
    const struct gk_card_reader reader = {
        .finder = recogniser->finder,
        .digits = recogniser->digits,
        .observer = recogniser->observer,
        .stages = recogniser->stages,
        .text = recogniser->text,
        .barcodes = recogniser->barcodes,
        .rules = {recogniser->issuers, recogniser->plugin_count, recogniser->no_check},
        .stop_cpu_ms = gk_clock_read_ms(CLOCK_THREAD_CPUTIME_ID) + CPU_FOR_ALL_FRAMES_MS,
        .stop_wall_ms = gk_clock_read_ms(CLOCK_MONOTONIC) + WALL_FOR_ALL_FRAMES_MS};
    for (size_t i = 0;
         i < frame_count && !is_certain(&reading->list) && (i == 0 || !gk_card_reader_out_of_time(&reader));
         i++) {
        read_frame(&reader, &frames[i], reading);
    }
    read_pairs(&reader, frames, frame_count, reading);
    if (!reading->any_picture) {
        ret_result->invalid_picture = true;
        ret_result->reason = guika_v1_Reason_REASON_UNREADABLE;
        snprintf(ret_result->problem, sizeof ret_result->problem, "%.128s",
                 frame_count == 0 ? "no picture was sent" : reading->problem);
    } else {
        fill_candidates(&reading->list, ret_result);
        ret_result->reason = choose_reason(reading);
        ret_result->another_frame_may_help = reading->card_found && !is_certain(&reading->list);
        make_redacted(recogniser, reading, ret_result);
    }
    tell_verdict(recogniser->observer, reading, ret_result->reason);
    free(reading);
}

/* What one strip takes; large. */
struct strip_work {
    struct gk_reading reading;
    struct gk_line_verdict verdict;
    struct reading all;
};

void gk_recogniser_read_strip(struct gk_recogniser *recogniser, const struct gk_image *strip,
                              guika_v1_internal_CompleteRecognitionRequest *ret_result)
{
    assert(recogniser != NULL && strip != NULL && ret_result != NULL);
    const struct gk_candidate_rules rules = {recogniser->issuers, recogniser->plugin_count,
                                             recogniser->no_check};
    struct strip_work *work = calloc(1, sizeof *work);
    *ret_result = (guika_v1_internal_CompleteRecognitionRequest){.reason = guika_v1_Reason_REASON_UNREADABLE};
    if (work != NULL && gk_strip_read(recogniser->digits, strip, &work->reading)) {
        gk_reading_verdict(&work->reading, &rules, &work->verdict);
        gk_candidates_add(&work->all.list, &work->verdict);
        work->all.figures_found = true; /* says who cut it */
        work->all.check_failed = work->verdict.check_failed;
        work->all.unknown_issuer = work->verdict.unknown_issuer;
        fill_candidates(&work->all.list, ret_result);
        ret_result->reason = choose_reason(&work->all);
    }
    free(work);
}

static void add_match(const struct gk_judgement *judgement, const char *number,
                      guika_v1_internal_NumberAnswer *answer)
{
    guika_v1_internal_NumberMatch *match = &answer->matches[answer->matches_count++];
    snprintf(match->scheme, sizeof match->scheme, "%s", judgement->issuer->scheme);
    snprintf(match->issuer, sizeof match->issuer, "%s", judgement->issuer->id);
    snprintf(match->number, sizeof match->number, "%s", number);
    match->kind = (guika_v1_CardKind)judgement->issuer->kind;
    gk_rules_mask(judgement->issuer, number, match->masked);
}

void gk_recogniser_check_number(const struct gk_recogniser *recogniser,
                                const guika_v1_internal_NumberQuestion *question,
                                guika_v1_internal_NumberAnswer *ret_answer)
{
    guika_v1_internal_NumberAnswer answer = {0};
    char number[GK_NUMBER_SIZE];
    bool check_failed = false, scheme_known = false;
    struct gk_judgement matches[16];
    size_t count = 0;
    if (gk_rules_canonical(question->number, number) > 0) {
        count = gk_rules_match(recogniser->issuers, recogniser->plugin_count, number, matches,
                               sizeof matches / sizeof *matches, &check_failed);
    }
    for (size_t i = 0; i < recogniser->plugin_count; i++) {
        scheme_known = scheme_known || strcmp(recogniser->issuers[i]->scheme, question->scheme) == 0;
    }
    for (size_t i = 0; i < count; i++) {
        bool asked = question->scheme[0] == '\0' || strcmp(question->scheme, matches[i].issuer->scheme) == 0;
        if (asked && answer.matches_count < sizeof answer.matches / sizeof *answer.matches) {
            add_match(&matches[i], number, &answer);
        }
    }
    if (answer.matches_count == 0) {
        snprintf(answer.problem, sizeof answer.problem, "%s",
                 question->scheme[0] != '\0' && !scheme_known ? "no issuer plugin has this number scheme"
                 : check_failed                               ? "the check character does not agree"
                                : "no issuer on the shelf has numbers of this length and beginning");
    }
    *ret_answer = answer;
}
