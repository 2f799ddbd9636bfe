/*
 * Reading the lists in force. A list may be replaced while it is read: what was read is thrown away and read
 * again when the version of the accounts has changed meanwhile, because the old generation is erased.
 */
#include "core/registry/density.h"
#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"
#include "core/security/issuer_keys.h"
#include "core/store/record.h"

#include <pb_decode.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* One card in one list, under one key: a list may have tokens that the service made and such that its issuer
 * made. */
struct entry {
    const struct gk_account_list *list;
    uint8_t token[GK_TOKEN_SIZE];
    bool present;
    guika_v1_internal_CardRecord record;
};

/* Reads each entry's card. */
static enum gk_status read_entries(struct gk_registry *registry, struct entry *entries, size_t count,
                                   struct gk_error *error)
{
    uint8_t(*key_bytes)[GK_GENERATION_KEY_SIZE] = calloc(count, sizeof *key_bytes);
    struct gk_bytes *keys = calloc(count, sizeof *keys);
    struct gk_value *values = calloc(count, sizeof *values);

    if (key_bytes == NULL || keys == NULL || values == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        gk_generation_key(entries[i].list->generation, entries[i].token, key_bytes[i]);
        keys[i] = (struct gk_bytes){key_bytes[i], sizeof key_bytes[i]};
    }
    enum gk_status status = gk_store_multi_get(registry->store, GK_FAMILY_CARDS, keys, count, values, error);

    for (size_t i = 0; status == GK_OK && i < count; i++) {
        entries[i].present = values[i].data != NULL;
        if (entries[i].present) {
            status = gk_record_decode((struct gk_bytes){values[i].data, values[i].size},
                                      guika_v1_internal_CardRecord_fields, &entries[i].record, error);
        }
    }
    for (size_t i = 0; i < count; i++) {
        gk_value_free(&values[i]);
    }
    free(values);
    free(keys);
    free(key_bytes);
    return status;
}

/* The entry that decides: the most specific binding; of equal ones a live card before a cancelled one, then
 * the first by order of the accounts. `kind` NULL: any. NULL where no list has the card. */
static const struct entry *choose(const struct entry *entries, size_t count, const guika_v1_CardKind *kind)
{
    const struct entry *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct entry *entry = &entries[i];

        if (!entry->present || (kind != NULL && entry->record.kind != *kind)) {
            continue;
        }
        if (best == NULL || entry->list->binding_length > best->list->binding_length ||
            (entry->list->binding_length == best->list->binding_length && best->record.cancelled &&
             !entry->record.cancelled)) {
            best = entry;
        }
    }
    return best;
}

static void fill_in(const struct entry *chosen, struct gk_registration *registration)
{
    if (chosen == NULL) {
        return;
    }
    registration->registered = true;
    registration->cancelled = chosen->record.cancelled;
    registration->own_key = chosen->record.own_key;
    registration->key_epoch = chosen->record.key_epoch;
    registration->base_epoch = chosen->record.own_key ? 0 : chosen->list->base;
    registration->policy = chosen->list->policy;
    memcpy(registration->issuer_account, chosen->list->name, sizeof registration->issuer_account);
    memcpy(registration->card_token, chosen->token, GK_TOKEN_SIZE);
    memcpy(registration->holder_token, chosen->record.holder_token, GK_TOKEN_SIZE);
}

/* What a look-up is for. A `candidate` of NULL asks all lists for the token alone. */
struct question {
    const guika_v1_internal_Candidate *candidate;
    const guika_v1_CardKind *kind;       /* of the card; NULL: any */
    struct gk_registration registration; /* with card_token set */
};

/* The keys under which a card may be in the lists: the service's in each, and a list's issuer's own where the
 * list has tokens of it. `ret_entries` and `ret_views` have room for twice `count`; returns how many. */
static size_t spread(struct gk_registry *registry, const struct gk_account_list *lists, size_t count,
                     const struct question *question, struct entry *ret_entries,
                     struct gk_density_view *ret_views)
{
    const guika_v1_internal_Candidate *candidate = question->candidate;
    size_t spread = 0;

    for (size_t i = 0; i < count; i++) {
        ret_entries[spread].list = &lists[i];
        ret_views[spread] = (struct gk_density_view){.generation = lists[i].generation};
        if (candidate == NULL) {
            memcpy(ret_entries[spread].token, question->registration.card_token, GK_TOKEN_SIZE);
        } else {
            gk_keys_card_token_from(registry->keys, lists[i].base, candidate->scheme, candidate->number,
                                    ret_entries[spread].token);
            ret_views[spread].blocks =
                gk_density_blocks(registry->keys, lists[i].base, candidate->scheme, candidate->number);
        }
        spread++;
        if (candidate != NULL && lists[i].key_epoch != 0 &&
            gk_issuer_keys_tokens(gk_keys_issuers(registry->keys), lists[i].name, lists[i].key_epoch,
                                  candidate->scheme, candidate->number, ret_entries[spread].token,
                                  &ret_views[spread].blocks)) {
            ret_entries[spread].list = &lists[i];
            ret_views[spread++].generation = lists[i].generation;
        }
    }
    return spread;
}

