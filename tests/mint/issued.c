#include "tests/mint/issued.h"

#include "tests/mint/mint_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define TRIES 20000
#define BLOCKS_FROM_MM 15.0 /* height of a region that holds rows of four, not one line */
#define LOW_FROM_MM 38.0    /* centre of a line that stands below the embosser's */

/* ---- numbers ---- */

static size_t characters_of(const char *grouping)
{
    size_t sum = 0;
    while (*grouping != '\0') {
        if (isdigit((unsigned char)*grouping)) {
            char *end;
            sum += strtoul(grouping, &end, 10);
            grouping = end;
        } else {
            grouping++;
        }
    }
    return sum;
}

/* The first grouping of the length three times of four, else any; false where there is none. */
static bool choose_grouping(const struct guika_rule *rule, size_t length, struct gk_random *random,
                            char ret_grouping[24])
{
    size_t fitting[16], count = 0;
    for (size_t i = 0; i < rule->grouping_count && count < 16; i++) {
        if (characters_of(rule->groupings[i]) == length && strlen(rule->groupings[i]) < 24) {
            fitting[count++] = i;
        }
    }
    if (count == 0) {
        return false;
    }
    size_t at = gk_random_chance(random, 0.75) ? 0 : gk_random_below(random, (uint32_t)count);
    strcpy(ret_grouping, rule->groupings[fitting[at]]);
    return true;
}

/* Any prefix between the two, both included. */
static void fill_prefix(const struct guika_prefix_range *range, const char *alphabet,
                        struct gk_random *random, char *number)
{
    size_t size = strlen(range->first);
    do {
        for (size_t i = 0; i < size; i++) {
            number[i] = range->first[i] == range->last[i]
                            ? range->first[i]
                            : alphabet[gk_random_below(random, (uint32_t)strlen(alphabet))];
        }
    } while (strncmp(number, range->first, size) < 0 || strncmp(number, range->last, size) > 0);
}

static char check_character(const struct guika_rule *rule, const char *head)
{
    switch (rule->check) {
    case GUIKA_CHECK_LUHN:
        return gk_mint_luhn_digit(head);
    case GUIKA_CHECK_ISO7064_MOD11_2:
        return gk_mint_resident_id_check(head);
    case GUIKA_CHECK_OCTOPUS:
        return gk_mint_octopus_digit(head);
    default:
        return '\0';
    }
}

static void fill_number(const struct guika_rule *rule, size_t length, struct gk_random *random, char *number)
{
    size_t symbols = strspn(rule->alphabet, "0123456789"); /* letters stand in prefixes alone */
    symbols = symbols > 0 ? symbols : strlen(rule->alphabet);
    for (size_t i = 0; i < length; i++) {
        number[i] = rule->alphabet[gk_random_below(random, (uint32_t)symbols)];
    }
    if (rule->prefix_count > 0) {
        fill_prefix(&rule->prefixes[gk_random_below(random, (uint32_t)rule->prefix_count)], rule->alphabet,
                    random, number);
    }
    number[length - 1] = '\0';
    char check = check_character(rule, number);
    number[length - 1] = check != '\0' ? check : rule->alphabet[gk_random_below(random, (uint32_t)symbols)];
    number[length] = '\0';
}

bool gk_mint_issue_number(const struct guika_issuer *issuer, size_t rule, uint64_t seed, char ret_number[32],
                          char ret_grouping[24])
{
    struct gk_random random = gk_random_new(seed, 110);
    const struct guika_rule *of = &issuer->rules[rule];
    for (int i = 0; i < TRIES; i++) {
        size_t at =
            gk_random_chance(&random, 0.75) ? 0 : gk_random_below(&random, (uint32_t)of->length_count);
        size_t length = of->lengths[at];
        if (length < 2 || length > 31) {
            continue;
        }
        fill_number(of, length, &random, ret_number);
        if (issuer->accepts != NULL && !issuer->accepts(ret_number)) {
            continue;
        }
        if (!choose_grouping(of, length, &random, ret_grouping)) {
            if (of->grouping_count > 0) {
                continue; /* a length that is never printed so */
            }
            snprintf(ret_grouping, 24, "%zu", length);
        }
        return true;
    }
    return false;
}

