#include "core/memory.h"
#include "core/services/issuer_found.h"
#include "core/services/services.h"
#include "core/task.h"
#include "guika/v1/issuer.rpc.h"
#include "rpc/repeated.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    ROWS_MAX = 500, /* CardRows in a page, as the schema says */
    BUSY_RETRY_MS = 1000,
};

/* One ImportCards or RevokeCard on its way: the numbers go to a reader first, then to the registry. */
struct errand {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_ImportCardsRequest *import; /* else NULL */
    const guika_v1_RevokeCardRequest *revoke;  /* else NULL */
    struct gk_repeated questions;
    uint8_t *answers;
    size_t answers_size;
    guika_v1_ImportCardsResponse imported;
    enum gk_status status;
    struct gk_error error;
};

static void end(struct errand *errand)
{
    if (errand->questions.data != NULL) {
        sodium_memzero(errand->questions.data, errand->questions.size);
    }
    if (errand->answers != NULL) {
        sodium_memzero(errand->answers, errand->answers_size);
    }
    gk_repeated_free(&errand->questions);
    free(errand->answers);
    free(errand);
}

static void fail(struct errand *errand)
{
    gk_rpc_fail(errand->call, errand->status, "%s", errand->error.message);
    end(errand);
}

static enum gk_status ask(struct errand *errand, const char *scheme, const char *number)
{
    guika_v1_internal_NumberQuestion question = {0};

    (void)snprintf(question.scheme, sizeof question.scheme, "%s", scheme);
    (void)snprintf(question.number, sizeof question.number, "%s", number);
    return gk_repeated_append(&errand->questions, guika_v1_internal_NumberQuestion_fields, &question);
}

static enum gk_status ask_page(struct errand *errand)
{
    struct gk_bytes rest = errand->import->page_rows;
    guika_v1_CardRow row;
    enum gk_status status;
    size_t rows = 0;

    while ((status = gk_repeated_next(&rest, guika_v1_CardRow_fields, &row)) == GK_OK) {
        if (++rows > ROWS_MAX) {
            return gk_error_set(&errand->error, GK_INVALID_ARGUMENT, "a page has at most %d rows", ROWS_MAX);
        }
        status = ask(errand, row.scheme, row.number);
        if (status != GK_OK) {
            return gk_error_set(&errand->error, status, "the page could not be handed on");
        }
    }
    sodium_memzero(&row, sizeof row);
    return status == GK_NOT_FOUND
               ? GK_OK
               : gk_error_set(&errand->error, GK_INVALID_ARGUMENT, "row %zu of the page is no CardRow", rows);
}

/* [worker] */
static void run_ask(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);

    errand->status = errand->import != NULL ? ask_page(errand)
                                            : ask(errand, errand->revoke->scheme, errand->revoke->number);
}

/* By the number, as a reader understood it. */
static enum gk_status revoke_number(struct errand *errand, struct gk_card_tokens *ret_tokens)
{
    struct gk_bytes rest = {errand->answers, errand->answers_size};
    guika_v1_internal_NumberAnswer answer = {0};

    if (gk_repeated_next(&rest, guika_v1_internal_NumberAnswer_fields, &answer) != GK_OK) {
        return gk_error_set(&errand->error, GK_INTERNAL, "the reader gave no answer");
    }
    if (answer.matches_count == 0) {
        return gk_error_set(&errand->error, GK_INVALID_ARGUMENT, "not a valid number: %s", answer.problem);
    }
    return gk_registry_revoke(errand->services->registry, gk_rpc_call_principal(errand->call)->id,
                              answer.matches[0].scheme, answer.matches[0].number, ret_tokens, &errand->error);
}

/* Cancels the card in the list, and then what was found of it. */
static enum gk_status revoke_card(struct errand *errand)
{
    const guika_v1_RevokeCardRequest *request = errand->revoke;
    const char *issuer = gk_rpc_call_principal(errand->call)->id;
    struct gk_card_tokens tokens = {.count = 1};
    enum gk_status status;

    if (request->token.size == 0) {
        status = revoke_number(errand, &tokens);
    } else {
        memcpy(tokens.tokens[0], request->token.bytes, GK_TOKEN_SIZE);
        status = gk_registry_revoke_token(errand->services->registry, issuer, request->scheme,
                                          tokens.tokens[0], &errand->error);
    }
    for (size_t i = 0; status == GK_OK && i < tokens.count; i++) {
        status = gk_issuer_cancel_found(errand->services, issuer, tokens.tokens[i], &errand->error);
    }
    return status;
}

