/*
 * Which card belongs to whom.
 *
 * Owns: the families cards, holders, contacts, density and issuer_accounts, and a cache in memory of the
 * accounts. A card is found by its keyed token alone. Each issuer account has its list in one generation; an
 * import stages the next one beside it and flips one record.
 */
#ifndef GUIKA_CORE_REGISTRY_REGISTRY_H
#define GUIKA_CORE_REGISTRY_REGISTRY_H

#include "core/registry/terms.h"
#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/internal/reader.pb.h"
#include "guika/v1/internal/records.pb.h"
#include "guika/v1/issuer.pb.h"

struct gk_registry;

/* Loads the accounts; erases generations that no account names. `store` and `keys` are borrowed. [worker] */
enum gk_status gk_registry_open(struct gk_store *store, const struct gk_keys *keys,
                                struct gk_registry **ret_registry, struct gk_error *error);
void gk_registry_close(struct gk_registry *registry);

/* INVALID_ARGUMENT where gk_registry_add_account would say so. [any] */
enum gk_status gk_registry_check_account(const char *issuer_id, const char bindings[][65],
                                         size_t binding_count, struct gk_error *error);

/* Adds an account. `issuer_id`: 1 to 32 characters of [A-Za-z0-9._-]. `bindings`: 1 to 32 of "SCHEME" or
 * "SCHEME:PREFIX". `also` [committer] writes what belongs to the account into the same transition, and its
 * audit entry; where it fails there is no account. INVALID_ARGUMENT, ALREADY_EXISTS. [worker] */
enum gk_status gk_registry_add_account(
    struct gk_registry *registry, const char *issuer_id, const char bindings[][65], size_t binding_count,
    enum gk_status (*also)(void *context, struct gk_transaction *transaction, struct gk_error *error),
    void *context, struct gk_error *error);

/* Sets what `terms` names (UNSPECIFIED and 0 leave what is there) in the account's record, within a
 * transition that writes its own audit entry. After its commit, call gk_registry_terms_set.
 * FAILED_PRECONDITION where there is no such account. [committer] */
enum gk_status gk_registry_set_terms(struct gk_transaction *transaction, const char *issuer_id,
                                     const struct gk_issuer_terms *terms, struct gk_error *error);
/* The terms are durable: look-ups and imports follow them from here on. [any] */
void gk_registry_terms_set(struct gk_registry *registry, const char *issuer_id,
                           const struct gk_issuer_terms *terms);
/* False where there is no such account. [any] */
bool gk_registry_terms(struct gk_registry *registry, const char *issuer_id,
                       struct gk_issuer_terms *ret_terms);

/* True where the account may register or revoke `number` (canonical) of `scheme`. [any] */
bool gk_registry_is_bound(struct gk_registry *registry, const char *issuer_id, const char *scheme,
                          const char *number);

/* Takes one page of an import of account `issuer_id`; page 0 under a new import id starts a new staging and
 * drops an unfinished one. `answers` is a reader's encoded NumberAnswers, one a row, in order: a row whose
 * answer has no match under the row's scheme is rejected with the answer's problem. Durable when it returns.
 * A page that was taken before is answered again without effect. A last page after which not one row was
 * accepted leaves the list in force, forgets the import and is answered with `in_force` false.
 * Errors: INVALID_ARGUMENT (page out of order: the message and `ret_response->next_page` say which is
 * expected; more than 500 rows; a row that cannot be read), FAILED_PRECONDITION (no such account), INTERNAL
 * (the answers are not one a row). [worker] */
enum gk_status gk_registry_import_page(struct gk_registry *registry, const char *issuer_id,
                                       const guika_v1_ImportCardsRequest *request, struct gk_bytes answers,
                                       guika_v1_ImportCardsResponse *ret_response, struct gk_error *error);

/* Marks a card of the account's list cancelled, also in a list that is being imported. `number` is canonical;
 * it is looked for under the service's key and under the issuer's own. `ret_tokens` (may be NULL) are those
 * that found cards may have of it. NOT_FOUND, PERMISSION_DENIED (not among the account's bindings). [worker]
 */
enum gk_status gk_registry_revoke(struct gk_registry *registry, const char *issuer_id, const char *scheme,
                                  const char *number, struct gk_card_tokens *ret_tokens,
                                  struct gk_error *error);
/* The same by a token that the issuer made with its own index key. [worker] */
enum gk_status gk_registry_revoke_token(struct gk_registry *registry, const char *issuer_id,
                                        const char *scheme, const uint8_t token[GK_TOKEN_SIZE],
                                        struct gk_error *error);

/* Whether the list of `issuer_account` that is in force has the card cancelled; false where the
 * account or the card is not there. For a transition that follows from a look-up. [committer] */
enum gk_status gk_registry_is_cancelled(struct gk_transaction *transaction, const char *issuer_account,
                                        const uint8_t card_token[GK_TOKEN_SIZE], bool *ret_cancelled,
                                        struct gk_error *error);

