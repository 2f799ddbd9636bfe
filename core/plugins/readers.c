#include "core/plugins/readers.h"

#include "core/host/supervisor.h"
#include "core/memory.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    SWEEP_MS = 250,
    LEAVE_MARGIN_MS = 1000, /* beyond the job in hand: to close what it has open */
    END_MS = 1000,          /* for a reader that has nothing in hand */
};

struct reader {
    struct reader *next;
    struct gk_readers *readers;
    unsigned place; /* 0 to count - 1 */
    char id[GK_PRINCIPAL_ID_SIZE];
    struct gk_supervisor *supervisor;
    struct gk_shelf_folder *shelf;
    struct gk_trail_page *trail;
    int trail_fd;
    bool running; /* its process is there */
    bool ready;
    bool overdue; /* killed for its lease */
    bool leaving;
    uint64_t leaves_by_ms;
    bool closing;
};

struct gk_readers {
    struct gk_readers_options options;
    struct reader *list; /* newest first */
    struct gk_shelf_folder *shelf;
    uint64_t told; /* number of the shelf that on_changed was called for */
    unsigned last_id;
    uv_timer_t sweep;
    bool timer_closed;
    bool closing;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

static void advance(struct gk_readers *readers);

static void finish_close(struct gk_readers *readers)
{
    if (!readers->closing || readers->list != NULL || !readers->timer_closed) {
        return;
    }
    void (*on_closed)(void *context) = readers->on_closed;
    void *context = readers->on_closed_context;

    gk_shelf_folder_leave(readers->shelf);
    free(readers);
    on_closed(context);
}

/* --- one reader --- */

static void on_reader_closed(void *context)
{
    struct reader *reader = context;
    struct gk_readers *readers = reader->readers;
    struct reader **link = &readers->list;

    while (*link != reader) {
        link = &(*link)->next;
    }
    *link = reader->next;
    gk_trail_free(reader->trail, reader->trail_fd);
    gk_shelf_folder_leave(reader->shelf);
    free(reader);
    finish_close(readers);
}

static void close_reader(struct reader *reader, uint32_t grace_ms)
{
    if (!reader->closing) {
        reader->closing = true;
        gk_supervisor_close(reader->supervisor, grace_ms, on_reader_closed, reader);
    }
}

static void on_started(void *context, unsigned index, int process_id, int fd)
{
    struct reader *reader = context;

    (void)index;
    reader->running = true;
    reader->readers->options.adopt(reader->readers->options.context, reader->id, process_id, fd);
}

static void on_failed(void *context, unsigned index, const struct gk_error *error)
{
    const struct reader *reader = context;

    (void)index;
    reader->readers->options.on_failed(reader->readers->options.context, reader->id, error);
}

static void tell_death(const struct reader *reader, int64_t exit_status, int signal_number,
                       uint32_t restart_ms)
{
    const struct gk_readers_options *options = &reader->readers->options;
    const struct gk_trail_end end = {.overdue =
                                         reader->overdue || (!reader->ready && signal_number == SIGKILL),
                                     .signal_number = signal_number,
                                     .exit_status = exit_status,
                                     .lease_ms = options->lease_ms};
    char link[GK_TRAIL_FILE_SIZE], why[GK_TRAIL_WHY_SIZE];
    struct gk_reader_death death = {.reader_id = reader->id,
                                    .signal_number = signal_number,
                                    .exit_status = exit_status,
                                    .restart_ms = restart_ms,
                                    .why = why};

    if (gk_trail_blame(reader->trail, &end, link, why)) {
        death.blamed = gk_shelf_folder_find(reader->shelf, link);
    }
    options->on_died(options->context, &death);
}

static void on_ended(void *context, unsigned index, int process_id, int64_t exit_status, int signal_number,
                     uint32_t restart_ms)
{
    struct reader *reader = context;
    struct gk_readers *readers = reader->readers;
    const bool is_old = reader->shelf != readers->shelf;
    const bool asked = reader->leaving && exit_status == 0 && signal_number == 0;

    (void)index;
    (void)process_id;
    reader->running = false;
    gk_reader_jobs_lost(readers->options.jobs, reader->id);
    if (!asked) {
        tell_death(reader, exit_status, signal_number, is_old ? GK_SUPERVISOR_NEVER : restart_ms);
    }
    gk_trail_clear(reader->trail);
    reader->ready = false;
    reader->overdue = false;
    if (reader->leaving || reader->shelf != readers->shelf) {
        close_reader(reader, END_MS);
        advance(readers);
    }
}

static void start_reader(struct gk_readers *readers, unsigned place)
{
    struct reader *reader = gk_allocate(sizeof *reader);
    const char *arguments[] = {"--issuers", readers->shelf->directory, NULL};

    reader->readers = readers;
    reader->place = place;
    reader->shelf = gk_shelf_folder_use(readers->shelf);
    reader->trail = gk_trail_make(&reader->trail_fd);
    if (reader->trail == NULL) {
        abort(); /* as with any other memory that there is not */
    }
    (void)snprintf(reader->id, sizeof reader->id, "reader-%u", readers->last_id++);
    reader->next = readers->list;
    readers->list = reader;
    const struct gk_supervisor_options options = {.program = readers->options.program,
                                                  .arguments = arguments,
                                                  .count = 1,
                                                  .start_ms = readers->options.start_ms,
                                                  .page_fd = reader->trail_fd,
                                                  .on_started = on_started,
                                                  .on_ended = on_ended,
                                                  .on_failed = on_failed,
                                                  .context = reader};

    reader->supervisor = gk_supervisor_open(readers->options.loop, &options);
}

/* Its successor is there: it finishes what it has and goes. */
static void let_go(struct reader *reader)
{
    struct gk_readers *readers = reader->readers;

    reader->leaving = true;
    gk_supervisor_retire(reader->supervisor, 0);
    if (!reader->running) {
        gk_reader_jobs_lost(readers->options.jobs, reader->id);
        close_reader(reader, END_MS);
        return;
    }
    reader->leaves_by_ms = uv_now(readers->options.loop) + readers->options.lease_ms + LEAVE_MARGIN_MS;
    gk_reader_jobs_retire(readers->options.jobs, reader->id);
}

/* --- all of them --- */

/* The newest of a place that shall stay; NULL: there is none. */
static struct reader *holder(const struct gk_readers *readers, unsigned place)
{
    struct reader *reader = readers->list;

