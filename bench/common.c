#include "bench/common.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYNC_EVERY = 64, SAY_EVERY_S = 30 };

bool gk_bench_parse_number(const char *text, uint64_t most, uint64_t *ret_number)
{
    char *end;

    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > most) {
        return false;
    }
    *ret_number = number;
    return true;
}

uint64_t gk_bench_file_sum(uint64_t sum, const char *path)
{
    uint8_t bytes[1 << 14];
    FILE *file = fopen(path, "rb");
    size_t size;

    while (file != NULL && (size = fread(bytes, 1, sizeof bytes, file)) > 0) {
        sum = gk_bench_sum(sum, bytes, size);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return sum;
}

uint64_t gk_bench_build_sum(void)
{
    return gk_bench_file_sum(0, "/proc/self/exe");
}

uint64_t gk_bench_seed(uint64_t series, uint64_t index)
{
    return series * UINT64_C(0xd1342543de82ef95) + index * UINT64_C(0x9e3779b97f4a7c15);
}

/* What every reading process is given. */
struct task {
    gk_bench_read_fn *read;
    const void *context;
    const char *name;
    const struct gk_bench_journal *journal;
    unsigned workers;
};

static bool read_one(const struct task *task, struct gk_recogniser *recogniser, uint64_t index)
{
    static guika_v1_internal_CompleteRecognitionRequest result; /* large */
    static struct gk_bench_record record;

    if (!task->read(task->context, recogniser, index, &result)) {
        (void)fprintf(stderr, "%s: picture %llu cannot be drawn\n", task->name, (unsigned long long)index);
        return false;
    }
    gk_bench_record_fill(&record, index, &result);
    if (!gk_bench_journal_append(task->journal, &record)) {
        perror("journal");
        return false;
    }
    return true;
}

/* One process: every `workers`th picture that is not done, from `first` on. */
static int work(const struct task *task, unsigned first)
{
    const struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers"};
    struct gk_recogniser *recogniser = NULL;
    struct gk_error error = {.status = GK_OK};
    uint64_t since_sync = 0;
    bool good = true;

    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        (void)fprintf(stderr, "%s: %s\n", task->name, error.message);
        return 1;
    }
    for (uint64_t i = first; i < task->journal->wanted && good; i += task->workers) {
        if (!task->journal->done[i]) {
            good = read_one(task, recogniser, i);
            if (++since_sync % SYNC_EVERY == 0) {
                gk_bench_journal_sync(task->journal);
            }
        }
    }
    gk_bench_journal_sync(task->journal);
    gk_recogniser_close(recogniser);
    return good ? 0 : 1;
}

/* Waits for all of them; true where all ended well. */
static bool wait_for(const char *name, const struct gk_bench_journal *journal, unsigned workers)
{
    bool good = true;

    for (unsigned seconds = 1; workers > 0; seconds++) {
        int status;

        while (workers > 0 && waitpid(-1, &status, WNOHANG) > 0) {
            workers--;
            good = good && status == 0;
        }
        if (workers > 0) {
            if (seconds % SAY_EVERY_S == 0) {
                (void)fprintf(stderr, "%s: %llu of %llu\n", name,
                              (unsigned long long)gk_bench_journal_size(journal),
                              (unsigned long long)journal->wanted);
            }
            (void)sleep(1);
        }
    }
    return good;
}

bool gk_bench_read_all(gk_bench_read_fn *read, const void *context, const char *name,
                       const struct gk_bench_journal *journal, unsigned workers)
{
    const struct task task = {read, context, name, journal, workers};
    unsigned started = 0;

    if (gk_bench_journal_done(journal) == journal->wanted) {
        return true;
    }
    (void)fflush(NULL);
    for (; started < workers; started++) {
        const pid_t process = fork();

        if (process == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            _exit(work(&task, started));
        }
        if (process < 0) {
            perror("fork");
            break;
        }
    }
    return wait_for(name, journal, started) && started == workers;
}
