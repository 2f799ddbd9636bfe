#include "tests/core/life_model/driver.h"

#include "core/holdings.h"
#include "core/pickup.h"
#include "core/security/hex.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/repeated.h"
#include "tests/core/security/scratch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct gk_rpc_call_options driver_patience = {.deadline_ms = 120000};

void driver_must(const struct driver *driver, bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "the rig: %s: %s\n", what, driver->error.message);
        abort();
    }
}

struct driver_card *driver_find(struct driver *driver, uint32_t name)
{
    for (uint32_t i = driver->card_count; i > 0; i--) {
        if (driver->cards[i - 1].name == name) {
            return &driver->cards[i - 1];
        }
    }
    return NULL;
}

struct driver_card *driver_add(struct driver *driver, uint32_t name, uint32_t box)
{
    assert(driver->card_count < CARDS_MAX);
    struct driver_card *card = &driver->cards[driver->card_count++];

    *card = (struct driver_card){.name = name, .box = box % BOXES};
    return card;
}

void driver_case_number(const struct driver_card *card, char ret_text[33])
{
    gk_hex_encode(card->case_id, GK_CASE_ID_SIZE, ret_text);
}

void driver_contact(uint32_t contact, char ret_text[64])
{
    (void)snprintf(ret_text, 64, "smtp:watcher-%u@b.example", contact);
}

/* --- the reader --- */

static void see(struct driver *driver, guika_v1_internal_CompleteRecognitionRequest *ret_seen)
{
    static const uint8_t picture[] = "redacted";
    const uint32_t reading = atomic_load(&driver->reading);

    memset(ret_seen, 0, sizeof *ret_seen);
    if (!atomic_load(&driver->no_picture)) {
        ret_seen->redacted_picture = (struct gk_bytes){picture, sizeof picture};
    }
    ret_seen->another_frame_may_help = atomic_load(&driver->may_ask);
    if (reading >= READING_REASON) {
        ret_seen->reason = (guika_v1_Reason)(reading - READING_REASON);
        return;
    }
    const struct world_number *number = &world_numbers[reading];
    guika_v1_internal_Candidate *candidate = &ret_seen->candidates[0];

    ret_seen->candidates_count = 1;
    (void)snprintf(candidate->issuer, sizeof candidate->issuer, "%s", number->issuer);
    (void)snprintf(candidate->scheme, sizeof candidate->scheme, "%s", number->scheme);
    (void)snprintf(candidate->number, sizeof candidate->number, "%s", number->number);
    (void)snprintf(candidate->masked, sizeof candidate->masked, "•••• %s",
                   number->number + strlen(number->number) - 4);
    candidate->kind = number->kind;
    candidate->probability = 0.99999;
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
        guika_v1_internal_NumberMatch *match = &answer.matches[0];

        for (uint32_t i = 0; i < NUMBERS; i++) {
            if (strcmp(world_numbers[i].number, question.number) == 0) {
                answer.matches_count = 1;
                (void)snprintf(match->scheme, sizeof match->scheme, "%s", world_numbers[i].scheme);
                (void)snprintf(match->issuer, sizeof match->issuer, "%s", world_numbers[i].issuer);
                (void)snprintf(match->number, sizeof match->number, "%s", world_numbers[i].number);
                match->kind = world_numbers[i].kind;
            }
        }
        (void)gk_repeated_append(&answers, guika_v1_internal_NumberAnswer_fields, &answer);
    }
    request.answers = gk_repeated_bytes(&answers);
    (void)guika_v1_internal_reader_service_complete_numbers(reader, &driver_patience, &request, &response,
                                                            NULL);
    gk_repeated_free(&answers);
}

/* Reads until the service goes down. */
static void *run_reader(void *context)
{
    struct driver *driver = context;
    struct gk_rpc_client *reader = driver->reader_line;
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    guika_v1_internal_CompleteRecognitionRequest *seen = calloc(1, sizeof *seen);
    const guika_v1_internal_LeaseJobRequest request = {0};

    while (guika_v1_internal_reader_service_lease_job(reader, &driver_patience, &request, job, NULL) ==
           GK_OK) {
        if (job->job_id != 0 && job->which_job == guika_v1_internal_LeaseJobResponse_numbers_tag) {
            answer_numbers(reader, job);
        } else if (job->job_id != 0) {
            see(driver, seen);
            (void)core_rig_complete(reader, job->job_id, seen);
        }
        memset(job, 0, sizeof *job);
    }
    free(seen);
    free(job);
    return NULL;
}

