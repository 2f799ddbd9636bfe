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

static enum gk_status seal_contacts(const struct gk_registry *registry, const char *issuer_id,
                                    const guika_v1_CardRow *row, struct gk_import_row *item,
                                    struct gk_error *error)
{
    const struct gk_holder_context context = gk_registry_holder_context(issuer_id, item->holder_token);
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    uint8_t plain[sizeof item->holder.sealed.bytes - GK_SEAL_OVERHEAD];
    pb_ostream_t stream = pb_ostream_from_buffer(plain, sizeof plain);

    memcpy(contacts.name, row->name, sizeof contacts.name);
    memcpy(contacts.language, row->language[0] == '\0' ? "zh" : row->language, sizeof "zh");
    memcpy(contacts.contacts, row->contacts, sizeof contacts.contacts);
    contacts.contacts_count = row->contacts_count;
    if (!pb_encode(&stream, guika_v1_internal_HolderContacts_fields, &contacts)) {
        return gk_error_set(error, GK_INTERNAL, "a holder's contacts do not encode");
    }
    gk_keys_seal(registry->keys, GK_SEAL_CONTACTS, (struct gk_bytes){context.data, context.size},
                 (struct gk_bytes){plain, stream.bytes_written}, item->holder.sealed.bytes);
    item->holder.sealed.size = (pb_size_t)(stream.bytes_written + GK_SEAL_OVERHEAD);
    item->holder.key_epoch = gk_keys_epoch(registry->keys);
    sodium_memzero(plain, sizeof plain);
    sodium_memzero(&contacts, sizeof contacts);
    return GK_OK;
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
    gk_keys_card_token(registry->keys, match->scheme, match->number, item->card_token);
    gk_keys_holder_token(registry->keys, issuer_id, row->holder_id, item->holder_token);
    index_contacts(registry->keys, row, item);
    item->blocks = gk_density_blocks(registry->keys, match->scheme, match->number);
    return seal_contacts(registry, issuer_id, row, item, error);
}

/* What one row is read into; wiped after use, because it holds a number. */
struct scratch {
    guika_v1_CardRow row;
    guika_v1_internal_NumberAnswer answer;
};

static enum gk_status read_row(struct gk_registry *registry, const char *issuer_id, struct gk_bytes *rows,
                               struct gk_bytes *answers, struct scratch *scratch,
                               struct gk_import_rows *result, struct gk_error *error)
{
    if (result->count == GK_PAGE_ROWS_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a page has at most %d rows", GK_PAGE_ROWS_MAX);
    }
    memset(scratch, 0, sizeof *scratch);
    if (gk_repeated_next(rows, guika_v1_CardRow_fields, &scratch->row) != GK_OK) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "row %zu of the page cannot be read: malformed, or a column is too long",
                            result->count);
    }
    if (gk_repeated_next(answers, guika_v1_internal_NumberAnswer_fields, &scratch->answer) != GK_OK) {
        return gk_error_set(error, GK_INTERNAL, "a reader gave no answer to row %zu of the page",
                            result->count);
    }
    return prepare(registry, issuer_id, &scratch->row, &scratch->answer, &result->items[result->count++],
                   error);
}

enum gk_status gk_import_rows_read(struct gk_registry *registry, const char *issuer_id, struct gk_bytes rows,
                                   struct gk_bytes answers, struct gk_import_rows *ret_rows,
                                   struct gk_error *error)
{
    struct gk_import_rows result = {.items = calloc(GK_PAGE_ROWS_MAX, sizeof *result.items)};
    enum gk_status status = GK_OK;
    struct scratch scratch;

    if (result.items == NULL) {
        abort();
    }
    while (status == GK_OK && rows.size > 0) {
        status = read_row(registry, issuer_id, &rows, &answers, &scratch, &result, error);
    }
    sodium_memzero(&scratch, sizeof scratch);
    if (status == GK_OK && answers.size > 0) {
        status = gk_error_set(error, GK_INTERNAL, "a reader gave more answers than the page has rows");
    }
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
