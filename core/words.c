#include "core/words.h"

#include <stddef.h>

static const char *word_of(const char *const *words, size_t count, unsigned value)
{
    return value < count ? words[value] : "UNKNOWN";
}

const char *gk_reason_word(guika_v1_Reason reason)
{
    static const char *const words[] = {"UNSPECIFIED",    "NOT_A_CARD",   "UNREADABLE", "GLARE",
                                        "UNKNOWN_ISSUER", "CHECK_FAILED", "AMBIGUOUS",  "UNREGISTERED",
                                        "CANCELLED",      "SEVERAL_CARDS"};

    return word_of(words, sizeof words / sizeof words[0], (unsigned)reason);
}

const char *gk_kind_word(guika_v1_CardKind kind)
{
    static const char *const words[] = {"UNSPECIFIED", "PAYMENT", "TRANSIT", "ID",
                                        "CAMPUS",      "PARKING", "OTHER"};

    return word_of(words, sizeof words / sizeof words[0], (unsigned)kind);
}
