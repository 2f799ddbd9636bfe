/* Compiled twice: LAYOUT is the function's name, the header is the one on the include path. */
#include <guika/issuer.h>
#include <string.h>

#define AT(type, field) offsetof(struct type, field)

void LAYOUT(size_t *ret_fields);

void LAYOUT(size_t *ret_fields)
{
    static const size_t fields[] = {
        sizeof(struct guika_region),
        AT(guika_region, left_mm),
        AT(guika_region, top_mm),
        AT(guika_region, width_mm),
        AT(guika_region, height_mm),
        sizeof(struct guika_layout),
        AT(guika_layout, name),
        AT(guika_layout, side),
        AT(guika_layout, portrait),
        AT(guika_layout, print),
        AT(guika_layout, numbers),
        AT(guika_layout, number_count),
        AT(guika_layout, redact),
        AT(guika_layout, redact_count),
        sizeof(struct guika_prefix_range),
        AT(guika_prefix_range, first),
        AT(guika_prefix_range, last),
        sizeof(struct guika_rule),
        AT(guika_rule, brand),
        AT(guika_rule, alphabet),
        AT(guika_rule, last_alphabet),
        AT(guika_rule, prefixes),
        AT(guika_rule, prefix_count),
        AT(guika_rule, lengths),
        AT(guika_rule, length_count),
        AT(guika_rule, groupings),
        AT(guika_rule, grouping_count),
        AT(guika_rule, check),
        AT(guika_rule, force),
        sizeof(struct guika_text),
        AT(guika_text, language),
        AT(guika_text, text),
        AT(guika_issuer, struct_size),
        AT(guika_issuer, abi_major),
        AT(guika_issuer, abi_minor),
        AT(guika_issuer, id),
        AT(guika_issuer, version),
        AT(guika_issuer, scheme),
        AT(guika_issuer, kind),
        AT(guika_issuer, names),
        AT(guika_issuer, name_count),
        AT(guika_issuer, rules),
        AT(guika_issuer, rule_count),
        AT(guika_issuer, layouts),
        AT(guika_issuer, layout_count),
        AT(guika_issuer, examples),
        AT(guika_issuer, example_count),
        AT(guika_issuer, counter_examples),
        AT(guika_issuer, counter_example_count),
        AT(guika_issuer, accepts),
        GUIKA_PRINT_EMBOSSED,
        GUIKA_SIDE_BACK,
        GUIKA_KIND_OTHER,
        GUIKA_CHECK_OCTOPUS,
        GUIKA_CHECK_WEIGHS,
    };
    memcpy(ret_fields, fields, sizeof fields);
}
