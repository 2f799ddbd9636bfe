/*
 * The queue of difficult cards through real store, registry, vault and services: the test is the operators,
 * the viewer and the reader.
 */
#include "core/difficult.h"

#include "core/security/hex.h"
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/repeated.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD

#define STRANGER "6250941006528607" /* not registered; valid for the reader below */
#define IDENTITY "11010519491231002X"
#define BOTH_SCHEMES "3141592653589793"

struct fixture {
    struct core_rig rig;
    struct gk_rpc_client *anna;
    struct gk_rpc_client *ben;
    struct gk_rpc_client *viewer;
    struct gk_rpc_client *box;
    struct gk_rpc_client *issuer;
    pthread_t reader;
    atomic_bool stop;
    atomic_uint read; /* pictures that the reader had */
    char last_picture[32];
    /* What the reader makes of a picture. */
    guika_v1_internal_CompleteRecognitionRequest *seen;
    guika_v1_ResolveResponse resolved;
    struct gk_error error;
};

/* --- the reader --- */

static void match_of(const char *number, guika_v1_internal_NumberAnswer *ret_answer)
{
    guika_v1_internal_NumberMatch *match = &ret_answer->matches[0];

    ret_answer->matches_count = 1;
    (void)snprintf(match->number, sizeof match->number, "%.39s", number);
    (void)snprintf(match->masked, sizeof match->masked, "•••• %.4s", number + strlen(number) - 4);
    if (strcmp(number, IDENTITY) == 0) {
        strcpy(match->scheme, "cn-resident-id");
        strcpy(match->issuer, "cn_resident_id");
        match->kind = guika_v1_CardKind_CARD_KIND_ID;
    } else if (strncmp(number, "62", 2) == 0 || strcmp(number, BOTH_SCHEMES) == 0) {
        strcpy(match->scheme, "iso7812");
        strcpy(match->issuer, "unionpay");
        match->kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    } else {
        ret_answer->matches_count = 0;
        strcpy(ret_answer->problem, "the check digit does not agree");
    }
    if (strcmp(number, BOTH_SCHEMES) == 0) {
        ret_answer->matches[1] = ret_answer->matches[0];
        strcpy(ret_answer->matches[1].scheme, "t-union");
        ret_answer->matches_count = 2;
    }
}

static void answer_numbers(struct gk_rpc_client *reader, const guika_v1_internal_LeaseJobResponse *job)
{
    guika_v1_internal_CompleteNumbersRequest request = {.job_id = job->job_id};
    guika_v1_internal_CompleteJobResponse response = {0};
    struct gk_bytes rest = job->job.numbers.questions;
    guika_v1_internal_NumberQuestion question = {0};
    struct gk_repeated answers = {0};

    while (gk_repeated_next(&rest, guika_v1_internal_NumberQuestion_fields, &question) == GK_OK) {
        guika_v1_internal_NumberAnswer answer = {0};

        match_of(question.number, &answer);
        (void)gk_repeated_append(&answers, guika_v1_internal_NumberAnswer_fields, &answer);
    }
    request.answers = gk_repeated_bytes(&answers);
    (void)guika_v1_internal_reader_service_complete_numbers(reader, NULL, &request, &response, NULL);
    gk_repeated_free(&answers);
}

static void *run_reader(void *context)
{
    struct fixture *fixture = context;
    struct gk_rpc_client *reader = core_rig_connect(&fixture->rig, GK_ROLE_READER, "reader-0");
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    const guika_v1_internal_LeaseJobRequest request = {0};
    const struct gk_rpc_call_options options = {.deadline_ms = 1200};

    while (!atomic_load(&fixture->stop)) {
        memset(job, 0, sizeof *job);
        if (guika_v1_internal_reader_service_lease_job(reader, &options, &request, job, NULL) != GK_OK ||
            job->job_id == 0) {
            continue;
        }
        if (job->which_job == guika_v1_internal_LeaseJobResponse_numbers_tag) {
            answer_numbers(reader, job);
            continue;
        }
        const struct gk_bytes picture = job->job.recognise.frames[0].picture;

        (void)snprintf(fixture->last_picture, sizeof fixture->last_picture, "%.*s", (int)picture.size,
                       (const char *)picture.data);
        fixture->seen->job_id = job->job_id;
        atomic_fetch_add(&fixture->read, 1);
        (void)core_rig_complete(reader, job->job_id, fixture->seen);
    }
    free(job);
    gk_rpc_client_close(reader);
    return NULL;
}

