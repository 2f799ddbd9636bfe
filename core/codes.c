#include "core/codes.h"

#include "core/store/record.h"
#include "core/store/sweep.h"
#include "guika/v1/internal/records.pb.h"

#include <sodium.h>
#include <string.h>

static struct gk_bytes key_of(const uint8_t contact_token[GK_TOKEN_SIZE])
{
    return (struct gk_bytes){contact_token, GK_TOKEN_SIZE};
}

static bool has_run_out(const guika_v1_internal_CodeRecord *record, int64_t now_ms)
{
    return now_ms - record->issued_at_ms >= GK_CODE_LIFE_MS;
}

static enum gk_status put(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                          const guika_v1_internal_CodeRecord *record, struct gk_error *error)
{
    return gk_record_put(transaction, GK_FAMILY_CODES, key_of(contact_token),
                         guika_v1_internal_CodeRecord_fields, record, error);
}

enum gk_status gk_codes_issue(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                              const uint8_t nonce[GK_NONCE_SIZE], struct gk_error *error)
{
    guika_v1_internal_CodeRecord record = {.issued_at_ms = gk_transaction_now_ms(transaction)};

    record.nonce.size = GK_NONCE_SIZE;
    memcpy(record.nonce.bytes, nonce, GK_NONCE_SIZE);
    return put(transaction, contact_token, &record, error);
}

enum gk_status gk_codes_read(struct gk_store *store, const struct gk_keys *keys,
                             const uint8_t contact_token[GK_TOKEN_SIZE], int64_t now_ms,
                             char ret_code[GK_CONTACT_CODE_SIZE], struct gk_error *error)
{
    guika_v1_internal_CodeRecord record = {0};
    const enum gk_status status = gk_record_read(store, GK_FAMILY_CODES, key_of(contact_token),
                                                 guika_v1_internal_CodeRecord_fields, &record, error);

    if (status != GK_OK) {
        return status;
    }
    if (record.nonce.size != GK_NONCE_SIZE || has_run_out(&record, now_ms)) {
        return gk_error_set(error, GK_NOT_FOUND, "the code has run out");
    }
    gk_keys_contact_code(keys, contact_token, record.nonce.bytes, ret_code);
    return GK_OK;
}

/* The code as it was made, with room to compare in constant time. */
static void read_typed(const char *code, char ret_typed[GK_CONTACT_CODE_SIZE])
{
    size_t length = 0;

    memset(ret_typed, 0, GK_CONTACT_CODE_SIZE);
    for (; *code != '\0'; code++) {
        if (*code == ' ' || *code == '-') {
            continue;
        }
        if (length == GK_CONTACT_CODE_SIZE - 1) {
            memset(ret_typed, 0, GK_CONTACT_CODE_SIZE); /* too long: no code */
            return;
        }
        ret_typed[length++] = *code;
    }
}

enum gk_status gk_codes_try(struct gk_transaction *transaction, const struct gk_keys *keys,
                            const uint8_t contact_token[GK_TOKEN_SIZE], const char *code, bool *ret_right,
                            struct gk_error *error)
{
    const int64_t now_ms = gk_transaction_now_ms(transaction);
    guika_v1_internal_CodeRecord record = {0};
    char right[GK_CONTACT_CODE_SIZE];
    char typed[GK_CONTACT_CODE_SIZE];
    enum gk_status status = gk_record_get(transaction, GK_FAMILY_CODES, key_of(contact_token),
                                          guika_v1_internal_CodeRecord_fields, &record, error);

    if (status != GK_OK && status != GK_NOT_FOUND) {
        return status;
    }
    if (status == GK_NOT_FOUND || has_run_out(&record, now_ms)) {
        record = (guika_v1_internal_CodeRecord){.issued_at_ms = now_ms};
    }
    gk_keys_contact_code(keys, contact_token, record.nonce.bytes, right);
    read_typed(code, typed);
    const bool equal = sodium_memcmp(right, typed, sizeof right) == 0;
    const bool taken = equal && record.nonce.size == GK_NONCE_SIZE && record.tries < GK_CODE_TRIES;

    record.tries++;
    if (taken) {
        record.nonce.size = 0;
    }
    status = put(transaction, contact_token, &record, error);
    if (status == GK_OK) {
        *ret_right = taken;
    }
    sodium_memzero(right, sizeof right);
    return status;
}

/* --- sweeping --- */

struct sweep {
    int64_t now_ms;
    uint8_t (*tokens)[GK_TOKEN_SIZE];
    size_t count;
    size_t seen;
};

static bool visit(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct sweep *sweep = context;
    guika_v1_internal_CodeRecord record = {0};

    if (key.size == GK_TOKEN_SIZE &&
        (gk_record_decode(value, guika_v1_internal_CodeRecord_fields, &record, NULL) != GK_OK ||
         has_run_out(&record, sweep->now_ms))) {
        memcpy(sweep->tokens[sweep->count++], key.data, GK_TOKEN_SIZE);
    }
    return ++sweep->seen < GK_CODES_SWEPT;
}

enum gk_status gk_codes_expired(struct gk_store *store, int64_t now_ms,
                                uint8_t ret_tokens[GK_CODES_SWEPT][GK_TOKEN_SIZE], size_t *ret_count,
                                struct gk_error *error)
{
    struct sweep sweep = {.now_ms = now_ms, .tokens = ret_tokens};
    const enum gk_status status = gk_store_sweep(store, GK_FAMILY_CODES, visit, &sweep, error);

    *ret_count = sweep.count;
    return status;
}

void gk_codes_forget(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE])
{
    guika_v1_internal_CodeRecord record = {0};

    if (gk_record_get(transaction, GK_FAMILY_CODES, key_of(contact_token),
                      guika_v1_internal_CodeRecord_fields, &record, NULL) == GK_OK &&
        has_run_out(&record, gk_transaction_now_ms(transaction))) {
        gk_transaction_delete(transaction, GK_FAMILY_CODES, key_of(contact_token));
    }
}
