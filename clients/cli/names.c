#include "clients/cli/names.h"

#include <stddef.h>
#include <strings.h>

/* By the numbers of CardState, Reason, CardKind and Zone in schemas/guika/v1/types.proto. */
static const char *const states[] = {"",           "RECEIVED",    "IDENTIFIED", "DIFFICULT",
                                     "GIVEN_BACK", "NOTIFIED",    "COLLECTED",  "EXPIRED",
                                     "RETURNED",   "HANDED_OVER", "DESTROYED"};
static const char *const reasons[] = {
    "",          "NOT_A_CARD",   "UNREADABLE", "GLARE",        "UNKNOWN_ISSUER", "CHECK_FAILED",
    "AMBIGUOUS", "UNREGISTERED", "CANCELLED",  "SEVERAL_CARDS"};
static const char *const kinds[] = {"", "PAYMENT", "TRANSIT", "ID", "CAMPUS", "PARKING", "OTHER"};
static const char *const zones[] = {"", "NORMAL", "DIFFICULT"};

#define NAME_OF(names, value) name_of(names, sizeof(names) / sizeof(names)[0], (unsigned)(value))
#define VALUE_OF(names, name) value_of(names, sizeof(names) / sizeof(names)[0], name)

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
    return value < count ? names[value] : "?";
}

/* 0 where there is no such name. */
static unsigned value_of(const char *const *names, size_t count, const char *name)
{
    for (unsigned i = 1; i < count; i++) {
        if (strcasecmp(names[i], name) == 0) {
            return i;
        }
    }
    return 0;
}

const char *gk_cli_state_name(guika_v1_CardState state)
{
    return NAME_OF(states, state);
}

const char *gk_cli_reason_name(guika_v1_Reason reason)
{
    return NAME_OF(reasons, reason);
}

const char *gk_cli_kind_name(guika_v1_CardKind kind)
{
    return NAME_OF(kinds, kind);
}

const char *gk_cli_zone_name(guika_v1_Zone zone)
{
    return NAME_OF(zones, zone);
}

guika_v1_CardState gk_cli_state_of(const char *name)
{
    return (guika_v1_CardState)VALUE_OF(states, name);
}

guika_v1_Reason gk_cli_reason_of(const char *name)
{
    return (guika_v1_Reason)VALUE_OF(reasons, name);
}