/* The reader is in doubt between two numbers, and keeps a picture. */
static void be_in_doubt(struct fixture *fixture)
{
    static const uint8_t picture[] = "redacted picture";
    guika_v1_internal_CompleteRecognitionRequest *seen = fixture->seen;

    core_rig_certain(seen, CORE_RIG_REGISTERED);
    seen->candidates[0].probability = 0.5;
    seen->candidates[1] = seen->candidates[0];
    strcpy(seen->candidates[1].number, STRANGER);
    strcpy(seen->candidates[1].masked, "•••• 8607");
    seen->candidates[1].probability = 0.3;
    seen->candidates_count = 2;
    seen->reason = guika_v1_Reason_REASON_GLARE;
    seen->redacted_picture = (struct gk_bytes){picture, sizeof picture - 1};
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, NULL);
    fixture->anna = core_rig_connect(&fixture->rig, GK_ROLE_OPERATOR, "anna");
    fixture->ben = core_rig_connect(&fixture->rig, GK_ROLE_OPERATOR, "ben");
    fixture->viewer = core_rig_connect(&fixture->rig, GK_ROLE_VIEWER, "vera");
    fixture->box = core_rig_connect(&fixture->rig, GK_ROLE_BOX, "library-1");
    fixture->issuer = core_rig_connect(&fixture->rig, GK_ROLE_ISSUER, "bank");
    fixture->seen = calloc(1, sizeof *fixture->seen);
    be_in_doubt(fixture);
    assert_int_equal(pthread_create(&fixture->reader, NULL, run_reader, fixture), 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    atomic_store(&fixture->stop, true);
    (void)pthread_join(fixture->reader, NULL);
    gk_rpc_client_close(fixture->anna);
    gk_rpc_client_close(fixture->ben);
    gk_rpc_client_close(fixture->viewer);
    gk_rpc_client_close(fixture->box);
    gk_rpc_client_close(fixture->issuer);
    core_rig_end(&fixture->rig);
    free(fixture->seen);
    free(fixture);
    return 0;
}

/* --- what is done --- */

/* Drops a card, which the reader finds difficult, and stores it; returns its case. */
static const char *drop(struct fixture *fixture, const char *deposit_id)
{
    static char case_id[33];
    guika_v1_DepositRequest *request = calloc(1, sizeof *request);
    guika_v1_ConfirmStoredRequest stored = {.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED,
                                            .zone = guika_v1_Zone_ZONE_DIFFICULT,
                                            .compartment = "D1"};
    guika_v1_ConfirmStoredResponse confirmed = {0};
    guika_v1_DepositResponse response = {0};

    strcpy(request->deposit_id, deposit_id);
    request->frames_count = 1;
    request->frames[0].picture = (struct gk_bytes){(const uint8_t *)"a whole picture", 15};
    assert_int_equal(guika_v1_box_service_deposit(fixture->box, NULL, request, &response, NULL), GK_OK);
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_DIFFICULT);
    strcpy(stored.deposit_id, deposit_id);
    assert_int_equal(guika_v1_box_service_confirm_stored(fixture->box, NULL, &stored, &confirmed, NULL),
                     GK_OK);
    free(request);
    strcpy(case_id, response.case_id);
    return case_id;
}

static enum gk_status resolve(struct fixture *fixture, struct gk_rpc_client *who, const char *case_id,
                              const char *number)
{
    guika_v1_ResolveRequest request = {0};

    strcpy(request.case_id, case_id);
    strcpy(request.number, number);
    memset(&fixture->resolved, 0, sizeof fixture->resolved);
    return guika_v1_operator_service_resolve(who, NULL, &request, &fixture->resolved, &fixture->error);
}

static enum gk_status retry(struct fixture *fixture, const char *case_id)
{
    guika_v1_DifficultCaseRequest request = {0};

    strcpy(request.case_id, case_id);
    memset(&fixture->resolved, 0, sizeof fixture->resolved);
    return guika_v1_operator_service_retry(fixture->anna, NULL, &request, &fixture->resolved,
                                           &fixture->error);
}

static guika_v1_internal_FoundCard card_of(struct fixture *fixture, const char *case_id)
{
    guika_v1_internal_FoundCard card = {0};
    uint8_t key[GK_CASE_ID_SIZE];

    assert_true(gk_hex_decode(case_id, key, sizeof key));
    assert_int_equal(gk_record_read(fixture->rig.store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){key, sizeof key}, guika_v1_internal_FoundCard_fields,
                                    &card, NULL),
                     GK_OK);
    return card;
}