/* [worker] */
static void run_registry(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);

    if (errand->revoke != NULL) {
        errand->status = revoke_card(errand);
        return;
    }
    errand->status = gk_registry_import_page(
        errand->services->registry, gk_rpc_call_principal(errand->call)->id, errand->import,
        (struct gk_bytes){errand->answers, errand->answers_size}, &errand->imported, &errand->error);
}

static void on_registry_done(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);
    const char *issuer = gk_rpc_call_principal(errand->call)->id;

    if (errand->status != GK_OK) {
        fail(errand);
        return;
    }
    if (errand->revoke != NULL) {
        const guika_v1_RevokeCardResponse response = {0};

        gk_log(errand->services->log, GK_LOG_INFO, "card_revoked", {"issuer", issuer});
        guika_v1_issuer_service_revoke_card_reply(errand->call, &response);
    } else {
        if (errand->imported.in_force) {
            gk_log(errand->services->log, GK_LOG_INFO, "import_in_force", {"issuer", issuer});
            gk_difficult_rematch(errand->services->difficult);
            if (errand->services->collapse != NULL) {
                gk_collapse_poke(errand->services->collapse);
            }
        }
        guika_v1_issuer_service_import_cards_reply(errand->call, &errand->imported);
    }
    end(errand);
}

static void start_registry(struct errand *errand)
{
    errand->task.run = run_registry;
    errand->task.done = on_registry_done;
    gk_task_start(errand->services->loop, &errand->task);
}

static void on_numbers_checked(void *context, enum gk_status status, struct gk_bytes answers)
{
    struct errand *errand = context;

    if (status != GK_OK || answers.size == 0) {
        errand->status =
            gk_error_set(&errand->error, GK_UNAVAILABLE, "no reader could check the numbers; try again");
        fail(errand);
        return;
    }
    errand->answers = gk_allocate(answers.size + 1);
    errand->answers_size = answers.size;
    memcpy(errand->answers, answers.data, answers.size);
    start_registry(errand);
}

static void on_asked(struct gk_task *task)
{
    struct errand *errand = gk_container_of(task, struct errand, task);

    if (errand->status != GK_OK) {
        fail(errand);
    } else if (errand->questions.size == 0) {
        start_registry(errand); /* a page without rows, as the last one may be */
    } else if (!gk_reader_jobs_check_numbers(errand->services->jobs, gk_repeated_bytes(&errand->questions),
                                             on_numbers_checked, errand)) {
        gk_rpc_fail_busy(errand->call, BUSY_RETRY_MS, "too much waits for the readers");
        end(errand);
    }
}

static struct errand *begin(struct gk_rpc_call *call, struct gk_services *services)
{
    struct errand *errand = gk_allocate(sizeof *errand);

    errand->call = call;
    errand->services = services;
    errand->task.run = run_ask;
    errand->task.done = on_asked;
    return errand;
}

static void on_import_cards(struct gk_rpc_call *call, const guika_v1_ImportCardsRequest *request,
                            void *context)
{
    struct gk_services *services = context;
    struct errand *errand = begin(call, services);

    errand->import = request;
    gk_task_start(services->loop, &errand->task);
}

static void on_revoke_card(struct gk_rpc_call *call, const guika_v1_RevokeCardRequest *request, void *context)
{
    struct gk_services *services = context;
    if (request->token.size != 0 && (request->token.size != GK_TOKEN_SIZE || request->number[0] != '\0')) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "give the number, or its token of %d bytes", GK_TOKEN_SIZE);
        return;
    }
    struct errand *errand = begin(call, services);

    errand->revoke = request;
    if (request->token.size != 0) {
        start_registry(errand);
    } else {
        gk_task_start(services->loop, &errand->task);
    }
}

struct gk_rpc_binding gk_issuer_service(struct gk_services *services)
{
    static const struct guika_v1_issuer_service_handlers handlers = {
        .import_cards = on_import_cards,
        .revoke_card = on_revoke_card,
        .next_found = gk_issuer_on_next_found,
        .acknowledge_found = gk_issuer_on_acknowledge_found,
        .decide_found = gk_issuer_on_decide_found,
    };

    return (struct gk_rpc_binding){&guika_v1_issuer_service, &handlers, services};
}
