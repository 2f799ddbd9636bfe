#include "core/audit_exporter.h"

#include "core/memory.h"
#include "core/security/audit_head.h"
#include "core/store/audit_chain.h"
#include "core/task.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct gk_audit_exporter {
    struct gk_audit_exporter_parts parts;
    uv_timer_t timer;
    struct gk_task task;
    uint64_t exported; /* sequence of the last head that was added */
    bool busy;
    bool last_done; /* after closing began: the last head was added, or could not be */
    enum gk_status status;
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

static enum gk_status append(const char *path, const char *line, struct gk_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char text[GK_AUDIT_LINE_SIZE + 1];

    if (fd < 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "%.120s cannot be opened: %s", path, strerror(errno));
    }
    const int size = snprintf(text, sizeof text, "%s\n", line);
    const bool written = write(fd, text, (size_t)size) == size && fsync(fd) == 0;
    const int reason = errno;

    (void)close(fd);
    return written
               ? GK_OK
               : gk_error_set(error, GK_UNAVAILABLE, "%.120s cannot be written: %s", path, strerror(reason));
}

/* [worker] */
static void run_export(struct gk_task *task)
{
    struct gk_audit_exporter *exporter = gk_container_of(task, struct gk_audit_exporter, task);
    const struct gk_audit_exporter_parts *parts = &exporter->parts;
    struct gk_audit_head newest = {0};
    struct gk_signed_head head = {.at_ms = gk_store_now_ms(parts->store)};
    char line[GK_AUDIT_LINE_SIZE];

    exporter->status = gk_store_audit_head(parts->store, &newest, &exporter->error);
    if (exporter->status != GK_OK || newest.sequence == exporter->exported) {
        return;
    }
    head.sequence = newest.sequence;
    memcpy(head.hash, newest.hash, sizeof head.hash);
    gk_audit_head_sign(parts->keys, &head, line);
    exporter->status = append(parts->path, line, &exporter->error);
    if (exporter->status == GK_OK) {
        exporter->exported = newest.sequence;
    }
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct gk_audit_exporter *exporter = handle->data;
    void (*on_closed)(void *context) = exporter->on_closed;
    void *context = exporter->on_closed_context;

    free(exporter);
    on_closed(context);
}

static void export_head(struct gk_audit_exporter *exporter);

static void on_exported(struct gk_task *task)
{
    struct gk_audit_exporter *exporter = gk_container_of(task, struct gk_audit_exporter, task);

    exporter->busy = false;
    if (exporter->status != GK_OK) {
        gk_log(exporter->parts.log, GK_LOG_ERROR, "audit_head_not_exported",
               {"why", exporter->error.message});
    }
    if (exporter->last_done) {
        uv_close((uv_handle_t *)&exporter->timer, on_timer_closed);
    } else if (exporter->on_closed != NULL) {
        exporter->last_done = true;
        export_head(exporter);
    }
}

static void export_head(struct gk_audit_exporter *exporter)
{
    exporter->busy = true;
    exporter->task.run = run_export;
    exporter->task.done = on_exported;
    gk_task_start(exporter->parts.loop, &exporter->task);
}

static void on_timer(uv_timer_t *timer)
{
    struct gk_audit_exporter *exporter = timer->data;

    if (!exporter->busy) {
        export_head(exporter);
    }
}

struct gk_audit_exporter *gk_audit_exporter_open(const struct gk_audit_exporter_parts *parts)
{
    struct gk_audit_exporter *exporter = gk_allocate(sizeof *exporter);

    exporter->parts = *parts;
    (void)uv_timer_init(parts->loop, &exporter->timer);
    exporter->timer.data = exporter;
    (void)uv_timer_start(&exporter->timer, on_timer, 0, parts->every_ms);
    return exporter;
}

void gk_audit_exporter_close(struct gk_audit_exporter *exporter, void (*on_closed)(void *context),
                             void *context)
{
    exporter->on_closed = on_closed;
    exporter->on_closed_context = context;
    (void)uv_timer_stop(&exporter->timer);
    if (!exporter->busy) {
        exporter->last_done = true;
        export_head(exporter);
    }
}
