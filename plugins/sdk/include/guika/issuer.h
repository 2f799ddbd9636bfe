/**
 * @file guika/issuer.h
 * An issuer plugin: what an issuer's cards look like and which numbers they carry, as data.
 *
 * A plugin is one shared object that exports one constant, `guika_issuer`. It is loaded by the readers (never
 * by the core), with RTLD_NOW | RTLD_LOCAL, and sees no symbol of the host. Everything that the descriptor
 * points to must live as long as the object is loaded: make it `static const`.
 *
 * Lengths are in millimetres on the upright card, from its top-left corner: x to the right, y down. An ID-1
 * card is 85.60 x 53.98 mm (ISO/IEC 7810).
 *
 * A plugin in one page: fill one `struct guika_issuer` with constant data and export it.
 *
 *     static const uint8_t lengths[] = {10};
 *     static const struct guika_rule rules[] = {
 *         {.brand = "north", .alphabet = "0123456789", .lengths = GUIKA_LIST(lengths)}};
 *     ...
 *     GUIKA_EXPORT const struct guika_issuer guika_issuer = {GUIKA_ISSUER_HEAD, .id = "north", ...};
 *
 * `guika plugin new NAME` writes a whole project, `guika plugin check FILE.so` says what is wrong with it,
 * `guika plugin preview FILE.so -o OUT.png` draws where it says that things are.
 *
 * Versions: 1.0 was the first; 1.1 added bar codes, masking, GUIKA_LIST and GUIKA_ISSUER_HEAD. Fields are
 * only ever added at the end of struct guika_issuer, and a host reads a field only where `struct_size` says
 * that the plugin has it: a plugin that was built against an older minor version goes on working.
 *
 * Strict C11 and C++17 compile this header alone.
 */
#ifndef GUIKA_ISSUER_H
#define GUIKA_ISSUER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of this interface. A host loads plugins of its own major version whose minor is not above its
 * own. */
#define GUIKA_ISSUER_ABI_MAJOR 1
#define GUIKA_ISSUER_ABI_MINOR 1

/** An array as the two members that take it, the pointer and behind it the count:
 * `.rules = GUIKA_LIST(rules)` sets `rules` and `rule_count`. */
#define GUIKA_LIST(array) (array), sizeof(array) / sizeof *(array)

/** A rectangle on the upright card, millimetres. All of it lies on the card. */
struct guika_region {
    float left_mm, top_mm, width_mm, height_mm;
};

/** How the characters are made. A reader looks for either; test cards are drawn as it says here. */
enum guika_print {
    GUIKA_PRINT_EITHER = 0,
    GUIKA_PRINT_FLAT = 1,     /**< ink, laser or thermal transfer */
    GUIKA_PRINT_EMBOSSED = 2, /**< raised, Farrington 7B; ISO/IEC 7811-3 puts the line's centre 32.56 mm from
                                 the top */
};

/** Which face of the card. */
enum guika_side {
    GUIKA_SIDE_FRONT = 1,
    GUIKA_SIDE_BACK = 2,
};

/** What kind of thing the card is; cards are the same only if scheme, number and kind agree. Values of
 * guika.v1.CardKind. */
enum guika_kind {
    GUIKA_KIND_PAYMENT = 1,
    GUIKA_KIND_TRANSIT = 2,
    GUIKA_KIND_ID = 3,
    GUIKA_KIND_CAMPUS = 4,
    GUIKA_KIND_PARKING = 5,
    GUIKA_KIND_OTHER = 6,
};

/**
 * One arrangement of a card's face: a plugin has one for each that its cards come in, front, back, portrait.
 *
 * `numbers` are places where the number may stand, likeliest first. Draw each around one line of it with a
 * millimetre or two to spare; a number in rows (4 by 4) takes one region around all rows. A region is a hint:
 * a number is found elsewhere too, only later. `redact` is what a kept picture of a difficult card must not
 * show: a security code, a portrait, a name, an address. The number itself may stay, for a person has to
 * read it.
 */
struct guika_layout {
    const char *name; /**< 1 to 32 bytes, unique in the plugin: "front", "back", "portrait" */
    enum guika_side side;
    bool portrait; /**< upright means taller than wide: 53.98 x 85.60 mm */
    enum guika_print print;
    const struct guika_region *numbers;
    size_t number_count; /**< 1 to 8 */
    const struct guika_region *redact;
    size_t redact_count; /**< 0 to 16 */
};

/** Check character algorithms. */
enum guika_check {
    GUIKA_CHECK_NONE = 0,
    GUIKA_CHECK_LUHN =
        1, /**< ISO/IEC 7812-1 annex B: double every second digit, starting next to the check digit */
    GUIKA_CHECK_ISO7064_MOD11_2 = 2, /**< Chinese resident ID (GB 11643-1999); the check character may be X */
    GUIKA_CHECK_OCTOPUS = 3,         /**< from the right x1, x2 alternately, digit sums, 10 - sum mod 10 */
};

/** What a failed check means. */
enum guika_check_force {
    GUIKA_CHECK_BINDS = 1,  /**< a number that fails is not a number of this issuer */
    GUIKA_CHECK_WEIGHS = 2, /**< some good cards fail it (UnionPay): evidence alone */
};

/** All prefixes from `first` to `last`, both included, in the order of their characters. Both have one
 * length, 1 to 8 characters of the rule's alphabet: {"51", "55"}, {"2221", "2720"}, {"4", "4"}. */
struct guika_prefix_range {
    const char *first;
    const char *last;
};

