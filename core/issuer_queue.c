#include "core/issuer_queue.h"

#include "core/memory.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "core/task.h"
#include "guika/v1/issuer.rpc.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_SIZE = 33 + GK_CASE_ID_SIZE, /* account name, 0x00, case id */
    TURN_MS = 200,                   /* how late the end of a lease or a deadline may be noticed */
    POLL_MARGIN_MS = 1000,           /* a long poll is answered this long before its deadline */
    LEASE_DEFAULT_MS = 60000,
    LEASE_LEAST_MS = 1000,
    LEASE_MOST_MS = 3600000,
};

static size_t queue_key(const char *issuer_id, const uint8_t *case_id, uint8_t ret_key[KEY_SIZE])
{
    const size_t length = strlen(issuer_id);

    assert(length < 33);
    memcpy(ret_key, issuer_id, length + 1);
    if (case_id == NULL) {
        return length + 1;
    }
    memcpy(ret_key + length + 1, case_id, GK_CASE_ID_SIZE);
    return length + 1 + GK_CASE_ID_SIZE;
}

/* --- within a transition --- */

enum gk_status gk_issuer_queue_add(struct gk_transaction *transaction, const char *issuer_id,
                                   const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    uint8_t key_bytes[KEY_SIZE];
    const struct gk_bytes key = {key_bytes, queue_key(issuer_id, case_id, key_bytes)};
    guika_v1_internal_QueuedCard queued = guika_v1_internal_QueuedCard_init_zero;
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_ISSUER_QUEUE, key,
                                                guika_v1_internal_QueuedCard_fields, &queued, error);

    if (status != GK_NOT_FOUND) {
        return status;
    }
    queued.queued_at_ms = gk_transaction_now_ms(transaction);
    return gk_record_put(transaction, GK_FAMILY_ISSUER_QUEUE, key, guika_v1_internal_QueuedCard_fields,
                         &queued, error);
}

enum gk_status gk_issuer_queue_remove(struct gk_transaction *transaction, const char *issuer_id,
                                      const uint8_t case_id[GK_CASE_ID_SIZE], bool *ret_removed,
                                      struct gk_error *error)
{
    uint8_t key_bytes[KEY_SIZE];
    const struct gk_bytes key = {key_bytes, queue_key(issuer_id, case_id, key_bytes)};
    struct gk_value value = {NULL, 0};
    const enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_ISSUER_QUEUE, key, &value, error);

    *ret_removed = status == GK_OK;
    if (status == GK_OK) {
        gk_value_free(&value);
        gk_transaction_delete(transaction, GK_FAMILY_ISSUER_QUEUE, key);
    }
    return status == GK_NOT_FOUND ? GK_OK : status;
}

/* --- the next card of one issuer, on a worker --- */

/* One NextFound that waits, or is being looked after. */
struct poll {
    struct poll *next;
    struct gk_task task;
    struct gk_issuer_queue *queue;
    struct gk_rpc_call *call;
    char issuer_id[33];
    uint32_t lease_ms;
    bool looking;       /* its task is on a worker */
    bool look;          /* something may have come since it looked */
    bool ended;         /* the call ended by itself */
    int64_t look_at_ms; /* when the first lease of another's ends; 0: there is none */
    enum gk_status status;
    struct gk_error error;
    guika_v1_NextFoundResponse response;
};

