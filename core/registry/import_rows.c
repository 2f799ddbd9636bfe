#include "core/registry/import_rows.h"

#include "core/registry/contact.h"
#include "rpc/repeated.h"

#include <ctype.h>
#include <pb_encode.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* False where the text would break a line of a notice: a control character. */
static bool is_one_line(const char *text)
{
    for (; *text != '\0'; text++) {
        if (iscntrl((unsigned char)*text)) {
            return false;
        }
    }
    return true;
}

/* "CHANNEL:ADDRESS", as "smtp:a@b.example". */
static bool is_contact(const char *text)
{
    static const char channel_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const size_t channel = strspn(text, channel_characters);

    return channel > 0 && text[channel] == ':' && text[channel + 1] != '\0' && is_one_line(text);
}

/* What is wrong with the holder's columns; NULL: nothing. */
static const char *holder_problem(const guika_v1_CardRow *row)
{
    if (row->holder_id[0] == '\0') {
        return "the holder id is missing";
    }
    if (!is_one_line(row->holder_id) || !is_one_line(row->name)) {
        return "the holder id or name holds a control character";
    }
    if (strcmp(row->language, "") != 0 && strcmp(row->language, "zh") != 0 &&
        strcmp(row->language, "en") != 0) {
        return "the language is not zh or en";
    }
    for (pb_size_t i = 0; i < row->contacts_count; i++) {
        if (!is_contact(row->contacts[i])) {
            return "a contact is not CHANNEL:ADDRESS, as smtp:a@b.example";
        }
    }
    return NULL;
}

/* The answer's match under the scheme that the row names; NULL where there is none. */
static const guika_v1_internal_NumberMatch *find_match(const guika_v1_internal_NumberAnswer *answer,
                                                       const char *scheme)
{
    for (pb_size_t i = 0; i < answer->matches_count; i++) {
        if (strcmp(answer->matches[i].scheme, scheme) == 0) {
            return &answer->matches[i];
        }
    }
    return NULL;
}

/* Seals what is known of the holder, under the item's holder token. */
static enum gk_status seal_holder(const struct gk_registry *registry, const char *issuer_id,
                                  const guika_v1_internal_HolderContacts *contacts,
                                  struct gk_import_row *item, struct gk_error *error)
{
    const struct gk_holder_context context = gk_registry_holder_context(issuer_id, item->holder_token);
    uint8_t plain[sizeof item->holder.sealed.bytes - GK_SEAL_OVERHEAD];
    pb_ostream_t stream = pb_ostream_from_buffer(plain, sizeof plain);

    if (!pb_encode(&stream, guika_v1_internal_HolderContacts_fields, contacts)) {
        return gk_error_set(error, GK_INTERNAL, "a holder's contacts do not encode");
    }
    gk_keys_seal(registry->keys, GK_SEAL_CONTACTS, (struct gk_bytes){context.data, context.size},
                 (struct gk_bytes){plain, stream.bytes_written}, item->holder.sealed.bytes);
    item->holder.sealed.size = (pb_size_t)(stream.bytes_written + GK_SEAL_OVERHEAD);
    item->holder.key_epoch = gk_keys_epoch(registry->keys);
    sodium_memzero(plain, sizeof plain);
    return GK_OK;
}

static enum gk_status seal_contacts(const struct gk_registry *registry, const char *issuer_id,
                                    const guika_v1_CardRow *row, struct gk_import_row *item,
                                    struct gk_error *error)
{
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;

    memcpy(contacts.name, row->name, sizeof contacts.name);
    memcpy(contacts.language, row->language[0] == '\0' ? "zh" : row->language, sizeof "zh");
    memcpy(contacts.contacts, row->contacts, sizeof contacts.contacts);
    contacts.contacts_count = row->contacts_count;
    memcpy(contacts.reference, row->holder_id, sizeof contacts.reference);
    const enum gk_status status = seal_holder(registry, issuer_id, &contacts, item, error);

