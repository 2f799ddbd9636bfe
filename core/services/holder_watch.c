/* WatchCard: a reader says what the number can be, then the watch is filed; no number rests. */
#include "core/memory.h"
#include "core/security/contact_seal.h"
#include "core/security/hex.h"
#include "core/services/holder.h"
#include "core/task.h"
#include "core/watches.h"
#include "rpc/repeated.h"

#include <pb_encode.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { BUSY_RETRY_MS = 1000 };

struct filing {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    struct gk_repeated questions;
    guika_v1_internal_WatchRecord watch;
    struct gk_card_tokens tokens[sizeof((guika_v1_internal_WatchRecord *)NULL)->card_tokens /
                                 GK_TOKEN_SIZE]; /* of its numbers */
    size_t open;                                 /* watches of this contact that wait already */
    enum gk_status status;
    struct gk_error error;
};

static void end(struct filing *filing)
{
    if (filing->questions.data != NULL) {
        sodium_memzero(filing->questions.data, filing->questions.size);
    }
    gk_repeated_free(&filing->questions);
    sodium_memzero(filing, sizeof *filing);
    free(filing);
}

static void fail(struct filing *filing, enum gk_status status, const char *message)
{
    gk_rpc_fail(filing->call, status, "%s", message);
    end(filing);
}

/* --- the store's part --- */

static bool count_open(void *context, const guika_v1_internal_WatchRecord *watch)
{
    *(size_t *)context += watch->state == guika_v1_internal_WatchRecord_State_WATCH_WAITING;
    return true;
}

static enum gk_status apply_filing(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct filing *filing = context;
    enum gk_status status = GK_OK;

    for (pb_size_t i = 0; status == GK_OK && i < filing->watch.card_tokens_count; i++) {
        status = gk_watches_gather(transaction, &filing->tokens[i], error);
    }
    return status == GK_OK ? gk_watches_file(transaction, &filing->watch, error) : status;
}

/* [worker] */
static enum gk_status choose_token(struct filing *filing, size_t index)
{
    struct gk_card_tokens *tokens = &filing->tokens[index];
    const enum gk_status status =
        gk_watches_choose(filing->services->registry, filing->services->store, tokens, &filing->error);

    filing->watch.card_bases[index] = tokens->newest;
    memcpy(filing->watch.card_tokens[index], tokens->tokens[0], GK_TOKEN_SIZE);
    return status;
}

/* [worker] */
static void run_filing(struct gk_task *task)
{
    struct filing *filing = gk_container_of(task, struct filing, task);
    struct gk_store *store = filing->services->store;

    filing->status =
        gk_watches_each(store, filing->watch.contact_token, count_open, &filing->open, &filing->error);
    if (filing->status == GK_OK && filing->open >= GK_WATCHES_MAX) {
        filing->status = gk_error_set(&filing->error, GK_FAILED_PRECONDITION,
                                      "you watch for %d cards already; cancel one first", GK_WATCHES_MAX);
    }
    for (pb_size_t i = 0; filing->status == GK_OK && i < filing->watch.card_tokens_count; i++) {
        filing->status = choose_token(filing, i);
    }
    if (filing->status == GK_OK) {
        filing->status = gk_store_commit_and_wait(store, apply_filing, filing, &filing->error);
    }
}

static void on_filed(struct gk_task *task)
{
    struct filing *filing = gk_container_of(task, struct filing, task);
    guika_v1_WatchCardResponse response = {0};

    if (filing->status != GK_OK) {
        fail(filing, filing->status, filing->error.message);
        return;
    }
    gk_hex_encode(filing->watch.watch_id, GK_WATCH_ID_SIZE, response.watch_id);
    guika_v1_holder_service_watch_card_reply(filing->call, &response);
    end(filing);
}

static void start_filing(struct filing *filing)
{
    filing->task.run = run_filing;
    filing->task.done = on_filed;
    gk_task_start(filing->services->loop, &filing->task);
}

/* --- the number --- */

static void seal_mask(struct filing *filing, const char *masked)
{
    const struct gk_bytes plain = {(const uint8_t *)masked, strlen(masked)};

    gk_keys_seal(filing->services->keys, GK_SEAL_MASK,
                 (struct gk_bytes){filing->watch.watch_id, GK_WATCH_ID_SIZE}, plain,
                 filing->watch.sealed_mask.bytes);
    filing->watch.sealed_mask.size = (pb_size_t)(plain.size + GK_SEAL_OVERHEAD);
}

/* Takes what the number can be, of the kinds that may be claimed; returns how many. */
static size_t take_matches(struct filing *filing, const guika_v1_internal_NumberAnswer *answer)
{
    guika_v1_internal_WatchRecord *watch = &filing->watch;
    const pb_size_t room = sizeof watch->card_tokens / sizeof watch->card_tokens[0];

    for (pb_size_t i = 0; i < answer->matches_count && watch->card_tokens_count < room; i++) {
        const guika_v1_internal_NumberMatch *match = &answer->matches[i];

        if (!gk_watches_may_claim(match->kind)) {
            continue;
        }
        if (watch->card_tokens_count == 0) {
            watch->kind = match->kind;
            (void)snprintf(watch->issuer, sizeof watch->issuer, "%s", match->issuer);
            seal_mask(filing, match->masked);
        }
        struct gk_card_tokens *tokens = &filing->tokens[watch->card_tokens_count];

        *tokens = gk_keys_card_tokens(filing->services->keys, match->scheme, match->number);
        watch->card_bases_count++;
        watch->card_tokens_count++;
    }
    return watch->card_tokens_count;
}