static int notice_state(struct fixture *fixture, const guika_v1_internal_FoundCard *card)
{
    guika_v1_internal_NoticeRecord notice = {0};

    assert_int_equal(gk_record_read(fixture->rig.store, GK_FAMILY_OUTBOX,
                                    (struct gk_bytes){card->notice_id.bytes, card->notice_id.size},
                                    guika_v1_internal_NoticeRecord_fields, &notice, NULL),
                     GK_OK);
    return (int)notice.state;
}

static uint64_t audited(struct fixture *fixture)
{
    uint64_t entries = 0;

    assert_int_equal(gk_store_verify_audit(fixture->rig.store, &entries, NULL), GK_OK);
    return entries;
}

static bool keep_last(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    return gk_record_decode(value, guika_v1_internal_AuditEntry_fields, context, NULL) != GK_OK;
}

static void assert_last_entry(struct fixture *fixture, const char *actor, const char *action)
{
    guika_v1_internal_AuditEntry entry = {0};
    const struct gk_bytes all = {0};

    assert_int_equal(
        gk_store_scan(fixture->rig.store, GK_FAMILY_AUDIT, all, all, true, keep_last, &entry, NULL), GK_OK);
    assert_string_equal(entry.actor, actor);
    assert_string_equal(entry.action, action);
}

static guika_v1_ListDifficultResponse *list(struct fixture *fixture)
{
    guika_v1_ListDifficultResponse *response = calloc(1, sizeof *response);
    const guika_v1_ListDifficultRequest request = {0};

    assert_int_equal(
        guika_v1_operator_service_list_difficult(fixture->anna, NULL, &request, response, &fixture->error),
        GK_OK);
    return response;
}

static size_t queued(struct fixture *fixture)
{
    guika_v1_ListDifficultResponse *response = list(fixture);
    const size_t count = response->cards_count;

    free(response);
    return count;
}

static enum gk_status view(struct fixture *fixture, struct gk_rpc_client *who, const char *case_id,
                           char ret_picture[64])
{
    guika_v1_GetPictureRequest request = {0};
    guika_v1_GetPictureResponse response = {0};

    strcpy(request.case_id, case_id);
    const enum gk_status status =
        guika_v1_operator_service_get_picture(who, NULL, &request, &response, &fixture->error);

    (void)snprintf(ret_picture, 64, "%.*s", (int)response.picture.size, (const char *)response.picture.data);
    return status;
}

/* Waits until the case is in `state`, 5 s at most. */
static void await_state(struct fixture *fixture, const char *case_id, int state)
{
    for (int i = 0; i < 500 && (int)card_of(fixture, case_id).state != state; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(card_of(fixture, case_id).state, state);
}

/* Waits until the vault has no picture of the case, 5 s at most. */
static void await_erasure(struct fixture *fixture, const char *case_id)
{
    struct gk_value picture = {0};
    uint8_t key[GK_CASE_ID_SIZE];
    enum gk_status status = GK_OK;

    assert_true(gk_hex_decode(case_id, key, sizeof key));
    for (int i = 0; i < 500 && status == GK_OK; i++) {
        gk_value_free(&picture);
        status = gk_picture_vault_get(fixture->rig.vault, key, 0, &picture, NULL);
        (void)usleep(10000);
    }
    assert_int_equal(status, GK_NOT_FOUND);
}

static void import(struct fixture *fixture, const char *import_id, const char *number)
{
    guika_v1_ImportCardsRequest *request = calloc(1, sizeof *request);
    guika_v1_ImportCardsResponse *response = calloc(1, sizeof *response);
    guika_v1_CardRow row = {.scheme = "iso7812", .holder_id = "holder-2", .contacts_count = 1};
    struct gk_repeated rows = {0};

    strcpy(row.number, number);
    strcpy(row.contacts[0], "smtp:c@d.example");
    assert_int_equal(gk_repeated_append(&rows, guika_v1_CardRow_fields, &row), GK_OK);
    strcpy(request->import_id, import_id);
    request->last = true;
    request->page_rows = gk_repeated_bytes(&rows);
    assert_int_equal(
        guika_v1_issuer_service_import_cards(fixture->issuer, NULL, request, response, &fixture->error),
        GK_OK);
    assert_true(response->in_force);
    gk_repeated_free(&rows);
    free(response);
    free(request);
}

/* --- the queue and its pictures --- */

static void test_queue_shows_reason_and_masked_candidates(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");
    guika_v1_ListDifficultResponse *response = list(fixture);

    assert_int_equal(response->cards_count, 1);
    assert_string_equal(response->cards[0].card.case_id, case_id);
    assert_int_equal(response->cards[0].card.reason, guika_v1_Reason_REASON_GLARE);
    assert_true(response->cards[0].has_picture);
    assert_int_equal(response->cards[0].candidates_count, 2);
    assert_string_equal(response->cards[0].candidates[0].masked_number, "•••• 8599");
    assert_string_equal(response->cards[0].candidates[1].masked_number, "•••• 8607");
    assert_true(response->cards[0].candidates[0].probability > 0.49);
    free(response);
}

static void test_queue_is_listed_oldest_first_in_pages(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_ListDifficultRequest request = {.limit = 2};
    guika_v1_ListDifficultResponse *response = calloc(1, sizeof *response);
    char id[16];

    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "d-%d", i);
        (void)drop(fixture, id);
        atomic_fetch_add(&fixture->rig.now_ms, 1000);
    }
    for (int i = 0; i < 5; i += 2) {
        memset(response, 0, sizeof *response);
        assert_int_equal(
            guika_v1_operator_service_list_difficult(fixture->anna, NULL, &request, response, NULL), GK_OK);
        assert_int_equal(response->cards_count, i == 4 ? 1 : 2);
        (void)snprintf(id, sizeof id, "d-%d", i);
        assert_string_equal(response->cards[0].card.deposit_id, id);
        assert_int_equal(response->next_page_token[0] == '\0', i == 4);
        strcpy(request.page_token, response->next_page_token);
    }
    free(response);
}

