/* The names of the schema's enums, as reports, metrics and audit entries write them. */
#ifndef GUIKA_CORE_WORDS_H
#define GUIKA_CORE_WORDS_H

#include "guika/v1/types.pb.h"

/* "GLARE"; "UNSPECIFIED" for none, "UNKNOWN" for a number that is no reason. [any] */
const char *gk_reason_word(guika_v1_Reason reason);

/* "PAYMENT"; as above. [any] */
const char *gk_kind_word(guika_v1_CardKind kind);

#endif
