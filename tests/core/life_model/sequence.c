#include "tests/core/life_model/sequence.h"

#include <stdlib.h>
#include <string.h>

/* --- running --- */

static bool leaves_much_behind(const struct operation *operation)
{
    return operation->lost || operation->kind == OP_CRASH || operation->kind == OP_ROTATE ||
           operation->kind == OP_IMPORT || operation->kind == OP_PLUGIN;
}

/* Answered as the model says, and the cards as the model has them. */
static bool step(struct driver *driver, struct model *model, const struct operation *operation,
                 bool check_all, char *difference)
{
    const enum gk_status wanted = model_apply(model, operation);
    enum gk_status status = GK_OK;
    bool did = model->did;

    if (model->did || operation->kind == OP_COURIER) {
        status = driver_apply(driver, operation, &did);
    } else {
        atomic_fetch_add(&driver->rig.now_ms, 1);
    }
    if (status != wanted || did != model->did) {
        (void)snprintf(difference, DIFFERENCE_SIZE, "%s is answered %s%s, the model says %s%s (%.120s)",
                       operation_word(operation->kind), gk_status_name(status), did ? "" : ", does nothing",
                       gk_status_name(wanted), model->did ? "" : ", does nothing", driver->error.message);
        return false;
    }
    driver_settle(driver);
    return compare_touched(driver, model, difference) &&
           (!check_all || compare_all(driver, model, difference));
}

struct verdict sequence_run(const struct sequence *sequence, enum driver_fault fault, size_t check_every)
{
    struct verdict verdict = {.agrees = true};
    struct driver *driver = driver_open(fault);
    struct model *model = model_new();

    for (size_t i = 0; i < sequence->count && verdict.agrees; i++) {
        const struct operation *operation = &sequence->operations[i];
        const bool check_all =
            leaves_much_behind(operation) || (i + 1) % check_every == 0 || i + 1 == sequence->count;

        verdict.at = i;
        verdict.agrees = step(driver, model, operation, check_all, verdict.difference);
    }
    model_free(model);
    driver_close(driver);
    return verdict;
}

/* --- shrinking --- */

/* Two differences are the same where they differ in figures alone. */
static bool is_same(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        a += strspn(a, "0123456789-");
        b += strspn(b, "0123456789-");
        if (*a != *b) {
            return false;
        }
        a += *a != '\0';
        b += *b != '\0';
    }
    return true;
}

/* Tries the sequence without [from, to). */
static bool try_without(struct sequence *sequence, size_t from, size_t to, enum driver_fault fault,
                        struct verdict *verdict)
{
    struct sequence less = {calloc(sequence->count, sizeof *less.operations), sequence->count - (to - from)};

    memcpy(less.operations, sequence->operations, from * sizeof *less.operations);
    memcpy(less.operations + from, sequence->operations + to,
           (sequence->count - to) * sizeof *less.operations);
    const struct verdict tried = sequence_run(&less, fault, less.count);

    if (tried.agrees || !is_same(tried.difference, verdict->difference)) {
        sequence_free(&less);
        return false;
    }
    sequence_free(sequence);
    *sequence = less;
    sequence->count = tried.at + 1;
    *verdict = tried;
    return true;
}

void sequence_shrink(struct sequence *sequence, enum driver_fault fault, struct verdict *verdict, FILE *log)
{
    sequence->count = verdict->at + 1;
    for (size_t chunk = sequence->count / 2; chunk > 0; chunk = chunk == 1 ? 0 : (chunk + 1) / 2) {
        bool again = true;

        while (again) {
            again = false;
            for (size_t to = sequence->count; to > 0 && sequence->count > 1;) {
                const size_t from = to > chunk ? to - chunk : 0;

                if (try_without(sequence, from, to, fault, verdict)) {
                    again = chunk == 1;
                    if (log != NULL) {
                        (void)fprintf(log, "model: %zu operations left\n", sequence->count);
                    }
                }
                to = from < sequence->count ? from : sequence->count;
            }
        }
    }
}

/* --- --- */

void sequence_keep(struct sequence *sequence, const char *only)
{
    size_t kept = 0;

    for (size_t i = 0; i < sequence->count; i++) {
        const char *at = only;
        bool is_in = false;

        while (*at != '\0') {
            char *end = NULL;
            const unsigned long id = strtoul(at, &end, 10);

            is_in = is_in || id == sequence->operations[i].id;
            at = *end == ',' ? end + 1 : end + strlen(end);
        }
        if (is_in) {
            sequence->operations[kept++] = sequence->operations[i];
        }
    }
    sequence->count = kept;
}

void sequence_print(const struct sequence *sequence, FILE *to)
{
    for (size_t i = 0; i < sequence->count; i++) {
        (void)fprintf(to, "  ");
        operation_print(to, &sequence->operations[i]);
        (void)fputc('\n', to);
    }
}
