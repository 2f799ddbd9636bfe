/*
 * One file of the spool: how an entry is sealed, written so that a crash leaves all or nothing, and read
 * back. Owns the file format that spool.h describes; knows nothing of the order of entries.
 */
#ifndef GUIKA_CLIENTS_C_SPOOL_FILE_H
#define GUIKA_CLIENTS_C_SPOOL_FILE_H

#include "clients/c/spool.h"

/* An entry, sealed, in the file's format. `ret_file` is the caller's to free. INVALID_ARGUMENT where it is no
 * entry, INTERNAL where it cannot be encoded or memory is short. */
enum gk_status gk_spool_file_seal(const guika_v1_SpoolEntry *entry, const uint8_t key[GK_SPOOL_KEY_SIZE],
                                  uint8_t **ret_file, size_t *ret_size, struct gk_error *error);

/* The kind of an entry, and the id that names it; "" where it has none. */
enum gk_spool_kind gk_spool_file_kind(const guika_v1_SpoolEntry *entry);
const char *gk_spool_file_id(const guika_v1_SpoolEntry *entry);

/* Reads and checks `name` in the directory `directory_fd`. DATA_LOSS where it is corrupt. */
enum gk_status gk_spool_file_read(int directory_fd, const char *name, struct gk_spool_item *ret_item,
                                  struct gk_error *error);

/* Reads the deposit id from the header of `name`; DATA_LOSS where there is none. */
enum gk_status gk_spool_file_deposit_id(int directory_fd, const char *name,
                                        char ret_deposit_id[GK_SPOOL_DEPOSIT_ID_SIZE],
                                        struct gk_error *error);

/* Writes `data` as `name`: first `name`.tmp, fsync, rename, fsync of the directory. RESOURCE_EXHAUSTED where
 * the disk is full, INTERNAL where it fails; then nothing is left. */
enum gk_status gk_spool_file_write(int directory_fd, const char *name, const uint8_t *data, size_t size,
                                   struct gk_error *error);

#endif
