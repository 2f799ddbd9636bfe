#include "core/registry/rewrap.h"

#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"
#include "core/store/record.h"

#include <assert.h>
#include <pb_encode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 1000,         /* rows of one commit */
    ROWS_MAX = BATCH + 1, /* the last one may be two */
    META_KEY_SIZE = sizeof GK_REWRAP_PREFIX + GK_ACCOUNT_NAME_SIZE,
    ROW_KEY_MAX = 80,
    ROW_VALUE_MAX = 1100, /* HolderRecord, the longest */
};

/* The families of a list, in the order in which they are copied. */
static const enum gk_family FAMILIES[] = {GK_FAMILY_CARDS, GK_FAMILY_HOLDERS, GK_FAMILY_DENSITY,
                                          GK_FAMILY_CONTACTS, GK_FAMILY_OLDER_CARDS};
enum { FAMILY_COUNT = sizeof FAMILIES / sizeof FAMILIES[0] };

static_assert(guika_v1_internal_HolderRecord_size <= ROW_VALUE_MAX, "the longest row fits");
static_assert(guika_v1_internal_CardRecord_size <= ROW_VALUE_MAX, "the longest row fits");

static struct gk_bytes meta_key(const char *issuer_account, char text[META_KEY_SIZE])
{
    const int size = snprintf(text, META_KEY_SIZE, GK_REWRAP_PREFIX "%s", issuer_account);

    return (struct gk_bytes){(const uint8_t *)text, (size_t)size};
}

/* --- one row --- */

struct row {
    uint8_t key[ROW_KEY_MAX];
    size_t key_size;
    uint8_t value[ROW_VALUE_MAX];
    size_t value_size;
};

struct copying {
    const struct gk_keys *keys;
    uint32_t from;
    uint32_t to;
    char issuer_account[GK_ACCOUNT_NAME_SIZE];
    guika_v1_internal_RewrapRecord copy;
    bool is_new;     /* the copy has not been begun */
    bool has_others; /* the list has tokens that its issuer made, under a key of its own */
    struct row *rows;
    size_t row_count;
    uint8_t last[ROW_KEY_MAX]; /* the key of the last row, as it is in the list */
    size_t last_size;
    bool more;
    enum gk_status status;
    struct gk_error *error;
};

static enum gk_status encode(struct row *row, const pb_msgdesc_t *descriptor, const void *message,
                             struct gk_error *error)
{
    pb_ostream_t stream = pb_ostream_from_buffer(row->value, sizeof row->value);

    if (!pb_encode(&stream, descriptor, message)) {
        return gk_error_set(error, GK_INTERNAL, "a row of a list does not encode");
    }
    row->value_size = stream.bytes_written;
    return GK_OK;
}

static void wrap(const struct copying *copying, uint8_t *token)
{
    gk_keys_wrap(copying->keys, copying->from, copying->to, token);
}

static enum gk_status copy_card(struct copying *copying, struct gk_bytes value, struct row *row)
{
    guika_v1_internal_CardRecord card = guika_v1_internal_CardRecord_init_zero;
    const enum gk_status status =
        gk_record_decode(value, guika_v1_internal_CardRecord_fields, &card, copying->error);

    if (status != GK_OK) {
        return status;
    }
    if (!card.own_key) { /* the issuer's key has not changed */
        wrap(copying, row->key + GK_GENERATION_SIZE);
        card.key_epoch = copying->to;
        for (pb_size_t i = 0; i < card.older_count; i++) {
            wrap(copying, card.older[i]);
        }
    }
    wrap(copying, card.holder_token);
    return encode(row, guika_v1_internal_CardRecord_fields, &card, copying->error);
}

/* The contacts are bound to the holder's token, which is another one now. */
static enum gk_status copy_holder(struct copying *copying, struct gk_bytes value, struct row *row)
{
    uint8_t *token = row->key + GK_GENERATION_SIZE;
    guika_v1_internal_HolderRecord holder = guika_v1_internal_HolderRecord_init_zero;
    uint8_t plain[sizeof holder.sealed.bytes];
    enum gk_status status =
        gk_record_decode(value, guika_v1_internal_HolderRecord_fields, &holder, copying->error);

