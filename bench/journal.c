#include "bench/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t gk_bench_sum(uint64_t sum, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;

    sum ^= UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < size; i++) {
        sum = (sum ^ byte[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

static uint64_t sum_of(const struct gk_bench_record *record)
{
    return gk_bench_sum(0, record, offsetof(struct gk_bench_record, sum));
}

static bool complain(const char *path, const char *what)
{
    (void)fprintf(stderr, "calibration: %s: %s\n", path, what);
    return false;
}

/* Calls `visit` for each good record below `wanted`, once an index; marks them in `seen`. */
static void walk(int file, uint64_t wanted, bool *seen,
                 void (*visit)(void *context, const struct gk_bench_record *record), void *context)
{
    struct gk_bench_record *record = malloc(sizeof *record);
    off_t at = 0;

    if (record == NULL) {
        abort();
    }
    while (pread(file, record, sizeof *record, at) == (ssize_t)sizeof *record) {
        at += (off_t)sizeof *record;
        if (record->sum == sum_of(record) && record->index < wanted && !seen[record->index]) {
            seen[record->index] = true;
            if (visit != NULL) {
                visit(context, record);
            }
        }
    }
    free(record);
}

static bool *new_marks(uint64_t count)
{
    bool *marks = calloc(count + 1, sizeof *marks);

    if (marks == NULL) {
        abort();
    }
    return marks;
}

bool gk_bench_journal_open(const char *path, uint64_t wanted, struct gk_bench_journal *ret_journal)
{
    struct gk_bench_journal journal = {.file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666),
                                       .wanted = wanted};

    if (journal.file < 0) {
        return complain(path, strerror(errno));
    }
    if (flock(journal.file, LOCK_EX | LOCK_NB) != 0) {
        (void)close(journal.file);
        return complain(path, "another run has it open");
    }
    /* A record that was cut short goes. */
    if (ftruncate(journal.file, (off_t)(gk_bench_journal_size(&journal) * sizeof(struct gk_bench_record))) !=
        0) {
        (void)close(journal.file);
        return complain(path, strerror(errno));
    }
    journal.done = new_marks(wanted);
    walk(journal.file, wanted, journal.done, NULL, NULL);
    *ret_journal = journal;
    return true;
}

void gk_bench_journal_close(struct gk_bench_journal *journal)
{
    (void)close(journal->file);
    free(journal->done);
}

uint64_t gk_bench_journal_done(const struct gk_bench_journal *journal)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < journal->wanted; i++) {
        count += journal->done[i];
    }
    return count;
}

uint64_t gk_bench_journal_size(const struct gk_bench_journal *journal)
{
    struct stat status;

    return fstat(journal->file, &status) == 0 ? (uint64_t)status.st_size / sizeof(struct gk_bench_record) : 0;
}

bool gk_bench_journal_append(const struct gk_bench_journal *journal, struct gk_bench_record *record)
{
    record->sum = sum_of(record);
    /* One write at the end of the file: the records of several processes do not mix. */
    return write(journal->file, record, sizeof *record) == (ssize_t)sizeof *record;
}

void gk_bench_record_fill(struct gk_bench_record *record, uint64_t index,
                          const guika_v1_internal_CompleteRecognitionRequest *result)
{
    memset(record, 0, sizeof *record);
    record->index = index;
    record->reason = (uint32_t)result->reason;
    record->count = result->candidates_count;
    for (size_t i = 0; i < result->candidates_count; i++) {
        const guika_v1_internal_Candidate *from = &result->candidates[i];
        struct gk_bench_candidate *to = &record->candidates[i];

        to->probability = from->probability;
        (void)snprintf(to->number, sizeof to->number, "%s", from->number);
        (void)snprintf(to->scheme, sizeof to->scheme, "%s", from->scheme);
        to->kind = (uint16_t)from->kind;
        to->place = (uint8_t)from->place;
        to->forced = from->forced;
        to->unchecked_reading = from->unchecked_reading;
    }
}

void gk_bench_record_candidates(const struct gk_bench_record *record,
                                guika_v1_internal_Candidate ret_candidates[GK_BENCH_CANDIDATES_MAX])
{
    for (size_t i = 0; i < record->count; i++) {
        const struct gk_bench_candidate *from = &record->candidates[i];
        guika_v1_internal_Candidate *to = &ret_candidates[i];

        *to = (guika_v1_internal_Candidate){.probability = from->probability,
                                            .kind = (guika_v1_CardKind)from->kind,
                                            .place = from->place,
                                            .forced = from->forced,
                                            .unchecked_reading = from->unchecked_reading};
        (void)snprintf(to->number, sizeof to->number, "%s", from->number);
        (void)snprintf(to->scheme, sizeof to->scheme, "%s", from->scheme);
    }
}

void gk_bench_journal_sync(const struct gk_bench_journal *journal)
{
    (void)fdatasync(journal->file);
}

void gk_bench_journal_visit(const struct gk_bench_journal *journal,
                            void (*visit)(void *context, const struct gk_bench_record *record), void *context)
{
    bool *seen = new_marks(journal->wanted);

    walk(journal->file, journal->wanted, seen, visit, context);
    free(seen);
}
