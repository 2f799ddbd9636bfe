#include "core/registry/registry.h"

#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"
#include "core/registry/rewrap.h"
#include "core/store/record.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct gk_bytes text_bytes(const char *text)
{
    return (struct gk_bytes){(const uint8_t *)text, strlen(text)};
}

enum gk_status gk_registry_get_account(struct gk_transaction *transaction, const char *issuer_id,
                                       guika_v1_internal_IssuerAccount *ret_account, struct gk_error *error)
{
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_ISSUER_ACCOUNTS, text_bytes(issuer_id),
                                                guika_v1_internal_IssuerAccount_fields, ret_account, error);

    if (status == GK_NOT_FOUND) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "there is no issuer account of this name");
    }
    return status;
}

enum gk_status gk_registry_put_account(struct gk_transaction *transaction,
                                       const guika_v1_internal_IssuerAccount *account, struct gk_error *error)
{
    return gk_record_put(transaction, GK_FAMILY_ISSUER_ACCOUNTS, text_bytes(account->issuer_id),
                         guika_v1_internal_IssuerAccount_fields, account, error);
}

void gk_registry_audit(struct gk_transaction *transaction, const char *issuer_id, const char *action,
                       struct gk_bytes subject, const char *detail)
{
    char actor[sizeof "issuer:" + GK_ACCOUNT_NAME_SIZE];

    snprintf(actor, sizeof actor, "issuer:%s", issuer_id);
    gk_transaction_audit(transaction, actor, action, subject, detail);
}

struct gk_holder_context gk_registry_holder_context(const char *issuer_account,
                                                    const uint8_t holder_token[GK_TOKEN_SIZE])
{
    const size_t length = strnlen(issuer_account, GK_ACCOUNT_NAME_SIZE - 1);
    struct gk_holder_context context = {.size = length + 1 + GK_TOKEN_SIZE};

    memcpy(context.data, issuer_account, length);
    memcpy(context.data + length + 1, holder_token, GK_TOKEN_SIZE);
    return context;
}

/* --- open and close --- */

struct loading {
    struct gk_accounts *accounts;
    uint64_t *named; /* generations that are in use: in force or being staged */
    size_t named_count;
    enum gk_status status;
    struct gk_error *error;
};

static bool load_account(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct loading *loading = context;
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;

    (void)key;
    loading->status =
        gk_record_decode(value, guika_v1_internal_IssuerAccount_fields, &account, loading->error);
    if (loading->status != GK_OK) {
        return false;
    }
    gk_accounts_add(loading->accounts, &account);
    uint64_t *named = realloc(loading->named, (loading->named_count + 2) * sizeof *named);

    if (named == NULL) {
        abort();
    }
    loading->named = named;
    named[loading->named_count++] = account.generation;
    named[loading->named_count++] = account.staging;
    return true;
}

/* A copy under a new key is in use though no account names it yet. */
static void name_copy(void *context, const char *issuer_account, const guika_v1_internal_RewrapRecord *copy)
{
    struct loading *loading = context;

    (void)issuer_account;
    loading->named = realloc(loading->named, (loading->named_count + 1) * sizeof *loading->named);
    if (loading->named == NULL) {
        abort();
    }
    loading->named[loading->named_count++] = copy->copy;
}

enum gk_status gk_registry_open(struct gk_store *store, const struct gk_keys *keys,
                                struct gk_registry **ret_registry, struct gk_error *error)
{
    struct loading loading = {.accounts = gk_accounts_new(), .status = GK_OK, .error = error};
    const struct gk_bytes all = {NULL, 0};
    enum gk_status status =
        gk_store_scan(store, GK_FAMILY_ISSUER_ACCOUNTS, all, all, false, load_account, &loading, error);

    if (status == GK_OK) {
        status = loading.status;
    }
    if (status == GK_OK) {
        status = gk_rewrap_each(store, name_copy, &loading, error);
    }
    if (status == GK_OK) {
        status = gk_generation_sweep(store, loading.named, loading.named_count, error);
    }
    free(loading.named);
    if (status != GK_OK) {
        gk_accounts_free(loading.accounts);
        return status;
    }
    struct gk_registry *registry = calloc(1, sizeof *registry);

    if (registry == NULL) {
        abort();
    }
    *registry = (struct gk_registry){.store = store, .keys = keys, .accounts = loading.accounts};
    *ret_registry = registry;
    return GK_OK;
}

void gk_registry_close(struct gk_registry *registry)
{
    if (registry == NULL) {
        return;
    }
    gk_accounts_free(registry->accounts);
    free(registry);
}

/* --- accounts --- */