struct gk_issuer_queue {
    uv_loop_t *loop;
    struct gk_store *store;
    const struct gk_keys *keys;
    uv_timer_t turn;
    struct poll *polls; /* oldest first */
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* What a scan of one issuer's cards finds. */
struct search {
    int64_t now_ms;
    bool found;
    uint8_t case_id[GK_CASE_ID_SIZE];
    int64_t queued_at_ms;
    int64_t next_lease_end_ms; /* 0: none */
};

/* The oldest card that nobody has a lease on. */
static bool search_card(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct search *search = context;
    guika_v1_internal_QueuedCard queued = guika_v1_internal_QueuedCard_init_zero;

    if (key.size < GK_CASE_ID_SIZE ||
        gk_record_decode(value, guika_v1_internal_QueuedCard_fields, &queued, NULL) != GK_OK) {
        return true;
    }
    if (queued.leased_until_ms > search->now_ms) {
        if (search->next_lease_end_ms == 0 || queued.leased_until_ms < search->next_lease_end_ms) {
            search->next_lease_end_ms = queued.leased_until_ms;
        }
        return true;
    }
    if (!search->found || queued.queued_at_ms < search->queued_at_ms) {
        search->found = true;
        search->queued_at_ms = queued.queued_at_ms;
        memcpy(search->case_id, key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE);
    }
    return true;
}

struct leasing {
    const struct poll *poll;
    const uint8_t *case_id;
    bool stale; /* the card waits for its issuer no more */
    guika_v1_internal_FoundCard card;
    guika_v1_internal_BoxRecord box;
};

static enum gk_status read_case(struct leasing *leasing, struct gk_transaction *transaction,
                                struct gk_error *error)
{
    const struct gk_bytes case_id = {leasing->case_id, GK_CASE_ID_SIZE};
    enum gk_status status = gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, case_id,
                                          guika_v1_internal_FoundCard_fields, &leasing->card, error);

    if (status != GK_OK) {
        return status;
    }
    const struct gk_bytes box = {(const uint8_t *)leasing->card.box_id, strlen(leasing->card.box_id)};

    status = gk_record_get(transaction, GK_FAMILY_BOXES, box, guika_v1_internal_BoxRecord_fields,
                           &leasing->box, error);
    return status == GK_NOT_FOUND ? GK_OK : status; /* a place without a description */
}

/* NOT_FOUND where it was acknowledged or leased meanwhile. */
static enum gk_status apply_lease(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct leasing *leasing = context;
    uint8_t key_bytes[KEY_SIZE];
    const struct gk_bytes key = {key_bytes, queue_key(leasing->poll->issuer_id, leasing->case_id, key_bytes)};
    guika_v1_internal_QueuedCard queued = guika_v1_internal_QueuedCard_init_zero;
    const int64_t now_ms = gk_transaction_now_ms(transaction);
    enum gk_status status = gk_record_get(transaction, GK_FAMILY_ISSUER_QUEUE, key,
                                          guika_v1_internal_QueuedCard_fields, &queued, error);

    if (status == GK_OK && queued.leased_until_ms > now_ms) {
        status = GK_NOT_FOUND;
    }
    if (status == GK_OK) {
        status = read_case(leasing, transaction, error);
    }
    if (status != GK_OK) {
        return status;
    }
    leasing->stale = leasing->card.state != guika_v1_CardState_CARD_STATE_IDENTIFIED &&
                     leasing->card.state != guika_v1_CardState_CARD_STATE_NOTIFIED;
    if (leasing->stale) {
        gk_transaction_delete(transaction, GK_FAMILY_ISSUER_QUEUE, key);
        return GK_OK;
    }
    queued.leased_until_ms = now_ms + leasing->poll->lease_ms;
    return gk_record_put(transaction, GK_FAMILY_ISSUER_QUEUE, key, guika_v1_internal_QueuedCard_fields,
                         &queued, error);
}

/* Opens what was sealed with the case id into a text of `size` bytes. */
static enum gk_status open_text(const struct gk_keys *keys, enum gk_seal use,
                                const guika_v1_internal_FoundCard *card, struct gk_bytes sealed,
                                char *ret_text, size_t size, struct gk_error *error)
{
    if (sealed.size < GK_SEAL_OVERHEAD || sealed.size - GK_SEAL_OVERHEAD >= size) {
        return gk_error_set(error, GK_DATA_LOSS, "a found card's record is damaged");
    }
    return gk_keys_open_sealed(keys, use, (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE}, sealed,
                               (uint8_t *)ret_text, error);
}

