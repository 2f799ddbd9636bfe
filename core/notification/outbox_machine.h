/*
 * The machine that the outbox is on the loop: its parts and what its files do for one another. For
 * core/notification/outbox*.c alone; everything runs on the loop unless tagged.
 */
#ifndef GUIKA_CORE_NOTIFICATION_OUTBOX_MACHINE_H
#define GUIKA_CORE_NOTIFICATION_OUTBOX_MACHINE_H

#include "core/notification/outbox_internal.h"
#include "guika/v1/internal/courier.rpc.h"

#define GK_OUTBOX_MAX_WAITERS 64 /* couriers waiting at once */
#define GK_OUTBOX_MAX_LEASES 64  /* notices in couriers' hands at once */
#define GK_OUTBOX_RETRY_MS 1000  /* after the store refused a commit */
#define GK_OUTBOX_MAX_READY 128  /* rows taken from one scan: more than can be leased */

struct gk_outbox_waiter {
    struct gk_rpc_call *call;
    uint64_t answer_by_ms; /* uv_hrtime's clock */
};

struct gk_outbox_lease {
    uint64_t id;        /* 0: free */
    int64_t ends_at_ms; /* the store's clock */
    const struct gk_rpc_peer *peer;
    bool settling; /* its commit is on the way */
    struct gk_outbox_attempt attempt;
    char address[sizeof((guika_v1_internal_LeaseNoticeResponse *)NULL)->address];
};

/* One commit of an attempt. */
struct gk_outbox_settlement {
    struct gk_work work;
    struct gk_outbox *outbox;
    struct gk_outbox_attempt attempt;
    struct gk_rpc_call *call; /* who waits for it; NULL: nobody */
    uint64_t lease_id;
    struct gk_error error;
    struct gk_outbox_settlement *next;
};

enum gk_outbox_job_kind { JOB_SCAN, JOB_PREPARE };

struct gk_outbox_job {
    uv_work_t request;
    enum gk_outbox_job_kind kind;
    int64_t now_ms;
    /* Scan: the rows found, and when the next one is due. */
    uint8_t rows[GK_OUTBOX_MAX_READY][GK_NOTICE_ID_SIZE];
    size_t row_count;
    int64_t next_due_ms;
    bool more;
    /* Prepare: for whom (NULL: they have gone), and what came of it. */
    struct gk_rpc_call *call;
    uint8_t notice_id[GK_NOTICE_ID_SIZE];
    enum gk_outbox_prepared prepared;
    guika_v1_internal_LeaseNoticeResponse response;
    struct gk_outbox_attempt attempt;
    enum gk_status status;
    struct gk_error error;
};

struct gk_outbox {
    struct gk_outbox_options options;
    uv_timer_t timer;
    uv_async_t wake;
    unsigned open_handles;
    bool closing;
    void (*on_closed)(void *context);
    void *on_closed_context;

    struct gk_outbox_waiter waiters[GK_OUTBOX_MAX_WAITERS]; /* oldest first */
    size_t waiter_count;
    struct gk_outbox_lease leases[GK_OUTBOX_MAX_LEASES];
    size_t settling; /* commits on the way */
    struct gk_outbox_job job;
    bool job_running;
    size_t ready; /* of the job's rows, those already handed out */
    bool dirty;   /* outbox_due may have changed since the last scan */

    uv_mutex_t lock;
    struct gk_outbox_settlement *settled; /* under the lock: durable, not yet taken by the loop */
};

/* Does what can be done now; called after everything that changes. */
void gk_outbox_step(struct gk_outbox *outbox);

/* Wakes the machine for whatever comes next. */
void gk_outbox_arm_timer(struct gk_outbox *outbox);

/* --- outbox_leases.c --- */

int64_t gk_outbox_store_now_ms(const struct gk_outbox *outbox);

/* The lease of that id; 0: a free one. NULL where there is none. */
struct gk_outbox_lease *gk_outbox_find_lease(struct gk_outbox *outbox, uint64_t id);
bool gk_outbox_is_leased(const struct gk_outbox *outbox, const uint8_t notice_id[GK_NOTICE_ID_SIZE]);

/* Hands the lease's attempt to the store; `call` (may be NULL) is answered once it is durable. False where
 * the store takes no more. */
bool gk_outbox_settle_lease(struct gk_outbox *outbox, struct gk_outbox_lease *lease,
                            struct gk_rpc_call *call);

/* What the store said of one; frees it. */
void gk_outbox_finish_settlement(struct gk_outbox *outbox, struct gk_outbox_settlement *settlement);

/* The attempt came to nothing, for that reason. */
void gk_outbox_fail_lease(struct gk_outbox *outbox, struct gk_outbox_lease *lease, const char *detail);

/* Fails those whose time is up. */
void gk_outbox_end_leases(struct gk_outbox *outbox);

/* --- outbox_couriers.c --- */

uint64_t gk_outbox_loop_now_ms(void); /* uv_hrtime's clock */

/* Takes the waiter at `index` out of the queue. */
struct gk_rpc_call *gk_outbox_take_waiter(struct gk_outbox *outbox, size_t index);

/* By when a long poll has to be answered, on the clock of gk_outbox_loop_now_ms. */
uint64_t gk_outbox_answer_by_ms(const struct gk_rpc_call *call);
void gk_outbox_answer_empty(struct gk_rpc_call *call);

/* Answers those whose time is up: there is nothing for them. */
void gk_outbox_answer_late(struct gk_outbox *outbox);

#endif