static void test_picture_is_for_viewers_and_every_view_is_audited(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");
    const uint64_t before = audited(fixture);
    char picture[64];

    assert_int_equal(view(fixture, fixture->anna, case_id, picture), GK_PERMISSION_DENIED);
    assert_int_equal(audited(fixture), before);
    assert_int_equal(view(fixture, fixture->viewer, case_id, picture), GK_OK);
    assert_string_equal(picture, "redacted picture");
    assert_int_equal(view(fixture, fixture->viewer, case_id, picture), GK_OK);
    assert_int_equal(audited(fixture), before + 2);
    assert_last_entry(fixture, "viewer:vera", "found_card.view");
    assert_int_equal(view(fixture, fixture->viewer, "00000000000000000000000000000000", picture),
                     GK_NOT_FOUND);
    assert_int_equal(view(fixture, fixture->viewer, "no case", picture), GK_INVALID_ARGUMENT);
    assert_int_equal(audited(fixture), before + 2);
}

/* --- Resolve --- */

static void test_typed_number_identifies_the_card_and_its_notice_leaves(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");
    const uint64_t before = audited(fixture);

    assert_int_equal(resolve(fixture, fixture->anna, case_id, CORE_RIG_REGISTERED), GK_OK);
    assert_int_equal(fixture->resolved.card.card.state, IDENTIFIED);
    assert_false(fixture->resolved.needs_second);
    const guika_v1_internal_FoundCard card = card_of(fixture, case_id);

    assert_int_equal(card.state, IDENTIFIED);
    assert_string_equal(card.issuer_account, "bank");
    assert_int_equal(card.sealed_candidates.size, 0);
    assert_int_equal(notice_state(fixture, &card),
                     HELD); /* ready once it is placed where its holder reaches it */
    assert_int_equal(audited(fixture), before + 1);
    assert_last_entry(fixture, "operator:anna", "found_card.resolve");
    assert_int_equal(queued(fixture), 0);
    await_erasure(fixture, case_id);
    assert_int_equal(resolve(fixture, fixture->anna, case_id, CORE_RIG_REGISTERED), GK_FAILED_PRECONDITION);
}

static void test_number_that_breaks_the_rules_is_refused(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");
    const uint64_t before = audited(fixture);

    assert_int_equal(resolve(fixture, fixture->anna, case_id, "4000000000000001"), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->error.message, "check digit"));
    assert_int_equal(resolve(fixture, fixture->anna, case_id, BOTH_SCHEMES), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->error.message, "t-union"));
    assert_int_equal(resolve(fixture, fixture->anna, case_id, ""), GK_INVALID_ARGUMENT);
    assert_int_equal(audited(fixture), before);
    assert_int_equal(queued(fixture), 1);
}