/* A token from an older index key becomes the one under which the list has the card. */
static enum gk_status renew_tokens(struct gk_registry *registry, struct entry *entries, size_t count,
                                   struct gk_error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t key[GK_GENERATION_KEY_SIZE];
        struct gk_value newer = {0};

        if (entries[i].list->base <= gk_keys_lowest(registry->keys)) {
            continue;
        }
        gk_generation_key(entries[i].list->generation, entries[i].token, key);
        const enum gk_status status = gk_store_get(registry->store, GK_FAMILY_OLDER_CARDS,
                                                   (struct gk_bytes){key, sizeof key}, &newer, error);

        if (status == GK_OK && newer.size == GK_TOKEN_SIZE) {
            memcpy(entries[i].token, newer.data, GK_TOKEN_SIZE);
        }
        gk_value_free(&newer);
        if (status != GK_OK && status != GK_NOT_FOUND) {
            return status;
        }
    }
    return GK_OK;
}

static enum gk_status ask(struct gk_registry *registry, const struct gk_account_list *lists, size_t count,
                          struct question *question, struct gk_error *error)
{
    const guika_v1_internal_Candidate *candidate = question->candidate;
    struct entry *entries = calloc(2 * count, sizeof *entries);
    struct gk_density_view *views = calloc(2 * count, sizeof *views);
    uint64_t self = 0;

    if (entries == NULL || views == NULL) {
        abort();
    }
    const size_t keys = spread(registry, lists, count, question, entries, views);
    enum gk_status status = candidate == NULL ? renew_tokens(registry, entries, keys, error) : GK_OK;

    if (status == GK_OK) {
        status = read_entries(registry, entries, keys, error);
    }

    for (size_t i = 0; i < keys; i++) {
        self += entries[i].present;
    }
    if (status == GK_OK) {
        fill_in(choose(entries, keys, candidate == NULL ? NULL : &candidate->kind), &question->registration);
    }
    if (status == GK_OK && candidate != NULL) {
        status = gk_density_share(registry->store, views, keys, self, &question->registration.density, error);
    }
    free(views);
    free(entries);
    return status;
}

static enum gk_status look_up(struct gk_registry *registry, const struct question *question,
                              struct gk_registration *ret_registration, struct gk_error *error)
{
    for (;;) {
        const guika_v1_internal_Candidate *candidate = question->candidate;
        struct question attempt = *question;
        struct gk_account_list *lists;
        uint64_t version;
        size_t count;
        enum gk_status status = GK_OK;

        gk_accounts_covering(registry->accounts, candidate == NULL ? NULL : candidate->scheme,
                             candidate == NULL ? NULL : candidate->number, &lists, &count, &version);
        if (count > 0) {
            status = ask(registry, lists, count, &attempt, error);
        }
        free(lists);
        if (gk_accounts_version(registry->accounts) != version) {
            continue;
        }
        if (status == GK_OK) {
            *ret_registration = attempt.registration;
        }
        return status;
    }
}

enum gk_status gk_registry_look_up(struct gk_registry *registry, const guika_v1_internal_Candidate *candidate,
                                   struct gk_registration *ret_registration, struct gk_error *error)
{
    struct question question = {.candidate = candidate, .kind = &candidate->kind};

    gk_keys_card_token(registry->keys, candidate->scheme, candidate->number,
                       question.registration.card_token);
    question.registration.base_epoch = gk_keys_epoch(registry->keys);
    return look_up(registry, &question, ret_registration, error);
}

enum gk_status gk_registry_look_up_token(struct gk_registry *registry,
                                         const uint8_t card_token[GK_TOKEN_SIZE],
                                         struct gk_registration *ret_registration, struct gk_error *error)
{
    struct question question = {.candidate = NULL};

    memcpy(question.registration.card_token, card_token, GK_TOKEN_SIZE);
    return look_up(registry, &question, ret_registration, error);
}

/* Of the lists that have the card, the one with the newest token; none where one has `token` itself. */
static enum gk_status newest_of(const struct entry *entries, size_t count, const uint8_t *token,
                                uint8_t *ret_token, uint32_t *ret_base)
{
    const struct entry *newest = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!entries[i].present) {
            continue;
        }
        if (memcmp(entries[i].token, token, GK_TOKEN_SIZE) == 0) {
            return GK_NOT_FOUND;
        }
        if (newest == NULL || entries[i].list->base > newest->list->base) {
            newest = &entries[i];
        }
    }
    if (newest == NULL) {
        return GK_NOT_FOUND;
    }
    memcpy(ret_token, newest->token, GK_TOKEN_SIZE);
    *ret_base = newest->list->base;
    return GK_OK;
}

