/*
 * What issuers say about their numbers, applied: validity, check characters, prefixes, groupings, masks.
 * Everything here is pure.
 */
#ifndef GUIKA_CORE_RECOGNITION_RULES_H
#define GUIKA_CORE_RECOGNITION_RULES_H

#include "core/host/plugin_loader.h"
#include "guika/issuer.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>

#define GK_NUMBER_LONGEST 32                   /* characters (guika/issuer.h) */
#define GK_NUMBER_SIZE (GK_NUMBER_LONGEST + 1) /* with the terminator */
#define GK_MASKED_SIZE 24 /* six characters, four bullets of three bytes, a space, four characters */

/* For gk_plugin_kind.check: INVALID_ARGUMENT where a struct guika_issuer breaks a limit of its header, an
 * example is not valid or a counter-example is. [any] */
enum gk_status gk_rules_check_descriptor(const struct gk_plugin_head *head, struct gk_error *error);

/* The same without the examples, for who wants to hear about each of them. [any] */
enum gk_status gk_rules_check_parts(const struct gk_plugin_head *head, struct gk_error *error);

/* Keeps letters (made capitals) and digits, those of full width too; other characters part them and are
 * dropped. Returns the length; 0 where nothing is left or it is longer than GK_NUMBER_LONGEST. [any] */
size_t gk_rules_canonical(const char *text, char ret_number[GK_NUMBER_SIZE]);

/* Does the last character agree with the others? `number` is canonical; true for GUIKA_CHECK_NONE. [any] */
bool gk_rules_check_passes(enum guika_check check, const char *number);

/* How a number fits one issuer. */
enum gk_fit {
    GK_FIT_NONE = 0,     /* not of this issuer: length, alphabet, prefix or its own veto */
    GK_FIT_CHECK_FAILED, /* it would be, but for a check character that binds */
    GK_FIT_VALID,
};

struct gk_judgement {
    const struct guika_issuer *issuer;
    const struct guika_rule *rule; /* that it fits, or whose check it fails */
    size_t prefix_length;          /* characters of the prefix that matched; 0: the rule has none */
    double share;      /* gk_rules_prefix_share of the widest rule of the scheme that the number fits; set by
                          gk_rules_match */
    bool check_passes; /* also where the check only weighs; true where there is none */
};

/* Judges by the issuer's rule with the longest matching prefix; a valid one goes before one whose check
 * fails. `ret_judgement` is set unless GK_FIT_NONE. [any] */
enum gk_fit gk_rules_judge(const struct guika_issuer *issuer, const char *number,
                           struct gk_judgement *ret_judgement);

/* The issuers for which the number is valid, one a scheme: that with the longest prefix. A bank's plugin
 * beside its brand's makes a number no likelier: it says whose it is. Returns how many of `most` were filled;
 * `*ret_check_failed` tells whether some issuer lacks only the check. [any] */
size_t gk_rules_match(const struct guika_issuer *const *issuers, size_t issuer_count, const char *number,
                      struct gk_judgement *ret_matches, size_t most, bool *ret_check_failed);

/* The share of all strings of the rule's length and alphabet that begin with one of its prefixes, 0 to 1.
 * [any] */
double gk_rules_prefix_share(const struct guika_rule *rule);

/* How a printed grouping agrees with those of a rule. */
enum gk_grouping_fit {
    GK_GROUPING_NONE = 0, /* it has gaps that no grouping of the rule has, or another number of characters */
    GK_GROUPING_COARSER,  /* some gaps of a grouping are missing, all of them or brackets */
    GK_GROUPING_KNOWN,
    GK_GROUPING_BRACKETS, /* known, with brackets */
};

/* The best over the rule's groupings; NONE where it has none. `printed` is groups as "4-4-4-4", with
 * brackets as "9(1)". [any] */
enum gk_grouping_fit gk_rules_grouping_fit(const struct guika_rule *rule, const char *printed);

/* "•••• 0019", or as the issuer's masking rule has it: "622576•••• 0019". At least six characters stay
 * hidden, and half of a number shorter than twelve. `issuer` NULL: no rule. [any] */
void gk_rules_mask(const struct guika_issuer *issuer, const char *number, char ret_masked[GK_MASKED_SIZE]);

#endif
