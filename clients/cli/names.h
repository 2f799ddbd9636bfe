/* The names of the schema's enums, as people type and read them. Unknown numbers are "?". */
#ifndef GUIKA_CLIENTS_CLI_NAMES_H
#define GUIKA_CLIENTS_CLI_NAMES_H

#include "guika/v1/types.pb.h"

const char *gk_cli_state_name(guika_v1_CardState state);
const char *gk_cli_reason_name(guika_v1_Reason reason);
const char *gk_cli_kind_name(guika_v1_CardKind kind);
const char *gk_cli_zone_name(guika_v1_Zone zone);

/* In any case of letters; UNSPECIFIED where there is no such name. */
guika_v1_CardState gk_cli_state_of(const char *name);
guika_v1_Reason gk_cli_reason_of(const char *name);

#endif