    if (status == GK_OK) {
        const struct gk_holder_context old = gk_registry_holder_context(copying->issuer_account, token);

        status = gk_keys_open_sealed(copying->keys, GK_SEAL_CONTACTS, (struct gk_bytes){old.data, old.size},
                                     (struct gk_bytes){holder.sealed.bytes, holder.sealed.size}, plain,
                                     copying->error);
    }
    if (status != GK_OK) {
        return status;
    }
    wrap(copying, token);
    const struct gk_holder_context context = gk_registry_holder_context(copying->issuer_account, token);

    gk_keys_seal_in(copying->keys, copying->to, GK_SEAL_CONTACTS,
                    (struct gk_bytes){context.data, context.size},
                    (struct gk_bytes){plain, holder.sealed.size - GK_SEAL_OVERHEAD}, holder.sealed.bytes);
    holder.key_epoch = copying->to;
    sodium_memzero(plain, sizeof plain);
    return encode(row, guika_v1_internal_HolderRecord_fields, &holder, copying->error);
}

/* A block does not say whose key named it. Where it may have been the issuer's it is kept under its old name
 * too. */
static enum gk_status copy_block(struct copying *copying, struct gk_bytes value, struct row *row)
{
    memcpy(row->value, value.data, value.size);
    row->value_size = value.size;
    if (copying->has_others) {
        copying->rows[copying->row_count++] = *row;
    }
    wrap(copying, row->key + GK_GENERATION_SIZE + 1);
    return GK_OK;
}

/* Contact and holder. */
static enum gk_status copy_contact(struct copying *copying, struct row *row)
{
    row->value_size = 0;
    wrap(copying, row->key + GK_GENERATION_SIZE);
    wrap(copying, row->key + GK_GENERATION_SIZE + GK_TOKEN_SIZE);
    return GK_OK;
}

/* An older token and the one that the list has. */
static enum gk_status copy_older(struct copying *copying, struct gk_bytes value, struct row *row)
{
    if (value.size != GK_TOKEN_SIZE) {
        return gk_error_set(copying->error, GK_DATA_LOSS, "a row of a list is damaged");
    }
    memcpy(row->value, value.data, GK_TOKEN_SIZE);
    row->value_size = GK_TOKEN_SIZE;
    wrap(copying, row->key + GK_GENERATION_SIZE);
    wrap(copying, row->value);
    return GK_OK;
}

static size_t key_size_of(enum gk_family family)
{
    switch (family) {
    case GK_FAMILY_DENSITY:
        return GK_GENERATION_KEY_SIZE + 1;
    case GK_FAMILY_CONTACTS:
        return GK_GENERATION_KEY_SIZE + GK_TOKEN_SIZE;
    default:
        return GK_GENERATION_KEY_SIZE;
    }
}

static enum gk_status copy_row(struct copying *copying, enum gk_family family, struct gk_bytes key,
                               struct gk_bytes value)
{
    struct row *row = &copying->rows[copying->row_count];

    if (key.size != key_size_of(family) || value.size > ROW_VALUE_MAX) {
        return gk_error_set(copying->error, GK_DATA_LOSS, "a row of a list is damaged");
    }
    memcpy(row->key, key.data, key.size);
    row->key_size = key.size;
    gk_generation_write(copying->copy.copy, row->key);
    copying->row_count++;
    switch (family) {
    case GK_FAMILY_CARDS:
        return copy_card(copying, value, row);
    case GK_FAMILY_HOLDERS:
        return copy_holder(copying, value, row);
    case GK_FAMILY_CONTACTS:
        return copy_contact(copying, row);
    case GK_FAMILY_OLDER_CARDS:
        return copy_older(copying, value, row);
    default:
        return copy_block(copying, value, row);
    }
}

/* --- one batch --- */

