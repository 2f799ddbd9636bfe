#include "core/recognition/rules.h"

#include "core/host/trail.h"
#include "core/recognition/descriptor.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LEAST_HIDDEN 6 /* characters of a masked number (guika/issuer.h) */

static bool is_text(const char *text, size_t least, size_t most)
{
    size_t length = text == NULL ? 0 : strnlen(text, most + 1);
    return text != NULL && length >= least && length <= most;
}

static bool is_alphabet(const char *text)
{
    return is_text(text, 1, 36) && strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(text);
}

static const char *rule_problem(const struct guika_rule *rule)
{
    if (!is_text(rule->brand, 1, 32) || !is_alphabet(rule->alphabet) ||
        (rule->last_alphabet != NULL && !is_alphabet(rule->last_alphabet))) {
        return "a rule needs a brand and alphabets of capital letters and digits";
    }
    if (rule->lengths == NULL || rule->length_count == 0) {
        return "a rule needs at least one length";
    }
    for (size_t i = 0; i < rule->length_count; i++) {
        if (rule->lengths[i] < 1 || rule->lengths[i] > GK_NUMBER_LONGEST) {
            return "a rule's lengths are 1 to 32 characters";
        }
    }
    if ((rule->prefix_count > 0 && rule->prefixes == NULL) ||
        (rule->grouping_count > 0 && rule->groupings == NULL)) {
        return "a rule counts prefixes or groupings that it does not have";
    }
    for (size_t i = 0; i < rule->prefix_count; i++) {
        const struct guika_prefix_range *range = &rule->prefixes[i];
        if (!is_text(range->first, 1, 8) || !is_text(range->last, 1, 8) ||
            strlen(range->first) != strlen(range->last) || strcmp(range->first, range->last) > 0 ||
            strspn(range->first, rule->alphabet) != strlen(range->first)) {
            return "a prefix range has two ends of one length, 1 to 8 characters, in order";
        }
    }
    for (size_t i = 0; i < rule->grouping_count; i++) {
        if (!is_text(rule->groupings[i], 1, 47)) {
            return "a grouping has 1 to 47 characters";
        }
    }
    if (rule->check > GUIKA_CHECK_OCTOPUS ||
        (rule->check != GUIKA_CHECK_NONE && rule->force != GUIKA_CHECK_BINDS &&
         rule->force != GUIKA_CHECK_WEIGHS)) {
        return "a rule's check is unknown, or neither binds nor weighs";
    }
    return NULL;
}

static bool on_card(const struct guika_region *region, bool portrait)
{
    float width = portrait ? 53.98f : 85.60f, height = portrait ? 85.60f : 53.98f;
    return region->left_mm >= 0 && region->top_mm >= 0 && region->width_mm > 0 && region->height_mm > 0 &&
           region->left_mm + region->width_mm <= width + 0.1f &&
           region->top_mm + region->height_mm <= height + 0.1f;
}

static const char *layout_problem(const struct guika_layout *layout)
{
    if (!is_text(layout->name, 1, 32) ||
        (layout->side != GUIKA_SIDE_FRONT && layout->side != GUIKA_SIDE_BACK)) {
        return "a layout needs a name and a side";
    }
    if (layout->numbers == NULL || layout->number_count < 1 || layout->number_count > 8 ||
        layout->redact_count > 16 || (layout->redact_count > 0 && layout->redact == NULL)) {
        return "a layout has 1 to 8 regions of numbers and at most 16 to redact";
    }
    for (size_t i = 0; i < layout->number_count + layout->redact_count; i++) {
        const struct guika_region *region =
            i < layout->number_count ? &layout->numbers[i] : &layout->redact[i - layout->number_count];
        if (!on_card(region, layout->portrait)) {
            return "a layout's region lies outside the card";
        }
    }
    return NULL;
}

/* The version comes first: what it promises is read behind this. */
static const char *later_problem(const struct guika_issuer *issuer)
{
    size_t count = 0;
    if (issuer->struct_size < gk_descriptor_size(issuer->abi_minor)) {
        return "struct_size is less than its minor version has; begin the descriptor with GUIKA_ISSUER_HEAD";
    }
    const struct guika_barcode *codes = gk_descriptor_barcodes(issuer, &count);
    if (count > 8 || (count > 0 && codes == NULL)) {
        return "at most 8 bar codes are wanted";
    }
    for (size_t i = 0; i < count; i++) {
        if (codes[i].symbology > GUIKA_CODE_QR || codes[i].skip > 200 || codes[i].length > 64 ||
            (codes[i].marker != NULL && !is_text(codes[i].marker, 1, 32))) {
            return "a bar code has a symbology, a marker of 1 to 32 characters or none, skips 200 at most "
                   "and "
                   "takes 64 at most";
        }
    }
    struct guika_masking masking = gk_descriptor_masking(issuer);
    return masking.first > 6 || masking.last > 4 ? "masking shows the first 6 and the last 4 at most" : NULL;
}

