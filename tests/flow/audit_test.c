/*
 * The audit chain by the real programs: signed heads appear outside the data, `guika audit verify` finds what
 * was done to the store behind the service's back, and nothing in any entry is personal.
 */
#include "core/store/audit_chain.h"
#include "core/store/record.h"
#include "core/store/store.h"
#include "rpc/repeated.h"
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOTICE_WAIT_MS = 20000, COMMAND_SIZE = 1024 };

struct world {
    struct gk_test_service service;
    char number[40];
    char case_id[33];
};

/* Runs `guika` as the operator; $D is the folder of the service's files. */
__attribute__((format(printf, 2, 3))) static struct gk_test_run guika(const struct world *world,
                                                                      const char *format, ...)
{
    char words[COMMAND_SIZE];
    char command[2 * COMMAND_SIZE];
    const char *arguments[] = {"/bin/sh", "-c", command, NULL};
    va_list list;

    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    (void)snprintf(command, sizeof command, "D=%s/service; %s %s --server %s --token-file $D/operator.token",
                   world->service.directory, GK_TEST_PROGRAM("guika"), words, world->service.url);
    return gk_test_run(arguments);
}

static void assert_ends(const struct gk_test_run *run, int exit_status, const char *words)
{
    if (run->exit_status != exit_status ||
        (strstr(run->output, words) == NULL && strstr(run->errors, words) == NULL)) {
        fail_msg("exit status %d: %s%s", run->exit_status, run->output, run->errors);
    }
}

static void assert_verify(const struct world *world, int exit_status, const char *words)
{
    struct gk_test_run run = guika(world, "audit verify --heads $D/audit.heads --key $D/audit.pub");

    assert_ends(&run, exit_status, words);
    gk_test_run_clear(&run);
}

/* A card goes all its way, so that many kinds of entries are there. */
static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct gk_test_holder holder = {"iso7812", "", "holder-in-clear", "en", "smtp:ada@holders.example"};
    char box[GK_TEST_TOKEN_SIZE];
    char bank[GK_TEST_TOKEN_SIZE];
    guika_v1_DepositResponse response = {0};

    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", box);
    gk_test_add_issuer(&world->service, "bank", "iso7812:4", bank);
    struct gk_test_picture picture = gk_test_mint_card(100, world->number);

    (void)snprintf(holder.number, sizeof holder.number, "%s", world->number);
    gk_test_import(&world->service, bank, "one", &holder, 1);
    struct gk_rpc_client *client = gk_test_client(&world->service, box);

    assert_int_equal(gk_test_deposit(client, "d-1", &picture, &response, NULL), GK_OK);
    gk_test_confirm_stored(client, "d-1", response.zone);
    assert_true(gk_test_mail_wait(&world->service, 1, NOTICE_WAIT_MS));
    memcpy(world->case_id, response.case_id, sizeof world->case_id);
    gk_rpc_client_close(client);
    free(picture.data);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_test_service_remove(&world->service);
    free(world);
    return 0;
}

static void restart(struct world *world)
{
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    gk_test_service_start(&world->service);
}

static void test_heads_are_signed_and_the_chain_agrees(void **state)
{
    struct world *world = *state;

    restart(world); /* the end exports what the regular turn has not yet */
    assert_verify(world, 0, "whole: ");
}

static void test_history_of_a_case_is_shown(void **state)
{
    const struct world *world = *state;
    static const char *const words[] = {"box:box-1", "found_card.identify", "found_card.confirm", "STORED",
                                        "notice.deliver"};
    struct gk_test_run run = guika(world, "audit show %s", world->case_id);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_ends(&run, 0, words[i]);
    }
    gk_test_run_clear(&run);
    run = guika(world, "audit show %s --json", world->case_id);
    assert_ends(&run, 0, "{\"entries\":[{\"sequence\":");
    gk_test_run_clear(&run);
    run = guika(world, "audit show 00112233445566778899aabbccddeeff");
    assert_ends(&run, 1, "there is no such case");
    gk_test_run_clear(&run);
}

