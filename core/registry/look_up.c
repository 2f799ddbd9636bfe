/*
 * Reading the lists in force. A list may be replaced while it is read: what was read is thrown away and read
 * again when the version of the accounts has changed meanwhile, because the old generation is erased.
 */
#include "core/registry/density.h"
#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"
#include "core/store/record.h"

#include <pb_decode.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* One card in one list. */
struct entry {
    bool present;
    guika_v1_internal_CardRecord record;
};

/* Reads the card `token` in each of `lists`. `ret_entries` has room for `count`. */
static enum gk_status read_entries(struct gk_registry *registry, const struct gk_account_list *lists,
                                   size_t count, const uint8_t token[GK_TOKEN_SIZE],
                                   struct entry *ret_entries, struct gk_error *error)
{
    uint8_t(*key_bytes)[GK_GENERATION_KEY_SIZE] = calloc(count, sizeof *key_bytes);
    struct gk_bytes *keys = calloc(count, sizeof *keys);
    struct gk_value *values = calloc(count, sizeof *values);

    if (key_bytes == NULL || keys == NULL || values == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        gk_generation_key(lists[i].generation, token, key_bytes[i]);
        keys[i] = (struct gk_bytes){key_bytes[i], sizeof key_bytes[i]};
    }
    enum gk_status status = gk_store_multi_get(registry->store, GK_FAMILY_CARDS, keys, count, values, error);

    for (size_t i = 0; status == GK_OK && i < count; i++) {
        ret_entries[i] = (struct entry){.present = values[i].data != NULL};
        if (ret_entries[i].present) {
            status = gk_record_decode((struct gk_bytes){values[i].data, values[i].size},
                                      guika_v1_internal_CardRecord_fields, &ret_entries[i].record, error);
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

/* The list whose entry decides: the most specific binding; of equal ones a live card before a cancelled one,
 * then the first by order of the accounts. `kind` NULL: any. SIZE_MAX where no list has the card. */
static size_t choose(const struct gk_account_list *lists, const struct entry *entries, size_t count,
                     const guika_v1_CardKind *kind)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        if (!entries[i].present || (kind != NULL && entries[i].record.kind != *kind)) {
            continue;
        }
        if (best == SIZE_MAX || lists[i].binding_length > lists[best].binding_length ||
            (lists[i].binding_length == lists[best].binding_length && entries[best].record.cancelled &&
             !entries[i].record.cancelled)) {
            best = i;
        }
    }
    return best;
}

static void fill_in(const struct gk_account_list *lists, const struct entry *entries, size_t chosen,
                    struct gk_registration *registration)
{
    if (chosen == SIZE_MAX) {
        return;
    }
    registration->registered = true;
    registration->cancelled = entries[chosen].record.cancelled;
    memcpy(registration->issuer_account, lists[chosen].name, sizeof registration->issuer_account);
    memcpy(registration->holder_token, entries[chosen].record.holder_token, GK_TOKEN_SIZE);
}

/* What a look-up is for. A `candidate` of NULL asks all lists for the token alone. */
struct question {
    const guika_v1_internal_Candidate *candidate;
    const guika_v1_CardKind *kind;       /* of the card; NULL: any */
    struct gk_registration registration; /* with card_token set */
};

static enum gk_status ask(struct gk_registry *registry, const struct gk_account_list *lists, size_t count,
                          struct question *question, struct gk_error *error)
{
    const guika_v1_internal_Candidate *candidate = question->candidate;
    struct entry *entries = calloc(count, sizeof *entries);
    uint64_t self = 0;

    if (entries == NULL) {
        abort();
    }
    enum gk_status status =
        read_entries(registry, lists, count, question->registration.card_token, entries, error);

    if (status == GK_OK) {
        fill_in(lists, entries, choose(lists, entries, count, question->kind), &question->registration);
    }
    for (size_t i = 0; i < count; i++) {
        self += entries[i].present;
    }
    free(entries);
    if (status == GK_OK && candidate != NULL) {
        const struct gk_blocks blocks =
            gk_density_blocks(registry->keys, candidate->scheme, candidate->number);

        status = gk_density_share(registry->store, lists, count, &blocks, self,
                                  &question->registration.density, error);
    }
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
