/*
 * Can who asks tell, by the answer or by its time, whether a card was found, is registered, or is unknown? A
 * real server, store and registry; one client over TCP on the loopback, one call after the other.
 *
 * Each block asks one question of each class in random order, so that whatever else the machine does falls on
 * all classes alike. The measure is the area under the curve of a distinguisher that calls slow answers one
 * class and quick answers the other (or the other way round, whichever is better): the share of pairs that it
 * orders rightly, Mann and Whitney's U / nm. 0.5 is guessing; with n = m = 10,000 its standard error is
 * sqrt((n + m + 1) / 12nm) = 0.0041. The best single threshold's advantage (Kolmogorov and Smirnov's
 * distance) stands beside it.
 */
#include "bench/rounds.h"
#include "core/found_card.h"
#include "guika/v1/holder.rpc.h"
#include "rpc/repeated.h"
#include "tests/core/core_rig.h"

#include <math.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLASSES = 3, PAGE_ROWS = 500, WARM_UP = 200, WAIT_MS = 300 };

static const double AUC_LIMIT = 0.52; /* what the service promises */
static const char *const classes[CLASSES] = {"found", "registered", "unknown"};

struct bench {
    struct core_rig rig;
    struct gk_rpc_client *client;
    unsigned count; /* questions of each class */
    double *times_us[CLASSES];
    unsigned refused; /* asked again, because the queue was full */
    bool failed;
};

static void must(const char *what, enum gk_status status, const struct gk_error *error)
{
    if (status != GK_OK) {
        (void)fprintf(stderr, "enquiries: %s: %s\n", what, error->message);
        exit(1);
    }
}

/* --- what is true --- */

/* Sixteen digits that begin with 62 and pass Luhn's check are not needed: what counts is that they are
 * equally long. */
static void make_number(unsigned class, unsigned index, char ret_number[40])
{
    (void)snprintf(ret_number, 40, "6250%u%05u123456", class + 1, index);
}

static void make_contact(unsigned class, unsigned index, char ret_contact[64])
{
    (void)snprintf(ret_contact, 64, "holder-%u-%05u@bench.example", class + 1, index);
}

static void add_row(struct gk_repeated *rows, struct gk_repeated *answers, unsigned class, unsigned index)
{
    guika_v1_CardRow row = {.scheme = "iso7812", .contacts_count = 1};
    guika_v1_internal_NumberAnswer answer = {.matches_count = 1};
    char contact[64];

    make_number(class, index, row.number);
    make_contact(class, index, contact);
    (void)snprintf(row.holder_id, sizeof row.holder_id, "%u-%u", class, index);
    (void)snprintf(row.contacts[0], sizeof row.contacts[0], "smtp:%s", contact);
    strcpy(answer.matches[0].scheme, "iso7812");
    memcpy(answer.matches[0].number, row.number, sizeof answer.matches[0].number);
    answer.matches[0].kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    (void)gk_repeated_append(rows, guika_v1_CardRow_fields, &row);
    (void)gk_repeated_append(answers, guika_v1_internal_NumberAnswer_fields, &answer);
}

/* Those that were found and those that are only registered, mixed, in one list. */
static void import_cards(struct bench *bench)
{
    guika_v1_ImportCardsRequest request = {.import_id = "bench"};
    guika_v1_ImportCardsResponse *response = calloc(1, sizeof *response);
    const unsigned rows_in_all = 2 * bench->count;

    for (unsigned done = 0; done < rows_in_all; request.page++) {
        struct gk_repeated rows = {0};
        struct gk_repeated answers = {0};
        struct gk_error error;

        for (unsigned i = 0; i < PAGE_ROWS && done < rows_in_all; i++, done++) {
            add_row(&rows, &answers, done % 2, done / 2);
        }
        request.page_rows = gk_repeated_bytes(&rows);
        request.last = done == rows_in_all;
        must("import",
             gk_registry_import_page(bench->rig.registry, "bank", &request, gk_repeated_bytes(&answers),
                                     response, &error),
             &error);
        gk_repeated_free(&rows);
        gk_repeated_free(&answers);
    }
    free(response);
}

struct finding {
    struct gk_work work;
    struct gk_found_card_decision decision;
    bool stored;
    sem_t *done;
};

static enum gk_status apply_finding(struct gk_work *work, struct gk_transaction *transaction,
                                    struct gk_error *error)
{
    struct finding *finding = (struct finding *)work;
    guika_v1_ConfirmStoredRequest request = {.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED,
                                             .zone = guika_v1_Zone_ZONE_NORMAL,
                                             .compartment = "A7"};
    guika_v1_internal_DepositRecord deposit;
    uint8_t case_id[GK_CASE_ID_SIZE];

    if (!finding->stored) {
        return gk_found_card_decide(transaction, &finding->decision, &deposit, error);
    }
    memcpy(request.deposit_id, finding->decision.card.deposit_id, sizeof request.deposit_id);
    return gk_found_card_confirm(transaction, "library-1", &request, case_id, error);
}

