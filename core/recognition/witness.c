#include "core/recognition/witness.h"

#include "core/recognition/calibration.h"
#include "core/recognition/descriptor.h"
#include "core/recognition/weighing.h"

#include <string.h>

/* The probability that Tesseract is right when it reads a whole number just as the net did. Both see the same
 * picture; estimated, on the cautious side. */
#define TEXT_STRENGTH 0.9
/* That a bar code is the card's number when the rules know it as one: whole, or a run within a longer text.
 * Estimated. */
#define CODE_STRENGTH 0.97
#define PART_STRENGTH 0.6
#define OPINIONS 5 /* candidates that a witness is asked about, likeliest first */

/* Tesseract takes dark print on light ground: print is the smaller part of a strip. */
static void make_dark_on_light(struct gk_image *strip)
{
    size_t pixels = (size_t)strip->width_px * (size_t)strip->height_px, counts[256] = {0}, below = 0;
    int darkest = 255, lightest = 0, median = 0;
    for (size_t i = 0; i < pixels; i++) {
        counts[strip->grey[i]]++;
        darkest = strip->grey[i] < darkest ? strip->grey[i] : darkest;
        lightest = strip->grey[i] > lightest ? strip->grey[i] : lightest;
    }
    while (median < 255 && (below += counts[median]) < pixels / 2) {
        median++;
    }
    bool is_dark = median - darkest < lightest - median;
    for (size_t i = 0; i < pixels && is_dark; i++) {
        strip->grey[i] = (uint8_t)(255 - strip->grey[i]);
    }
}

static void collect_figures(const struct gk_text_line *text, char ret_figures[GK_TEXT_SYMBOLS_MOST + 1])
{
    size_t count = 0;
    for (int i = 0; i < text->count; i++) {
        char character = text->symbols[i].choices[0].character;
        if ((character >= '0' && character <= '9') || character == 'X') {
            ret_figures[count++] = character;
        }
    }
    ret_figures[count] = '\0';
}

/* May one be the other misread, rather than another number of the same line? What they begin and end with
 * alike is half of the shorter one, or more. */
static bool are_of_one_reading(const char *a, const char *b)
{
    size_t length_a = strlen(a), length_b = strlen(b), shorter = length_a < length_b ? length_a : length_b;
    size_t first = 0, last = 0;
    while (first < shorter && a[first] == b[first]) {
        first++;
    }
    while (first + last < shorter && a[length_a - 1 - last] == b[length_b - 1 - last]) {
        last++;
    }
    return 2 * (first + last) >= shorter;
}

bool gk_witness_read(const struct gk_card_reader *reader, const struct gk_line_place *place,
                     const struct gk_number_line *line, bool upside_down, struct gk_text_line *ret_text,
                     int *ret_width_px)
{
    static const struct gk_framing framing = {.digit_share = 0.66, .centre_shift = 0};
    struct gk_image strip;
    if (!gk_number_line_cut(place->picture, place->frame, line, upside_down, &framing, &strip)) {
        return false;
    }
    int64_t began = gk_stage_begin(reader->stages);
    make_dark_on_light(&strip);
    bool read = gk_text_read(reader->text, &strip, ret_text);
    gk_stage_end(reader->stages, GK_STAGE_TEXT, began);
    *ret_width_px = strip.width_px;
    gk_image_clear(&strip);
    return read;
}

void gk_witness_text(const struct gk_card_reader *reader, const struct gk_line_place *place,
                     const struct gk_number_line *line, bool upside_down, struct gk_candidate_list *list)
{
    struct gk_text_line text;
    char figures[GK_TEXT_SYMBOLS_MOST + 1], numbers[OPINIONS][GK_NUMBER_SIZE];
    size_t count = 0;
    int width_px;
    if (!gk_witness_read(reader, place, line, upside_down, &text, &width_px)) {
        return;
    }
    collect_figures(&text, figures);
    for (; count < list->count && count < OPINIONS; count++) {
        memcpy(numbers[count], list->items[count].number, GK_NUMBER_SIZE);
    }
    for (size_t i = 0; i < count; i++) {
        /* Another number on the line, a telephone number say, is no word against the likeliest. */
        if (strstr(figures, numbers[i]) != NULL && are_of_one_reading(numbers[0], numbers[i])) {
            (void)gk_candidates_witness(list, numbers[i], TEXT_STRENGTH, GK_WITNESS_OF_PRINT);
            return;
        }
    }
}

