/* What a start does before it serves: brings memory and the picture folder in step with the store. */
#ifndef GUIKA_CORE_RECOVERY_H
#define GUIKA_CORE_RECOVERY_H

#include "core/security/credentials.h"
#include "core/store/picture_vault.h"
#include "core/store/store.h"

/* Ends the wait of deposits that were asked for more frames before the stop: their frames were in memory
 * alone, so they are difficult now. Erases pictures that no card wants. Fills the table of credentials.
 * [worker] */
enum gk_status gk_recover(struct gk_store *store, struct gk_picture_vault *vault,
                          struct gk_credentials *credentials, struct gk_error *error);

#endif
