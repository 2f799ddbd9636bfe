#include "core/services/operator_methods.h"

#include "core/memory.h"
#include "core/security/issuer_keys.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    const guika_v1_SetIssuerRequest *request;
    struct gk_issuer_terms terms;
    guika_v1_SetIssuerResponse response;
    enum gk_status status;
    struct gk_error error;
};

static const char *policy_word(guika_v1_IssuerPolicy policy)
{
    static const char *const words[] = {"", "NOTIFY_AT_ONCE", "ON_ENQUIRY", "THROUGH_ISSUER"};

    return words[policy];
}

static enum gk_status apply_terms(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct setting *setting = context;
    const char *issuer_id = setting->request->issuer_id;
    char actor[GK_PRINCIPAL_ID_SIZE + 9];
    char detail[64] = "";

    if (setting->terms.key_epoch != 0) {
        (void)snprintf(detail, sizeof detail, "index key epoch %u %s", (unsigned)setting->terms.key_epoch,
                       policy_word(setting->terms.policy));
    } else {
        (void)snprintf(detail, sizeof detail, "%s", policy_word(setting->terms.policy));
    }
    (void)snprintf(actor, sizeof actor, "operator:%.39s", gk_rpc_call_principal(setting->call)->id);
    gk_transaction_audit(transaction, actor, "issuer.set",
                         (struct gk_bytes){(const uint8_t *)issuer_id, strlen(issuer_id)}, detail);
    return gk_registry_set_terms(transaction, issuer_id, &setting->terms, error);
}

/* A key is made before the record that names its epoch: a record never names one that is not there. */
static enum gk_status set_terms(struct setting *setting)
{
    struct gk_services *services = setting->services;
    const char *issuer_id = setting->request->issuer_id;
    struct gk_issuer_terms before = {.key_epoch = 0};
    enum gk_status status = GK_OK;

    if (!gk_registry_terms(services->registry, issuer_id, &before)) {
        return gk_error_set(&setting->error, GK_NOT_FOUND, "there is no issuer \"%s\"", issuer_id);
    }
    setting->terms.policy = setting->request->policy;
    if (setting->request->new_index_key) {
        setting->terms.key_epoch = before.key_epoch + 1;
        status = gk_issuer_keys_make(gk_keys_issuers(services->keys), issuer_id, setting->terms.key_epoch,
                                     setting->response.index_key, &setting->error);
    }
    if (status == GK_OK) {
        status = gk_store_commit_and_wait(services->store, apply_terms, setting, &setting->error);
    }
    if (status == GK_OK) {
        gk_registry_terms_set(services->registry, issuer_id, &setting->terms);
    }
    return status;
}

/* [worker] */
static void run_setting(struct gk_task *task)
{
    struct setting *setting = gk_container_of(task, struct setting, task);

    setting->status = set_terms(setting);
}

static void on_set(struct gk_task *task)
{
    struct setting *setting = gk_container_of(task, struct setting, task);

    if (setting->status == GK_OK) {
        gk_log(setting->services->log, GK_LOG_INFO, "issuer_set", {"id", setting->request->issuer_id},
               {"by", gk_rpc_call_principal(setting->call)->id});
        guika_v1_operator_service_set_issuer_reply(setting->call, &setting->response);
    } else {
        gk_rpc_fail(setting->call, setting->status, "%s", setting->error.message);
    }
    sodium_memzero(&setting->response, sizeof setting->response);
    free(setting);
}

void gk_operator_set_issuer(struct gk_rpc_call *call, const guika_v1_SetIssuerRequest *request, void *context)
{
    struct gk_services *services = context;

    if (request->policy > guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "there is no policy %d", (int)request->policy);
        return;
    }
    if (request->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED && !request->new_index_key) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "give a policy, or ask for a new index key");
        return;
    }
    struct setting *setting = gk_allocate(sizeof *setting);

    setting->call = call;
    setting->services = services;
    setting->request = request;
    setting->task.run = run_setting;
    setting->task.done = on_set;
    gk_task_start(services->loop, &setting->task);
}