static bool take_row(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct copying *copying = context;
    guika_v1_internal_RewrapRecord *copy = &copying->copy;

    if (key.size == copy->cursor.size && memcmp(key.data, copy->cursor.bytes, key.size) == 0) {
        return true; /* the last one of the batch before */
    }
    if (copying->row_count >= BATCH) {
        copying->more = true;
        return false;
    }
    copying->status = copy_row(copying, FAMILIES[copy->step], key, value);
    copying->last_size = key.size < ROW_KEY_MAX ? key.size : 0;
    memcpy(copying->last, key.data, copying->last_size);
    return copying->status == GK_OK;
}

/* Reads the rows after the cursor and moves it on. */
static enum gk_status read_batch(struct gk_store *store, struct copying *copying)
{
    guika_v1_internal_RewrapRecord *copy = &copying->copy;
    uint8_t prefix[GK_GENERATION_SIZE];
    const struct gk_bytes start = {copy->cursor.bytes, copy->cursor.size};

    gk_generation_write(copy->generation, prefix);
    const enum gk_status status =
        gk_store_scan(store, FAMILIES[copy->step], (struct gk_bytes){prefix, sizeof prefix}, start, false,
                      take_row, copying, copying->error);

    if (status != GK_OK || copying->status != GK_OK) {
        return status != GK_OK ? status : copying->status;
    }
    if (copying->more) {
        copy->cursor.size = (pb_size_t)copying->last_size;
        memcpy(copy->cursor.bytes, copying->last, copying->last_size);
    }
    return GK_OK;
}

/* Writes what was read, with the place where the next batch goes on. */
static enum gk_status apply_batch(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct copying *copying = context;
    guika_v1_internal_RewrapRecord *copy = &copying->copy;
    char key[META_KEY_SIZE];

    for (size_t i = 0; i < copying->row_count; i++) {
        const struct row *row = &copying->rows[i];

        gk_transaction_put(transaction, FAMILIES[copy->step], (struct gk_bytes){row->key, row->key_size},
                           (struct gk_bytes){row->value, row->value_size});
    }
    if (!copying->more) {
        copy->step++;
        copy->cursor.size = 0;
        copy->done = copy->step == FAMILY_COUNT;
    }
    return gk_record_put(transaction, GK_FAMILY_META, meta_key(copying->issuer_account, key),
                         guika_v1_internal_RewrapRecord_fields, copy, error);
}

static enum gk_status copy_batch(struct gk_store *store, struct copying *copying)
{
    copying->rows = calloc(ROWS_MAX, sizeof *copying->rows);
    if (copying->rows == NULL) {
        abort();
    }
    enum gk_status status = read_batch(store, copying);

    if (status == GK_OK) {
        status = gk_store_commit_and_wait(store, apply_batch, copying, copying->error);
    }
    sodium_memzero(copying->rows, ROWS_MAX * sizeof *copying->rows);
    free(copying->rows);
    return status;
}

/* --- the beginning of a copy --- */

static enum gk_status apply_begin(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct copying *copying = context;
    char key[META_KEY_SIZE];

    if (copying->copy.copy != 0) {
        gk_generation_delete(transaction, copying->copy.copy);
    }
    const uint64_t generation = copying->copy.generation;
    const uint64_t changes = copying->copy.changes;

    copying->copy =
        (guika_v1_internal_RewrapRecord){.to = copying->to, .generation = generation, .changes = changes};
    const enum gk_status status = gk_generation_next(transaction, &copying->copy.copy, error);

    return status != GK_OK
               ? status
               : gk_record_put(transaction, GK_FAMILY_META, meta_key(copying->issuer_account, key),
                               guika_v1_internal_RewrapRecord_fields, &copying->copy, error);
}

/* --- the list that is next --- */

struct choice {
    struct gk_store *store;
    struct copying *copying;
    bool found;
};

