#include "core/recovery.h"

#include "core/found_card.h"
#include "core/store/record.h"

#include <stdio.h>
#include <string.h>

struct sweep {
    struct gk_store *store;
    struct gk_picture_vault *vault;
    struct gk_credentials *credentials;
    enum gk_status status;
    struct gk_error *error;
};

static enum gk_status apply_stop_waiting(void *context, struct gk_transaction *transaction,
                                         struct gk_error *error)
{
    return gk_found_card_stop_waiting(transaction, context, error);
}

/* Keys end with the case id. */
static bool end_wait(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct sweep *sweep = context;
    uint8_t case_id[GK_CASE_ID_SIZE];

    (void)value;
    memcpy(case_id, key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE);
    sweep->status = gk_store_commit_and_wait(sweep->store, apply_stop_waiting, case_id, sweep->error);
    return sweep->status == GK_OK;
}

static bool erase_if_unwanted(void *context, const uint8_t case_id[16])
{
    struct sweep *sweep = context;
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status =
        gk_record_read(sweep->store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){case_id, GK_CASE_ID_SIZE},
                       guika_v1_internal_FoundCard_fields, &card, sweep->error);

    if (status == GK_NOT_FOUND || (status == GK_OK && card.pictures == 0)) {
        sweep->status = gk_picture_vault_erase(sweep->vault, case_id, sweep->error);
    } else {
        sweep->status = status;
    }
    return sweep->status == GK_OK;
}

static bool add_credential(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct sweep *sweep = context;
    guika_v1_internal_CredentialRecord record = {0};
    struct gk_principal principal = {0};

    sweep->status = gk_record_decode(value, guika_v1_internal_CredentialRecord_fields, &record, sweep->error);
    if (sweep->status == GK_OK && key.size != GK_TOKEN_SIZE) {
        sweep->status = gk_error_set(sweep->error, GK_DATA_LOSS, "a credential's key has %zu bytes, not %d",
                                     key.size, GK_TOKEN_SIZE);
    }
    if (sweep->status != GK_OK) {
        return false;
    }
    principal.role = (enum gk_role)record.role;
    (void)snprintf(principal.id, sizeof principal.id, "%s", record.id);
    gk_credentials_add(sweep->credentials, key.data, &principal);
    return true;
}

enum gk_status gk_recover(struct gk_store *store, struct gk_picture_vault *vault,
                          struct gk_credentials *credentials, struct gk_error *error)
{
    struct sweep sweep = {store, vault, credentials, GK_OK, error};
    const struct gk_bytes all = {NULL, 0};
    const struct gk_bytes waiting = {(const uint8_t *)GK_WAITING_PREFIX, strlen(GK_WAITING_PREFIX)};
    enum gk_status status =
        gk_store_scan(store, GK_FAMILY_META, waiting, all, false, end_wait, &sweep, error);

    if (status == GK_OK && sweep.status == GK_OK) {
        status = gk_picture_vault_each(vault, erase_if_unwanted, &sweep, error);
    }
    if (status == GK_OK && sweep.status == GK_OK) {
        status = gk_store_scan(store, GK_FAMILY_CREDENTIALS, all, all, false, add_credential, &sweep, error);
    }
    return status != GK_OK ? status : sweep.status;
}