/* What is known of one card. */
struct gk_registration {
    bool registered;
    bool cancelled;
    char issuer_account[33];
    uint8_t card_token[GK_TOKEN_SIZE]; /* the one that it was found by; where not registered the service's */
    uint8_t holder_token[GK_TOKEN_SIZE];
    bool own_key;        /* card_token was made by the issuer, with its own index key */
    uint32_t key_epoch;  /* of that key, or of the service's */
    uint32_t base_epoch; /* of the service's key that card_token was first made with; 0: of an issuer's own */
    guika_v1_IssuerPolicy policy; /* of the account; UNSPECIFIED: NOTIFY_AT_ONCE */
    double density; /* 0 to 1: the share of the valid numbers near this one that are registered, this one left
                       out */
};

/* Looks one candidate up (scheme, number, kind) in the lists of the accounts whose bindings cover it. Where
 * several have it, the longest binding decides, then a live card before a cancelled one. [worker] */
enum gk_status gk_registry_look_up(struct gk_registry *registry, const guika_v1_internal_Candidate *candidate,
                                   struct gk_registration *ret_registration, struct gk_error *error);

/* As gk_registry_look_up by token, for what rests under one; a token from an older index key finds the card
 * of a list that has it under a newer one, as long as old keys are there; density is not computed. [worker]
 */
enum gk_status gk_registry_look_up_token(struct gk_registry *registry,
                                         const uint8_t card_token[GK_TOKEN_SIZE],
                                         struct gk_registration *ret_registration, struct gk_error *error);

enum { GK_OWN_TOKENS_MAX = 16 };

/* Tokens of `number` (canonical) under the index keys of those issuers that may register it, at most `room`
 * and GK_OWN_TOKENS_MAX; returns how many. Without a look at the store. [any] */
size_t gk_registry_own_tokens(struct gk_registry *registry, const char *scheme, const char *number,
                              uint8_t ret_tokens[][GK_TOKEN_SIZE], size_t room);
/* As gk_registry_look_up_token, of a card of `kind` alone: cards are one only if their kinds agree. [worker]
 */
enum gk_status gk_registry_look_up_card(struct gk_registry *registry, const uint8_t card_token[GK_TOKEN_SIZE],
                                        guika_v1_CardKind kind, struct gk_registration *ret_registration,
                                        struct gk_error *error);

/* Where some list has the number of `token` from a newer index key alone:
 * its token there and that key's epoch. NOT_FOUND without a message where no list has it, or one still has it
 * as it is. [worker] */
enum gk_status gk_registry_newer_token(struct gk_registry *registry, const uint8_t token[GK_TOKEN_SIZE],
                                       uint8_t ret_token[GK_TOKEN_SIZE], uint32_t *ret_base,
                                       struct gk_error *error);

/* Opens the holder's name, language and contacts. NOT_FOUND where the account's list has no such holder (any
 * more). [worker] */
enum gk_status gk_registry_holder(struct gk_registry *registry, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error);

/* Visits the cards of one holder in the account's list in force. Reads the list through. [worker] */
enum gk_status gk_registry_holder_cards(struct gk_registry *registry, const char *issuer_account,
                                        const uint8_t holder_token[GK_TOKEN_SIZE],
                                        void (*visit)(void *context, guika_v1_CardKind kind, bool cancelled),
                                        void *context, struct gk_error *error);

/* Deletes the holder and their cards from the account's list, and from one that is being imported. `also`
 * [committer] writes the rest into the same transition, and its audit entry. `*ret_cards` is how many rows
 * went. Erased from the disk with the next compaction; an import that names the holder again brings them
 * back. NOT_FOUND (no such account), ABORTED (the list was replaced meanwhile). [worker] */
enum gk_status gk_registry_forget_holder(
    struct gk_registry *registry, const char *issuer_account, const uint8_t holder_token[GK_TOKEN_SIZE],
    enum gk_status (*also)(void *context, struct gk_transaction *transaction, struct gk_error *error),
    void *context, size_t *ret_cards, struct gk_error *error);
/* The token of a contact, with or without its channel, in whatever way it is written. False where it is no
 * telephone number and no e-mail address. [any] */
bool gk_registry_contact_token(const struct gk_registry *registry, const char *text,
                               uint8_t ret_token[GK_TOKEN_SIZE]);

/* A holder that can be reached at a contact. */
struct gk_contact_holder {
    char issuer_account[33];
    uint8_t holder_token[GK_TOKEN_SIZE];
    uint32_t contact;  /* which of the holder's contacts it is */
    char address[129]; /* that contact, CHANNEL:ADDRESS; wipe after use */
    char language[16];
};

/* The holders that are registered with a contact, in all lists in force, at most `room`. [worker] */
enum gk_status gk_registry_contact_holders(struct gk_registry *registry,
                                           const uint8_t contact_token[GK_TOKEN_SIZE],
                                           struct gk_contact_holder *ret_holders, size_t room,
                                           size_t *ret_count, struct gk_error *error);

/* Cards in force, all accounts together. [any] */
uint64_t gk_registry_cards(struct gk_registry *registry);

#endif