static void test_no_entry_holds_anything_personal(void **state)
{
    const struct world *world = *state;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->service.operator_token);
    const guika_v1_ListAuditRequest request = {.limit = 500};
    guika_v1_ListAuditResponse response = {0};
    const char *const personal[] = {world->number, world->number + strlen(world->number) - 4, "ada@",
                                    "holder-in-clear"};

    assert_int_equal(guika_v1_operator_service_list_audit(client, NULL, &request, &response, NULL), GK_OK);
    assert_true(response.rows.size > 0);
    for (size_t i = 0; i < sizeof personal / sizeof personal[0]; i++) {
        assert_null(memmem(response.rows.data, response.rows.size, personal[i], strlen(personal[i])));
    }
    gk_rpc_client_close(client);
}

/* --- behind the service's back --- */

static int64_t now_ms(void *context)
{
    (void)context;
    return 1;
}

struct newest {
    uint64_t sequence;
    guika_v1_internal_AuditEntry entry;
};

static bool take_newest(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct newest *newest = context;

    (void)key;
    assert_int_equal(gk_record_decode(value, guika_v1_internal_AuditEntry_fields, &newest->entry, NULL),
                     GK_OK);
    newest->sequence = newest->entry.sequence;
    return false;
}

static void put_sequence(uint64_t sequence, uint8_t ret_bytes[8])
{
    for (unsigned i = 0; i < 8; i++) {
        ret_bytes[i] = (uint8_t)(sequence >> (56 - 8 * i));
    }
}

static void save_head(struct gk_transaction *transaction, const guika_v1_internal_AuditEntry *entry)
{
    uint8_t head[8 + GK_AUDIT_HASH_SIZE];

    put_sequence(entry->sequence, head);
    memcpy(head + 8, entry->hash, GK_AUDIT_HASH_SIZE);
    gk_transaction_put(transaction, GK_FAMILY_META, (struct gk_bytes){(const uint8_t *)"audit_head", 10},
                       (struct gk_bytes){head, sizeof head});
}

static enum gk_status get_entry(struct gk_transaction *transaction, uint64_t sequence,
                                guika_v1_internal_AuditEntry *ret_entry, struct gk_error *error)
{
    uint8_t key[8];

    put_sequence(sequence, key);
    return gk_record_get(transaction, GK_FAMILY_AUDIT, (struct gk_bytes){key, sizeof key},
                         guika_v1_internal_AuditEntry_fields, ret_entry, error);
}

/* The newest entry says something else, with a hash and a head that fit. */
static enum gk_status rewrite_newest(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    struct newest *newest = context;
    uint8_t key[8];

    strcpy(newest->entry.actor, "box:somewhere");
    gk_audit_hash(&newest->entry, newest->entry.hash);
    save_head(transaction, &newest->entry);
    put_sequence(newest->sequence, key);
    return gk_record_put(transaction, GK_FAMILY_AUDIT, (struct gk_bytes){key, sizeof key},
                         guika_v1_internal_AuditEntry_fields, &newest->entry, error);
}

/* The newest entry was never there, as far as the store says. */
static enum gk_status cut_newest(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct newest *newest = context;
    guika_v1_internal_AuditEntry before = guika_v1_internal_AuditEntry_init_zero;
    uint8_t key[8];
    const enum gk_status status = get_entry(transaction, newest->sequence - 1, &before, error);

    put_sequence(newest->sequence, key);
    gk_transaction_delete(transaction, GK_FAMILY_AUDIT, (struct gk_bytes){key, sizeof key});
    save_head(transaction, &before);
    return status;
}