static const char *parts_problem(const struct guika_issuer *issuer)
{
    if (!is_text(issuer->version, 1, 32) || !is_text(issuer->scheme, 1, 31) ||
        issuer->kind < GUIKA_KIND_PAYMENT || issuer->kind > GUIKA_KIND_OTHER) {
        return "version, scheme and kind must be given";
    }
    if (issuer->names == NULL || issuer->name_count == 0 || issuer->rules == NULL || issuer->rule_count < 1 ||
        issuer->rule_count > 64 || issuer->layouts == NULL || issuer->layout_count < 1 ||
        issuer->layout_count > 16) {
        return "at least one name, 1 to 64 rules and 1 to 16 layouts are wanted";
    }
    if (issuer->examples == NULL || issuer->example_count == 0 || issuer->counter_examples == NULL ||
        issuer->counter_example_count == 0) {
        return "at least one example and one counter-example are wanted";
    }
    for (size_t i = 0; i < issuer->name_count; i++) {
        if (!is_text(issuer->names[i].language, 2, 8) || !is_text(issuer->names[i].text, 1, 64)) {
            return "a name has a language and 1 to 64 bytes";
        }
    }
    const char *problem = later_problem(issuer);
    for (size_t i = 0; i < issuer->rule_count && problem == NULL; i++) {
        problem = rule_problem(&issuer->rules[i]);
    }
    for (size_t i = 0; i < issuer->layout_count && problem == NULL; i++) {
        problem = layout_problem(&issuer->layouts[i]);
    }
    return problem;
}

enum gk_status gk_rules_check_parts(const struct gk_plugin_head *head, struct gk_error *error)
{
    const char *problem = parts_problem((const struct guika_issuer *)(const void *)head);
    return problem == NULL ? GK_OK : gk_error_set(error, GK_INVALID_ARGUMENT, "%s", problem);
}

enum gk_status gk_rules_check_descriptor(const struct gk_plugin_head *head, struct gk_error *error)
{
    const struct guika_issuer *issuer = (const struct guika_issuer *)(const void *)head;
    enum gk_status status = gk_rules_check_parts(head, error);
    if (status != GK_OK) {
        return status;
    }
    for (size_t i = 0; i < issuer->example_count + issuer->counter_example_count; i++) {
        bool good = i < issuer->example_count;
        const char *number = good ? issuer->examples[i] : issuer->counter_examples[i - issuer->example_count];
        struct gk_judgement judgement;
        bool fits = is_text(number, 1, GK_NUMBER_LONGEST) &&
                    gk_rules_judge(issuer, number, &judgement) == GK_FIT_VALID;
        if (fits != good) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "%s %zu %s its own rules",
                                good ? "example" : "counter-example", good ? i : i - issuer->example_count,
                                good ? "breaks" : "passes");
        }
    }
    return GK_OK;
}

size_t gk_rules_canonical(const char *text, char ret_number[GK_NUMBER_SIZE])
{
    size_t length = 0;
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        int character = *at;
        /* U+FF10 to U+FF19, U+FF21 to U+FF3A, U+FF41 to U+FF5A in UTF-8 are ASCII at full width. */
        if (at[0] == 0xef && (at[1] == 0xbc || at[1] == 0xbd) && (at[2] & 0xc0) == 0x80) {
            character = (at[1] == 0xbc ? 0x20 : 0x60) + (at[2] & 0x3f);
            at += 2;
        }
        if (character >= 128 || !isalnum(character)) {
            continue;
        }
        if (length == GK_NUMBER_LONGEST) {
            return 0;
        }
        ret_number[length++] = (char)toupper(character);
    }
    ret_number[length] = '\0';
    return length;
}

/* Sum of the digit sums of digits times 1 and 2 in turn, from the right, the last digit times `first_factor`;
 * -1 where a character is no digit. */
static int modulo_ten_sum(const char *number, size_t length, int first_factor)
{
    int sum = 0, factor = first_factor;
    for (size_t i = length; i-- > 0;) {
        if (!isdigit((unsigned char)number[i])) {
            return -1;
        }
        int product = (number[i] - '0') * factor;
        sum += product / 10 + product % 10;
        factor = 3 - factor;
    }
    return sum;
}

