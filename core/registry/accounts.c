#include "core/registry/accounts.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct account {
    char name[GK_ACCOUNT_NAME_SIZE];
    char bindings[GK_BINDINGS_MAX][GK_BINDING_SIZE];
    size_t binding_count;
    uint64_t generation;
    uint64_t rows;
    uint32_t list_key_epoch;
    uint32_t base;
    struct gk_issuer_terms terms;
};

struct gk_accounts {
    pthread_rwlock_t lock;
    struct account *items;
    size_t count;
    uint64_t version;
};

struct gk_accounts *gk_accounts_new(void)
{
    struct gk_accounts *accounts = calloc(1, sizeof *accounts);

    if (accounts == NULL || pthread_rwlock_init(&accounts->lock, NULL) != 0) {
        abort();
    }
    return accounts;
}

void gk_accounts_free(struct gk_accounts *accounts)
{
    if (accounts == NULL) {
        return;
    }
    pthread_rwlock_destroy(&accounts->lock);
    free(accounts->items);
    free(accounts);
}

static struct account *find(struct gk_accounts *accounts, const char *name)
{
    for (size_t i = 0; i < accounts->count; i++) {
        if (strcmp(accounts->items[i].name, name) == 0) {
            return &accounts->items[i];
        }
    }
    return NULL;
}

/* The length of the binding "SCHEME" or "SCHEME:PREFIX" where it covers the number; else 0. */
static size_t covers(const char *binding, const char *scheme, const char *number)
{
    const size_t scheme_length = strlen(scheme);

    if (strncmp(binding, scheme, scheme_length) != 0) {
        return 0;
    }
    const char *rest = binding + scheme_length;

    if (*rest == '\0') {
        return scheme_length;
    }
    if (*rest != ':') {
        return 0;
    }
    const char *prefix = rest + 1;

    while (*prefix != '\0' && *prefix == *number) {
        prefix++;
        number++;
    }
    return *prefix == '\0' ? strlen(binding) : 0;
}

/* Lists from before there was more than one base are of the first. */
static uint32_t base_of(const guika_v1_internal_IssuerAccount *account)
{
    return account->base_epoch == 0 ? 1 : account->base_epoch;
}

static size_t longest_binding(const struct account *account, const char *scheme, const char *number)
{
    size_t longest = 0;

    for (size_t i = 0; i < account->binding_count; i++) {
        const size_t length = covers(account->bindings[i], scheme, number);

        longest = length > longest ? length : longest;
    }
    return longest;
}

void gk_accounts_add(struct gk_accounts *accounts, const guika_v1_internal_IssuerAccount *account)
{
    pthread_rwlock_wrlock(&accounts->lock);
    assert(find(accounts, account->issuer_id) == NULL);
    struct account *items = realloc(accounts->items, (accounts->count + 1) * sizeof *items);

    if (items == NULL) {
        abort();
    }
    accounts->items = items;
    struct account *item = &items[accounts->count++];

    *item = (struct account){.binding_count = account->bindings_count,
                             .generation = account->generation,
                             .rows = account->rows,
                             .list_key_epoch = account->list_key_epoch,
                             .base = base_of(account),
                             .terms = {account->policy, account->index_key_epoch}};
    memcpy(item->name, account->issuer_id, sizeof item->name);
    memcpy(item->bindings, account->bindings, sizeof item->bindings);
    pthread_rwlock_unlock(&accounts->lock);
}

void gk_accounts_flip(struct gk_accounts *accounts, const guika_v1_internal_IssuerAccount *flipped)
{
    pthread_rwlock_wrlock(&accounts->lock);
    struct account *account = find(accounts, flipped->issuer_id);

    if (account != NULL && flipped->generation > account->generation) {
        account->generation = flipped->generation;
        account->rows = flipped->rows;
        account->list_key_epoch = flipped->list_key_epoch;
        account->base = base_of(flipped);
        accounts->version++;
    }
    pthread_rwlock_unlock(&accounts->lock);
}

void gk_accounts_set_terms(struct gk_accounts *accounts, const char *name,
                           const struct gk_issuer_terms *terms)
{
    pthread_rwlock_wrlock(&accounts->lock);
    struct account *account = find(accounts, name);

    if (account != NULL && terms->policy != guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED) {
        account->terms.policy = terms->policy;
    }
    if (account != NULL && terms->key_epoch > account->terms.key_epoch) {
        account->terms.key_epoch = terms->key_epoch;
    }
    pthread_rwlock_unlock(&accounts->lock);
}

