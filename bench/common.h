/* What the benches with a journal share: numbers on the command line, names for what was built, and a pool of
 * reading processes. */
#ifndef GUIKA_BENCH_COMMON_H
#define GUIKA_BENCH_COMMON_H

#include "bench/journal.h"
#include "core/recognition/recogniser.h"

#include <stdbool.h>
#include <stdint.h>

/* A whole number from 0 to `most`; false, and nothing set, for anything else. */
bool gk_bench_parse_number(const char *text, uint64_t most, uint64_t *ret_number);

/* A sum over the file's bytes, going on from `sum`; `sum` where it cannot be read. */
uint64_t gk_bench_file_sum(uint64_t sum, const char *path);

/* Names this build of the reader: what another one read is kept apart from what this one reads. */
uint64_t gk_bench_build_sum(void);

/* Neighbouring pictures of a series get seeds that lie far apart. */
uint64_t gk_bench_seed(uint64_t series, uint64_t index);

/* Draws picture `index` and reads it; false where it cannot be drawn. */
typedef bool gk_bench_read_fn(const void *context, struct gk_recogniser *recogniser, uint64_t index,
                              guika_v1_internal_CompleteRecognitionRequest *ret_result);

/* Reads the pictures that the journal lacks in `workers` processes, and says on stderr how far it is. False,
 * after saying why, where one of them failed. Call it before anything is opened that does not survive a fork.
 */
bool gk_bench_read_all(gk_bench_read_fn *read, const void *context, const char *name,
                       const struct gk_bench_journal *journal, unsigned workers);

#endif