    sodium_memzero(&contacts, sizeof contacts);
    return status;
}

static void index_contacts(const struct gk_keys *keys, const guika_v1_CardRow *row,
                           struct gk_import_row *item)
{
    for (pb_size_t i = 0; i < row->contacts_count; i++) {
        struct gk_contact contact;

        if (gk_contact_read(row->contacts[i], &contact)) {
            gk_keys_contact_token(keys, contact.text, item->contact_tokens[item->contact_count++]);
        }
    }
}

static enum gk_status prepare(struct gk_registry *registry, const char *issuer_id,
                              const guika_v1_CardRow *row, const guika_v1_internal_NumberAnswer *answer,
                              struct gk_import_row *item, struct gk_error *error)
{
    const guika_v1_internal_NumberMatch *match = find_match(answer, row->scheme);

    if (match == NULL) {
        memcpy(item->reader_problem, answer->problem, sizeof item->reader_problem);
        item->problem = answer->problem[0] == '\0' ? "not a number of this scheme" : item->reader_problem;
        return GK_OK;
    }
    if (!gk_registry_is_bound(registry, issuer_id, match->scheme, match->number)) {
        item->problem = "not among this account's schemes and prefixes";
        return GK_OK;
    }
    item->problem = holder_problem(row);
    if (item->problem != NULL) {
        return GK_OK;
    }
    item->kind = match->kind;
    item->key_epoch = gk_keys_epoch(registry->keys);
    item->all_tokens = gk_keys_card_tokens(registry->keys, match->scheme, match->number);
    memcpy(item->card_token, item->all_tokens.tokens[0], GK_TOKEN_SIZE);
    gk_keys_holder_token(registry->keys, issuer_id, row->holder_id, item->holder_token);
    index_contacts(registry->keys, row, item);
    item->blocks =
        gk_density_blocks(registry->keys, gk_keys_epoch(registry->keys), match->scheme, match->number);
    return seal_contacts(registry, issuer_id, row, item, error);
}

/* --- tokens --- */

/* What is wrong with a token row of account `issuer_id`; NULL: nothing. */
static const char *token_problem(struct gk_registry *registry, const char *issuer_id,
                                 const guika_v1_TokenRow *row)
{
    struct gk_issuer_terms terms = {.key_epoch = 0};

    (void)gk_accounts_terms(registry->accounts, issuer_id, &terms);
    if (terms.key_epoch == 0) {
        return "this account has no index key of its own; ask the operator for one";
    }
    if (row->key_epoch != terms.key_epoch) {
        return "made with another index key than the one in force; make the tokens anew";
    }
    if (!gk_accounts_has_scheme(registry->accounts, issuer_id, row->scheme)) {
        return "not among this account's schemes";
    }
    if (row->kind < guika_v1_CardKind_CARD_KIND_PAYMENT || row->kind > guika_v1_CardKind_CARD_KIND_OTHER) {
        return "there is no such kind of card";
    }
    if (row->blocks.size % GK_TOKEN_SIZE != 0) {
        return "the blocks are not whole tokens of 32 bytes";
    }
    if (row->reference[0] == '\0' || !is_one_line(row->reference)) {
        return "the reference is missing or holds a control character";
    }
    return NULL;
}

static enum gk_status prepare_token(struct gk_registry *registry, const char *issuer_id,
                                    const guika_v1_TokenRow *row, struct gk_import_row *item,
                                    struct gk_error *error)
{
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;

    item->problem = token_problem(registry, issuer_id, row);
    if (item->problem != NULL) {
        return GK_OK;
    }
    item->kind = row->kind;
    item->key_epoch = row->key_epoch;
    item->own_key = true;
    memcpy(item->card_token, row->token, GK_TOKEN_SIZE);
    gk_keys_holder_token(registry->keys, issuer_id, row->reference, item->holder_token);
    item->blocks.count = row->blocks.size / GK_TOKEN_SIZE;
    memcpy(item->blocks.tokens, row->blocks.bytes, row->blocks.size);
    memcpy(contacts.reference, row->reference, sizeof contacts.reference);
    return seal_holder(registry, issuer_id, &contacts, item, error);
}

