#include "core/services/holder.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

bool gk_holder_admit(struct gk_rpc_call *call, const struct gk_services *services,
                     struct gk_rate_limit *client_limit, struct gk_rate_limit *subject_limit,
                     const uint8_t *subject)
{
    const int64_t now_ms = gk_clock_now_ms(&services->clock);
    uint32_t retry_after_ms = 0;
    uint64_t key;

    if (client_limit != NULL &&
        !gk_rate_limit_take(client_limit, gk_rpc_call_client_key(call), now_ms, &retry_after_ms)) {
        gk_rpc_fail_busy(call, retry_after_ms, "too many enquiries from here; wait a little");
        return false;
    }
    memcpy(&key, subject, sizeof key);
    if (!gk_rate_limit_take(subject_limit, key, now_ms, &retry_after_ms)) {
        gk_rpc_fail_busy(call, retry_after_ms, "too many enquiries about the same; wait a little");
        return false;
    }
    return true;
}

const struct gk_session *gk_holder_session(struct gk_rpc_call *call, const struct gk_services *services)
{
    const struct gk_session *session = gk_sessions_find(services->sessions, gk_rpc_call_principal(call)->id,
                                                        gk_clock_now_ms(&services->clock));

    if (session == NULL) {
        gk_rpc_fail(call, GK_UNAUTHENTICATED,
                    "your session is over; ask for a code and prove your contact again");
    }
    return session;
}

void gk_holder_last_four(const struct gk_keys *keys, struct gk_bytes context, struct gk_bytes sealed,
                         char ret_four[5])
{
    char plain[64] = {0};

    ret_four[0] = '\0';
    if (sealed.size <= GK_SEAL_OVERHEAD || sealed.size - GK_SEAL_OVERHEAD >= sizeof plain ||
        gk_keys_open_sealed(keys, GK_SEAL_MASK, context, sealed, (uint8_t *)plain, NULL) != GK_OK) {
        return;
    }
    size_t start = strlen(plain);
    const size_t end = start;

    while (start > 0 && end - start < 4 && isalnum((unsigned char)plain[start - 1])) {
        start--;
    }
    memcpy(ret_four, plain + start, end - start + 1);
}

/* --- CheckStatus: the answer is the same whatever was asked, and nothing was looked up for it --- */

static void on_taken(void *context, enum gk_status status, const struct gk_error *error)
{
    struct gk_rpc_call *call = context;
    const guika_v1_CheckStatusResponse response = {.answer = guika_v1_CheckStatusResponse_Answer_ACCEPTED};

    if (status != GK_OK) {
        gk_rpc_fail(call, status, "%s", error->message);
        return;
    }
    guika_v1_holder_service_check_status_reply(call, &response);
}

/* What is counted: the contact, or the characters of the number. */
static void name_subject(const struct gk_services *services, const guika_v1_CheckStatusRequest *request,
                         uint8_t ret_token[GK_TOKEN_SIZE])
{
    char canonical[sizeof request->number];
    size_t length = 0;

    if (request->contact[0] != '\0') {
        if (!gk_registry_contact_token(services->registry, request->contact, ret_token)) {
            memset(ret_token, 0, GK_TOKEN_SIZE);
        }
        return;
    }
    for (const char *c = request->number; *c != '\0'; c++) {
        if (isalnum((unsigned char)*c)) {
            canonical[length++] = (char)toupper((unsigned char)*c);
        }
    }
    canonical[length] = '\0';
    gk_keys_card_token(services->keys, "", canonical, ret_token);
    sodium_memzero(canonical, sizeof canonical);
}

static void on_check_status(struct gk_rpc_call *call, const guika_v1_CheckStatusRequest *request,
                            void *context)
{
    const struct gk_services *services = context;
    const bool by_contact = request->contact[0] != '\0';
    const bool by_number = strspn(request->number, " -()") != strlen(request->number);
    const struct gk_enquiry enquiry = {.number = by_contact ? NULL : request->number,
                                       .contact = by_contact ? request->contact : NULL,
                                       .box_id = request->box_id,
                                       .language = gk_rpc_call_language(call)};
    uint8_t subject[GK_TOKEN_SIZE];

    if (by_contact == by_number) {
        gk_rpc_fail(
            call, GK_INVALID_ARGUMENT,
            "give either number, of 1 to 64 letters and digits, or contact, a telephone number or e-mail "
            "address");
        return;
    }
    name_subject(services, request, subject);
    if (gk_holder_admit(call, services, services->enquiry_limit, services->subject_limit, subject)) {
        gk_enquiries_take(services->enquiries, &enquiry, on_taken, call);
    }
}

struct gk_rpc_binding gk_holder_service(struct gk_services *services)
{
    static const struct guika_v1_holder_service_handlers handlers = {
        .check_status = on_check_status,
        .request_code = gk_holder_request_code,
        .prove_contact = gk_holder_prove_contact,
        .list_my_cards = gk_holder_list_my_cards,
        .reissue_code = gk_holder_reissue_code,
        .cancel = gk_holder_cancel,
        .watch_card = gk_holder_watch_card,
    };

    return (struct gk_rpc_binding){&guika_v1_holder_service, &handlers, services};
}