static void on_number_checked(void *context, enum gk_status status, struct gk_bytes answers)
{
    struct filing *filing = context;
    guika_v1_internal_NumberAnswer answer = guika_v1_internal_NumberAnswer_init_zero;

    if (status != GK_OK ||
        gk_repeated_next(&answers, guika_v1_internal_NumberAnswer_fields, &answer) != GK_OK) {
        fail(filing, GK_UNAVAILABLE, "no reader could check the number; try again");
    } else if (answer.matches_count == 0) {
        fail(filing, GK_INVALID_ARGUMENT, "no card that is known here has such a number; is it complete?");
    } else if (take_matches(filing, &answer) == 0) {
        fail(filing, GK_FAILED_PRECONDITION,
             "bank and ID cards go to the contact that their issuer registered, and to nobody else; ask the "
             "issuer");
    } else {
        start_filing(filing);
    }
    sodium_memzero(&answer, sizeof answer);
}

static void check_number(struct filing *filing, const char *number)
{
    guika_v1_internal_NumberQuestion question = guika_v1_internal_NumberQuestion_init_zero;

    (void)snprintf(question.number, sizeof question.number, "%s", number);
    const enum gk_status status =
        gk_repeated_append(&filing->questions, guika_v1_internal_NumberQuestion_fields, &question);

    sodium_memzero(&question, sizeof question);
    if (status != GK_OK) {
        fail(filing, GK_INTERNAL, "the number could not be handed on");
    } else if (!gk_reader_jobs_check_numbers(filing->services->jobs, gk_repeated_bytes(&filing->questions),
                                             on_number_checked, filing)) {
        gk_rpc_fail_busy(filing->call, BUSY_RETRY_MS, "too much waits for the readers");
        end(filing);
    }
}

/* --- the description --- */

static void seal_description(struct filing *filing, const guika_v1_WatchCardRequest *request)
{
    guika_v1_internal_WatchRecord *watch = &filing->watch;
    guika_v1_internal_WatchDescription description = guika_v1_internal_WatchDescription_init_zero;
    uint8_t plain[sizeof watch->sealed_description.bytes - GK_SEAL_OVERHEAD];
    pb_ostream_t stream = pb_ostream_from_buffer(plain, sizeof plain);

    memcpy(description.line, request->line, sizeof description.line);
    memcpy(description.lost_on, request->lost_on, sizeof description.lost_on);
    memcpy(description.name, request->name, sizeof description.name);
    if (pb_encode(&stream, guika_v1_internal_WatchDescription_fields, &description)) {
        gk_keys_seal(filing->services->keys, GK_SEAL_CONTACTS,
                     (struct gk_bytes){watch->watch_id, GK_WATCH_ID_SIZE},
                     (struct gk_bytes){plain, stream.bytes_written}, watch->sealed_description.bytes);
        watch->sealed_description.size = (pb_size_t)(stream.bytes_written + GK_SEAL_OVERHEAD);
    }
    sodium_memzero(plain, sizeof plain);
    sodium_memzero(&description, sizeof description);
}

static struct filing *begin(struct gk_rpc_call *call, const struct gk_services *services,
                            const struct gk_session *session)
{
    struct filing *filing = gk_allocate(sizeof *filing);
    guika_v1_internal_WatchRecord *watch = &filing->watch;

    filing->call = call;
    filing->services = services;
    randombytes_buf(watch->watch_id, sizeof watch->watch_id);
    memcpy(watch->contact_token, session->contact_token, GK_TOKEN_SIZE);
    watch->sealed_contact.size = (pb_size_t)gk_contact_seal(services->keys, session->contact_token,
                                                            session->address, watch->sealed_contact.bytes);
    memcpy(watch->language, session->language, sizeof watch->language);
    watch->key_epoch = gk_keys_epoch(services->keys);
    return filing;
}

void gk_holder_watch_card(struct gk_rpc_call *call, const guika_v1_WatchCardRequest *request, void *context)
{
    const struct gk_services *services = context;
    const struct gk_session *session = gk_holder_session(call, services);
    const bool has_number = strspn(request->number, " -()") != strlen(request->number);

    if (session == NULL) {
        return;
    }
    if (!has_number &&
        (!gk_watches_may_claim(request->kind) || (request->line[0] == '\0' && request->name[0] == '\0'))) {
        gk_rpc_fail(
            call, GK_INVALID_ARGUMENT,
            "give the number; or the kind (transit, parking or campus) and where it was lost or what name it "
            "bears");
        return;
    }
    if (!gk_holder_admit(call, services, services->try_limit, services->subject_limit,
                         session->contact_token)) {
        return;
    }
    struct filing *filing = begin(call, services, session);

    filing->watch.kind = request->kind;
    seal_description(filing, request);
    if (has_number) {
        check_number(filing, request->number);
    } else {
        start_filing(filing);
    }
}
