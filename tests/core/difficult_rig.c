#include "tests/core/difficult_rig.h"

#include "core/security/hex.h"
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "rpc/repeated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

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

static bool is_limit_reached(const struct difficult_rig *rig)
{
    const unsigned limit = atomic_load(&rig->read_limit);

    return limit != 0 && atomic_load(&rig->read) >= limit;
}

static void *run_reader(void *context)
{
    struct difficult_rig *rig = context;
    struct gk_rpc_client *reader = rig->reader_client;
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    const guika_v1_internal_LeaseJobRequest request = {0};
    const struct gk_rpc_call_options options = {.deadline_ms = 1200};

    while (!atomic_load(&rig->stop) && !is_limit_reached(rig)) {
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

        (void)snprintf(rig->last_picture, sizeof rig->last_picture, "%.*s", (int)picture.size,
                       (const char *)picture.data);
        rig->seen->job_id = job->job_id;
        atomic_fetch_add(&rig->read, 1);
        (void)core_rig_complete(reader, job->job_id, rig->seen);
    }
    free(job);
    gk_rpc_client_close(reader);
    return NULL;
}

/* The reader is in doubt between two numbers, and keeps a picture. */
void difficult_be_in_doubt(struct difficult_rig *rig)
{
    static const uint8_t picture[] = "redacted picture";
    guika_v1_internal_CompleteRecognitionRequest *seen = rig->seen;

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

void difficult_start_reader(struct difficult_rig *rig)
{
    atomic_store(&rig->stop, false);
    rig->reader_client = core_rig_connect(&rig->core, GK_ROLE_READER, "reader-0");
    assert_int_equal(pthread_create(&rig->reader, NULL, run_reader, rig), 0);
}

void difficult_stop_reader(struct difficult_rig *rig)
{
    atomic_store(&rig->stop, true);
    (void)pthread_join(rig->reader, NULL);
}

static void connect_all(struct difficult_rig *rig)
{
    rig->anna = core_rig_connect(&rig->core, GK_ROLE_OPERATOR, "anna");
    rig->ben = core_rig_connect(&rig->core, GK_ROLE_OPERATOR, "ben");
    rig->viewer = core_rig_connect(&rig->core, GK_ROLE_VIEWER, "vera");
    rig->box = core_rig_connect(&rig->core, GK_ROLE_BOX, "library-1");
    rig->issuer = core_rig_connect(&rig->core, GK_ROLE_ISSUER, "bank");
}

static void close_all(struct difficult_rig *rig)
{
    gk_rpc_client_close(rig->anna);
    gk_rpc_client_close(rig->ben);
    gk_rpc_client_close(rig->viewer);
    gk_rpc_client_close(rig->box);
    gk_rpc_client_close(rig->issuer);
}

void difficult_restart(struct difficult_rig *rig)
{
    difficult_stop_reader(rig);
    close_all(rig);
    core_rig_restart(&rig->core);
    connect_all(rig);
    atomic_store(&rig->read_limit, 0);
    difficult_start_reader(rig);
}

int difficult_setup(void **state)
{
    struct difficult_rig *rig = calloc(1, sizeof *rig);

    core_rig_start(&rig->core, NULL);
    connect_all(rig);
    rig->seen = calloc(1, sizeof *rig->seen);
    difficult_be_in_doubt(rig);
    difficult_start_reader(rig);
    *state = rig;
    return 0;
}

int difficult_teardown(void **state)
{
    struct difficult_rig *rig = *state;

    difficult_stop_reader(rig);
    close_all(rig);
    core_rig_end(&rig->core);
    free(rig->seen);
    free(rig);
    return 0;
}

/* --- what is done --- */

/* Drops a card, which the reader finds difficult, and stores it; returns its case. */
const char *difficult_drop(struct difficult_rig *rig, const char *deposit_id)
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
    assert_int_equal(guika_v1_box_service_deposit(rig->box, NULL, request, &response, NULL), GK_OK);
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_DIFFICULT);
    strcpy(stored.deposit_id, deposit_id);
    assert_int_equal(guika_v1_box_service_confirm_stored(rig->box, NULL, &stored, &confirmed, NULL), GK_OK);
    free(request);
    strcpy(case_id, response.case_id);
    return case_id;
}

enum gk_status difficult_resolve(struct difficult_rig *rig, struct gk_rpc_client *who, const char *case_id,
                                 const char *number)
{
    guika_v1_ResolveRequest request = {0};

    strcpy(request.case_id, case_id);
    strcpy(request.number, number);
    memset(&rig->resolved, 0, sizeof rig->resolved);
    return guika_v1_operator_service_resolve(who, NULL, &request, &rig->resolved, &rig->error);
}