static void tamper(struct world *world,
                   enum gk_status (*how)(void *context, struct gk_transaction *transaction,
                                         struct gk_error *error))
{
    char path[128];
    const struct gk_store_options options = {.path = path, .now_ms = now_ms};
    const struct gk_bytes all = {NULL, 0};
    struct newest newest = {0};
    struct gk_error error = {0};
    struct gk_store *store = NULL;
    uint64_t entries = 0;

    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)snprintf(path, sizeof path, "%s/service/data", world->service.directory);
    assert_int_equal(gk_store_open(&options, &store, &error), GK_OK);
    assert_int_equal(gk_store_scan(store, GK_FAMILY_AUDIT, all, all, true, take_newest, &newest, &error),
                     GK_OK);
    assert_int_equal(gk_store_commit_and_wait(store, how, &newest, &error), GK_OK);
    /* The store itself has nothing to say against it. */
    assert_int_equal(gk_store_verify_audit(store, &entries, &error), GK_OK);
    gk_store_close(store);
    gk_test_service_start(&world->service);
}

static void test_rewritten_entry_is_found(void **state)
{
    struct world *world = *state;

    tamper(world, rewrite_newest);
    assert_verify(world, 1, "is not the one that a head was signed over");
}

static void test_cut_is_found_also_when_other_entries_grew_over_it(void **state)
{
    struct world *world = *state;
    char token[GK_TEST_TOKEN_SIZE];

    tamper(world, cut_newest);
    assert_verify(world, 1, "are missing");
    gk_test_add_box(&world->service, "box-2", token);
    assert_verify(world, 1, "is not the one that a head was signed over");
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
}

/* guikad as it ends at once. */
static struct gk_test_run start_in_vain(const struct world *world)
{
    char configuration[128];
    const char *arguments[] = {GK_TEST_PROGRAM("guikad"), "--config", configuration, NULL};

    (void)snprintf(configuration, sizeof configuration, "%s/service/guikad.conf", world->service.directory);
    return gk_test_run(arguments);
}

__attribute__((format(printf, 2, 3))) static void shell(const struct world *world, const char *format, ...)
{
    char words[COMMAND_SIZE];
    char command[2 * COMMAND_SIZE];
    const char *arguments[] = {"/bin/sh", "-c", command, NULL};
    va_list list;

    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    (void)snprintf(command, sizeof command, "D=%s/service; L=%s; %s", world->service.directory,
                   world->service.log, words);
    struct gk_test_run run = gk_test_run(arguments);

    assert_ends(&run, 0, "");
    gk_test_run_clear(&run);
}

static void test_lost_audit_key_is_replaced_only_by_a_persons_will(void **state)
{
    struct world *world = *state;

    restart(world);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    shell(world, "rm $D/keys/audit.key");
    struct gk_test_run run = start_in_vain(world);

    assert_ends(&run, 1, "put it back from a backup of the keys");
    assert_ends(&run, 1, "move that file away");
    gk_test_run_clear(&run);
    shell(world, "mv $D/audit.heads $D/audit.heads.old");
    gk_test_service_start(&world->service);
    /* As a service from before there was such a key, which has no heads either. */
    shell(world, "grep -o 'guika-audit-key:[0-9a-f]*' $L | tail -1 > $D/audit.pub; test -s $D/audit.pub");
    restart(world);
    assert_verify(world, 0, "whole: ");
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    shell(world, "rm $D/keys/audit.key $D/keys/seal.key $D/audit.heads");
    run = start_in_vain(world);
    assert_ends(&run, 1, "seal.key"); /* no key is made where others are missing too */
    gk_test_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads_are_signed_and_the_chain_agrees),
        cmocka_unit_test(test_history_of_a_case_is_shown),
        cmocka_unit_test(test_no_entry_holds_anything_personal),
        cmocka_unit_test(test_rewritten_entry_is_found),
        cmocka_unit_test(test_cut_is_found_also_when_other_entries_grew_over_it),
        cmocka_unit_test_setup_teardown(test_lost_audit_key_is_replaced_only_by_a_persons_will, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