bool gk_accounts_terms(struct gk_accounts *accounts, const char *name, struct gk_issuer_terms *ret_terms)
{
    pthread_rwlock_rdlock(&accounts->lock);
    const struct account *account = find(accounts, name);

    if (account != NULL) {
        *ret_terms = account->terms;
    }
    pthread_rwlock_unlock(&accounts->lock);
    return account != NULL;
}

void gk_accounts_covering(struct gk_accounts *accounts, const char *scheme, const char *number,
                          struct gk_account_list **ret_lists, size_t *ret_count, uint64_t *ret_version)
{
    struct gk_account_list *lists = NULL;
    size_t count = 0;

    pthread_rwlock_rdlock(&accounts->lock);
    if (accounts->count > 0) {
        lists = calloc(accounts->count, sizeof *lists);
        if (lists == NULL) {
            abort();
        }
    }
    for (size_t i = 0; i < accounts->count; i++) {
        const struct account *account = &accounts->items[i];
        const size_t length = scheme == NULL ? 1 : longest_binding(account, scheme, number);

        if (account->generation != 0 && length > 0) {
            memcpy(lists[count].name, account->name, sizeof lists[count].name);
            lists[count].generation = account->generation;
            lists[count].binding_length = length;
            lists[count].key_epoch = account->list_key_epoch;
            lists[count].base = account->base;
            lists[count].policy = account->terms.policy;
            count++;
        }
    }
    *ret_version = accounts->version;
    pthread_rwlock_unlock(&accounts->lock);
    *ret_lists = lists;
    *ret_count = count;
}

size_t gk_accounts_keys(struct gk_accounts *accounts, const char *scheme, const char *number,
                        struct gk_account_key *ret_keys, size_t room)
{
    size_t count = 0;

    pthread_rwlock_rdlock(&accounts->lock);
    for (size_t i = 0; i < accounts->count; i++) {
        const struct account *account = &accounts->items[i];
        const uint32_t epochs[] = {account->list_key_epoch, account->terms.key_epoch};

        if (account->terms.key_epoch == 0 || longest_binding(account, scheme, number) == 0) {
            continue;
        }
        for (size_t k = 0; k < 2 && count < room; k++) {
            if (epochs[k] != 0 && (k == 0 || epochs[k] != epochs[0])) {
                memcpy(ret_keys[count].name, account->name, sizeof ret_keys[count].name);
                ret_keys[count++].epoch = epochs[k];
            }
        }
    }
    pthread_rwlock_unlock(&accounts->lock);
    return count;
}

uint64_t gk_accounts_generation(struct gk_accounts *accounts, const char *name, uint64_t *ret_version)
{
    pthread_rwlock_rdlock(&accounts->lock);
    const struct account *account = find(accounts, name);
    const uint64_t generation = account == NULL ? 0 : account->generation;

    *ret_version = accounts->version;
    pthread_rwlock_unlock(&accounts->lock);
    return generation;
}

uint64_t gk_accounts_version(struct gk_accounts *accounts)
{
    pthread_rwlock_rdlock(&accounts->lock);
    const uint64_t version = accounts->version;

    pthread_rwlock_unlock(&accounts->lock);
    return version;
}

bool gk_accounts_is_bound(struct gk_accounts *accounts, const char *name, const char *scheme,
                          const char *number)
{
    pthread_rwlock_rdlock(&accounts->lock);
    const struct account *account = find(accounts, name);
    const bool bound = account != NULL && longest_binding(account, scheme, number) > 0;

    pthread_rwlock_unlock(&accounts->lock);
    return bound;
}

bool gk_accounts_has_scheme(struct gk_accounts *accounts, const char *name, const char *scheme)
{
    const size_t length = strlen(scheme);
    bool has = false;

    pthread_rwlock_rdlock(&accounts->lock);
    const struct account *account = find(accounts, name);

    for (size_t i = 0; account != NULL && i < account->binding_count; i++) {
        const char *binding = account->bindings[i];

        has = has ||
              (strncmp(binding, scheme, length) == 0 && (binding[length] == '\0' || binding[length] == ':'));
    }
    pthread_rwlock_unlock(&accounts->lock);
    return has;
}

uint64_t gk_accounts_rows(struct gk_accounts *accounts)
{
    uint64_t rows = 0;

    pthread_rwlock_rdlock(&accounts->lock);
    for (size_t i = 0; i < accounts->count; i++) {
        rows += accounts->items[i].rows;
    }
    pthread_rwlock_unlock(&accounts->lock);
    return rows;
}