static enum gk_status describe(struct poll *poll, const struct leasing *leasing)
{
    const guika_v1_internal_FoundCard *card = &leasing->card;
    guika_v1_NextFoundResponse *response = &poll->response;
    const guika_v1_AddBoxRequest *box = &leasing->box.described;
    enum gk_status status =
        open_text(poll->queue->keys, GK_SEAL_CONTACTS, card,
                  (struct gk_bytes){card->sealed_reference.bytes, card->sealed_reference.size},
                  response->reference, sizeof response->reference, &poll->error);

    if (status == GK_OK) {
        status = open_text(poll->queue->keys, GK_SEAL_MASK, card,
                           (struct gk_bytes){card->sealed_mask.bytes, card->sealed_mask.size},
                           response->masked_number, sizeof response->masked_number, &poll->error);
    }
    if (status != GK_OK) {
        return status;
    }
    gk_hex_encode(card->case_id, GK_CASE_ID_SIZE, response->case_id);
    (void)snprintf(response->scheme, sizeof response->scheme, "%s", card->scheme);
    response->kind = card->kind;
    (void)snprintf(response->place_zh, sizeof response->place_zh, "%s", box->place.zh);
    (void)snprintf(response->place_en, sizeof response->place_en, "%s", box->place.en);
    response->found_at_ms = card->received_at_ms;
    response->lease_ms = poll->lease_ms;
    return GK_OK;
}

/* Leases and describes the next card; GK_OK with an empty response where there is none. */
static enum gk_status take_next(struct poll *poll)
{
    struct gk_issuer_queue *queue = poll->queue;
    struct leasing leasing = {.poll = poll};
    uint8_t prefix[KEY_SIZE];
    enum gk_status status;

    do {
        struct search search = {.now_ms = gk_store_now_ms(queue->store)};

        status = gk_store_scan(queue->store, GK_FAMILY_ISSUER_QUEUE,
                               (struct gk_bytes){prefix, queue_key(poll->issuer_id, NULL, prefix)},
                               (struct gk_bytes){NULL, 0}, false, search_card, &search, &poll->error);
        poll->look_at_ms = search.next_lease_end_ms;
        if (status != GK_OK || !search.found) {
            return status;
        }
        leasing.case_id = search.case_id;
        status = gk_store_commit_and_wait(queue->store, apply_lease, &leasing, &poll->error);
    } while (status == GK_NOT_FOUND || (status == GK_OK && leasing.stale));
    return status == GK_OK ? describe(poll, &leasing) : status;
}

/* [worker] */
static void run_look(struct gk_task *task)
{
    struct poll *poll = gk_container_of(task, struct poll, task);

    poll->response = (guika_v1_NextFoundResponse)guika_v1_NextFoundResponse_init_zero;
    poll->status = take_next(poll);
}

/* --- the polls, on the loop --- */

static void finish_close(struct gk_issuer_queue *queue);

/* Answers the poll with what it has, and forgets it. */
static void end_poll(struct poll *poll)
{
    struct gk_issuer_queue *queue = poll->queue;
    struct poll **link = &queue->polls;

    while (*link != poll) {
        link = &(*link)->next;
    }
    *link = poll->next;
    if (poll->status != GK_OK) {
        gk_rpc_fail(poll->call, poll->status, "%s", poll->error.message);
    } else {
        guika_v1_issuer_service_next_found_reply(poll->call, &poll->response);
    }
    sodium_memzero(&poll->response, sizeof poll->response);
    free(poll);
    finish_close(queue);
}

static bool is_over(const struct poll *poll)
{
    return poll->ended || poll->queue->on_closed != NULL ||
           gk_rpc_call_deadline_ms(poll->call) <= uv_hrtime() / 1000000 + POLL_MARGIN_MS;
}

static void look(struct poll *poll);