static bool mod_11_2_passes(const char *number, size_t length)
{
    int remainder = 0;
    for (size_t i = 0; i < length; i++) {
        bool is_x = number[i] == 'X' && i + 1 == length;
        if (!is_x && !isdigit((unsigned char)number[i])) {
            return false;
        }
        /* ISO/IEC 7064, pure system MOD 11-2: the sum of a(i) 2^(i-1) is 1 modulo 11. */
        remainder = (remainder * 2 + (is_x ? 10 : number[i] - '0')) % 11;
    }
    return remainder == 1;
}

bool gk_rules_check_passes(enum guika_check check, const char *number)
{
    size_t length = strlen(number);
    if (check == GUIKA_CHECK_NONE) {
        return true;
    }
    if (length < 2) {
        return false;
    }
    if (check == GUIKA_CHECK_ISO7064_MOD11_2) {
        return mod_11_2_passes(number, length);
    }
    int sum = modulo_ten_sum(number, length - 1, check == GUIKA_CHECK_LUHN ? 2 : 1);
    return sum >= 0 && number[length - 1] == '0' + (10 - sum % 10) % 10;
}

static bool has_length(const struct guika_rule *rule, size_t length)
{
    for (size_t i = 0; i < rule->length_count; i++) {
        if (rule->lengths[i] == length) {
            return true;
        }
    }
    return false;
}

static bool has_alphabet(const struct guika_rule *rule, const char *number, size_t length)
{
    const char *last = rule->last_alphabet != NULL ? rule->last_alphabet : rule->alphabet;
    return strspn(number, rule->alphabet) >= length - 1 && strchr(last, number[length - 1]) != NULL;
}

/* The longest prefix that matches; -1: none does. */
static int matching_prefix(const struct guika_rule *rule, const char *number, size_t length)
{
    int longest = rule->prefix_count == 0 ? 0 : -1;
    for (size_t i = 0; i < rule->prefix_count; i++) {
        /* Most prefixes are ruled out by their first character, and this is asked thousands of times a line.
         */
        if (number[0] < rule->prefixes[i].first[0] || number[0] > rule->prefixes[i].last[0]) {
            continue;
        }
        size_t size = strlen(rule->prefixes[i].first);
        if (size <= length && strncmp(number, rule->prefixes[i].first, size) >= 0 &&
            strncmp(number, rule->prefixes[i].last, size) <= 0 && (int)size > longest) {
            longest = (int)size;
        }
    }
    return longest;
}

/* The one call of a plugin's own code. */
static bool objects(const struct guika_issuer *issuer, const char *number)
{
    if (issuer->accepts == NULL) {
        return false;
    }
    gk_trail_enter(issuer->id);
    const bool accepted = issuer->accepts(number);
    gk_trail_leave();
    return !accepted;
}

enum gk_fit gk_rules_judge(const struct guika_issuer *issuer, const char *number,
                           struct gk_judgement *ret_judgement)
{
    size_t length = strlen(number);
    enum gk_fit best = GK_FIT_NONE;
    struct gk_judgement chosen = {0};
    for (size_t i = 0; i < issuer->rule_count && length > 0; i++) {
        const struct guika_rule *rule = &issuer->rules[i];
        int prefix = has_length(rule, length) ? matching_prefix(rule, number, length) : -1;
        if (prefix < 0 || !has_alphabet(rule, number, length)) {
            continue;
        }
        bool passes = gk_rules_check_passes(rule->check, number);
        enum gk_fit fit = passes || rule->force == GUIKA_CHECK_WEIGHS ? GK_FIT_VALID : GK_FIT_CHECK_FAILED;
        if (fit > best || (fit == best && (size_t)prefix > chosen.prefix_length)) {
            best = fit;
            chosen = (struct gk_judgement){issuer, rule, (size_t)prefix, 0, passes};
        }
    }
    if (best == GK_FIT_VALID && objects(issuer, number)) {
        return GK_FIT_NONE;
    }
    if (best != GK_FIT_NONE) {
        *ret_judgement = chosen;
    }
    return best;
}