static void test_unregistered_number_keeps_its_token_until_an_import_knows_it(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");

    assert_int_equal(resolve(fixture, fixture->anna, case_id, STRANGER), GK_OK);
    assert_int_equal(fixture->resolved.card.card.reason, guika_v1_Reason_REASON_UNREGISTERED);
    guika_v1_internal_FoundCard card = card_of(fixture, case_id);

    assert_int_equal(card.state, DIFFICULT);
    assert_int_equal(card.card_token.size, GK_TOKEN_SIZE);
    const unsigned read = atomic_load(&fixture->read);

    import(fixture, "second", STRANGER);
    await_state(fixture, case_id, IDENTIFIED);
    card = card_of(fixture, case_id);
    assert_int_equal(notice_state(fixture, &card), HELD);
    assert_last_entry(fixture, "core", "found_card.retry");
    assert_int_equal(atomic_load(&fixture->read), read);
    assert_int_equal(queued(fixture), 0);
}

static void test_notice_of_a_card_that_is_not_stored_yet_waits(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_DepositRequest *request = calloc(1, sizeof *request);
    guika_v1_DepositResponse response = {0};

    strcpy(request->deposit_id, "d-1");
    request->frames_count = 1;
    request->frames[0].picture = (struct gk_bytes){(const uint8_t *)"a whole picture", 15};
    assert_int_equal(guika_v1_box_service_deposit(fixture->box, NULL, request, &response, NULL), GK_OK);
    assert_int_equal(resolve(fixture, fixture->anna, response.case_id, CORE_RIG_REGISTERED), GK_OK);
    const guika_v1_internal_FoundCard card = card_of(fixture, response.case_id);

    assert_int_equal(notice_state(fixture, &card), HELD);
    free(request);
}

