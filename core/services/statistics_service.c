/* GetStatistics: counters by name, and rows of what became of the cards. */
#include "core/memory.h"
#include "core/services/operator_methods.h"
#include "core/statistics.h"
#include "core/task.h"
#include "rpc/repeated.h"

#include <stdio.h>

enum { DAYS_MAX = 366 };

struct counting {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_GetStatisticsRequest *request;
    guika_v1_GetStatisticsResponse response;
    struct gk_repeated rows;
    enum gk_status status;
    struct gk_error error;
};

static void add_statistic(void *context, const char *name, uint64_t value)
{
    guika_v1_GetStatisticsResponse *response = context;
    const size_t room = sizeof response->statistics / sizeof response->statistics[0];

    if (response->statistics_count < room) {
        guika_v1_Statistic *statistic = &response->statistics[response->statistics_count++];

        (void)snprintf(statistic->name, sizeof statistic->name, "%s", name);
        statistic->value = value;
    }
}

static enum gk_status append_row(struct gk_repeated *rows, const struct gk_statistics_row *from)
{
    guika_v1_StatisticsRow row = {
        .found = from->counts[GK_STATISTIC_FOUND],
        .read = from->counts[GK_STATISTIC_READ],
        .difficult = from->counts[GK_STATISTIC_DIFFICULT],
        .resolved = from->counts[GK_STATISTIC_RESOLVED],
        .given_back = from->counts[GK_STATISTIC_GIVEN_BACK],
        .notified = from->counts[GK_STATISTIC_NOTIFIED],
        .collected = from->counts[GK_STATISTIC_COLLECTED],
        .expired = from->counts[GK_STATISTIC_EXPIRED],
        .returned = from->counts[GK_STATISTIC_RETURNED],
        .handed_over = from->counts[GK_STATISTIC_HANDED_OVER],
        .destroyed = from->counts[GK_STATISTIC_DESTROYED],
        .median_to_notice_ms = gk_statistics_median_ms(from, GK_DURATION_TO_NOTICE),
        .median_to_collection_ms = gk_statistics_median_ms(from, GK_DURATION_TO_COLLECTION),
    };

    (void)snprintf(row.group, sizeof row.group, "%s", from->group);
    return gk_repeated_append(rows, guika_v1_StatisticsRow_fields, &row);
}

/* [worker] */
static enum gk_status make_rows(struct counting *counting)
{
    const guika_v1_GetStatisticsRequest *request = counting->request;
    struct gk_statistics_row *rows = NULL;
    size_t count = 0;
    enum gk_status status = gk_statistics_table(
        counting->services->store, gk_store_now_ms(counting->services->store), request->days, request->box_id,
        (enum gk_statistics_by)request->by, &rows, &count, &counting->error);

    for (size_t i = 0; status == GK_OK && i < count; i++) {
        status = append_row(&counting->rows, &rows[i]);
    }
    free(rows);
    return status;
}

/* [worker] */
static void run_counting(struct gk_task *task)
{
    struct counting *counting = gk_container_of(task, struct counting, task);

    counting->status =
        gk_store_counters(counting->services->store, counting->request->box_id, counting->request->days,
                          add_statistic, &counting->response, &counting->error);
    if (counting->status == GK_OK) {
        counting->status = make_rows(counting);
    }
}

static void on_counted(struct gk_task *task)
{
    struct counting *counting = gk_container_of(task, struct counting, task);

    if (counting->status != GK_OK) {
        gk_rpc_fail(counting->call, counting->status, "%s", counting->error.message);
    } else {
        counting->response.rows = gk_repeated_bytes(&counting->rows);
        guika_v1_operator_service_get_statistics_reply(counting->call, &counting->response);
    }
    gk_repeated_free(&counting->rows);
    free(counting);
}

void gk_operator_get_statistics(struct gk_rpc_call *call, const guika_v1_GetStatisticsRequest *request,
                                void *context)
{
    struct gk_services *services = context;

    if (request->days > DAYS_MAX) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "days must be 0 to %d, not %u", DAYS_MAX,
                    (unsigned)request->days);
        return;
    }
    if ((unsigned)request->by > guika_v1_StatisticsBy_STATISTICS_BY_DAY) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "by must be 0 to %d, not %u",
                    guika_v1_StatisticsBy_STATISTICS_BY_DAY, (unsigned)request->by);
        return;
    }
    struct counting *counting = gk_allocate(sizeof *counting);

    counting->call = call;
    counting->services = services;
    counting->request = request;
    counting->task.run = run_counting;
    counting->task.done = on_counted;
    gk_task_start(services->loop, &counting->task);
}