size_t gk_rules_match(const struct guika_issuer *const *issuers, size_t issuer_count, const char *number,
                      struct gk_judgement *ret_matches, size_t most, bool *ret_check_failed)
{
    size_t count = 0;
    bool check_failed = false;
    for (size_t i = 0; i < issuer_count; i++) {
        struct gk_judgement judgement;
        enum gk_fit fit = gk_rules_judge(issuers[i], number, &judgement);
        check_failed = check_failed || fit == GK_FIT_CHECK_FAILED;
        if (fit != GK_FIT_VALID) {
            continue;
        }
        judgement.share = gk_rules_prefix_share(judgement.rule);
        size_t at = 0;
        while (at < count && strcmp(ret_matches[at].issuer->scheme, issuers[i]->scheme) != 0) {
            at++;
        }
        if (at < count) {
            double widest = fmax(judgement.share, ret_matches[at].share);
            if (judgement.prefix_length > ret_matches[at].prefix_length) {
                ret_matches[at] = judgement;
            }
            ret_matches[at].share = widest;
        } else if (count < most) {
            ret_matches[count++] = judgement;
        }
    }
    *ret_check_failed = check_failed;
    return count;
}

/* The string's place among all of its length, as a share of them. */
static double place_in_alphabet(const char *alphabet, double symbols, const char *text)
{
    double place = 0, unit = 1;
    for (; *text != '\0'; text++) {
        const char *at = strchr(alphabet, *text);
        unit /= symbols;
        place += unit * (at == NULL ? 0 : (double)(at - alphabet));
    }
    return place;
}

double gk_rules_prefix_share(const struct guika_rule *rule)
{
    double share = 0, symbols = (double)strlen(rule->alphabet);
    for (size_t i = 0; i < rule->prefix_count; i++) {
        const struct guika_prefix_range *range = &rule->prefixes[i];
        double one = 1;
        for (const char *at = range->first; *at != '\0'; at++) {
            one /= symbols;
        }
        share += place_in_alphabet(rule->alphabet, symbols, range->last) -
                 place_in_alphabet(rule->alphabet, symbols, range->first) + one;
    }
    return rule->prefix_count == 0 || share > 1 ? 1 : share;
}

/* A grouping as a set: bit k is a gap, or a bracket, behind the kth character. */
struct gaps {
    uint64_t set;
    unsigned characters;
    bool brackets;
};

static struct gaps gaps_of(const char *grouping)
{
    struct gaps gaps = {.brackets = strchr(grouping, '(') != NULL};
    while (*grouping != '\0') {
        if (!isdigit((unsigned char)*grouping)) {
            grouping++;
            continue;
        }
        unsigned group = 0;
        for (; isdigit((unsigned char)*grouping); grouping++) {
            group = group * 10 + (unsigned)(*grouping - '0');
            /* More characters than a number has fit no rule. */
            group = group > GK_NUMBER_LONGEST ? GK_NUMBER_LONGEST + 1 : group;
        }
        gaps.characters += group;
        gaps.characters = gaps.characters > GK_NUMBER_LONGEST ? GK_NUMBER_LONGEST + 1 : gaps.characters;
        gaps.set |= UINT64_C(1) << gaps.characters;
    }
    return gaps;
}

enum gk_grouping_fit gk_rules_grouping_fit(const struct guika_rule *rule, const char *printed)
{
    enum gk_grouping_fit best = GK_GROUPING_NONE;
    struct gaps seen = gaps_of(printed);
    for (size_t i = 0; i < rule->grouping_count; i++) {
        struct gaps wanted = gaps_of(rule->groupings[i]);
        if (wanted.characters != seen.characters || (seen.set & ~wanted.set) != 0) {
            continue;
        }
        enum gk_grouping_fit fit = seen.set != wanted.set || (seen.brackets && !wanted.brackets)
                                       ? GK_GROUPING_COARSER
                                   : seen.brackets ? GK_GROUPING_BRACKETS
                                                   : GK_GROUPING_KNOWN;
        best = fit > best ? fit : best;
    }
    return best;
}

void gk_rules_mask(const struct guika_issuer *issuer, const char *number, char ret_masked[GK_MASKED_SIZE])
{
    struct guika_masking rule = issuer == NULL ? (struct guika_masking){0, 0} : gk_descriptor_masking(issuer);
    size_t length = strlen(number);
    size_t open = length >= 12 ? length - LEAST_HIDDEN : length / 2;
    size_t last = rule.first == 0 && rule.last == 0 ? 4 : rule.last;
    last = last < open ? last : open;
    size_t first = rule.first < open - last ? rule.first : open - last;
    snprintf(ret_masked, GK_MASKED_SIZE, "%.*s••••%s%s", (int)first, number, last > 0 ? " " : "",
             number + length - last);
}