static void finding_done(struct gk_work *work, enum gk_status status, const struct gk_error *error)
{
    must("find", status, error);
    (void)sem_post(((struct finding *)work)->done);
}

static void describe(const struct bench *bench, unsigned index, struct finding *finding)
{
    guika_v1_internal_FoundCard *card = &finding->decision.card;
    char number[40];
    char holder[24];

    make_number(0, index, number);
    (void)snprintf(holder, sizeof holder, "0-%u", index);
    randombytes_buf(card->case_id, GK_CASE_ID_SIZE);
    card->state = guika_v1_CardState_CARD_STATE_IDENTIFIED;
    card->decided_zone = guika_v1_Zone_ZONE_NORMAL;
    strcpy(card->box_id, "library-1");
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", index);
    card->card_token.size = GK_TOKEN_SIZE;
    gk_keys_card_token(bench->rig.keys, "iso7812", number, card->card_token.bytes);
    strcpy(card->issuer_account, "bank");
    card->holder_token.size = GK_TOKEN_SIZE;
    gk_keys_holder_token(bench->rig.keys, "bank", holder, card->holder_token.bytes);
    memcpy(finding->decision.deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    finding->decision.deposit.has_answer = true;
}

/* All together, so that the store syncs once for many. */
static void find_cards(struct bench *bench)
{
    struct finding *findings = calloc(bench->count, sizeof *findings);
    sem_t done;

    (void)sem_init(&done, 0, 0);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < bench->count; i++) {
            if (round == 0) {
                describe(bench, i, &findings[i]);
            }
            findings[i].stored = round == 1;
            findings[i].done = &done;
            findings[i].work = (struct gk_work){.apply = apply_finding, .done = finding_done};
            while (!gk_store_commit(bench->rig.store, &findings[i].work)) {
                (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
            }
        }
        for (unsigned i = 0; i < bench->count; i++) {
            (void)sem_wait(&done);
        }
    }
    free(findings);
}

/* --- asking --- */

/* Asks once; false where the queue was full. */
typedef bool (*ask_fn)(struct bench *bench, unsigned class, unsigned index);

static bool settle(struct bench *bench, enum gk_status status, enum gk_status wanted, bool answer_is_right)
{
    if (status == GK_RESOURCE_EXHAUSTED) {
        return false;
    }
    bench->failed = bench->failed || status != wanted || !answer_is_right;
    return true;
}

static bool ask(struct bench *bench, const guika_v1_CheckStatusRequest *request)
{
    guika_v1_CheckStatusResponse response = {0};
    const enum gk_status status =
        guika_v1_holder_service_check_status(bench->client, NULL, request, &response, NULL);

    return settle(bench, status, GK_OK, response.answer == guika_v1_CheckStatusResponse_Answer_ACCEPTED);
}

static bool ask_by_number(struct bench *bench, unsigned class, unsigned index)
{
    guika_v1_CheckStatusRequest request = {0};

    make_number(class, index, request.number);
    return ask(bench, &request);
}

static bool ask_by_contact(struct bench *bench, unsigned class, unsigned index)
{
    guika_v1_CheckStatusRequest request = {0};

    make_contact(class, index, request.contact);
    return ask(bench, &request);
}

static bool ask_for_code(struct bench *bench, unsigned class, unsigned index)
{
    guika_v1_RequestCodeRequest request = {0};
    guika_v1_RequestCodeResponse response = {0};

    make_contact(class, index, request.contact);
    const enum gk_status status =
        guika_v1_holder_service_request_code(bench->client, NULL, &request, &response, NULL);

    return settle(bench, status, GK_OK, response.valid_s == 600);
}

/* Wrong, but for one time in ten thousand of all this. */
static bool try_code(struct bench *bench, unsigned class, unsigned index)
{
    guika_v1_ProveContactRequest request = {.code = "00000000"};
    guika_v1_ProveContactResponse response = {0};

    make_contact(class, index, request.contact);
    return settle(bench,
                  guika_v1_holder_service_prove_contact(bench->client, NULL, &request, &response, NULL),
                  GK_UNAUTHENTICATED, true);
}

static double time_one(struct bench *bench, ask_fn ask_one, unsigned class, unsigned index)
{
    for (;;) {
        /* The rig's clock stands still but for this: limits fill up again. */
        (void)atomic_fetch_add(&bench->rig.now_ms, 1);
        const int64_t began_ns = gk_bench_now_ns();

        if (ask_one(bench, class, index)) {
            return (double)(gk_bench_now_ns() - began_ns) / 1000;
        }
        bench->refused++;
        (void)nanosleep(&(struct timespec){.tv_nsec = WAIT_MS * 1000000L}, NULL);
    }
}