/* Takes the first account whose list has no whole copy as it is now. */
static bool choose_account(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct choice *choice = context;
    struct copying *copying = choice->copying;
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    guika_v1_internal_RewrapRecord copy = guika_v1_internal_RewrapRecord_init_zero;
    char text[META_KEY_SIZE];

    (void)key;
    copying->status =
        gk_record_decode(value, guika_v1_internal_IssuerAccount_fields, &account, copying->error);
    if (copying->status != GK_OK || account.generation == 0) {
        return copying->status == GK_OK;
    }
    copying->status = gk_record_read(choice->store, GK_FAMILY_META, meta_key(account.issuer_id, text),
                                     guika_v1_internal_RewrapRecord_fields, &copy, copying->error);
    if (copying->status != GK_OK && copying->status != GK_NOT_FOUND) {
        return false;
    }
    copying->status = GK_OK;
    const bool is_current = copy.copy != 0 && copy.to == copying->to &&
                            copy.generation == account.generation && copy.changes == account.changes;

    if (is_current && copy.done) {
        return true;
    }
    choice->found = true;
    copying->is_new = !is_current;
    copying->copy = copy;
    copying->copy.generation = account.generation;
    copying->copy.changes = account.changes;
    copying->has_others = account.list_key_epoch != 0;
    memcpy(copying->issuer_account, account.issuer_id, sizeof copying->issuer_account);
    return false;
}

enum gk_status gk_rewrap_step(struct gk_store *store, const struct gk_keys *keys, uint32_t from, uint32_t to,
                              bool *ret_done, struct gk_error *error)
{
    const struct gk_bytes all = {NULL, 0};
    struct copying copying = {.keys = keys, .from = from, .to = to, .status = GK_OK, .error = error};
    struct choice choice = {.store = store, .copying = &copying};
    enum gk_status status =
        gk_store_scan(store, GK_FAMILY_ISSUER_ACCOUNTS, all, all, false, choose_account, &choice, error);

    if (status == GK_OK) {
        status = copying.status;
    }
    if (status == GK_OK && choice.found && copying.is_new) {
        status = gk_store_commit_and_wait(store, apply_begin, &copying, error);
    }
    if (status == GK_OK && choice.found) {
        status = copy_batch(store, &copying);
    }
    if (status == GK_OK) {
        *ret_done = !choice.found;
    }
    return status;
}

/* --- all copies --- */

enum gk_status gk_rewrap_flip(struct gk_transaction *transaction, const guika_v1_internal_RewrapRecord *copy,
                              const char *issuer_account, struct gk_error *error)
{
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    char key[META_KEY_SIZE];
    const enum gk_status status = gk_registry_get_account(transaction, issuer_account, &account, error);

    if (status != GK_OK) {
        return status;
    }
    gk_transaction_delete(transaction, GK_FAMILY_META, meta_key(issuer_account, key));
    account.generation = copy->copy;
    if (account.staging != 0) {
        account.staging = 0;
        account.staging_rows = 0;
        account.staging_key_epoch = 0;
        account.next_page = 0;
        account.import_id[0] = '\0';
    }
    return gk_registry_put_account(transaction, &account, error);
}

struct each {
    void (*visit)(void *context, const char *issuer_account, const guika_v1_internal_RewrapRecord *copy);
    void *context;
    enum gk_status status;
    struct gk_error *error;
};

static bool visit_copy(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct each *each = context;
    guika_v1_internal_RewrapRecord copy = guika_v1_internal_RewrapRecord_init_zero;
    char name[GK_ACCOUNT_NAME_SIZE];

    each->status = gk_record_decode(value, guika_v1_internal_RewrapRecord_fields, &copy, each->error);
    if (each->status == GK_OK) {
        (void)snprintf(name, sizeof name, "%.*s", (int)(key.size - strlen(GK_REWRAP_PREFIX)),
                       (const char *)key.data + strlen(GK_REWRAP_PREFIX));
        each->visit(each->context, name, &copy);
    }
    return each->status == GK_OK;
}

enum gk_status gk_rewrap_each(struct gk_store *store,
                              void (*visit)(void *context, const char *issuer_account,
                                            const guika_v1_internal_RewrapRecord *copy),
                              void *context, struct gk_error *error)
{
    struct each each = {visit, context, GK_OK, error};
    const struct gk_bytes prefix = {(const uint8_t *)GK_REWRAP_PREFIX, strlen(GK_REWRAP_PREFIX)};
    const enum gk_status status = gk_store_scan(store, GK_FAMILY_META, prefix, (struct gk_bytes){NULL, 0},
                                                false, visit_copy, &each, error);

    return status != GK_OK ? status : each.status;
}
