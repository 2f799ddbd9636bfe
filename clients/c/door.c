/*
 * A holder at the box, with the line or without. READ FIRST: guika_box_open_door.
 *
 * The service judges while it can be reached. Where it cannot, the grants that it gave the box do, under the
 * same limits, and the journal knows of every try before the holder does.
 */
#include "clients/c/box.h"
#include "clients/c/convert.h"
#include "clients/c/retry.h"
#include "guika/v1/box.rpc.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_SLACK_MS 60000 /* a grant may be this much younger than the box's reckoning */

/* --- what the box keeps --- */

void gk_box_offline_open(struct guika_box *box)
{
    const int directory_fd = gk_spool_directory(box->spool);

    gk_box_clock_open(directory_fd, &box->clock);
    gk_grants_held_open(directory_fd, &box->grants);
    gk_pickup_journal_open(directory_fd, &box->journal);
}

void gk_box_offline_close(struct guika_box *box)
{
    if (box->spool != NULL) {
        gk_grants_held_close(&box->grants);
        gk_pickup_journal_close(&box->journal);
    }
}

enum gk_status gk_box_offline_learn(struct guika_box *box, const guika_v1_HeartbeatResponse *heard,
                                    struct gk_error *error)
{
    if (sodium_is_zero(heard->grant_public_key, sizeof heard->grant_public_key) || heard->box_id[0] == '\0') {
        return GK_OK; /* a service that gives no grants */
    }
    enum gk_status status = gk_grants_held_learn(&box->grants, heard->grant_public_key, heard->box_id, error);

    if (status == GK_OK) {
        status = gk_box_clock_learn(&box->clock, heard->time_ms, error);
    }
    box->grants_wanted = heard->grants_version;
    return status;
}

enum gk_status gk_box_offline_settle(struct guika_box *box, struct gk_error *error)
{
    guika_v1_SpoolEntry entry = {.which_entry = guika_v1_SpoolEntry_pickup_tag};

    if (!box->journal.has_event || gk_pickup_journal_is_open(&box->journal)) {
        return GK_OK;
    }
    entry.entry.pickup = box->journal.event;
    const enum gk_status status = gk_spool_append(box->spool, &entry, error);

    return status == GK_OK ? gk_pickup_journal_spooled(&box->journal, error) : status;
}

enum gk_status gk_box_offline_void(struct guika_box *box, const char *case_id, struct gk_error *error)
{
    guika_v1_PickupGrant grant;

    return gk_grants_held_find(&box->grants, case_id, &grant, NULL) == GK_OK
               ? gk_pickup_journal_void(&box->journal, &grant, error)
               : GK_OK;
}

/* --- fetching --- */

/* Adds the pages' grants to `*items`; ABORTED where the list changed in between. */
static enum gk_status fetch(struct guika_box *box, uint32_t deadline_ms, guika_v1_SignedGrant **items,
                            size_t *ret_count, uint64_t *ret_version, struct gk_error *error)
{
    guika_v1_ListGrantsRequest request = {0};
    guika_v1_ListGrantsResponse *page = calloc(1, sizeof *page);
    enum gk_status status = GK_OK;
    size_t count = 0;

    if (page == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for grants");
    }
    for (bool more = true; status == GK_OK && more;) {
        memset(page, 0, sizeof *page);
        status = gk_retry_call(box->client, &guika_v1_box_service_list_grants_method, deadline_ms, &request,
                               page, error);
        if (status == GK_OK && count > 0 && page->version != *ret_version) {
            status = gk_error_set(error, GK_ABORTED, "the grants changed while they were fetched");
        } else if (status == GK_OK && count + page->grants_count > GK_GRANTS_MOST) {
            status =
                gk_error_set(error, GK_OUT_OF_RANGE, "the service lists more than %d grants", GK_GRANTS_MOST);
        }
        for (size_t i = 0; status == GK_OK && i < page->grants_count; i++) {
            guika_v1_PickupGrant grant;

            status = gk_grant_open(&page->grants[i], box->grants.key, box->grants.box_id, &grant, error);
            (*items)[count++] = page->grants[i];
            request.after_case_id.size = sizeof grant.case_id;
            memcpy(request.after_case_id.bytes, grant.case_id, sizeof grant.case_id);
        }
        *ret_version = page->version;
        more = page->more && page->grants_count > 0;
    }
    free(page);
    *ret_count = count;
    return status;
}

