/* Files that must be whole or absent: keys, certificates, sealed pictures. */
#ifndef GUIKA_CORE_SECURITY_FILE_H
#define GUIKA_CORE_SECURITY_FILE_H

#include "rpc/bytes.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <sys/types.h>

/* Makes the file `path` with exactly `mode`, writes `bytes` and syncs it. ALREADY_EXISTS where anything has
 * that name; UNAVAILABLE where the disk refuses (nothing is left behind). [worker] */
enum gk_status gk_file_create(const char *path, mode_t mode, struct gk_bytes bytes, struct gk_error *error);

/* Makes the names in `directory` durable. [worker] */
enum gk_status gk_file_sync_directory(const char *directory, struct gk_error *error);

/* Makes `directory` with mode 0700; its parent must be there. One that is there already is taken as it is,
 * unless others than its owner may write to it: FAILED_PRECONDITION. [worker] */
enum gk_status gk_file_make_directory(const char *directory, struct gk_error *error);

#endif
