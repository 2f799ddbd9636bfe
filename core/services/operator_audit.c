#include "core/services/operator_methods.h"

#include "core/case_number.h"
#include "core/memory.h"
#include "core/store/audit_chain.h"
#include "core/task.h"
#include "rpc/repeated.h"

#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 500, SEQUENCE_SIZE = 8 };

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    uint64_t after;
    size_t limit;
    const char *case_number; /* borrowed from the request; "": all cases */
    uint8_t case_id[GK_CASE_ID_SIZE];
    struct gk_repeated rows;
    size_t count;
    uint64_t last; /* sequence of the last row */
    bool more;
    enum gk_status status;
    struct gk_error error;
};

static uint64_t sequence_of(const uint8_t key[SEQUENCE_SIZE])
{
    uint64_t sequence = 0;

    for (size_t i = 0; i < SEQUENCE_SIZE; i++) {
        sequence = sequence << 8 | key[i];
    }
    return sequence;
}

/* An entry that does not decode is shown as it is: who checks the chain has to see it. */
static bool take_entry(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;

    if (key.size != SEQUENCE_SIZE || sequence_of(key.data) <= listing->after) {
        return true;
    }
    listing->more = listing->count == listing->limit;
    if (listing->more) {
        return false;
    }
    gk_repeated_append_encoded(&listing->rows, value);
    listing->last = sequence_of(key.data);
    listing->count++;
    return true;
}

/* A row of the index by case. */
static bool take_row(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;
    struct gk_value entry = {0};

    (void)value;
    if (key.size != GK_AUDIT_SUBJECT_KEY_SIZE) {
        return true;
    }
    const struct gk_bytes sequence = {key.data + GK_AUDIT_SUBJECT_SIZE, SEQUENCE_SIZE};

    if (gk_store_get(listing->services->store, GK_FAMILY_AUDIT, sequence, &entry, NULL) != GK_OK) {
        return true; /* cut off: guika audit verify finds that */
    }
    const bool more = take_entry(listing, sequence, (struct gk_bytes){entry.data, entry.size});

    gk_value_free(&entry);
    return more;
}

/* The entries of the case, from the place where the page before ended. [worker] */
static enum gk_status list_case(struct listing *listing)
{
    struct gk_store *store = listing->services->store;
    uint8_t start[GK_AUDIT_SUBJECT_KEY_SIZE];
    const enum gk_status status =
        gk_case_number_find(store, listing->case_number, listing->case_id, &listing->error);

    if (status != GK_OK) {
        return status;
    }
    gk_audit_subject_key(listing->case_id, listing->after, start);
    return gk_store_scan(store, GK_FAMILY_AUDIT_BY_SUBJECT,
                         (struct gk_bytes){listing->case_id, GK_CASE_ID_SIZE},
                         (struct gk_bytes){start, sizeof start}, false, take_row, listing, &listing->error);
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);
    uint8_t start[SEQUENCE_SIZE];

    if (listing->case_number[0] != '\0') {
        listing->status = list_case(listing);
        return;
    }
    for (size_t i = 0; i < SEQUENCE_SIZE; i++) {
        start[i] = (uint8_t)(listing->after >> (56 - 8 * i));
    }
    listing->status =
        gk_store_scan(listing->services->store, GK_FAMILY_AUDIT, (struct gk_bytes){NULL, 0},
                      (struct gk_bytes){start, sizeof start}, false, take_entry, listing, &listing->error);
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else {
        const guika_v1_ListAuditResponse response = {.rows = gk_repeated_bytes(&listing->rows),
                                                     .next_after = listing->more ? listing->last : 0};

        guika_v1_operator_service_list_audit_reply(listing->call, &response);
    }
    gk_repeated_free(&listing->rows);
    free(listing);
}

void gk_operator_list_audit(struct gk_rpc_call *call, const guika_v1_ListAuditRequest *request, void *context)
{
    struct gk_services *services = context;

    if (request->limit > LIMIT_MAX) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "limit must be 0 to %d, not %u", LIMIT_MAX,
                    (unsigned)request->limit);
        return;
    }
    struct listing *listing = gk_allocate(sizeof *listing);

    listing->call = call;
    listing->services = services;
    listing->case_number = request->case_number;
    listing->after = request->after;
    listing->limit = request->limit == 0 ? LIMIT_DEFAULT : request->limit;
    listing->task.run = run_listing;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}