enum guika_code guika_box_update_grants(struct guika_box *box, uint32_t deadline_ms, size_t *ret_count,
                                        struct guika_failure *failure)
{
    struct gk_error error = {0};
    enum gk_status status = GK_OK;

    if (box->grants.known && box->grants_wanted != 0 && box->grants_wanted != box->grants.version) {
        guika_v1_SignedGrant *items = calloc(GK_GRANTS_MOST, sizeof *items);
        size_t count = 0;
        uint64_t version = 0;

        status = items == NULL ? gk_error_set(&error, GK_INTERNAL, "no memory for grants")
                               : fetch(box, deadline_ms, &items, &count, &version, &error);
        if (status == GK_OK && version != 0) {
            status = gk_grants_held_replace(&box->grants, version, items, count, &error);
        }
        free(items);
    }
    if (ret_count != NULL) {
        *ret_count = box->grants.count;
    }
    return gk_convert_failure(status, &error, failure);
}

/* --- a try by a grant --- */

static enum gk_status later(struct gk_error *error, const char *why)
{
    return gk_error_set(error, GK_UNAVAILABLE, "the service cannot be reached, and %s", why);
}

static enum gk_status must_wait(struct gk_error *error)
{
    return gk_error_set(error, GK_RESOURCE_EXHAUSTED,
                        "too many wrong codes for this case; wait, or ask for another code");
}

/* Is the case waiting after wrong tries, as far as the box knows? Then the service is not asked either: it
 * may not have heard of them yet. */
static bool is_waiting(const struct guika_box *box, const char *case_number)
{
    guika_v1_PickupGrant grant;
    int64_t now_ms = 0;

    return gk_box_clock_now(&box->clock, &now_ms) &&
           gk_grants_held_find(&box->grants, case_number, &grant, NULL) == GK_OK &&
           now_ms < gk_pickup_journal_tried(&box->journal, &grant).locked_until_ms;
}

/* May this grant be tried now? */
static enum gk_status may_try(const struct guika_box *box, const char *case_number, int64_t *ret_now_ms,
                              guika_v1_PickupGrant *ret_grant, struct gk_error *error)
{
    if (box->journal.damaged) {
        return later(error, "the journal \"pickups\" is damaged: look into the compartments, then delete it");
    }
    if (!gk_box_clock_now(&box->clock, ret_now_ms)) {
        return later(error,
                     "the box does not know the time: it has not been answered since it was switched on");
    }
    if (gk_grants_held_find(&box->grants, case_number, ret_grant, NULL) != GK_OK) {
        return later(error, "the box has no grant for this case");
    }
    if (*ret_now_ms + CLOCK_SLACK_MS < ret_grant->not_before_ms || *ret_now_ms >= ret_grant->expires_at_ms) {
        return later(error, "the grant for this case has run out");
    }
    const struct gk_tried tried = gk_pickup_journal_tried(&box->journal, ret_grant);

    if (tried.used) {
        return later(error, "the grant for this case is used up");
    }
    return *ret_now_ms < tried.locked_until_ms ? must_wait(error) : GK_OK;
}

static enum gk_status is_right(const guika_v1_PickupGrant *grant, const char *code, const char *tail,
                               bool *ret_right, struct gk_error *error)
{
    char text[GK_GRANT_CODE_SIZE];
    uint8_t verifier[GK_GRANT_VERIFIER_SIZE];
    const bool formed = gk_grant_code(code, tail, text) && (strlen(text) == 8) == (grant->code_digits == 8);
    const enum gk_status status = gk_grant_verifier(text, grant->salt, verifier, error);

    *ret_right = formed && sodium_memcmp(verifier, grant->verifier, sizeof verifier) == 0;
    sodium_memzero(text, sizeof text);
    return status;
}

static void describe(const guika_v1_PickupGrant *grant, struct guika_door *ret_door)
{
    *ret_door = (struct guika_door){.offline = true};
    (void)sodium_bin2hex(ret_door->case_id, sizeof ret_door->case_id, grant->case_id, sizeof grant->case_id);
    memcpy(ret_door->compartment, grant->compartment, sizeof ret_door->compartment);
    memcpy(ret_door->deposit_id, grant->deposit_id, sizeof ret_door->deposit_id);
}