static void ask_block(struct bench *bench, ask_fn ask_one, unsigned index, bool counts)
{
    unsigned order[CLASSES] = {0, 1, 2};

    for (unsigned i = CLASSES - 1; i > 0; i--) {
        const unsigned j = randombytes_uniform(i + 1);
        const unsigned swapped = order[i];

        order[i] = order[j];
        order[j] = swapped;
    }
    for (unsigned i = 0; i < CLASSES; i++) {
        const double took_us = time_one(bench, ask_one, order[i], index);

        if (counts) {
            bench->times_us[order[i]][index] = took_us;
        }
    }
}

/* --- what it comes to --- */

static int compare_doubles(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;

    return (a > b) - (a < b);
}

struct verdict {
    double auc;       /* of the better direction: 0.5 to 1 */
    double advantage; /* of the best threshold */
};

/* Both sorted, `count` each. Ties count half. */
static struct verdict distinguish(const double *a, const double *b, unsigned count)
{
    double smaller = 0; /* pairs in which b < a, ties half */
    double distance = 0;
    unsigned below = 0;
    unsigned not_above = 0;

    for (unsigned i = 0; i < count; i++) {
        while (below < count && b[below] < a[i]) {
            below++;
        }
        while (not_above < count && b[not_above] <= a[i]) {
            not_above++;
        }
        smaller += (below + not_above) / 2.0;
        distance =
            fmax(distance, fmax(fabs((i + 1.0 - not_above) / count), fabs(((double)i - below) / count)));
    }
    const double auc = smaller / ((double)count * count);

    return (struct verdict){fmax(auc, 1 - auc), distance};
}

/* Prints a line; the AUC. */
static double print_pair(const struct bench *bench, unsigned a, unsigned b)
{
    const struct verdict verdict = distinguish(bench->times_us[a], bench->times_us[b], bench->count);

    (void)printf("  %-10s / %-10s  AUC %.4f   best threshold's advantage %.4f\n", classes[a], classes[b],
                 verdict.auc, verdict.advantage);
    return verdict.auc;
}

static void run(struct bench *bench, const char *title, ask_fn ask_one)
{
    double worst = 0;

    bench->refused = 0;
    for (unsigned i = 0; i < WARM_UP && i < bench->count; i++) {
        ask_block(bench, ask_one, i, false);
    }
    for (unsigned i = 0; i < bench->count; i++) {
        ask_block(bench, ask_one, i, true);
    }
    (void)printf("%s, %u of each class\n", title, bench->count);
    for (unsigned class = 0; class < CLASSES; class ++) {
        const double *times = bench->times_us[class];

        qsort(bench->times_us[class], bench->count, sizeof *times, compare_doubles);
        (void)printf("  %-10s  median %.0f us, 10%% %.0f us, 90%% %.0f us\n", classes[class],
                     times[bench->count / 2], times[bench->count / 10], times[bench->count * 9 / 10]);
    }
    for (unsigned a = 0; a < CLASSES; a++) {
        for (unsigned b = a + 1; b < CLASSES; b++) {
            worst = fmax(worst, print_pair(bench, a, b));
        }
    }
    (void)printf("  best distinguisher: AUC %.4f, promised under %.2f%s\n", worst, AUC_LIMIT,
                 worst < AUC_LIMIT ? "" : ": BROKEN");
    if (bench->refused > 0) {
        (void)printf("  %u times the queue was full, and the question was asked again\n", bench->refused);
    }
    bench->failed = bench->failed || worst >= AUC_LIMIT;
    (void)fflush(stdout);
}

/* --- start and end --- */

static void listen_here(struct core_rig *rig, void *ret_url)
{
    struct gk_error error;

    must("listen", gk_rpc_server_listen(rig->server, "tcp://127.0.0.1:0", NULL, &error), &error);
    (void)snprintf(ret_url, 64, "%s", gk_rpc_server_url(rig->server, 0));
}

int main(int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct gk_rpc_client_options options = {0};
    struct gk_error error;
    char url[64];

    bench->count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
    if (bench->count < 10 || bench->count > 100000) {
        (void)fprintf(stderr, "usage: enquiries [QUESTIONS-OF-EACH-CLASS], 10 to 100000\n");
        return 2;
    }
    core_rig_start(&bench->rig, NULL);
    core_rig_run(&bench->rig, listen_here, url);
    options.url = url;
    must("connect", gk_rpc_client_open(&options, &bench->client, &error), &error);
    import_cards(bench);
    find_cards(bench);
    for (unsigned i = 0; i < CLASSES; i++) {
        bench->times_us[i] = calloc(bench->count, sizeof *bench->times_us[i]);
    }
    run(bench, "CheckStatus by number", ask_by_number);
    run(bench, "CheckStatus by contact", ask_by_contact);
    run(bench, "RequestCode", ask_for_code);
    run(bench, "ProveContact, wrong codes", try_code);
    gk_rpc_client_close(bench->client);
    core_rig_end(&bench->rig);
    for (unsigned i = 0; i < CLASSES; i++) {
        free(bench->times_us[i]);
    }
    (void)puts(bench->failed ? "FAILED: an answer was another, or a time told" : "answers were all the same");
    const int exit_status = bench->failed;

    free(bench);
    return exit_status;
}
