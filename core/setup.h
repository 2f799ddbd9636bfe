/* `guikad --init`: everything that a new service needs. */
#ifndef GUIKA_CORE_SETUP_H
#define GUIKA_CORE_SETUP_H

#include "rpc/status.h"

/* Makes, for the configuration file `path`: its folder (0700), the file, the keys, a certificate, the data
 * directory and the first operator's token, which goes into operator.token beside the file (0600).
 * ALREADY_EXISTS where any of these is there (the data directory may be): nothing is ever overwritten.
 * `program_directory` as in gk_configuration_read. [worker] */
enum gk_status gk_setup_run(const char *path, const char *program_directory, struct gk_error *error);

#endif