    while (reader != NULL && (reader->place != place || reader->leaving || reader->closing)) {
        reader = reader->next;
    }
    return reader;
}

/* Fills empty places, and begins the change of one place where none is under way. */
static void advance(struct gk_readers *readers)
{
    bool one_starts = false;
    unsigned old = UINT_MAX;

    if (readers->closing || readers->shelf == NULL) {
        return;
    }
    for (unsigned place = 0; place < readers->options.count; place++) {
        struct reader *reader = holder(readers, place);

        if (reader != NULL && !reader->running && reader->shelf != readers->shelf) {
            close_reader(reader, END_MS); /* it waits to be started again, for nothing */
            reader = NULL;
        }
        if (reader == NULL) {
            start_reader(readers, place);
        } else if (reader->shelf != readers->shelf && old == UINT_MAX) {
            old = place;
        }
        one_starts = one_starts || reader == NULL || !reader->ready;
    }
    if (old != UINT_MAX && !one_starts) {
        start_reader(readers, old);
    } else if (old == UINT_MAX && !one_starts && readers->told != readers->shelf->number) {
        readers->told = readers->shelf->number;
        readers->options.on_changed(readers->options.context, readers->shelf);
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct gk_readers *readers = timer->data;
    const uint64_t now_ms = uv_now(readers->options.loop);

    for (struct reader *reader = readers->list; reader != NULL; reader = reader->next) {
        if (reader->leaving && !reader->closing && reader->leaves_by_ms <= now_ms) {
            gk_supervisor_kill(reader->supervisor, 0);
        }
    }
}

struct gk_readers *gk_readers_open(const struct gk_readers_options *options)
{
    struct gk_readers *readers = gk_allocate(sizeof *readers);

    readers->options = *options;
    (void)uv_timer_init(options->loop, &readers->sweep);
    readers->sweep.data = readers;
    (void)uv_timer_start(&readers->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return readers;
}

void gk_readers_change(struct gk_readers *readers, struct gk_shelf_folder *shelf)
{
    gk_shelf_folder_leave(readers->shelf);
    readers->shelf = gk_shelf_folder_use(shelf);
    advance(readers);
}

static struct reader *find(const struct gk_readers *readers, const char *reader_id)
{
    struct reader *reader = readers->list;

    while (reader != NULL && strcmp(reader->id, reader_id) != 0) {
        reader = reader->next;
    }
    return reader;
}

bool gk_readers_ready(struct gk_readers *readers, const char *reader_id)
{
    struct reader *ready = find(readers, reader_id);

    if (ready == NULL || ready->closing || ready->leaving) {
        return false;
    }
    ready->ready = true;
    gk_supervisor_ready(ready->supervisor, 0);
    for (struct reader *reader = readers->list, *next; reader != NULL; reader = next) {
        next = reader->next;
        if (reader->place == ready->place && reader != ready && !reader->leaving && !reader->closing) {
            let_go(reader);
        }
    }
    const bool is_newest = ready->shelf == readers->shelf;

    advance(readers);
    return is_newest;
}

void gk_readers_overdue(struct gk_readers *readers, const char *reader_id)
{
    struct reader *reader = find(readers, reader_id);

    if (reader != NULL && !reader->closing) {
        reader->overdue = true;
        gk_supervisor_kill(reader->supervisor, 0);
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct gk_readers *readers = handle->data;

    readers->timer_closed = true;
    finish_close(readers);
}

void gk_readers_close(struct gk_readers *readers, uint32_t grace_ms, void (*on_closed)(void *context),
                      void *context)
{
    assert(!readers->closing);
    readers->closing = true;
    readers->on_closed = on_closed;
    readers->on_closed_context = context;
    for (struct reader *reader = readers->list, *next; reader != NULL; reader = next) {
        next = reader->next;
        close_reader(reader, grace_ms);
    }
    uv_close((uv_handle_t *)&readers->sweep, on_timer_closed);
}