/* A number that no line showed: the code is read as a line of its own. */
static void add_code(const struct gk_card_reader *reader, const char *number, double strength,
                     struct gk_candidate_list *list)
{
    struct gk_line_verdict verdict = {.count = 0};
    struct gk_weighing weighing;
    struct gk_run run = {.best = number, .alien_factor = 1};
    gk_weighing_begin(&weighing, &reader->rules, &verdict);
    gk_weighing_add(&weighing, &run, number, "", strength);
    gk_weighing_close_run(&weighing, &run, NULL, 1 - strength);
    gk_weighing_end(&weighing);
    gk_candidates_add(list, &verdict);
}

/* What the bar codes of a card have said. */
struct testimony {
    const struct gk_card_reader *reader;
    struct gk_candidate_list *list;
    char numbers[GK_BARCODES_MOST][GK_NUMBER_SIZE];
    size_t count;
};

/* Each number is said once, by the strongest that says it, which comes first. */
static void say(struct testimony *testimony, const char *number, double strength)
{
    for (size_t i = 0; i < testimony->count; i++) {
        if (strcmp(testimony->numbers[i], number) == 0) {
            return;
        }
    }
    if (testimony->count < GK_BARCODES_MOST) {
        memcpy(testimony->numbers[testimony->count++], number, GK_NUMBER_SIZE);
        if (!gk_candidates_witness(testimony->list, number, strength, GK_WITNESS_OF_CODE)) {
            add_code(testimony->reader, number, strength, testimony->list);
        }
    }
}

/* The number where an issuer says that it stands in its cards' codes: as good as a whole text. */
static void say_declared(struct testimony *testimony, const struct gk_barcode *code)
{
    const struct gk_candidate_rules *rules = &testimony->reader->rules;
    for (size_t i = 0; i < rules->issuer_count; i++) {
        size_t count = 0;
        const struct guika_barcode *fields = gk_descriptor_barcodes(rules->issuers[i], &count);
        for (size_t j = 0; j < count; j++) {
            char number[GK_NUMBER_SIZE];
            struct gk_judgement judgement;
            if (gk_descriptor_cut(&fields[j], code, number) &&
                gk_rules_judge(rules->issuers[i], number, &judgement) == GK_FIT_VALID) {
                say(testimony, number, CODE_STRENGTH);
            }
        }
    }
}

void gk_witness_barcodes(const struct gk_card_reader *reader, const struct gk_image *picture,
                         const struct gk_homography *frame, struct gk_candidate_list *list)
{
    struct gk_barcode codes[GK_BARCODES_MOST];
    struct testimony testimony = {.reader = reader, .list = list};
    struct gk_image card;
    int64_t began = gk_stage_begin(reader->stages);
    size_t count = 0;
    if (gk_rectify(picture, frame, false, &card)) {
        count = gk_barcodes_read(reader->barcodes, &card, codes);
        gk_image_clear(&card);
    }
    for (size_t i = 0; i < count; i++) {
        say_declared(&testimony, &codes[i]);
    }
    for (size_t i = 0; i < count; i++) {
        char number[GK_NUMBER_SIZE];
        if (gk_rules_canonical(codes[i].text, number) > 0) {
            say(&testimony, number, codes[i].is_part ? PART_STRENGTH : CODE_STRENGTH);
        }
    }
    gk_stage_end(reader->stages, GK_STAGE_BARCODE, began);
}