static enum gk_status open_by_grant(struct guika_box *box, const char *case_number, const char *code,
                                    const char *tail, struct guika_door *ret_door, struct gk_error *error)
{
    guika_v1_PickupGrant grant = {0};
    int64_t now_ms = 0;
    bool right = false;
    enum gk_status status = may_try(box, case_number, &now_ms, &grant, error);

    if (status == GK_OK) {
        status = gk_box_offline_settle(box, error); /* the event before makes room for this one */
    }
    if (status == GK_OK) {
        status = is_right(&grant, code, tail, &right, error);
    }
    if (status != GK_OK) {
        return status;
    }
    if (!right) {
        status = gk_pickup_journal_wrong(&box->journal, &grant, now_ms, error);
        (void)gk_box_offline_settle(box, NULL); /* else it waits in the journal */
        return status != GK_OK
                   ? status
                   : gk_error_set(error, GK_PERMISSION_DENIED, "the case number or the code is wrong");
    }
    status = gk_pickup_journal_opened(&box->journal, &grant, now_ms, error);
    if (status == GK_OK) {
        describe(&grant, ret_door);
    }
    return status;
}

/* --- the door --- */

/* Nobody was reached. That the service is overloaded, or says no, is an answer. */
static bool is_silence(enum guika_code code)
{
    return code == GUIKA_CODE_UNAVAILABLE || code == GUIKA_CODE_DEADLINE_EXCEEDED;
}

enum guika_code guika_box_open_door(struct guika_box *box, const char *case_number, const char *code,
                                    const char *telephone_tail, uint32_t deadline_ms,
                                    struct guika_door *ret_door, struct guika_failure *failure)
{
    struct gk_error error = {0};
    struct guika_pickup pickup = {0};

    if (case_number == NULL || code == NULL) {
        return gk_convert_failure(
            gk_error_set(&error, GK_INVALID_ARGUMENT, "a case number and a code are needed"), &error,
            failure);
    }
    if (gk_pickup_journal_is_open(&box->journal)) {
        return gk_convert_failure(
            gk_error_set(&error, GK_FAILED_PRECONDITION, "say first what came of the door that is open"),
            &error, failure);
    }
    if (is_waiting(box, case_number)) {
        return gk_convert_failure(must_wait(&error), &error, failure);
    }
    const enum guika_code answered =
        guika_box_open_for_pickup(box, case_number, code, telephone_tail, deadline_ms, &pickup, failure);

    if (answered == GUIKA_CODE_OK) {
        *ret_door = (struct guika_door){.fencing_token = pickup.fencing_token,
                                        .confirm_within_ms = pickup.confirm_within_ms};
        memcpy(ret_door->case_id, pickup.case_id, sizeof ret_door->case_id);
        memcpy(ret_door->compartment, pickup.compartment, sizeof ret_door->compartment);
    }
    if (!is_silence(answered)) {
        return answered;
    }
    return gk_convert_failure(
        open_by_grant(box, case_number, code, telephone_tail == NULL ? "" : telephone_tail, ret_door, &error),
        &error, failure);
}

enum guika_code guika_box_confirm_door(struct guika_box *box, const struct guika_door *door,
                                       enum guika_collected outcome, uint32_t deadline_ms,
                                       struct guika_failure *failure)
{
    struct gk_error error = {0};
    enum gk_status status = GK_OK;

    if (!door->offline) {
        if (outcome == GUIKA_COLLECTED) {
            status = gk_box_offline_void(box, door->case_id, &error);
        }
        return status != GK_OK
                   ? gk_convert_failure(status, &error, failure)
                   : guika_box_confirm_collected(box, door->fencing_token, outcome, deadline_ms, failure);
    }
    if (outcome < GUIKA_COLLECTED || outcome > GUIKA_UNCERTAIN) {
        status = gk_error_set(&error, GK_INVALID_ARGUMENT, "no such outcome");
    } else {
        status = gk_pickup_journal_outcome(&box->journal, (guika_v1_ConfirmCollectedRequest_Outcome)outcome,
                                           &error);
    }
    if (status == GK_OK) {
        (void)gk_box_offline_settle(box, NULL); /* else it waits in the journal */
    }
    return gk_convert_failure(status, &error, failure);
}

bool guika_box_door_left_open(const struct guika_box *box, struct guika_door *ret_door)
{
    const guika_v1_OfflinePickup *event = &box->journal.event;

    if (!gk_pickup_journal_is_open(&box->journal)) {
        return false;
    }
    *ret_door = (struct guika_door){.offline = true};
    (void)sodium_bin2hex(ret_door->case_id, sizeof ret_door->case_id, event->case_id, sizeof event->case_id);
    memcpy(ret_door->compartment, event->compartment, sizeof ret_door->compartment);
    return true;
}
