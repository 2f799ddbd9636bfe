/* AddOperator: another person, with a name of their own that the audit gives. */
#include "core/memory.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define FIRST_OPERATOR "first"  /* core/setup.c */
#define NAME_PREFIX "operator/" /* in the family meta: this and a name that is taken */

struct adding {
    struct gk_commit commit;
    struct gk_rpc_call *call;
    struct gk_services *services;
    struct gk_principal principal;
    char token[GK_CREDENTIAL_SIZE];
    uint8_t hash[GK_TOKEN_SIZE];
};

static enum gk_status take_name(struct gk_transaction *transaction, const char *name, struct gk_error *error)
{
    char key[sizeof NAME_PREFIX + GK_PRINCIPAL_ID_SIZE];
    const int size = snprintf(key, sizeof key, NAME_PREFIX "%s", name);
    const struct gk_bytes key_bytes = {(const uint8_t *)key, (size_t)size};
    struct gk_value value = {0};
    const enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_META, key_bytes, &value, error);

    gk_value_free(&value);
    if (status == GK_OK || strcmp(name, FIRST_OPERATOR) == 0) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "there is an operator \"%s\" already", name);
    }
    if (status != GK_NOT_FOUND) {
        return status;
    }
    gk_transaction_put(transaction, GK_FAMILY_META, key_bytes, (struct gk_bytes){NULL, 0});
    return GK_OK;
}

static enum gk_status apply_adding(struct gk_commit *commit, struct gk_transaction *transaction,
                                   struct gk_error *error)
{
    const struct adding *adding = gk_container_of(commit, struct adding, commit);
    const char *id = adding->principal.id;
    guika_v1_internal_CredentialRecord record = {.role = (uint32_t)adding->principal.role};
    char actor[49];
    const enum gk_status status = take_name(transaction, id, error);

    if (status != GK_OK) {
        return status;
    }
    (void)snprintf(actor, sizeof actor, "operator:%.38s", gk_rpc_call_principal(adding->call)->id);
    gk_transaction_audit(transaction, actor,
                         adding->principal.role == GK_ROLE_VIEWER ? "viewer.add" : "operator.add",
                         (struct gk_bytes){(const uint8_t *)id, strlen(id)}, "");
    record.issued_at_ms = gk_transaction_now_ms(transaction);
    (void)snprintf(record.id, sizeof record.id, "%s", id);
    return gk_record_put(transaction, GK_FAMILY_CREDENTIALS,
                         (struct gk_bytes){adding->hash, sizeof adding->hash},
                         guika_v1_internal_CredentialRecord_fields, &record, error);
}

static void on_added(struct gk_commit *commit)
{
    struct adding *adding = gk_container_of(commit, struct adding, commit);
    guika_v1_AddOperatorResponse response = {0};

    if (commit->status == GK_OK) {
        gk_credentials_add(adding->services->credentials, adding->hash, &adding->principal);
        gk_log(adding->services->log, GK_LOG_INFO, "operator_added", {"id", adding->principal.id},
               {"by", gk_rpc_call_principal(adding->call)->id});
        (void)snprintf(response.token, sizeof response.token, "%s", adding->token);
        guika_v1_operator_service_add_operator_reply(adding->call, &response);
    } else {
        gk_rpc_fail(adding->call, commit->status, "%s", commit->error.message);
    }
    sodium_memzero(&response, sizeof response);
    sodium_memzero(adding->token, sizeof adding->token);
    free(adding);
}

void gk_operator_add_operator(struct gk_rpc_call *call, const guika_v1_AddOperatorRequest *request,
                              void *context)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const char *id = request->operator_id;
    struct gk_services *services = context;

    if (id[0] == '\0' || id[strspn(id, allowed)] != '\0') {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "operator_id must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    struct adding *adding = gk_allocate(sizeof *adding);

    adding->call = call;
    adding->services = services;
    adding->principal.role = request->viewer ? GK_ROLE_VIEWER : GK_ROLE_OPERATOR;
    (void)snprintf(adding->principal.id, sizeof adding->principal.id, "%s", id);
    gk_credential_make(request->viewer ? "viewer" : "operator", adding->token);
    gk_keys_credential_hash(services->keys, adding->token, adding->hash);
    adding->commit.apply = apply_adding;
    adding->commit.done = on_added;
    gk_commit_start(services->store, services->mailbox, &adding->commit);
}
