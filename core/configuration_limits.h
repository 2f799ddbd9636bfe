/* What the values of guikad's configuration may be. For core/configuration.c alone: libconfuse's types are in
 * it. */
#ifndef GUIKA_CORE_CONFIGURATION_LIMITS_H
#define GUIKA_CORE_CONFIGURATION_LIMITS_H

#include "core/found_card_clocks.h"

#include <confuse.h>

/* The key of a kind of card in the section `retention`; 0 to GK_CARD_KINDS - 1. */
const char *gk_configuration_kind(unsigned kind);

/* Has each value checked as it is read; what is wrong goes to the parser's error function. */
void gk_configuration_limit(cfg_t *cfg);

#endif