/**
 * One family of numbers. A number is of the family where all of this holds: its length is listed, its
 * characters are of the alphabet, it begins with a prefix (where there are any), and its check character
 * agrees (where it binds). It is the issuer's where some rule has it and `accepts` does not object. Where
 * several plugins of one scheme have it, the longest prefix wins.
 *
 * Numbers are canonical here: what parts them in print (spaces, dashes, brackets) is left out, letters are
 * capital. How they are parted is in `groupings`: the sizes of the groups, a dash for a gap, brackets where
 * brackets are printed. Each adds up to one of the lengths. "4-4-4-4", "6-13", "9(1)".
 */
struct guika_rule {
    const char *brand;         /**< 1 to 32 bytes, for logs and tables: "visa" */
    const char *alphabet;      /**< capital letters and digits that may occur: "0123456789" */
    const char *last_alphabet; /**< of the last character, where it differs ("0123456789X"); else NULL */
    const struct guika_prefix_range *prefixes;
    size_t prefix_count;          /**< 0: it may begin with anything */
    const uint8_t *lengths;       /**< characters, 1 to 32, check character included; the usual one first */
    size_t length_count;          /**< at least 1 */
    const char *const *groupings; /**< 1 to 47 bytes each, the usual one first; evidence, no condition */
    size_t grouping_count;        /**< 0: unknown */
    enum guika_check check;
    enum guika_check_force force; /**< read where check is not NONE */
};

/** The issuer's name in one language, as holders see it in notices. Give Chinese and English; who asked for a
 * language that is missing sees the first name. */
struct guika_text {
    const char *language; /**< BCP 47, 2 to 8 bytes: "zh", "en" */
    const char *text;     /**< UTF-8, 1 to 64 bytes */
};

/** Kinds of bar codes. Since 1.1. */
enum guika_symbology {
    GUIKA_CODE_ANY = 0,
    GUIKA_CODE_EAN = 1, /**< EAN-13, EAN-8, UPC-A, UPC-E */
    GUIKA_CODE_39 = 2,
    GUIKA_CODE_128 = 3,
    GUIKA_CODE_ITF = 4, /**< interleaved 2 of 5 */
    GUIKA_CODE_CODABAR = 5,
    GUIKA_CODE_QR = 6,
};

/**
 * A bar code that carries the number, and where in its text the number sits: `skip` characters behind the
 * first place of `marker`. Codes are looked for on the whole card, whichever way up; what is cut out counts
 * only where the rules know it as a number. Since 1.1.
 *
 *     "https://card.example/c?n=2021000128&v=2"   .marker = "?n="
 *     "A2021000128B"  (Codabar with its guards)   .skip = 1, .length = 10
 */
struct guika_barcode {
    enum guika_symbology symbology;
    const char *marker; /**< 1 to 32 printable ASCII characters; NULL: the beginning of the text */
    uint16_t skip;      /**< characters between the marker and the number, at most 200 */
    uint16_t length;    /**< of the number as it stands there, at most 64, spaces and dashes counted; 0: up to
                           the first character that is no letter, digit, space or dash */
};

/**
 * How much of a number may be shown to staff; a holder's message shows of this the last four at most. All 0:
 * the last four. Whatever it says, at least six characters stay hidden, and half of a number shorter than
 * twelve. Since 1.1.
 */
struct guika_masking {
    uint8_t first; /**< characters shown at the beginning, at most 6 */
    uint8_t last;  /**< and at the end, at most 4 */
};

/** The plugin. Begin it with GUIKA_ISSUER_HEAD. */
struct guika_issuer {
    uint32_t struct_size; /**< sizeof(struct guika_issuer) as the plugin was compiled */
    uint16_t abi_major;   /**< GUIKA_ISSUER_ABI_MAJOR */
    uint16_t abi_minor;   /**< GUIKA_ISSUER_ABI_MINOR */
    const char *id;       /**< the plugin's name, [a-z0-9_-], at most 32 characters; also the file's name */
    const char *version;  /**< the plugin's own version */
    const char *scheme;   /**< number scheme, shared by all plugins whose numbers are of one kind: "iso7812",
                             "octopus" */
    enum guika_kind kind;
    const struct guika_text *names; /**< at least one */
    size_t name_count;
    const struct guika_rule *rules;
    size_t rule_count; /**< at least 1, at most 64 */
    const struct guika_layout *layouts;
    size_t layout_count; /**< at least 1, at most 16 */
    const char *const
        *examples; /**< valid numbers (published or made up), at least one; canonical: no spaces */
    size_t example_count;
    const char *const *counter_examples; /**< not valid, at least one */
    size_t counter_example_count;
    /** May say no to a number that the rules let pass; NULL: no objection ever. `number` is canonical and
     * terminated. Pure and total: no state, any thread, no harm from any string, the empty one too; returns
     * within a microsecond or so. */
    bool (*accepts)(const char *number);
    /* Since 1.1. */
    const struct guika_barcode *barcodes;
    size_t barcode_count; /**< 0 to 8 */
    struct guika_masking masking;
};

/** The first three members of the descriptor. Since 1.1. */
#define GUIKA_ISSUER_HEAD                                                                                    \
    .struct_size = sizeof(struct guika_issuer), .abi_major = GUIKA_ISSUER_ABI_MAJOR,                         \
    .abi_minor = GUIKA_ISSUER_ABI_MINOR

#if defined(_WIN32)
#define GUIKA_EXPORT
#elif !defined(GUIKA_EXPORT)
#define GUIKA_EXPORT __attribute__((visibility("default")))
#endif

/** The one symbol that the plugin exports. */
extern GUIKA_EXPORT const struct guika_issuer guika_issuer;

#ifdef __cplusplus
}
#endif

#endif
