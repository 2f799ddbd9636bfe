/* What `guika holder cards` prints. */
#ifndef GUIKA_CLIENTS_CLI_HOLDER_LIST_H
#define GUIKA_CLIENTS_CLI_HOLDER_LIST_H

#include "guika/v1/holder.pb.h"

#include <stdbool.h>

/* A few lines a card for people, or one JSON object. */
void gk_cli_print_my_cards(const guika_v1_ListMyCardsResponse *response, bool json);

/* "TRANSIT", ... ; "?" for a number that is none. */
const char *gk_cli_kind_word(guika_v1_CardKind kind);

#endif
