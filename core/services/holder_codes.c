/* RequestCode and ProveContact: a contact is proven by a one-time code, and a session begins. */
#include "core/codes.h"
#include "core/memory.h"
#include "core/registry/contact.h"
#include "core/services/holder.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The contact as it is counted and looked up; false, and the call answered, where it is none. */
static bool read_contact(struct gk_rpc_call *call, const struct gk_services *services, const char *text,
                         struct gk_contact *ret_contact, uint8_t ret_token[GK_TOKEN_SIZE])
{
    if (!gk_contact_read(text, ret_contact)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "contact must be a telephone number or an e-mail address");
        return false;
    }
    gk_keys_contact_token(services->keys, ret_contact->text, ret_token);
    return true;
}

static void on_taken(void *context, enum gk_status status, const struct gk_error *error)
{
    struct gk_rpc_call *call = context;
    const guika_v1_RequestCodeResponse response = {.valid_s = GK_CODE_LIFE_MS / 1000};

    if (status != GK_OK) {
        gk_rpc_fail(call, status, "%s", error->message);
        return;
    }
    guika_v1_holder_service_request_code_reply(call, &response);
}

void gk_holder_request_code(struct gk_rpc_call *call, const guika_v1_RequestCodeRequest *request,
                            void *context)
{
    const struct gk_services *services = context;
    const struct gk_enquiry enquiry = {
        .kind = request->to_watch ? guika_v1_internal_EnquiryRecord_Kind_ENQUIRY_CODE_TO_WATCH
                                  : guika_v1_internal_EnquiryRecord_Kind_ENQUIRY_CODE,
        .contact = request->contact,
        .box_id = "",
        .language = gk_rpc_call_language(call)};
    struct gk_contact contact;
    uint8_t token[GK_TOKEN_SIZE];

    if (read_contact(call, services, request->contact, &contact, token) &&
        gk_holder_admit(call, services, services->enquiry_limit, services->code_limit, token)) {
        gk_enquiries_take(services->enquiries, &enquiry, on_taken, call);
    }
    sodium_memzero(&contact, sizeof contact);
}

/* --- ProveContact --- */

struct proof {
    struct gk_commit commit;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    struct gk_session session;
    char code[33];
    bool right;
};

/* The same reads and writes for every contact and code. */
static enum gk_status apply_proof(struct gk_commit *commit, struct gk_transaction *transaction,
                                  struct gk_error *error)
{
    struct proof *proof = gk_container_of(commit, struct proof, commit);
    const enum gk_status status = gk_codes_try(
        transaction, proof->services->keys, proof->session.contact_token, proof->code, &proof->right, error);

    if (status == GK_OK) {
        gk_transaction_count(transaction, "", proof->right ? "contacts_proven" : "codes_wrong");
    }
    return status;
}

static void on_proof(struct gk_commit *commit)
{
    struct proof *proof = gk_container_of(commit, struct proof, commit);
    const int64_t now_ms = gk_clock_now_ms(&proof->services->clock);
    guika_v1_ProveContactResponse response = {.expires_at_ms = now_ms + GK_SESSION_LIFE_MS};
    char token[GK_CREDENTIAL_SIZE];

    if (commit->status != GK_OK) {
        gk_rpc_fail(proof->call, commit->status, "%s", commit->error.message);
    } else if (!proof->right) {
        gk_rpc_fail(
            proof->call, GK_UNAUTHENTICATED,
            "this is not the code that was sent to the contact last, or it has run out; ask for another");
    } else {
        gk_sessions_begin(proof->services->sessions, &proof->session, now_ms, token);
        (void)snprintf(response.token, sizeof response.token, "%s", token);
        guika_v1_holder_service_prove_contact_reply(proof->call, &response);
        sodium_memzero(token, sizeof token);
        sodium_memzero(&response, sizeof response);
    }
    sodium_memzero(proof, sizeof *proof);
    free(proof);
}

void gk_holder_prove_contact(struct gk_rpc_call *call, const guika_v1_ProveContactRequest *request,
                             void *context)
{
    const struct gk_services *services = context;
    uint8_t token[GK_TOKEN_SIZE];
    struct gk_contact contact;

    if (!read_contact(call, services, request->contact, &contact, token) ||
        !gk_holder_admit(call, services, services->try_limit, services->contact_try_limit, token)) {
        return;
    }
    struct proof *proof = gk_allocate(sizeof *proof);

    proof->call = call;
    proof->services = services;
    memcpy(proof->session.contact_token, token, sizeof token);
    gk_contact_address(&contact, proof->session.address);
    (void)snprintf(proof->session.language, sizeof proof->session.language, "%.15s",
                   gk_rpc_call_language(call));
    memcpy(proof->code, request->code, sizeof proof->code);
    proof->commit.apply = apply_proof;
    proof->commit.done = on_proof;
    gk_commit_start(services->store, services->mailbox, &proof->commit);
}
