/* Any output of a net is a verdict, never a crash. A first byte says how many framings; then one byte a
 * value, column by column. */
#include "core/recognition/reading.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t lengths[] = {6, 16, 19};
static const char *const groupings[] = {"4-4-4-4", "6-13"};
static const struct guika_rule rules[] = {{.brand = "any",
                                           .alphabet = "0123456789",
                                           .last_alphabet = "0123456789X",
                                           .lengths = lengths,
                                           .length_count = sizeof lengths,
                                           .groupings = groupings,
                                           .grouping_count = 2,
                                           .check = GUIKA_CHECK_LUHN,
                                           .force = GUIKA_CHECK_WEIGHS}};
static const struct guika_issuer issuer = {.id = "any", .scheme = "any", .rules = rules, .rule_count = 1};
static const struct guika_issuer *const issuers[] = {&issuer};
static const struct gk_candidate_rules shelf = {issuers, 1, false};

static struct gk_reading reading;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gk_line_verdict verdict;
    struct gk_candidate_list list = {.count = 0};
    size_t framings = size == 0 ? 0 : 1 + data[0] % GK_READING_FRAMINGS_MOST, used = 1;
    reading.framing_count = reading.picture = reading.row_count = 0;
    for (size_t f = 0; f < framings; f++) {
        struct gk_digit_matrix matrix = {.px_per_column = 4};
        size_t columns = (size - 1) / framings / GK_DIGIT_CLASSES;
        columns = columns > GK_DIGIT_COLUMNS_MOST ? GK_DIGIT_COLUMNS_MOST : columns;
        for (; matrix.columns < (int)columns; matrix.columns++) {
            for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
                uint8_t value = data[used++];
                matrix.log_probability[matrix.columns][i] = value == 255   ? NAN
                                                            : value == 254 ? -INFINITY
                                                            : value == 253 ? INFINITY
                                                                           : -(float)value / 8;
            }
        }
        gk_reading_add(&reading, &matrix);
        if (f % 3 == 2) {
            gk_reading_next_picture(&reading);
        }
    }
    gk_reading_verdict(&reading, &shelf, &verdict);
    gk_candidates_add(&list, &verdict);
    gk_candidates_add(&list, &verdict);
    return list.count > GK_CANDIDATES_MOST;
}
