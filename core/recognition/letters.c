#include "core/recognition/letters.h"

#include "core/recognition/line_reader.h"
#include "core/recognition/rules.h"
#include "core/recognition/witness.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

/* Tesseract's choices are weights, not probabilities: a letter that it does not name may still be there. The
 * trust is what is left to letters of no prefix. Both estimated, on the cautious side. */
#define UNNAMED 0.004
#define TRUST 0.995
/* Of a digit's weight, the share that goes to a letter that looks like it. Estimated. */
#define LOOKS_ALIKE 0.25
/* A place where the letters are less likely than this is none: one letter of two at least was seen for
 * itself. */
#define LEAST_PLACE 3e-3
#define LEAST_DIGITS 6 /* characters that follow the letters, one of which may be taken for no digit */

/* Prefixes of the shelf that begin with letters, each once. */
struct list {
    size_t count;
    char texts[GK_LETTERS_CHOICES][GK_LETTERS_MOST + 1];
};

static size_t letters_of(const struct guika_prefix_range *range)
{
    size_t count = 0;
    while (isupper((unsigned char)range->first[count]) && range->first[count] == range->last[count]) {
        count++;
    }
    return count <= GK_LETTERS_MOST ? count : 0;
}

/* A digit may be lost or made of the letters. */
static bool may_have(const struct guika_rule *rule, size_t letters, size_t digits)
{
    for (size_t i = 0; i < rule->length_count; i++) {
        if (digits + letters + 1 >= rule->lengths[i] && digits <= rule->lengths[i]) {
            return true;
        }
    }
    return false;
}

/* Are the digits parted as a number of digits alone is, on this shelf? */
static bool is_parted_as_digits(const struct gk_candidate_rules *rules, const char *grouping)
{
    for (size_t i = 0; i < rules->issuer_count; i++) {
        for (size_t j = 0; j < rules->issuers[i]->rule_count; j++) {
            const struct guika_rule *rule = &rules->issuers[i]->rules[j];
            bool letters = rule->prefix_count > 0 && letters_of(&rule->prefixes[0]) > 0;
            if (!letters && gk_rules_grouping_fit(rule, grouping) == GK_GROUPING_KNOWN) {
                return true;
            }
        }
    }
    return false;
}

bool gk_letters_may_stand(const struct gk_candidate_rules *rules, size_t digits, const char *grouping)
{
    if (strchr(grouping, '-') != NULL && is_parted_as_digits(rules, grouping)) {
        return false;
    }
    for (size_t i = 0; i < rules->issuer_count; i++) {
        for (size_t j = 0; j < rules->issuers[i]->rule_count; j++) {
            const struct guika_rule *rule = &rules->issuers[i]->rules[j];
            for (size_t k = 0; k < rule->prefix_count; k++) {
                size_t letters = letters_of(&rule->prefixes[k]);
                if (letters > 0 && may_have(rule, letters, digits)) {
                    return true;
                }
            }
        }
    }
    return false;
}

static void add_prefix(struct list *list, const struct guika_prefix_range *range)
{
    size_t size = letters_of(range);
    for (size_t i = 0; i < list->count; i++) {
        if (strlen(list->texts[i]) == size && memcmp(list->texts[i], range->first, size) == 0) {
            return;
        }
    }
    if (size > 0 && list->count < GK_LETTERS_CHOICES) {
        memcpy(list->texts[list->count], range->first, size);
        list->texts[list->count++][size] = '\0';
    }
}

static void list_prefixes(const struct gk_candidate_rules *rules, struct list *ret_list)
{
    *ret_list = (struct list){.count = 0};
    for (size_t i = 0; i < rules->issuer_count; i++) {
        for (size_t j = 0; j < rules->issuers[i]->rule_count; j++) {
            const struct guika_rule *rule = &rules->issuers[i]->rules[j];
            for (size_t k = 0; k < rule->prefix_count; k++) {
                add_prefix(ret_list, &rule->prefixes[k]);
            }
        }
    }
}

/* Print that Tesseract takes for one another where it expects words. */
static bool look_alike(char letter, char seen)
{
    static const char *const alike[] = {"B8", "S5", "J)", "J]", "JI", "JU", "T7", "TI", "PF", "PR",
                                        "CG", "C(", "EF", "KX", "Hh", "NM", "FP", "WV", "Z2", "O0"};
    for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
        if (alike[i][0] == letter && alike[i][1] == seen) {
            return true;
        }
    }
    return toupper((unsigned char)seen) == letter;
}

static double weight_of(const struct gk_text_symbol *symbol, char letter)
{
    double weight = UNNAMED, total = UNNAMED;
    for (int i = 0; i < symbol->choice_count; i++) {
        double share = (double)symbol->choices[i].share;
        char seen = symbol->choices[i].character;
        total += share;
        weight += seen == letter ? share : look_alike(letter, seen) ? LOOKS_ALIKE * share : 0;
    }
    return weight / total;
}

/* Do digits follow from `at` on? */
static bool digits_follow(const struct gk_text_line *text, int at)
{
    int digits = 0, seen = 0;
    for (; at < text->count && seen < LEAST_DIGITS; at++, seen++) {
        digits += isdigit((unsigned char)text->symbols[at].choices[0].character) != 0;
    }
    return digits + 1 >= LEAST_DIGITS;
}

/* Probability of `letters` at `at`, before all are made one. */
static double likelihood(const struct gk_text_line *text, int at, const char *letters)
{
    double product = 1;
    for (int i = 0; letters[i] != '\0'; i++) {
        product *= at + i < text->count ? weight_of(&text->symbols[at + i], letters[i]) : 0;
    }
    return product;
}

static double end_of(const struct gk_text_line *text, int at, size_t size, int width_px)
{
    const struct gk_text_symbol *last = &text->symbols[at + (int)size - 1], *next = last + 1;
    return (double)(last->right + next->left) / 2 / width_px;
}

bool gk_letters_find(const struct gk_candidate_rules *rules, const struct gk_text_line *text, int width_px,
                     struct gk_letters *ret_letters)
{
    struct list list;
    struct gk_letters letters = {.count = 0};
    double most = LEAST_PLACE;
    int place = -1;
    size_t size = 0;
    list_prefixes(rules, &list);
    for (int at = 0; at + 1 < text->count; at++) {
        for (size_t i = 0; i < list.count; i++) {
            size_t length = strlen(list.texts[i]);
            double here = digits_follow(text, at + (int)length) ? likelihood(text, at, list.texts[i]) : 0;
            if (here > most) {
                most = here;
                place = at;
                size = length;
            }
        }
    }
    if (place < 0) {
        return false;
    }
    double total = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (strlen(list.texts[i]) == size) {
            struct gk_letters_choice *choice = &letters.choices[letters.count++];
            memcpy(choice->text, list.texts[i], sizeof choice->text);
            choice->probability = likelihood(text, place, list.texts[i]);
            total += choice->probability;
        }
    }
    for (size_t i = 0; i < letters.count; i++) {
        letters.choices[i].probability *= TRUST / total;
    }
    letters.end = end_of(text, place, size, width_px);
    *ret_letters = letters;
    return true;
}

bool gk_letters_read(const struct gk_card_reader *reader, const struct gk_line_place *place,
                     const struct gk_number_line *row, bool upside_down, struct gk_letters *ret_letters)
{
    struct gk_text_line text;
    int width_px;
    return gk_witness_read(reader, place, row, upside_down, &text, &width_px) &&
           gk_letters_find(&reader->rules, &text, width_px, ret_letters);
}
