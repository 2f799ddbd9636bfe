/*
 * Backups of a running service, and putting one back.
 *
 * Owns: the layout of a backup: a folder with `data`, which is a data directory (the store's checkpoint, and
 * the sealed pictures), and `backup`, a small file that is written last: a folder without it is no whole
 * backup. The keys are never in it: without them it opens nothing, so they are kept apart.
 *
 * Restoring copies the backup beside the data directory (DATA.restoring, then DATA.restored) and puts it in
 * its place before a store is opened; what was there is kept as DATA.before-TIME. A crash at any point leaves
 * either the old data or the new in force.
 */
#ifndef GUIKA_CORE_BACKUP_H
#define GUIKA_CORE_BACKUP_H

#include "core/security/keys.h"
#include "core/store/store.h"

#include <stdbool.h>

struct gk_backup_summary {
    uint64_t files;
    uint64_t bytes;
    uint64_t pictures;
};

/* Makes the folder `directory` (an absolute path that is not there yet, outside the data) and writes a backup
 * into it: all that was acknowledged when it began, while the service runs on. `actor` is audited.
 * INVALID_ARGUMENT, ALREADY_EXISTS, UNAVAILABLE (the disk). [worker] */
enum gk_status gk_backup_write(struct gk_store *store, const struct gk_keys *keys, const char *data_directory,
                               const char *directory, const char *actor,
                               struct gk_backup_summary *ret_summary, struct gk_error *error);

/* Copies the backup beside `data_directory`, to be put in its place by gk_backup_swap. NOT_FOUND where it is
 * no whole backup, FAILED_PRECONDITION where it was made with other keys. [worker] */
enum gk_status gk_backup_stage(const struct gk_keys *keys, const char *directory, const char *data_directory,
                               struct gk_error *error);

/* Puts a staged backup in the place of the data, where there is one; before the store is opened. [worker] */
enum gk_status gk_backup_swap(const char *data_directory, int64_t now_ms, bool *ret_swapped,
                              struct gk_error *error);

#endif