/* ---- faces ---- */

/* What the mint drew before it could read descriptors; the descriptors were measured off these. */
static const struct {
    const char *scheme;
    enum gk_mint_kind kind;
    const char *brand;
} own_faces[] = {
    {"cn-resident-id", GK_MINT_ID, ""},      {"octopus", GK_MINT_TRANSIT, "octopus"},
    {"t-union", GK_MINT_TRANSIT, "tunion"},  {"guihai-campus", GK_MINT_CAMPUS, ""},
    {"guihai-parking", GK_MINT_PARKING, ""},
};

static void choose_payment_face(const struct guika_layout *layout, const struct guika_region *region,
                                struct gk_random *random, struct gk_mint_card *card)
{
    double middle = (double)region->top_mm + (double)region->height_mm / 2;
    bool wants_relief = layout->print == GUIKA_PRINT_EMBOSSED ||
                        (layout->print == GUIKA_PRINT_EITHER && gk_random_chance(random, 0.5));
    bool fours = strncmp(card->grouping, "4-4", 3) == 0;
    card->layout = layout->portrait                                       ? GK_MINT_PORTRAIT
                   : (double)region->height_mm >= BLOCKS_FROM_MM && fours ? GK_MINT_BLOCKS
                   : middle >= LOW_FROM_MM                                ? GK_MINT_LOW
                                                                          : GK_MINT_LINE;
    bool line = card->layout == GK_MINT_LINE || card->layout == GK_MINT_LOW;
    card->print = wants_relief && line ? GK_MINT_EMBOSSED : GK_MINT_FLAT;
}

static void choose_place(const struct guika_issuer *issuer, struct gk_random *random,
                         struct gk_mint_card *card)
{
    const struct guika_layout *layout =
        &issuer->layouts[gk_random_below(random, (uint32_t)issuer->layout_count)];
    size_t at = gk_random_chance(random, 0.7) ? 0 : gk_random_below(random, (uint32_t)layout->number_count);
    const struct guika_region *region = &layout->numbers[at];
    card->layout = GK_MINT_LINE;
    card->print = GK_MINT_FLAT;
    if (issuer->kind == GUIKA_KIND_PAYMENT && layout->side == GUIKA_SIDE_FRONT) {
        choose_payment_face(layout, region, random, card);
        return;
    }
    card->kind = GK_MINT_ISSUED;
    card->back = layout->side == GUIKA_SIDE_BACK;
    card->stripe = card->back && issuer->kind == GUIKA_KIND_PAYMENT;
    card->window = (struct gk_mint_window){(double)region->left_mm, (double)region->top_mm,
                                           (double)region->width_mm, (double)region->height_mm};
}

bool gk_mint_issue_card(const struct guika_issuer *issuer, size_t rule, uint64_t seed,
                        struct gk_mint_card *ret_card)
{
    struct gk_random random = gk_random_new(seed, 111);
    char number[32], grouping[24];
    struct gk_mint_card card;
    const size_t faces = sizeof own_faces / sizeof *own_faces;
    size_t own = 0;
    if (!gk_mint_issue_number(issuer, rule, seed, number, grouping)) {
        return false;
    }
    while (own < faces && strcmp(own_faces[own].scheme, issuer->scheme) != 0) {
        own++;
    }
    /* What stands beside the number is that of a random card of the kind. */
    gk_mint_card_random(own < faces ? own_faces[own].kind : GK_MINT_PAYMENT,
                        own < faces ? own_faces[own].brand : "visa", seed, &card);
    strcpy(card.number, number);
    strcpy(card.grouping, grouping);
    card.scratches = gk_random_between(&random, 0, 0.6);
    if (own == faces) {
        snprintf(card.brand, sizeof card.brand, "%.15s", issuer->rules[rule].brand);
        snprintf(card.issuer, sizeof card.issuer, "%.47s", issuer->names[issuer->name_count - 1].text);
        choose_place(issuer, &random, &card);
    } else if (card.kind == GK_MINT_CAMPUS) {
        card.barcode = gk_random_chance(&random, 0.5) ? GK_MINT_BARCODE_CODE128 : GK_MINT_BARCODE_QR;
    }
    *ret_card = card;
    return true;
}
