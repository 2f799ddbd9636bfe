/*
 * The issuer accounts in memory: what each may register, and which generation of its list is in force.
 *
 * Owns: a copy of the family issuer_accounts under a lock that is held for copies alone, never over a read of
 * the store. A reader of the store copies what it needs, reads, and asks gk_accounts_version whether a list
 * was replaced meanwhile: the old generation is erased only after the version has changed.
 */
#ifndef GUIKA_CORE_REGISTRY_ACCOUNTS_H
#define GUIKA_CORE_REGISTRY_ACCOUNTS_H

#include "core/registry/terms.h"
#include "guika/v1/internal/records.pb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GK_ACCOUNT_NAME_SIZE =
        sizeof(((guika_v1_internal_IssuerAccount *)NULL)->issuer_id), /* with the terminator */
    GK_BINDING_SIZE = sizeof(((guika_v1_internal_IssuerAccount *)NULL)->bindings[0]),
    GK_BINDINGS_MAX = sizeof(((guika_v1_internal_IssuerAccount *)NULL)->bindings) / GK_BINDING_SIZE,
};

struct gk_accounts;

struct gk_accounts *gk_accounts_new(void); /* never NULL */
void gk_accounts_free(struct gk_accounts *accounts);

/* Adds a copy of `account`, whose name must be new. [any] */
void gk_accounts_add(struct gk_accounts *accounts, const guika_v1_internal_IssuerAccount *account);

/* Puts the list that `account` has in force in force here too, unless a later one already is. [any] */
void gk_accounts_flip(struct gk_accounts *accounts, const guika_v1_internal_IssuerAccount *account);

/* Changes the terms of account `name`; UNSPECIFIED and 0 leave what is there. [any] */
void gk_accounts_set_terms(struct gk_accounts *accounts, const char *name,
                           const struct gk_issuer_terms *terms);

/* False where there is no such account. [any] */
bool gk_accounts_terms(struct gk_accounts *accounts, const char *name, struct gk_issuer_terms *ret_terms);

/* One list in force that may hold a number. */
struct gk_account_list {
    char name[GK_ACCOUNT_NAME_SIZE];
    uint64_t generation;
    size_t binding_length; /* of the longest binding that covers the number: the longer, the more specific */
    uint32_t key_epoch;    /* of the tokens in it that the issuer made; 0: there are none */
    uint32_t base; /* epoch of the service's index key that the other tokens in it were first made with */
    guika_v1_IssuerPolicy policy;
};

/* Copies out the lists in force of the accounts that may register `number` of `scheme`; all lists where
 * `scheme` is NULL. `ret_lists` is the caller's, freed with free, NULL where there is no account. [any] */
void gk_accounts_covering(struct gk_accounts *accounts, const char *scheme, const char *number,
                          struct gk_account_list **ret_lists, size_t *ret_count, uint64_t *ret_version);

/* One index key that an issuer has. */
struct gk_account_key {
    char name[GK_ACCOUNT_NAME_SIZE];
    uint32_t epoch;
};

/* The index keys of the accounts that may register `number` of `scheme`: that of the list in force, and the
 * newest where it is another one. At most `room`; returns how many. [any] */
size_t gk_accounts_keys(struct gk_accounts *accounts, const char *scheme, const char *number,
                        struct gk_account_key *ret_keys, size_t room);

/* The generation in force of account `name`; 0: none, or no such account. [any] */
uint64_t gk_accounts_generation(struct gk_accounts *accounts, const char *name, uint64_t *ret_version);

/* Changes with every flip. [any] */
uint64_t gk_accounts_version(struct gk_accounts *accounts);

bool gk_accounts_is_bound(struct gk_accounts *accounts, const char *name, const char *scheme,
                          const char *number);
/* True where some number of `scheme` is among the account's bindings. [any] */
bool gk_accounts_has_scheme(struct gk_accounts *accounts, const char *name, const char *scheme);
uint64_t gk_accounts_rows(struct gk_accounts *accounts);

#endif