static void on_looked(struct gk_task *task)
{
    struct poll *poll = gk_container_of(task, struct poll, task);

    poll->looking = false;
    if (poll->status != GK_OK || poll->response.case_id[0] != '\0' || is_over(poll)) {
        end_poll(poll);
    } else if (poll->look) {
        look(poll);
    }
}

static void look(struct poll *poll)
{
    poll->looking = true;
    poll->look = false;
    poll->task.run = run_look;
    poll->task.done = on_looked;
    gk_task_start(poll->queue->loop, &poll->task);
}

static void on_turn(uv_timer_t *timer)
{
    struct gk_issuer_queue *queue = timer->data;
    const int64_t now_ms = gk_store_now_ms(queue->store);
    struct poll *next;

    for (struct poll *poll = queue->polls; poll != NULL; poll = next) {
        next = poll->next;
        if (poll->looking) {
            continue;
        }
        if (is_over(poll)) {
            end_poll(poll);
        } else if (poll->look || (poll->look_at_ms != 0 && poll->look_at_ms <= now_ms)) {
            look(poll);
        }
    }
}

void gk_issuer_queue_poke(struct gk_issuer_queue *queue)
{
    for (struct poll *poll = queue->polls; poll != NULL; poll = poll->next) {
        if (poll->looking) {
            poll->look = true;
        } else {
            look(poll);
        }
    }
}

static void on_call_ended(struct gk_rpc_call *call, void *context)
{
    struct gk_issuer_queue *queue = context;

    for (struct poll *poll = queue->polls; poll != NULL; poll = poll->next) {
        if (poll->call == call) {
            poll->ended = true;
            if (!poll->looking) {
                end_poll(poll);
            }
            return;
        }
    }
}

void gk_issuer_queue_next(struct gk_issuer_queue *queue, struct gk_rpc_call *call,
                          const guika_v1_NextFoundRequest *request)
{
    struct poll **link = &queue->polls;

    if (request->lease_ms != 0 && (request->lease_ms < LEASE_LEAST_MS || request->lease_ms > LEASE_MOST_MS)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "lease_ms must be 0, or %d to %d, not %u", LEASE_LEAST_MS,
                    LEASE_MOST_MS, (unsigned)request->lease_ms);
        return;
    }
    struct poll *poll = gk_allocate(sizeof *poll);

    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = poll;
    poll->queue = queue;
    poll->call = call;
    poll->lease_ms = request->lease_ms == 0 ? LEASE_DEFAULT_MS : request->lease_ms;
    (void)snprintf(poll->issuer_id, sizeof poll->issuer_id, "%.32s", gk_rpc_call_principal(call)->id);
    gk_rpc_call_on_ended(call, on_call_ended, queue);
    look(poll);
}

/* --- start and end --- */

struct gk_issuer_queue *gk_issuer_queue_open(uv_loop_t *loop, struct gk_store *store,
                                             const struct gk_keys *keys)
{
    struct gk_issuer_queue *queue = gk_allocate(sizeof *queue);

    queue->loop = loop;
    queue->store = store;
    queue->keys = keys;
    (void)uv_timer_init(loop, &queue->turn);
    queue->turn.data = queue;
    (void)uv_timer_start(&queue->turn, on_turn, TURN_MS, TURN_MS);
    return queue;
}

static void on_turn_closed(uv_handle_t *handle)
{
    struct gk_issuer_queue *queue = handle->data;
    void (*on_closed)(void *context) = queue->on_closed;
    void *context = queue->on_closed_context;

    free(queue);
    on_closed(context);
}

static void finish_close(struct gk_issuer_queue *queue)
{
    if (queue->on_closed != NULL && queue->polls == NULL && uv_is_closing((uv_handle_t *)&queue->turn) == 0) {
        uv_close((uv_handle_t *)&queue->turn, on_turn_closed);
    }
}

void gk_issuer_queue_close(struct gk_issuer_queue *queue, void (*on_closed)(void *context), void *context)
{
    queue->on_closed = on_closed;
    queue->on_closed_context = context;
    finish_close(queue); /* those that wait are answered at the next turn */
}