static bool is_name(const char *text, size_t size_max)
{
    const size_t length = strnlen(text, size_max);

    if (length == 0 || length >= size_max) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* "SCHEME" or "SCHEME:PREFIX": the scheme in small letters, digits and hyphens, 1 to 31; the prefix in
 * capital letters and digits, as canonical numbers are. */
static bool is_binding(const char *text)
{
    enum { SCHEME_SIZE = sizeof(((guika_v1_CardRow *)NULL)->scheme) };
    static const char scheme_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    static const char prefix_characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    if (strnlen(text, GK_BINDING_SIZE) >= GK_BINDING_SIZE) {
        return false;
    }
    const size_t scheme_length = strspn(text, scheme_characters);
    const char *rest = text + scheme_length;

    if (scheme_length == 0 || scheme_length >= SCHEME_SIZE) {
        return false;
    }
    return *rest == '\0' ||
           (*rest == ':' && rest[1] != '\0' && rest[1 + strspn(rest + 1, prefix_characters)] == '\0');
}

struct addition {
    guika_v1_internal_IssuerAccount account;
    enum gk_status (*also)(void *context, struct gk_transaction *transaction, struct gk_error *error);
    void *context;
};

static enum gk_status apply_add(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct addition *addition = context;
    const guika_v1_internal_IssuerAccount *account = &addition->account;
    const struct gk_bytes key = text_bytes(account->issuer_id);
    struct gk_value value;
    enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_ISSUER_ACCOUNTS, key, &value, error);

    if (status == GK_OK) {
        gk_value_free(&value);
        return gk_error_set(error, GK_ALREADY_EXISTS, "there already is an issuer account \"%s\"",
                            account->issuer_id);
    }
    if (status != GK_NOT_FOUND) {
        return status;
    }
    status = gk_registry_put_account(transaction, account, error);
    return status == GK_OK ? addition->also(addition->context, transaction, error) : status;
}

enum gk_status gk_registry_check_account(const char *issuer_id, const char bindings[][65],
                                         size_t binding_count, struct gk_error *error)
{
    const size_t name_size = GK_ACCOUNT_NAME_SIZE;

    if (!is_name(issuer_id, name_size)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "an issuer's name has 1 to %zu characters of [A-Za-z0-9._-]", name_size - 1);
    }
    if (binding_count == 0 || binding_count > GK_BINDINGS_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "an issuer has 1 to %d bindings, not %zu",
                            (int)GK_BINDINGS_MAX, binding_count);
    }
    for (size_t i = 0; i < binding_count; i++) {
        if (!is_binding(bindings[i])) {
            return gk_error_set(error, GK_INVALID_ARGUMENT,
                                "binding %zu is not SCHEME or SCHEME:PREFIX, as \"iso7812:62\"", i + 1);
        }
    }
    return GK_OK;
}

enum gk_status gk_registry_add_account(
    struct gk_registry *registry, const char *issuer_id, const char bindings[][65], size_t binding_count,
    enum gk_status (*also)(void *context, struct gk_transaction *transaction, struct gk_error *error),
    void *context, struct gk_error *error)
{
    struct addition addition = {.also = also, .context = context};
    guika_v1_internal_IssuerAccount *account = &addition.account;
    enum gk_status status = gk_registry_check_account(issuer_id, bindings, binding_count, error);

    if (status != GK_OK) {
        return status;
    }
    memcpy(account->issuer_id, issuer_id, strlen(issuer_id));
    account->bindings_count = (pb_size_t)binding_count;
    for (size_t i = 0; i < binding_count; i++) {
        memcpy(account->bindings[i], bindings[i], strlen(bindings[i]));
    }
    status = gk_store_commit_and_wait(registry->store, apply_add, &addition, error);
    if (status == GK_OK) {
        gk_accounts_add(registry->accounts, account);
    }
    return status;
}

bool gk_registry_is_bound(struct gk_registry *registry, const char *issuer_id, const char *scheme,
                          const char *number)
{
    return gk_accounts_is_bound(registry->accounts, issuer_id, scheme, number);
}

uint64_t gk_registry_cards(struct gk_registry *registry)
{
    return gk_accounts_rows(registry->accounts);
}

/* --- terms --- */

enum gk_status gk_registry_set_terms(struct gk_transaction *transaction, const char *issuer_id,
                                     const struct gk_issuer_terms *terms, struct gk_error *error)
{
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    const enum gk_status status = gk_registry_get_account(transaction, issuer_id, &account, error);

    if (status != GK_OK) {
        return status;
    }
    if (terms->policy != guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED) {
        account.policy = terms->policy;
    }
    if (terms->key_epoch > account.index_key_epoch) {
        account.index_key_epoch = terms->key_epoch;
    }
    return gk_registry_put_account(transaction, &account, error);
}

void gk_registry_terms_set(struct gk_registry *registry, const char *issuer_id,
                           const struct gk_issuer_terms *terms)
{
    gk_accounts_set_terms(registry->accounts, issuer_id, terms);
}

bool gk_registry_terms(struct gk_registry *registry, const char *issuer_id, struct gk_issuer_terms *ret_terms)
{
    return gk_accounts_terms(registry->accounts, issuer_id, ret_terms);
}
