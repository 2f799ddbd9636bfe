#include "core/plugins/folder_watch.h"

#include "core/memory.h"

#include <stdbool.h>
#include <string.h>

enum {
    QUIET_MS = 150, /* a file that is being written gives many notices */
    POLL_MS = 5000,
};

struct gk_folder_watch {
    uv_fs_event_t event;
    uv_timer_t timer;
    char *folder;
    bool poked; /* on_change is near */
    void (*on_change)(void *context);
    void *context;
    unsigned open_handles;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

static void on_event(uv_fs_event_t *event, const char *file, int events, int status);

/* Each time anew: the folder may not have been there, or be another one than before. */
static void watch_folder(struct gk_folder_watch *watch)
{
    (void)uv_fs_event_stop(&watch->event);
    (void)uv_fs_event_start(&watch->event, on_event, watch->folder, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct gk_folder_watch *watch = timer->data;

    watch->poked = false;
    (void)uv_timer_start(&watch->timer, on_timer, POLL_MS, 0);
    watch_folder(watch);
    watch->on_change(watch->context);
}

static void on_event(uv_fs_event_t *event, const char *file, int events, int status)
{
    struct gk_folder_watch *watch = event->data;

    (void)file;
    (void)events;
    (void)status;
    gk_folder_watch_poke(watch);
}

struct gk_folder_watch *gk_folder_watch_open(uv_loop_t *loop, const char *folder,
                                             void (*on_change)(void *context), void *context)
{
    struct gk_folder_watch *watch = gk_allocate(sizeof *watch);

    watch->folder = strdup(folder);
    watch->on_change = on_change;
    watch->context = context;
    (void)uv_fs_event_init(loop, &watch->event);
    (void)uv_timer_init(loop, &watch->timer);
    watch->event.data = watch;
    watch->timer.data = watch;
    watch_folder(watch);
    (void)uv_timer_start(&watch->timer, on_timer, POLL_MS, 0);
    return watch;
}

void gk_folder_watch_poke(struct gk_folder_watch *watch)
{
    if (!watch->poked) {
        watch->poked = true;
        (void)uv_timer_start(&watch->timer, on_timer, QUIET_MS, 0);
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct gk_folder_watch *watch = handle->data;

    if (--watch->open_handles > 0) {
        return;
    }
    void (*on_closed)(void *context) = watch->on_closed;
    void *context = watch->on_closed_context;

    free(watch->folder);
    free(watch);
    on_closed(context);
}

void gk_folder_watch_close(struct gk_folder_watch *watch, void (*on_closed)(void *context), void *context)
{
    watch->on_closed = on_closed;
    watch->on_closed_context = context;
    watch->open_handles = 2;
    uv_close((uv_handle_t *)&watch->event, on_handle_closed);
    uv_close((uv_handle_t *)&watch->timer, on_handle_closed);
}
