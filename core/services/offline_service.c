/* What a box did without the line, as it comes in from its spool. */
#include "core/found_card_offline.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/services/box_methods.h"
#include "core/store/picture_vault.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { TRIES_MAX = 1000 /* of one entry; a box says each try by itself */ };

struct merge {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_OfflinePickup *entry;
    char box_id[33];
    struct gk_offline_merged merged;
    enum gk_status status;
    struct gk_error error;
    void (*answer)(struct gk_rpc_call *call, void *request);
    void (*release)(void *request);
    void *request;
};

static enum gk_status apply_merge(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct merge *merge = context;

    return gk_found_card_merge_offline(transaction, merge->box_id, merge->entry, &merge->merged, error);
}

/* [worker] */
static void run_merge(struct gk_task *task)
{
    struct merge *merge = gk_container_of(task, struct merge, task);
    struct gk_error error;

    merge->status = gk_store_commit_and_wait(merge->services->store, apply_merge, merge, &merge->error);
    if (merge->status == GK_OK && merge->merged.collected &&
        gk_picture_vault_erase(merge->services->vault, merge->entry->case_id, &error) != GK_OK) {
        /* The card's record wants no picture any more: the next start unlinks it. */
        gk_log(merge->services->log, GK_LOG_WARNING, "pictures_not_erased", {"why", error.message});
    }
}

static void on_merged(struct gk_task *task)
{
    struct merge *merge = gk_container_of(task, struct merge, task);
    char case_id[2 * GK_CASE_ID_SIZE + 1];

    gk_hex_encode(merge->entry->case_id, GK_CASE_ID_SIZE, case_id);
    if (merge->status != GK_OK) {
        gk_rpc_fail(merge->call, merge->status, "%s", merge->error.message);
        merge->release(merge->request);
    } else {
        if (merge->merged.why != NULL) {
            gk_log(merge->services->log, GK_LOG_WARNING, "offline_pickup_needs_a_look",
                   {"box", merge->box_id}, {"case", case_id}, {"why", merge->merged.why});
            gk_box_alerts_needs_a_look(merge->services->alerts, merge->box_id, merge->entry->case_id);
        } else if (merge->merged.collected) {
            gk_log(merge->services->log, GK_LOG_INFO, "collected_offline", {"box", merge->box_id},
                   {"case", case_id});
        }
        merge->answer(merge->call, merge->request);
    }
    free(merge);
}

static const char *what_is_wrong(const guika_v1_OfflinePickup *entry)
{
    const bool is_opening = entry->outcome >= guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED &&
                            entry->outcome <= guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN;
    const bool says_nothing = entry->outcome == guika_v1_ConfirmCollectedRequest_Outcome_OUTCOME_UNSPECIFIED;

    if (entry->sequence == 0 || entry->issue == 0) {
        return "sequence and issue must be 1 or more";
    }
    if (entry->wrong_tries > 0 ? !says_nothing || entry->wrong_tries > TRIES_MAX : !is_opening) {
        return "an entry is either 1 to 1000 wrong tries or what came of an opening";
    }
    return NULL;
}

void gk_box_merge_pickup(struct gk_rpc_call *call, const struct gk_services *services,
                         const guika_v1_OfflinePickup *entry,
                         void (*answer)(struct gk_rpc_call *call, void *request),
                         void (*release)(void *request), void *request)
{
    const char *wrong = what_is_wrong(entry);

    if (wrong != NULL) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "%s", wrong);
        release(request);
        return;
    }
    struct merge *merge = gk_allocate(sizeof *merge);

    merge->call = call;
    merge->services = services;
    merge->entry = entry;
    merge->answer = answer;
    merge->release = release;
    merge->request = request;
    (void)snprintf(merge->box_id, sizeof merge->box_id, "%.32s", gk_rpc_call_principal(call)->id);
    merge->task.run = run_merge;
    merge->task.done = on_merged;
    gk_task_start(services->loop, &merge->task);
}