enum gk_status difficult_retry(struct difficult_rig *rig, const char *case_id)
{
    guika_v1_DifficultCaseRequest request = {0};

    strcpy(request.case_id, case_id);
    memset(&rig->resolved, 0, sizeof rig->resolved);
    return guika_v1_operator_service_retry(rig->anna, NULL, &request, &rig->resolved, &rig->error);
}

guika_v1_internal_FoundCard difficult_card_of(struct difficult_rig *rig, const char *case_id)
{
    guika_v1_internal_FoundCard card = {0};
    uint8_t key[GK_CASE_ID_SIZE];

    assert_true(gk_hex_decode(case_id, key, sizeof key));
    assert_int_equal(gk_record_read(rig->core.store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){key, sizeof key}, guika_v1_internal_FoundCard_fields,
                                    &card, NULL),
                     GK_OK);
    return card;
}

int difficult_notice_state(struct difficult_rig *rig, const guika_v1_internal_FoundCard *card)
{
    guika_v1_internal_NoticeRecord notice = {0};

    assert_int_equal(gk_record_read(rig->core.store, GK_FAMILY_OUTBOX,
                                    (struct gk_bytes){card->notice_id.bytes, card->notice_id.size},
                                    guika_v1_internal_NoticeRecord_fields, &notice, NULL),
                     GK_OK);
    return (int)notice.state;
}

uint64_t difficult_audited(struct difficult_rig *rig)
{
    uint64_t entries = 0;

    assert_int_equal(gk_store_verify_audit(rig->core.store, &entries, NULL), GK_OK);
    return entries;
}

static bool keep_last(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    return gk_record_decode(value, guika_v1_internal_AuditEntry_fields, context, NULL) != GK_OK;
}

void difficult_assert_last_entry(struct difficult_rig *rig, const char *actor, const char *action)
{
    guika_v1_internal_AuditEntry entry = {0};
    const struct gk_bytes all = {0};

    assert_int_equal(gk_store_scan(rig->core.store, GK_FAMILY_AUDIT, all, all, true, keep_last, &entry, NULL),
                     GK_OK);
    assert_string_equal(entry.actor, actor);
    assert_string_equal(entry.action, action);
}

guika_v1_ListDifficultResponse *difficult_list(struct difficult_rig *rig)
{
    guika_v1_ListDifficultResponse *response = calloc(1, sizeof *response);
    const guika_v1_ListDifficultRequest request = {0};

    assert_int_equal(
        guika_v1_operator_service_list_difficult(rig->anna, NULL, &request, response, &rig->error), GK_OK);
    return response;
}

size_t difficult_queued(struct difficult_rig *rig)
{
    guika_v1_ListDifficultResponse *response = difficult_list(rig);
    const size_t count = response->cards_count;

    free(response);
    return count;
}

enum gk_status difficult_view(struct difficult_rig *rig, struct gk_rpc_client *who, const char *case_id,
                              char ret_picture[64])
{
    guika_v1_GetPictureRequest request = {0};
    guika_v1_GetPictureResponse response = {0};

    strcpy(request.case_id, case_id);
    const enum gk_status status =
        guika_v1_operator_service_get_picture(who, NULL, &request, &response, &rig->error);

    (void)snprintf(ret_picture, 64, "%.*s", (int)response.picture.size, (const char *)response.picture.data);
    return status;
}

/* Waits until the case is in `state`, 5 s at most. */
void difficult_await_state(struct difficult_rig *rig, const char *case_id, int state)
{
    for (int i = 0; i < 500 && (int)difficult_card_of(rig, case_id).state != state; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(difficult_card_of(rig, case_id).state, state);
}

/* Waits until the vault has no picture of the case, 5 s at most. */
void difficult_await_erasure(struct difficult_rig *rig, const char *case_id)
{
    struct gk_value picture = {0};
    uint8_t key[GK_CASE_ID_SIZE];
    enum gk_status status = GK_OK;

    assert_true(gk_hex_decode(case_id, key, sizeof key));
    for (int i = 0; i < 500 && status == GK_OK; i++) {
        gk_value_free(&picture);
        status = gk_picture_vault_get(rig->core.vault, key, 0, &picture, NULL);
        (void)usleep(10000);
    }
    assert_int_equal(status, GK_NOT_FOUND);
}

void difficult_import(struct difficult_rig *rig, const char *import_id, const char *number)
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
    assert_int_equal(guika_v1_issuer_service_import_cards(rig->issuer, NULL, request, response, &rig->error),
                     GK_OK);
    assert_true(response->in_force);
    gk_repeated_free(&rows);
    free(response);
    free(request);
}