enum gk_status gk_registry_newer_token(struct gk_registry *registry, const uint8_t token[GK_TOKEN_SIZE],
                                       uint8_t ret_token[GK_TOKEN_SIZE], uint32_t *ret_base,
                                       struct gk_error *error)
{
    struct gk_account_list *lists;
    struct entry *entries;
    enum gk_status status;
    uint64_t version;
    size_t count;

    do {
        gk_accounts_covering(registry->accounts, NULL, NULL, &lists, &count, &version);
        entries = calloc(count + 1, sizeof *entries);
        if (entries == NULL) {
            abort();
        }
        for (size_t i = 0; i < count; i++) {
            entries[i].list = &lists[i];
            memcpy(entries[i].token, token, GK_TOKEN_SIZE);
        }
        status = renew_tokens(registry, entries, count, error);
        if (status == GK_OK && count > 0) {
            status = read_entries(registry, entries, count, error);
        }
        if (status == GK_OK) {
            status = newest_of(entries, count, token, ret_token, ret_base);
        }
        free(entries);
        free(lists);
    } while (gk_accounts_version(registry->accounts) != version);
    return status;
}

size_t gk_registry_own_tokens(struct gk_registry *registry, const char *scheme, const char *number,
                              uint8_t ret_tokens[][GK_TOKEN_SIZE], size_t room)
{
    struct gk_account_key keys[GK_OWN_TOKENS_MAX];
    const size_t count = gk_accounts_keys(registry->accounts, scheme, number, keys,
                                          room < GK_OWN_TOKENS_MAX ? room : GK_OWN_TOKENS_MAX);
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        made += gk_issuer_keys_tokens(gk_keys_issuers(registry->keys), keys[i].name, keys[i].epoch, scheme,
                                      number, ret_tokens[made], NULL);
    }
    return made;
}

enum gk_status gk_registry_look_up_card(struct gk_registry *registry, const uint8_t card_token[GK_TOKEN_SIZE],
                                        guika_v1_CardKind kind, struct gk_registration *ret_registration,
                                        struct gk_error *error)
{
    struct question question = {.candidate = NULL, .kind = &kind};

    memcpy(question.registration.card_token, card_token, GK_TOKEN_SIZE);
    return look_up(registry, &question, ret_registration, error);
}

/* Opens what was sealed under the account and the token. */
static enum gk_status open_contacts(struct gk_registry *registry, const char *issuer_account,
                                    const uint8_t holder_token[GK_TOKEN_SIZE],
                                    const guika_v1_internal_HolderRecord *record,
                                    guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    const struct gk_holder_context context = gk_registry_holder_context(issuer_account, holder_token);
    const struct gk_bytes sealed = {record->sealed.bytes, record->sealed.size};
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    uint8_t plain[sizeof record->sealed.bytes];

    if (sealed.size < GK_SEAL_OVERHEAD) {
        return gk_error_set(error, GK_DATA_LOSS, "a holder's record is damaged");
    }
    enum gk_status status =
        gk_keys_open_sealed(registry->keys, GK_SEAL_CONTACTS, (struct gk_bytes){context.data, context.size},
                            sealed, plain, error);

    if (status == GK_OK) {
        status = gk_record_decode((struct gk_bytes){plain, sealed.size - GK_SEAL_OVERHEAD},
                                  guika_v1_internal_HolderContacts_fields, &contacts, error);
    }
    if (status == GK_OK) {
        *ret_contacts = contacts;
    }
    sodium_memzero(plain, sizeof plain);
    return status;
}

enum gk_status gk_registry_holder(struct gk_registry *registry, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    guika_v1_internal_HolderRecord record = guika_v1_internal_HolderRecord_init_zero;
    uint8_t key[GK_GENERATION_KEY_SIZE];
    enum gk_status status;
    uint64_t version;

    do {
        const uint64_t generation = gk_accounts_generation(registry->accounts, issuer_account, &version);

        gk_generation_key(generation, holder_token, key);
        status = gk_record_read(registry->store, GK_FAMILY_HOLDERS, (struct gk_bytes){key, sizeof key},
                                guika_v1_internal_HolderRecord_fields, &record, error);
    } while (gk_accounts_version(registry->accounts) != version);
    if (status == GK_NOT_FOUND) {
        return gk_error_set(error, GK_NOT_FOUND, "the issuer's list has no such holder any more");
    }
    if (status != GK_OK) {
        return status;
    }
    return open_contacts(registry, issuer_account, holder_token, &record, ret_contacts, error);
}
