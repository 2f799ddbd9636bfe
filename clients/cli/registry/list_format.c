#include "clients/cli/registry/list_format.h"

#include "clients/cli/registry/utf8.h"

#include <assert.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX(type, field) (sizeof(((type *)NULL)->field) - 1)

enum {
    CONTACTS_MAX =
        sizeof(((guika_v1_CardRow *)NULL)->contacts) / sizeof(((guika_v1_CardRow *)NULL)->contacts[0]),
    TOKEN_SIZE = sizeof(((guika_v1_TokenRow *)NULL)->token),
    BLOCKS_SIZE = sizeof(((guika_v1_TokenRow *)NULL)->blocks.bytes),
    EPOCH_DIGITS = 10,
};

struct column {
    const char *name;
    size_t longest; /* bytes */
};

static bool make_card(const struct gk_list_column *columns, struct gk_list_row *row);
static bool make_token(const struct gk_list_column *columns, struct gk_list_row *row);
static bool make_number(const struct gk_list_column *columns, struct gk_list_row *row);

struct format {
    const char *header;
    size_t count;
    struct column columns[GK_LIST_COLUMNS_MAX];
    /* Fills the row from columns that are text and fit; false, with a problem, where it cannot. */
    bool (*make)(const struct gk_list_column *columns, struct gk_list_row *row);
};

static const struct format formats[GK_LIST_KIND_COUNT] = {
    [GK_LIST_CARDS] = {GK_LIST_HEADER,
                       6,
                       {{"scheme", FIELD_MAX(guika_v1_CardRow, scheme)},
                        {"number", FIELD_MAX(guika_v1_CardRow, number)},
                        {"holder_id", FIELD_MAX(guika_v1_CardRow, holder_id)},
                        {"name", FIELD_MAX(guika_v1_CardRow, name)},
                        {"language", FIELD_MAX(guika_v1_CardRow, language)},
                        {"contacts", FIELD_MAX(guika_v1_CardRow, contacts)}},
                       make_card},
    [GK_LIST_TOKENS] = {GK_LIST_TOKENS_HEADER,
                        6,
                        {{"scheme", FIELD_MAX(guika_v1_TokenRow, scheme)},
                         {"kind", 16},
                         {"key_epoch", EPOCH_DIGITS},
                         {"token", (size_t)2 * TOKEN_SIZE},
                         {"blocks", (size_t)2 * BLOCKS_SIZE},
                         {"reference", FIELD_MAX(guika_v1_TokenRow, reference)}},
                        make_token},
    [GK_LIST_NUMBERS] = {GK_LIST_NUMBERS_HEADER,
                         3,
                         {{"scheme", FIELD_MAX(guika_v1_CardRow, scheme)},
                          {"number", FIELD_MAX(guika_v1_CardRow, number)},
                          {"reference", FIELD_MAX(guika_v1_TokenRow, reference)}},
                         make_number},
};

/* By the numbers of CardKind in schemas/guika/v1/types.proto. */
static const char *const kinds[] = {NULL, "PAYMENT", "TRANSIT", "ID", "CAMPUS", "PARKING", "OTHER"};

guika_v1_CardKind gk_list_kind_of_word(const char *word)
{
    for (unsigned i = 1; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(word, kinds[i]) == 0) {
            return (guika_v1_CardKind)i;
        }
    }
    return guika_v1_CardKind_CARD_KIND_UNSPECIFIED;
}

const char *gk_list_word_of_kind(guika_v1_CardKind kind)
{
    return (size_t)kind < sizeof kinds / sizeof kinds[0] ? kinds[kind] : NULL;
}

bool gk_list_is_header(enum gk_list_kind kind, const struct gk_list_column *columns, size_t count)
{
    bool same = count == formats[kind].count;

    for (size_t i = 0; same && i < count; i++) {
        same = strcmp(columns[i].text, formats[kind].columns[i].name) == 0;
    }
    return same;
}

const char *gk_list_header(enum gk_list_kind kind)
{
    return formats[kind].header;
}

/* --- rows --- */

static void copy_column(const struct gk_list_column *column, char *ret_field)
{
    memcpy(ret_field, column->text, column->length); /* the row was zeroed */
}

