/*
 * A disk that remembers what was synced. fsync and fdatasync of this program are replaced: they wait for
 * nothing, and write down how long each file was then. So what a power cut would leave can be copied out,
 * which neither a killed process nor a closed store shows: the page cache outlives both.
 */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_DISK_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much is synced of the write-ahead logs in `directory` now, bytes in all. */
uint64_t disk_log_bytes(const char *directory);

/* Copies `from` to the new directory `to` as a power cut would leave it: of each file what was synced, and of
 * the write-ahead logs at most `log_bytes` of all together (UINT64_MAX: all that was synced). False where
 * that failed. */
bool disk_cut(const char *from, const char *to, uint64_t log_bytes);

/* Puts directory `from` in the place of `to`. */
bool disk_replace(const char *from, const char *to);

#endif
