/* What the parts of the registry share. */
#ifndef GUIKA_CORE_REGISTRY_REGISTRY_INTERNAL_H
#define GUIKA_CORE_REGISTRY_REGISTRY_INTERNAL_H

#include "core/registry/accounts.h"
#include "core/registry/registry.h"

struct gk_registry {
    struct gk_store *store;     /* borrowed */
    const struct gk_keys *keys; /* borrowed */
    struct gk_accounts *accounts;
};

/* The account's record under `issuer_id`. FAILED_PRECONDITION where there is none. [committer] */
enum gk_status gk_registry_get_account(struct gk_transaction *transaction, const char *issuer_id,
                                       guika_v1_internal_IssuerAccount *ret_account, struct gk_error *error);
enum gk_status gk_registry_put_account(struct gk_transaction *transaction,
                                       const guika_v1_internal_IssuerAccount *account,
                                       struct gk_error *error);

/* Adds an audit entry of account `issuer_id`. [committer] */
void gk_registry_audit(struct gk_transaction *transaction, const char *issuer_id, const char *action,
                       struct gk_bytes subject, const char *detail);

/* What contacts are sealed with: account, 0x00, holder token. */
struct gk_holder_context {
    uint8_t data[GK_ACCOUNT_NAME_SIZE + GK_TOKEN_SIZE];
    size_t size;
};
struct gk_holder_context gk_registry_holder_context(const char *issuer_account,
                                                    const uint8_t holder_token[GK_TOKEN_SIZE]);

#endif