/* --- what the daemon wires to the outbox --- */

static enum gk_status find_holder(void *context, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    const struct core_rig *rig = &((struct driver *)context)->rig;

    return gk_holdings_contacts(rig->registry, rig->store, rig->keys, issuer_account, holder_token,
                                ret_contacts, error);
}

static void find_issuer_name(void *context, const char *issuer, struct gk_issuer_name *ret_name)
{
    (void)context;
    (void)snprintf(ret_name->en, sizeof ret_name->en, "%s", issuer);
}

static enum gk_status on_delivered(void *context, struct gk_transaction *transaction,
                                   const guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    (void)context;
    return gk_found_card_notified(transaction, notice->case_id.bytes, error);
}

static enum gk_status find_pickup(void *context, const guika_v1_internal_NoticeRecord *notice,
                                  const guika_v1_internal_HolderContacts *holder,
                                  struct gk_outbox_pickup *ret_pickup, struct gk_error *error)
{
    const struct core_rig *rig = &((struct driver *)context)->rig;
    const struct gk_pickup_parts parts = {rig->store, rig->keys, rig->registry, &rig->retention};

    return gk_pickup_tell(&parts, notice->case_id.bytes, holder, ret_pickup, error);
}

/* --- start and end --- */

void driver_connect(struct driver *driver)
{
    static const char *const operators[OPERATORS] = {"anna", "ben"};
    static const struct gk_channel_setting channels[] = {{"smtp", "plugin", "maildir"},
                                                         {"sms", "plugin", "maildir"}};

    for (uint32_t i = 0; i < BOXES; i++) {
        driver->boxes[i] = core_rig_connect(&driver->rig, GK_ROLE_BOX, world_box(i));
    }
    for (uint32_t i = 0; i < OPERATORS; i++) {
        driver->operators[i] = core_rig_connect(&driver->rig, GK_ROLE_OPERATOR, operators[i]);
    }
    driver->viewer = core_rig_connect(&driver->rig, GK_ROLE_VIEWER, "vera");
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        driver->issuers[i] = core_rig_connect(&driver->rig, GK_ROLE_ISSUER, world_accounts[i].name);
    }
    driver->outbox = (struct gk_outbox_options){.store = driver->rig.store,
                                                .keys = driver->rig.keys,
                                                .settings = channels,
                                                .setting_count = sizeof channels / sizeof channels[0],
                                                .holder = find_holder,
                                                .issuer_name = find_issuer_name,
                                                .pickup = find_pickup,
                                                .on_delivered = on_delivered,
                                                .context = driver};
    driver->reader_line = core_rig_connect(&driver->rig, GK_ROLE_READER, "reader-0");
    driver_must(driver, pthread_create(&driver->reader, NULL, run_reader, driver) == 0,
                "no thread for the reader");
}

void driver_leave(struct driver *driver)
{
    core_rig_stop(&driver->rig);
    (void)pthread_join(driver->reader, NULL);
    gk_rpc_client_close(driver->reader_line);
    for (uint32_t i = 0; i < BOXES; i++) {
        gk_rpc_client_close(driver->boxes[i]);
    }
    for (uint32_t i = 0; i < OPERATORS; i++) {
        gk_rpc_client_close(driver->operators[i]);
    }
    gk_rpc_client_close(driver->viewer);
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        gk_rpc_client_close(driver->issuers[i]);
    }
}

static void add_places(struct driver *driver)
{
    guika_v1_AddBoxResponse box_added = {0};
    guika_v1_AddDeskResponse desk_added = {0};
    guika_v1_AddStaffResponse staff_added = {0};
    const guika_v1_AddStaffRequest staff = {.staff_id = "sam"};

    for (uint32_t i = 0; i < BOXES; i++) {
        guika_v1_AddBoxRequest request = {.has_place = true, .place.en = "Hall"};

        (void)snprintf(request.box_id, sizeof request.box_id, "%s", world_box(i));
        driver_must(driver,
                    guika_v1_operator_service_add_box(driver->operators[0], &driver_patience, &request,
                                                      &box_added, &driver->error) == GK_OK,
                    "no box");
    }
    for (uint32_t i = 0; i < DESKS; i++) {
        guika_v1_AddDeskRequest request = {.has_place = true, .place.en = "Desk"};

        (void)snprintf(request.desk_id, sizeof request.desk_id, "%s", world_place(AT_DESK, i));
        driver_must(driver,
                    guika_v1_operator_service_add_desk(driver->operators[0], &driver_patience, &request,
                                                       &desk_added, &driver->error) == GK_OK,
                    "no desk");
    }
    driver_must(driver,
                guika_v1_operator_service_add_staff(driver->operators[0], &driver_patience, &staff,
                                                    &staff_added, &driver->error) == GK_OK,
                "no staff");
    (void)snprintf(driver->staff, sizeof driver->staff, "%s", staff_added.token);
}

