/* Putting a backup back where no service runs: `guikad --restore DIR`. */
#ifndef GUIKA_CORE_RESTORE_H
#define GUIKA_CORE_RESTORE_H

#include "core/configuration.h"

/* Stages a backup for a service that does not run: its next start has it in force. The keys have to be those
 * that the backup was made with. UNAVAILABLE where a service runs on the data. [worker] */
enum gk_status gk_restore_stage(const struct gk_configuration *configuration, const char *directory,
                                struct gk_error *error);

#endif
