/*
 * Lost cards that were reported before they were found, and whose they then are.
 *
 * A card that nobody registered is claimed by the one watch that named its number before it was found, where
 * it is a transit, parking or campus card; never a bank or ID card. Rivals, reports that come later and
 * descriptions without a number wait for an operator.
 *
 * Owns: the families watches and claims, and in meta the keys that begin with GK_CLAIM_PREFIX. A claim record
 * brings watchers and found cards of one number together, so that on the committer whichever comes second
 * sees the first. No number rests.
 */
#ifndef GUIKA_CORE_WATCHES_H
#define GUIKA_CORE_WATCHES_H

#include "core/registry/registry.h"
#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"

#include <stdbool.h>

#define GK_WATCH_ID_SIZE 16 /* bytes */
#define GK_WATCHES_MAX 16   /* open ones of one contact */
#define GK_WATCH_LIFE_MS (INT64_C(180) * 24 * 3600 * 1000)
#define GK_CLAIM_PREFIX "claim/" /* and a watch id -> contact token: an operator has to look at it */

/* Cards of this kind may go to somebody who is not registered. [any] */
bool gk_watches_may_claim(guika_v1_CardKind kind);

/* Writes a watch as it is, and whether an operator has to look at it. [committer] */
enum gk_status gk_watches_put(struct gk_transaction *transaction, const guika_v1_internal_WatchRecord *watch,
                              struct gk_error *error);

/* Files a watch; `watch` is complete but for its time, state and `for_operator`. [committer] */
enum gk_status gk_watches_file(struct gk_transaction *transaction, guika_v1_internal_WatchRecord *watch,
                               struct gk_error *error);

/* A card with a certain number that nobody registered was found: writes it into the claim record of its
 * number. Where it is one watcher's, `*ret_claimed`, and `ret_contact_token` says whose; the watch is
 * matched. [committer] */
enum gk_status gk_watches_found(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card,
                                bool *ret_claimed, uint8_t ret_contact_token[GK_TOKEN_SIZE],
                                struct gk_error *error);

/* Notes a found card in the claim record of its number. Only what is noted follows the number to a newer
 * token: a full record leaves out a card that is closed, or else the oldest. [committer] */
void gk_watches_note_case(struct gk_transaction *transaction, guika_v1_internal_ClaimRecord *claims,
                          const uint8_t case_id[16]);

/* A watch that still waits. NOT_FOUND. [committer] */
enum gk_status gk_watches_get(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                              const uint8_t watch_id[GK_WATCH_ID_SIZE],
                              guika_v1_internal_WatchRecord *ret_watch, struct gk_error *error);

/* Erases a watch: its owner ends it, or an operator refuses it. NOT_FOUND where the contact has no such
 * watch, or it has ended. [committer] */
enum gk_status gk_watches_end(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                              const uint8_t watch_id[GK_WATCH_ID_SIZE], struct gk_error *error);

/* The watch is the card's: it waits no more. [committer] */
enum gk_status gk_watches_match(struct gk_transaction *transaction,
                                const uint8_t contact_token[GK_TOKEN_SIZE],
                                const uint8_t watch_id[GK_WATCH_ID_SIZE], const uint8_t case_id[16],
                                struct gk_error *error);

/* Watches that nobody waits for any more, some of them at a time: unanswered for GK_WATCH_LIFE_MS, or matched
 * with a card that is erased. Their keys are contact token and watch id. [worker] */
#define GK_WATCH_KEY_SIZE (GK_TOKEN_SIZE + GK_WATCH_ID_SIZE)
#define GK_WATCHES_SWEPT 64
enum gk_status gk_watches_expired(struct gk_store *store, int64_t now_ms,
                                  uint8_t ret_keys[GK_WATCHES_SWEPT][GK_WATCH_KEY_SIZE], size_t *ret_count,
                                  struct gk_error *error);
/* Erases one of them. [committer] */
enum gk_status gk_watches_forget(struct gk_transaction *transaction, const uint8_t key[GK_WATCH_KEY_SIZE],
                                 struct gk_error *error);

/* A contact's watches, in no order. `watch` is borrowed for the call. [worker] */
enum gk_status gk_watches_each(struct gk_store *store, const uint8_t contact_token[GK_TOKEN_SIZE],
                               bool (*visit)(void *context, const guika_v1_internal_WatchRecord *watch),
                               void *context, struct gk_error *error);

/* Opens what a watch says of the card. False where it says nothing, or does not open. [any] */
bool gk_watches_describe(const struct gk_keys *keys, const guika_v1_internal_WatchRecord *watch,
                         guika_v1_internal_WatchDescription *ret_description);

/* A watcher as a holder: contact and language, without a name. NOT_FOUND where nothing is watched for.
 * [worker] */
enum gk_status gk_watches_holder(struct gk_store *store, const struct gk_keys *keys,
                                 const uint8_t contact_token[GK_TOKEN_SIZE],
                                 guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error);

/* The epoch of the index key that the watch's card token `index` was first made with. [any] */
uint32_t gk_watches_base(const guika_v1_internal_WatchRecord *watch, size_t index);

/* A number has a token from a newer index key, of epoch `base`: claims, and the watches and found cards that
 * they name, get it in place of `old_token`. [committer] */
enum gk_status gk_watches_renew(struct gk_transaction *transaction, const uint8_t old_token[GK_TOKEN_SIZE],
                                const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base,
                                struct gk_error *error);
/* The same for one watch alone; without effect where there is none. [committer] */
enum gk_status gk_watches_renew_one(struct gk_transaction *transaction, const uint8_t key[GK_WATCH_KEY_SIZE],
                                    const uint8_t old_token[GK_TOKEN_SIZE],
                                    const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base,
                                    struct gk_error *error);
/* Leaves out of `tokens` those newer than the newest that is in use: that a list has, or a card that lies
 * here; all stay where none is. What a list from before a rotation has goes by its older token until the
 * issuer's next list, also where that leaves the number out, so whoever watches for it goes by the same one,
 * and follows where it is renewed (core/collapse.h). Before gk_watches_gather, for a watch. [worker] */
enum gk_status gk_watches_choose(struct gk_registry *registry, struct gk_store *store,
                                 struct gk_card_tokens *tokens, struct gk_error *error);
/* The number itself is at hand: whatever rests under its older tokens comes under the first of `tokens`, so
 * that who watches for it and what was found of it meet. Before gk_watches_file and gk_watches_found.
 * [committer] */
enum gk_status gk_watches_gather(struct gk_transaction *transaction, const struct gk_card_tokens *tokens,
                                 struct gk_error *error);

/* Drops the claims of a number that nobody watches for and whose found cards are erased, or have another
 * token. [committer] */
enum gk_status gk_watches_drop_idle(struct gk_transaction *transaction, const uint8_t token[GK_TOKEN_SIZE],
                                    struct gk_error *error);

#endif
