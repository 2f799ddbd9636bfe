#include "core/plugins/check.h"

#include "core/host/supervisor.h"
#include "core/memory.h"
#include "rpc/method.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    LIMIT_MS = 5000, /* to load all plugins, which takes some milliseconds */
    GRACE_MS = 500,
};

struct gk_check {
    struct gk_check_options options;
    char id[GK_PRINCIPAL_ID_SIZE];
    struct gk_supervisor *supervisor;
    struct gk_trail_page *trail;
    int trail_fd;
    bool closing;
    bool has_announced;
    guika_v1_internal_AnnounceRequest announced;
    const struct gk_shelf_copy *blamed;
    char why[GK_TRAIL_WHY_SIZE];
};

static void on_closed(void *context)
{
    struct gk_check *check = context;
    const struct gk_check_outcome outcome = {.announced = check->has_announced ? &check->announced : NULL,
                                             .blamed = check->blamed,
                                             .why = check->why};

    check->options.done(check->options.context, &outcome);
    gk_trail_free(check->trail, check->trail_fd);
    gk_shelf_folder_leave(check->options.shelf);
    free(check);
}

static void end(struct gk_check *check)
{
    if (!check->closing) {
        check->closing = true;
        gk_supervisor_close(check->supervisor, GRACE_MS, on_closed, check);
    }
}

static void on_started(void *context, unsigned index, int process_id, int fd)
{
    struct gk_check *check = context;

    (void)index;
    check->options.adopt(check->options.context, check->id, process_id, fd);
}

static void on_ended(void *context, unsigned index, int process_id, int64_t exit_status, int signal_number,
                     uint32_t restart_ms)
{
    struct gk_check *check = context;
    const struct gk_trail_end ended = {
        .overdue = signal_number == SIGKILL, .signal_number = signal_number, .exit_status = exit_status};
    char link[GK_TRAIL_FILE_SIZE];

    (void)index;
    (void)process_id;
    (void)restart_ms;
    if (gk_trail_blame(check->trail, &ended, link, check->why)) {
        check->blamed = gk_shelf_folder_find(check->options.shelf, link);
    } else {
        (void)snprintf(check->why, sizeof check->why, "the reader that looks at plugins ended with %d",
                       signal_number != 0 ? signal_number : (int)exit_status);
    }
    end(check);
}

static void on_failed(void *context, unsigned index, const struct gk_error *error)
{
    struct gk_check *check = context;

    (void)index;
    (void)snprintf(check->why, sizeof check->why, "%.*s", GK_TRAIL_WHY_SIZE - 1, error->message);
    if (check->supervisor != NULL) {
        end(check);
    }
}

struct gk_check *gk_check_start(const struct gk_check_options *options)
{
    struct gk_check *check = gk_allocate(sizeof *check);
    const char *arguments[] = {"--check", "--issuers", options->shelf->directory, NULL};

    check->options = *options;
    (void)gk_shelf_folder_use(options->shelf);
    (void)snprintf(check->id, sizeof check->id, "check-%llu", (unsigned long long)options->shelf->number);
    check->trail = gk_trail_make(&check->trail_fd);
    if (check->trail == NULL) {
        abort(); /* as with any other memory that there is not */
    }
    const struct gk_supervisor_options supervisor = {.program = options->program,
                                                     .arguments = arguments,
                                                     .count = 1,
                                                     .start_ms = LIMIT_MS,
                                                     .page_fd = check->trail_fd,
                                                     .on_started = on_started,
                                                     .on_ended = on_ended,
                                                     .on_failed = on_failed,
                                                     .context = check};

    check->supervisor = gk_supervisor_open(options->loop, &supervisor);
    gk_supervisor_retire(check->supervisor, 0);
    if (check->why[0] != '\0') {
        end(check); /* it could not be started */
    }
    return check;
}

bool gk_check_announced(struct gk_check *check, const char *reader_id,
                        const guika_v1_internal_AnnounceRequest *announced)
{
    if (check == NULL || check->closing || strcmp(check->id, reader_id) != 0) {
        return false;
    }
    check->announced = *announced;
    check->has_announced = true;
    end(check);
    return true;
}