static void add_accounts(struct driver *driver)
{
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        guika_v1_AddIssuerRequest request = {.bindings_count = 1};
        guika_v1_AddIssuerResponse response = {0};

        (void)snprintf(request.issuer_id, sizeof request.issuer_id, "%s", world_accounts[i].name);
        (void)snprintf(request.bindings[0], sizeof request.bindings[0], "%s", world_accounts[i].binding);
        request.policy = world_accounts[i].through_issuer
                             ? guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER
                             : guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE;
        /* The rig has an account "bank" already. */
        driver_must(driver,
                    i == 0 ||
                        guika_v1_operator_service_add_issuer(driver->operators[0], &driver_patience, &request,
                                                             &response, &driver->error) == GK_OK,
                    "no account");
        driver_must(driver, driver_import(driver, i, world_accounts[i].registered) == GK_OK, "no list");
    }
}

struct driver *driver_open(enum driver_fault fault)
{
    const struct core_rig_options options = {.lease_ms = 600000,
                                             .reader_wait_ms = 600000,
                                             .frames_wait_ms = UINT32_MAX,
                                             .sweep_turn_ms = UINT32_MAX};
    struct driver *driver = calloc(1, sizeof *driver);

    driver->fault = fault;
    driver->cards = calloc(CARDS_MAX, sizeof *driver->cards);
    driver->notice = calloc(1, sizeof *driver->notice);
    core_rig_start(&driver->rig, &options);
    atomic_store(&driver->rig.now_ms, WORLD_BEGINS_MS);
    driver_connect(driver);
    add_places(driver);
    add_accounts(driver);
    return driver;
}

void driver_close(struct driver *driver)
{
    driver_leave(driver);
    scratch_remove(driver->rig.folder);
    (void)pthread_cond_destroy(&driver->rig.changed);
    (void)pthread_mutex_destroy(&driver->rig.lock);
    free(driver->notice);
    free(driver->cards);
    free(driver);
}

enum gk_status driver_do(struct driver *driver, const struct operation *operation, bool *ret_did)
{
    atomic_store(&driver->reading, operation->reading);
    atomic_store(&driver->may_ask, operation->may_ask);
    atomic_store(&driver->no_picture, operation->no_picture);
    switch (operation->kind) {
    case OP_DEPOSIT:
    case OP_DEPOSIT_TWO:
    case OP_DEPOSIT_RACE:
    case OP_DEPOSIT_AGAIN:
    case OP_ADD_FRAMES:
    case OP_STORE:
    case OP_HEARTBEAT:
        return driver_box(driver, operation);
    case OP_PICKUP:
    case OP_COLLECTED:
    case OP_HAND_OUT:
        return driver_pickup(driver, operation);
    case OP_COURIER:
        return driver_courier(driver, operation, ret_did);
    case OP_PASS:
        return driver_pass(driver, operation->pass_ms);
    case OP_PLUGIN:
        return driver_read_all(driver);
    case OP_CRASH:
        return driver_crash(driver, operation->what == 1);
    case OP_ROTATE:
        return driver_rotate(driver);
    case OP_ACKNOWLEDGE:
    case OP_DECIDE:
    case OP_IMPORT:
    case OP_REVOKE:
    case OP_FORGET:
    case OP_WATCH:
    case OP_GRANT:
        return driver_issuer(driver, operation);
    default:
        return driver_people(driver, operation);
    }
}

enum gk_status driver_apply(struct driver *driver, const struct operation *operation, bool *ret_did)
{
    *ret_did = true;
    driver->error.message[0] = '\0';
    atomic_fetch_add(&driver->rig.now_ms, 1);
    return operation->lost ? driver_lose(driver, operation) : driver_do(driver, operation, ret_did);
}