static void test_id_card_needs_two_operators_who_agree(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");

    assert_int_equal(resolve(fixture, fixture->anna, case_id, IDENTITY), GK_OK);
    assert_true(fixture->resolved.needs_second);
    assert_string_equal(fixture->resolved.card.proposed_by, "operator:anna");
    assert_int_equal(card_of(fixture, case_id).card_token.size, 0);
    /* The same credential is no second one. */
    assert_int_equal(resolve(fixture, fixture->anna, case_id, IDENTITY), GK_OK);
    assert_true(fixture->resolved.needs_second);
    assert_last_entry(fixture, "operator:anna", "found_card.propose");

    assert_int_equal(resolve(fixture, fixture->ben, case_id, IDENTITY), GK_OK);
    assert_false(fixture->resolved.needs_second);
    assert_int_equal(fixture->resolved.card.card.reason, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(card_of(fixture, case_id).card_token.size, GK_TOKEN_SIZE);
    assert_last_entry(fixture, "operator:ben", "found_card.resolve");
}

/* --- Retry --- */

static void test_retry_reads_the_kept_picture_again(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");

    assert_int_equal(retry(fixture, case_id), GK_OK);
    assert_int_equal(fixture->resolved.card.card.state, DIFFICULT);
    assert_string_equal(fixture->last_picture, "redacted picture");
    core_rig_certain(fixture->seen, CORE_RIG_REGISTERED);
    assert_int_equal(retry(fixture, case_id), GK_OK);
    assert_int_equal(fixture->resolved.card.card.state, IDENTIFIED);
    assert_last_entry(fixture, "operator:anna", "found_card.retry");
    await_erasure(fixture, case_id);
}

static void retry_all(struct core_rig *rig, void *argument)
{
    (void)argument;
    gk_difficult_retry_all(rig->difficult);
}

static void test_all_are_tried_again_by_themselves_and_what_stays_leaves_no_trace(void **state)
{
    struct fixture *fixture = *state;
    char first[33];

    strcpy(first, drop(fixture, "d-1"));
    const char *second = drop(fixture, "d-2");
    const uint64_t before = audited(fixture);
    const unsigned read = atomic_load(&fixture->read);

    core_rig_run(&fixture->rig, retry_all, NULL);
    core_rig_wait(&fixture->read, read + 2);
    core_rig_run(&fixture->rig, retry_all, NULL);
    core_rig_wait(&fixture->read, read + 4);
    assert_int_equal(audited(fixture), before);
    core_rig_certain(fixture->seen, CORE_RIG_REGISTERED);
    core_rig_run(&fixture->rig, retry_all, NULL);
    await_state(fixture, first, IDENTIFIED);
    await_state(fixture, second, IDENTIFIED);
}

static void test_retry_without_picture_and_number_says_what_to_do(void **state)
{
    struct fixture *fixture = *state;

    fixture->seen->redacted_picture = (struct gk_bytes){NULL, 0};
    assert_int_equal(retry(fixture, drop(fixture, "d-1")), GK_FAILED_PRECONDITION);
    assert_non_null(strstr(fixture->error.message, "typing its number"));
}

/* --- Discard, HandToIssuer --- */

static void test_discarded_card_is_destroyed_and_its_picture_erased(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");
    guika_v1_DifficultCaseRequest request = {0};
    guika_v1_CloseCaseResponse response = {0};

    strcpy(request.case_id, case_id);
    assert_int_equal(guika_v1_operator_service_discard(fixture->anna, NULL, &request, &response, NULL),
                     GK_OK);
    assert_int_equal(card_of(fixture, case_id).state, guika_v1_CardState_CARD_STATE_DESTROYED);
    assert_last_entry(fixture, "operator:anna", "found_card.discard");
    await_erasure(fixture, case_id);
    assert_int_equal(queued(fixture), 0);
    assert_int_equal(guika_v1_operator_service_discard(fixture->anna, NULL, &request, &response, NULL),
                     GK_FAILED_PRECONDITION);
}

static void test_card_is_handed_to_a_named_issuer(void **state)
{
    struct fixture *fixture = *state;
    const char *case_id = drop(fixture, "d-1");
    guika_v1_HandToIssuerRequest request = {0};
    guika_v1_CloseCaseResponse response = {0};

    strcpy(request.case_id, case_id);
    assert_int_equal(guika_v1_operator_service_hand_to_issuer(fixture->anna, NULL, &request, &response, NULL),
                     GK_INVALID_ARGUMENT); /* nobody knows the card's issuer */
    strcpy(request.issuer_id, "bank");
    assert_int_equal(guika_v1_operator_service_hand_to_issuer(fixture->anna, NULL, &request, &response, NULL),
                     GK_OK);
    assert_int_equal(card_of(fixture, case_id).state, guika_v1_CardState_CARD_STATE_HANDED_OVER);
    assert_last_entry(fixture, "operator:anna", "found_card.hand_over");
    await_erasure(fixture, case_id);
}

/* --- people --- */

static void test_operator_is_added_once_with_a_role_of_its_own(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_AddOperatorRequest request = {.operator_id = "olga", .viewer = true};
    guika_v1_AddOperatorResponse response = {0};
    struct gk_principal principal = {.role = GK_ROLE_NONE};

    assert_int_equal(guika_v1_operator_service_add_operator(fixture->anna, NULL, &request, &response, NULL),
                     GK_OK);
    assert_true(gk_credentials_authenticate(fixture->rig.credentials, response.token, &principal));
    assert_int_equal(principal.role, GK_ROLE_VIEWER);
    assert_string_equal(principal.id, "olga");
    request.viewer = false;
    assert_int_equal(guika_v1_operator_service_add_operator(fixture->anna, NULL, &request, &response, NULL),
                     GK_ALREADY_EXISTS);
    strcpy(request.operator_id, "first"); /* --init's */
    assert_int_equal(guika_v1_operator_service_add_operator(fixture->anna, NULL, &request, &response, NULL),
                     GK_ALREADY_EXISTS);
    strcpy(request.operator_id, "two words");
    assert_int_equal(guika_v1_operator_service_add_operator(fixture->anna, NULL, &request, &response, NULL),
                     GK_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue_shows_reason_and_masked_candidates),
        TEST(test_queue_is_listed_oldest_first_in_pages),
        TEST(test_picture_is_for_viewers_and_every_view_is_audited),
        TEST(test_typed_number_identifies_the_card_and_its_notice_leaves),
        TEST(test_number_that_breaks_the_rules_is_refused),
        TEST(test_unregistered_number_keeps_its_token_until_an_import_knows_it),
        TEST(test_notice_of_a_card_that_is_not_stored_yet_waits),
        TEST(test_id_card_needs_two_operators_who_agree),
        TEST(test_retry_reads_the_kept_picture_again),
        TEST(test_all_are_tried_again_by_themselves_and_what_stays_leaves_no_trace),
        TEST(test_retry_without_picture_and_number_says_what_to_do),
        TEST(test_discarded_card_is_destroyed_and_its_picture_erased),
        TEST(test_card_is_handed_to_a_named_issuer),
        TEST(test_operator_is_added_once_with_a_role_of_its_own),
    };

    return cmocka_run_group_tests_name("core/difficult", tests, NULL, NULL);
}