static bool split_contacts(const char *text, struct gk_list_row *row)
{
    guika_v1_CardRow *card = &row->card;

    while (*text != '\0') {
        const size_t length = strcspn(text, ";");

        if (length >= sizeof card->contacts[0]) {
            (void)snprintf(row->problem, sizeof row->problem, "a contact is longer than %zu bytes",
                           sizeof card->contacts[0] - 1);
            return false;
        }
        if (length > 0 && card->contacts_count == CONTACTS_MAX) {
            (void)snprintf(row->problem, sizeof row->problem, "there are more than %d contacts",
                           (int)CONTACTS_MAX);
            return false;
        }
        if (length > 0) {
            memcpy(card->contacts[card->contacts_count++], text, length);
        }
        text += length + (text[length] == ';');
    }
    return true;
}

static bool make_card(const struct gk_list_column *columns, struct gk_list_row *row)
{
    copy_column(&columns[0], row->card.scheme);
    copy_column(&columns[1], row->card.number);
    copy_column(&columns[2], row->card.holder_id);
    copy_column(&columns[3], row->card.name);
    copy_column(&columns[4], row->card.language);
    return split_contacts(columns[5].text, row);
}

static bool make_number(const struct gk_list_column *columns, struct gk_list_row *row)
{
    copy_column(&columns[0], row->card.scheme);
    copy_column(&columns[1], row->card.number);
    copy_column(&columns[2], row->card.holder_id);
    return true;
}

static bool refuse(struct gk_list_row *row, const char *problem)
{
    (void)snprintf(row->problem, sizeof row->problem, "%s", problem);
    return false;
}

/* Decodes hexadecimal digits; false where the text is anything else, or longer than `size` bytes. */
static bool read_hex(const struct gk_list_column *column, uint8_t *ret_bytes, size_t size, size_t *ret_length)
{
    return sodium_hex2bin(ret_bytes, size, column->text, column->length, NULL, ret_length, NULL) == 0 &&
           2 * *ret_length == column->length;
}

static bool read_epoch(const struct gk_list_column *column, uint32_t *ret_epoch)
{
    const unsigned long long epoch = strtoull(column->text, NULL, 10);

    if (column->length == 0 || column->text[strspn(column->text, "0123456789")] != '\0' || epoch == 0 ||
        epoch > UINT32_MAX) {
        return false;
    }
    *ret_epoch = (uint32_t)epoch;
    return true;
}

static bool make_token(const struct gk_list_column *columns, struct gk_list_row *row)
{
    guika_v1_TokenRow *token = &row->token;
    size_t length = 0;

    copy_column(&columns[0], token->scheme);
    token->kind = gk_list_kind_of_word(columns[1].text);
    if (token->kind == guika_v1_CardKind_CARD_KIND_UNSPECIFIED) {
        return refuse(row, "kind is not PAYMENT, TRANSIT, ID, CAMPUS, PARKING or OTHER");
    }
    if (!read_epoch(&columns[2], &token->key_epoch)) {
        return refuse(row, "key_epoch is no number from 1");
    }
    if (!read_hex(&columns[3], token->token, TOKEN_SIZE, &length) || length != TOKEN_SIZE) {
        return refuse(row, "token is not 64 hexadecimal digits");
    }
    if (!read_hex(&columns[4], token->blocks.bytes, BLOCKS_SIZE, &length) || length % TOKEN_SIZE != 0) {
        return refuse(row, "blocks are not 0, 64, 128 or 192 hexadecimal digits");
    }
    token->blocks.size = (pb_size_t)length;
    copy_column(&columns[5], token->reference);
    return true;
}

static bool check_columns(const struct format *format, const struct gk_list_column *columns, size_t count,
                          struct gk_list_row *row)
{
    if (count != format->count) {
        (void)snprintf(row->problem, sizeof row->problem, "the row has %zu columns instead of %zu", count,
                       format->count);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct column *column = &format->columns[i];

        if (columns[i].length > column->longest) {
            (void)snprintf(row->problem, sizeof row->problem, "column %s is longer than %zu bytes",
                           column->name, column->longest);
            return false;
        }
        if (!gk_utf8_is_text(columns[i].text, columns[i].length)) {
            (void)snprintf(row->problem, sizeof row->problem, "column %s is not UTF-8 text", column->name);
            return false;
        }
    }
    return true;
}

void gk_list_make_row(enum gk_list_kind kind, const struct gk_list_column *columns, size_t count,
                      struct gk_list_row *ret_row)
{
    const uint64_t line = ret_row->line;

    assert(kind < GK_LIST_KIND_COUNT);
    *ret_row = (struct gk_list_row){.line = line};
    if (check_columns(&formats[kind], columns, count, ret_row)) {
        (void)formats[kind].make(columns, ret_row);
    }
}
