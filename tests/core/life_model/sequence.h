/* Sequences of operations: made from a seed, run, shrunk and printed. */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_SEQUENCE_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_SEQUENCE_H

#include "tests/core/life_model/compare.h"

struct sequence {
    struct operation *operations; /* freed with sequence_free */
    size_t count;
};

/* The sequence of a seed. The model is asked along the way, so that most operations have something to do; the
 * parts are not. The same seed and length give the same sequence. */
struct sequence sequence_generate(uint64_t seed, size_t length);
void sequence_free(struct sequence *sequence);

/* Leaves only the operations whose ids are in `only`, "12,40,312". */
void sequence_keep(struct sequence *sequence, const char *only);

struct verdict {
    bool agrees;
    size_t at; /* index of the operation after which they did not */
    char difference[DIFFERENCE_SIZE];
};

/* Runs it on new parts and a new model. Everything is compared each `check_every` operations, after a crash
 * and at the end. */
struct verdict sequence_run(const struct sequence *sequence, enum driver_fault fault, size_t check_every);

/* Takes out operations for as long as the rest still shows the same difference (delta debugging). `verdict`
 * is that of the sequence, and becomes that of the rest. Says how it goes on `log` (may be NULL). */
void sequence_shrink(struct sequence *sequence, enum driver_fault fault, struct verdict *verdict, FILE *log);

void sequence_print(const struct sequence *sequence, FILE *to);

#endif