/* --- the page --- */

/* What one row is read into; wiped after use, because it holds a number. */
struct scratch {
    guika_v1_CardRow row;
    guika_v1_TokenRow token;
    guika_v1_internal_NumberAnswer answer;
};

/* The next item of `*rest`, into `ret_row`, and room for it in the result. */
static enum gk_status take_row(struct gk_bytes *rest, const pb_msgdesc_t *descriptor, void *ret_row,
                               const struct gk_import_rows *result, struct gk_error *error)
{
    if (result->count == GK_PAGE_ROWS_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a page has at most %d rows", GK_PAGE_ROWS_MAX);
    }
    if (gk_repeated_next(rest, descriptor, ret_row) != GK_OK) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "row %zu of the page cannot be read: malformed, or a column is too long",
                            result->count);
    }
    return GK_OK;
}

static enum gk_status read_row(struct gk_registry *registry, const char *issuer_id, struct gk_bytes *rows,
                               struct gk_bytes *answers, struct scratch *scratch,
                               struct gk_import_rows *result, struct gk_error *error)
{
    memset(scratch, 0, sizeof *scratch);
    const enum gk_status status = take_row(rows, guika_v1_CardRow_fields, &scratch->row, result, error);

    if (status != GK_OK) {
        return status;
    }
    if (gk_repeated_next(answers, guika_v1_internal_NumberAnswer_fields, &scratch->answer) != GK_OK) {
        return gk_error_set(error, GK_INTERNAL, "a reader gave no answer to row %zu of the page",
                            result->count);
    }
    return prepare(registry, issuer_id, &scratch->row, &scratch->answer, &result->items[result->count++],
                   error);
}

static enum gk_status read_token(struct gk_registry *registry, const char *issuer_id, struct gk_bytes *tokens,
                                 struct scratch *scratch, struct gk_import_rows *result,
                                 struct gk_error *error)
{
    memset(scratch, 0, sizeof *scratch);
    const enum gk_status status = take_row(tokens, guika_v1_TokenRow_fields, &scratch->token, result, error);

    return status == GK_OK
               ? prepare_token(registry, issuer_id, &scratch->token, &result->items[result->count++], error)
               : status;
}

enum gk_status gk_import_rows_read(struct gk_registry *registry, const char *issuer_id,
                                   const guika_v1_ImportCardsRequest *request, struct gk_bytes answers,
                                   struct gk_import_rows *ret_rows, struct gk_error *error)
{
    struct gk_import_rows result = {.items = calloc(GK_PAGE_ROWS_MAX, sizeof *result.items)};
    struct gk_bytes rows = request->page_rows;
    struct gk_bytes tokens = request->page_tokens;
    enum gk_status status = GK_OK;
    struct scratch scratch;

    if (result.items == NULL) {
        abort();
    }
    while (status == GK_OK && rows.size > 0) {
        status = read_row(registry, issuer_id, &rows, &answers, &scratch, &result, error);
    }
    if (status == GK_OK && answers.size > 0) {
        status = gk_error_set(error, GK_INTERNAL, "a reader gave more answers than the page has rows");
    }
    while (status == GK_OK && tokens.size > 0) {
        status = read_token(registry, issuer_id, &tokens, &scratch, &result, error);
    }
    sodium_memzero(&scratch, sizeof scratch);
    if (status != GK_OK) {
        gk_import_rows_free(&result);
        return status;
    }
    *ret_rows = result;
    return GK_OK;
}

void gk_import_rows_free(struct gk_import_rows *rows)
{
    free(rows->items);
    *rows = (struct gk_import_rows){0};
}
