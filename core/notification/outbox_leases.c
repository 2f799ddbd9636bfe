/* The leases of the outbox: which notice is in whose hands, and the commit of what became of it. */
#include "core/notification/outbox_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int64_t gk_outbox_store_now_ms(const struct gk_outbox *outbox)
{
    return gk_store_now_ms(outbox->options.store);
}

struct gk_outbox_lease *gk_outbox_find_lease(struct gk_outbox *outbox, uint64_t id)
{
    for (size_t i = 0; i < GK_OUTBOX_MAX_LEASES; i++) {
        if (outbox->leases[i].id == id)
            return &outbox->leases[i];
    }
    return NULL;
}

bool gk_outbox_is_leased(const struct gk_outbox *outbox, const uint8_t notice_id[GK_NOTICE_ID_SIZE])
{
    for (size_t i = 0; i < GK_OUTBOX_MAX_LEASES; i++) {
        const struct gk_outbox_lease *lease = &outbox->leases[i];
        if (lease->id != 0 && memcmp(lease->attempt.notice_id, notice_id, GK_NOTICE_ID_SIZE) == 0)
            return true;
    }
    return false;
}

/* --- commits --- */

static enum gk_status apply_settlement(struct gk_work *work, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    struct gk_outbox_settlement *settlement = (struct gk_outbox_settlement *)work;
    return gk_outbox_settle(&settlement->outbox->options, transaction, &settlement->attempt, error);
}

/* [committer] */
static void settlement_done(struct gk_work *work, enum gk_status status, const struct gk_error *error)
{
    struct gk_outbox_settlement *settlement = (struct gk_outbox_settlement *)work;
    struct gk_outbox *outbox = settlement->outbox;
    settlement->error.status = GK_OK;
    if (status != GK_OK)
        gk_error_set(&settlement->error, status, "%s",
                     error != NULL ? error->message : "the store refused it");
    uv_mutex_lock(&outbox->lock);
    settlement->next = outbox->settled;
    outbox->settled = settlement;
    /* Inside the lock, so that the loop cannot close the handle between the two. */
    uv_async_send(&outbox->wake);
    uv_mutex_unlock(&outbox->lock);
}

/* Commits what became of the lease. False where the store's queue is full. */
bool gk_outbox_settle_lease(struct gk_outbox *outbox, struct gk_outbox_lease *lease, struct gk_rpc_call *call)
{
    struct gk_outbox_settlement *settlement = calloc(1, sizeof *settlement);
    if (settlement == NULL)
        return false;
    settlement->work.apply = apply_settlement;
    settlement->work.done = settlement_done;
    settlement->outbox = outbox;
    settlement->attempt = lease->attempt;
    settlement->attempt.now_ms = gk_outbox_store_now_ms(outbox);
    settlement->call = call;
    settlement->lease_id = lease->id;
    if (!gk_store_commit(outbox->options.store, &settlement->work)) {
        free(settlement);
        return false;
    }
    lease->settling = true;
    outbox->settling++;
    return true;
}

void gk_outbox_finish_settlement(struct gk_outbox *outbox, struct gk_outbox_settlement *settlement)
{
    struct gk_outbox_lease *lease = gk_outbox_find_lease(outbox, settlement->lease_id);
    if (lease != NULL)
        *lease = (struct gk_outbox_lease){0};
    outbox->settling--;
    if (settlement->call != NULL && settlement->error.status == GK_OK) {
        guika_v1_internal_CompleteNoticeResponse response =
            guika_v1_internal_CompleteNoticeResponse_init_zero;
        guika_v1_internal_courier_service_complete_notice_reply(settlement->call, &response);
    } else if (settlement->call != NULL) {
        gk_rpc_fail(settlement->call, settlement->error.status, "%s", settlement->error.message);
    }
    free(settlement);
}

/* A lease ended without an answer: an attempt that failed, so that a notice that kills its courier gives way.
 */
void gk_outbox_fail_lease(struct gk_outbox *outbox, struct gk_outbox_lease *lease, const char *detail)
{
    lease->attempt.outcome = guika_v1_internal_CompleteNoticeRequest_Outcome_TRY_LATER;
    lease->attempt.retry_after_ms = 0;
    snprintf(lease->attempt.detail, sizeof lease->attempt.detail, "%s", detail);
    if (!gk_outbox_settle_lease(outbox, lease, NULL))
        lease->ends_at_ms = gk_outbox_store_now_ms(outbox) + GK_OUTBOX_RETRY_MS;
}

void gk_outbox_end_leases(struct gk_outbox *outbox)
{
    int64_t now_ms = gk_outbox_store_now_ms(outbox);
    for (size_t i = 0; i < GK_OUTBOX_MAX_LEASES; i++) {
        struct gk_outbox_lease *lease = &outbox->leases[i];
        if (lease->id != 0 && !lease->settling && lease->ends_at_ms <= now_ms)
            gk_outbox_fail_lease(outbox, lease, "the courier did not answer in time");
    }
}
