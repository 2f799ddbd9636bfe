/* What was agreed with an issuer. */
#ifndef GUIKA_CORE_REGISTRY_TERMS_H
#define GUIKA_CORE_REGISTRY_TERMS_H

#include "guika/v1/types.pb.h"

#include <stdint.h>

struct gk_issuer_terms {
    guika_v1_IssuerPolicy policy; /* UNSPECIFIED where none was ever set: NOTIFY_AT_ONCE */
    uint32_t key_epoch;           /* of its own index key; 0: it has none */
};

#endif
