#include "core/grants.h"

#include "core/memory.h"
#include "core/store/audit.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

struct box {
    struct box *next;
    char id[33];
    bool wanted;      /* it spoke since its list was looked at */
    uint64_t audited; /* the store's latest transition, */
    int64_t step;     /* and the time, when its list was looked at */
    struct gk_grant_list list;
};

struct gk_grants {
    struct gk_grants_parts parts;
    struct box *first;
    struct box *looking; /* whose list is being made; NULL: none */
    struct gk_task task;
    struct gk_grant_list made;
    bool unchanged; /* nothing was made, because nothing happened */
    uint64_t audited;
    int64_t now_ms;
    atomic_bool stop;
    enum gk_status status;
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

struct gk_grants *gk_grants_open(const struct gk_grants_parts *parts)
{
    struct gk_grants *grants = gk_allocate(sizeof *grants);

    grants->parts = *parts;
    atomic_init(&grants->stop, false);
    return grants;
}

static void free_all(struct gk_grants *grants)
{
    void (*on_closed)(void *) = grants->on_closed;
    void *context = grants->on_closed_context;

    while (grants->first != NULL) {
        struct box *box = grants->first;

        grants->first = box->next;
        gk_grant_list_clear(&box->list);
        free(box);
    }
    free(grants);
    on_closed(context);
}

void gk_grants_close(struct gk_grants *grants, void (*on_closed)(void *context), void *context)
{
    grants->on_closed = on_closed;
    grants->on_closed_context = context;
    atomic_store(&grants->stop, true);
    if (grants->looking == NULL) {
        free_all(grants);
    }
}

static struct box *find(const struct gk_grants *grants, const char *box_id)
{
    struct box *box = grants->first;

    while (box != NULL && strcmp(box->id, box_id) != 0) {
        box = box->next;
    }
    return box;
}

/* Ends of grants lie on this raster: within a step, time alone changes no list. */
static int64_t step_of(const struct gk_grants *grants)
{
    return grants->now_ms / GK_GRANT_STEP_MS;
}

/* [worker] The box's own list stays as it is meanwhile. */
static void run_look(struct gk_task *task)
{
    struct gk_grants *grants = gk_container_of(task, struct gk_grants, task);
    const struct box *box = grants->looking;
    struct gk_audit_head head = {0};

    /* The head is read first: what happens meanwhile is seen by the next look. */
    grants->status = gk_store_audit_head(grants->parts.pickup.store, &head, &grants->error);
    grants->audited = head.sequence;
    grants->unchanged =
        box->list.version != 0 && box->audited == head.sequence && box->step == step_of(grants);
    if (grants->status != GK_OK || grants->unchanged) {
        return;
    }
    grants->status = gk_grant_list_make(&grants->parts.pickup, grants->looking->id, grants->now_ms,
                                        &grants->looking->list, &grants->stop, &grants->made, &grants->error);
}

static void on_looked(struct gk_task *task);

static void look_at_next(struct gk_grants *grants)
{
    struct box *box = grants->first;

    while (box != NULL && !box->wanted) {
        box = box->next;
    }
    if (box == NULL || grants->looking != NULL || atomic_load(&grants->stop)) {
        return;
    }
    box->wanted = false;
    grants->looking = box;
    grants->now_ms = gk_clock_now_ms(&grants->parts.clock);
    grants->task.run = run_look;
    grants->task.done = on_looked;
    gk_task_start(grants->parts.loop, &grants->task);
}

static void on_looked(struct gk_task *task)
{
    struct gk_grants *grants = gk_container_of(task, struct gk_grants, task);
    struct box *box = grants->looking;

    grants->looking = NULL;
    if (grants->status == GK_OK && !grants->unchanged) {
        gk_grant_list_clear(&box->list);
        box->list = grants->made;
        box->audited = grants->audited;
        box->step = step_of(grants);
    } else if (grants->unchanged) {
        grants->unchanged = false;
    } else if (grants->status != GK_CANCELLED) {
        gk_log(grants->parts.log, GK_LOG_WARNING, "grants_not_made", {"box", box->id},
               {"why", grants->error.message});
    }
    if (atomic_load(&grants->stop)) {
        free_all(grants);
    } else {
        look_at_next(grants);
    }
}

uint64_t gk_grants_heard(struct gk_grants *grants, const char *box_id)
{
    struct box *box = find(grants, box_id);

    if (box == NULL) {
        box = gk_allocate(sizeof *box);
        (void)snprintf(box->id, sizeof box->id, "%s", box_id);
        box->next = grants->first;
        grants->first = box;
    }
    box->wanted = true;
    look_at_next(grants);
    return box->list.version;
}

void gk_grants_page(const struct gk_grants *grants, const char *box_id, struct gk_bytes after,
                    guika_v1_ListGrantsResponse *ret_page)
{
    const struct box *box = find(grants, box_id);
    const struct gk_grant_list none = {0};
    const struct gk_grant_list *list = box == NULL ? &none : &box->list;
    const size_t room = sizeof ret_page->grants / sizeof ret_page->grants[0];
    size_t i = 0;

    ret_page->version = list->version;
    while (i < list->count && after.size == GK_CASE_ID_SIZE &&
           memcmp(list->items[i].case_id, after.data, GK_CASE_ID_SIZE) <= 0) {
        i++;
    }
    while (i < list->count && ret_page->grants_count < room) {
        ret_page->grants[ret_page->grants_count++] = list->items[i++].grant;
    }
    ret_page->more = i < list->count;
}

uint32_t gk_grants_count(const struct gk_grants *grants, const char *box_id)
{
    const struct box *box = find(grants, box_id);

    return box == NULL ? 0 : (uint32_t)box->list.count;
}
