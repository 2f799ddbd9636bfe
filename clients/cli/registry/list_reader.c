#include "clients/cli/registry/list_reader.h"

#include <csv.h>
#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 65536 };

struct gk_list_reader {
    FILE *stream;
    struct csv_parser parser;
    unsigned char buffer[BUFFER_SIZE];
    size_t buffer_start;
    size_t buffer_end;
    bool ended; /* the parser was told that the file is over */
    uint64_t offset;
    uint64_t line;     /* of the next byte */
    uint64_t row_line; /* where the row under way begins */
    size_t row_bytes;  /* of the row under way */
    bool in_row;       /* something of it was seen */
    bool row_done;     /* the columns hold a whole row */
    enum gk_list_kind kind;
    size_t column_count; /* of the row; may be above GK_LIST_COLUMNS_MAX */
    struct gk_list_column columns[GK_LIST_COLUMNS_MAX];
};

static void on_column(void *text, size_t length, void *context)
{
    struct gk_list_reader *reader = context;

    if (reader->column_count < GK_LIST_COLUMNS_MAX) {
        struct gk_list_column *column = &reader->columns[reader->column_count];
        const size_t kept = length < sizeof column->text ? length : sizeof column->text - 1;

        memcpy(column->text, text == NULL ? "" : text, kept);
        column->text[kept] = '\0';
        column->length = length;
    }
    reader->column_count++;
}

static void on_row(int terminator, void *context)
{
    struct gk_list_reader *reader = context;

    (void)terminator;
    reader->row_done = true;
}

/* --- from bytes to rows --- */

static enum gk_status fill(struct gk_list_reader *reader, struct gk_error *error)
{
    reader->buffer_start = 0;
    reader->buffer_end = fread(reader->buffer, 1, sizeof reader->buffer, reader->stream);
    if (ferror(reader->stream)) {
        return gk_error_set(error, GK_UNAVAILABLE, "the list cannot be read: %s", strerror(errno));
    }
    return GK_OK;
}

static bool is_blank(const unsigned char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (strchr(" \t\r\n", text[i]) == NULL || text[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* Up to and with the next end of line, so that at most one row is completed at a time. */
static size_t next_piece(const struct gk_list_reader *reader)
{
    const unsigned char *start = reader->buffer + reader->buffer_start;
    const size_t size = reader->buffer_end - reader->buffer_start;

    for (size_t i = 0; i < size; i++) {
        if (start[i] == '\n' || start[i] == '\r') {
            return i + 1;
        }
    }
    return size;
}

static enum gk_status malformed(const struct gk_list_reader *reader, struct gk_error *error)
{
    return gk_error_set(error, GK_INVALID_ARGUMENT,
                        "line %llu: a quote is missing or stands where none may (RFC 4180)",
                        (unsigned long long)reader->row_line);
}

static enum gk_status feed(struct gk_list_reader *reader, struct gk_error *error)
{
    const unsigned char *piece = reader->buffer + reader->buffer_start;
    const size_t size = next_piece(reader);

    if (!reader->in_row) {
        reader->row_line = reader->line;
        reader->row_bytes = 0;
    }
    if (csv_parse(&reader->parser, piece, size, on_column, on_row, reader) != size) {
        return malformed(reader, error);
    }
    reader->buffer_start += size;
    reader->offset += size;
    reader->row_bytes += size;
    reader->line += piece[size - 1] == '\n';
    reader->in_row = !reader->row_done && (reader->in_row || !is_blank(piece, size));
    if (reader->in_row && reader->row_bytes > GK_LIST_ROW_BYTES_MAX) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "line %llu: the row has more than %d bytes; is a quote not closed?",
                            (unsigned long long)reader->row_line, (int)GK_LIST_ROW_BYTES_MAX);
    }
    return GK_OK;
}

static enum gk_status end(struct gk_list_reader *reader, struct gk_error *error)
{
    reader->ended = true;
    if (csv_fini(&reader->parser, on_column, on_row, reader) != 0) {
        return malformed(reader, error);
    }
    return reader->row_done ? GK_OK : GK_NOT_FOUND;
}

/* Reads until the columns hold one whole row. */
static enum gk_status read_columns(struct gk_list_reader *reader, struct gk_error *error)
{
    enum gk_status status = GK_OK;

    reader->row_done = false;
    reader->column_count = 0;
    if (reader->ended) {
        return GK_NOT_FOUND;
    }
    while (status == GK_OK && !reader->row_done) {
        if (reader->buffer_start == reader->buffer_end) {
            status = fill(reader, error);
            if (status == GK_OK && reader->buffer_end == 0) {
                return end(reader, error);
            }
        }
        if (status == GK_OK) {
            status = feed(reader, error);
        }
    }
    return status;
}

enum gk_status gk_list_reader_next(struct gk_list_reader *reader, struct gk_list_row *ret_row,
                                   struct gk_error *error)
{
    const enum gk_status status = read_columns(reader, error);

    if (status == GK_OK) {
        ret_row->line = reader->row_line;
        gk_list_make_row(reader->kind, reader->columns, reader->column_count, ret_row);
    }
    return status;
}

/* --- open and close --- */

/* What was found instead of the header, fit to be shown: digits masked, one line. */
static void describe_header(const struct gk_list_reader *reader, char *ret_text, size_t size)
{
    size_t length = 0;

    for (size_t i = 0; i < reader->column_count && i < GK_LIST_COLUMNS_MAX; i++) {
        const char *text = reader->columns[i].text;

        for (size_t j = 0; j <= strlen(text) && length + 1 < size; j++) {
            const unsigned char byte = (unsigned char)text[j];

            if (byte == '\0') {
                ret_text[length++] = ',';
            } else if (byte >= '0' && byte <= '9') {
                ret_text[length++] = '#';
            } else {
                ret_text[length++] = byte >= ' ' && byte < 0x7F ? (char)byte : '?';
            }
        }
    }
    ret_text[length > 0 ? length - 1 : 0] = '\0';
}

/* Takes the first line for the header of one of the kinds from `first` to `last`. */
static enum gk_status check_header(struct gk_list_reader *reader, enum gk_list_kind first,
                                   enum gk_list_kind last, struct gk_error *error)
{
    const enum gk_status status = read_columns(reader, error);
    char found[80];

    if (status == GK_NOT_FOUND) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the list is empty; its first line must be %s",
                            gk_list_header(first));
    }
    if (status != GK_OK) {
        return status;
    }
    for (unsigned kind = first; kind <= (unsigned)last; kind++) {
        if (gk_list_is_header((enum gk_list_kind)kind, reader->columns, reader->column_count)) {
            reader->kind = (enum gk_list_kind)kind;
            return GK_OK;
        }
    }
    if (first != GK_LIST_NUMBERS &&
        gk_list_is_header(GK_LIST_NUMBERS, reader->columns, reader->column_count)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "this is a list of numbers: make tokens of it with guika registry tokenise, and "
                            "import those");
    }
    describe_header(reader, found, sizeof found);
    return gk_error_set(error, GK_INVALID_ARGUMENT, "the first line is \"%s\"; it must be \"%s\"", found,
                        gk_list_header(first));
}

/* Spreadsheets put a byte order mark before UTF-8. */
static void skip_mark(struct gk_list_reader *reader)
{
    static const unsigned char mark[] = {0xEF, 0xBB, 0xBF};

    if (reader->buffer_end >= sizeof mark && memcmp(reader->buffer, mark, sizeof mark) == 0) {
        reader->buffer_start = sizeof mark;
        reader->offset = sizeof mark;
    }
}

static enum gk_status open_kinds(FILE *stream, enum gk_list_kind first, enum gk_list_kind last,
                                 struct gk_list_reader **ret_reader, struct gk_error *error)
{
    struct gk_list_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL || csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        abort();
    }
    reader->stream = stream;
    reader->line = 1;
    enum gk_status status = fill(reader, error);

    if (status == GK_OK) {
        skip_mark(reader);
        status = check_header(reader, first, last, error);
    }
    if (status != GK_OK) {
        gk_list_reader_close(reader);
        return status;
    }
    *ret_reader = reader;
    return GK_OK;
}

enum gk_status gk_list_reader_open_stream(FILE *stream, struct gk_list_reader **ret_reader,
                                          struct gk_error *error)
{
    return open_kinds(stream, GK_LIST_CARDS, GK_LIST_TOKENS, ret_reader, error);
}

enum gk_status gk_list_reader_open_numbers(FILE *stream, struct gk_list_reader **ret_reader,
                                           struct gk_error *error)
{
    return open_kinds(stream, GK_LIST_NUMBERS, GK_LIST_NUMBERS, ret_reader, error);
}

static enum gk_status open_file(const char *path, FILE **ret_stream, struct gk_error *error)
{
    FILE *stream = fopen(path, "rbe");

    if (stream == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s cannot be opened: %s", path, strerror(errno));
    }
    /* Both readers of the file bring a buffer of their own, which they wipe. */
    setvbuf(stream, NULL, _IONBF, 0);
    *ret_stream = stream;
    return GK_OK;
}

enum gk_status gk_list_reader_open(const char *path, struct gk_list_reader **ret_reader,
                                   struct gk_error *error)
{
    FILE *stream = NULL;
    const enum gk_status status = open_file(path, &stream, error);

    return status == GK_OK ? gk_list_reader_open_stream(stream, ret_reader, error) : status;
}

void gk_list_reader_close(struct gk_list_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    fclose(reader->stream);
    if (reader->parser.entry_buf != NULL) {
        sodium_memzero(reader->parser.entry_buf, csv_get_buffer_size(&reader->parser));
    }
    csv_free(&reader->parser);
    sodium_memzero(reader, sizeof *reader);
    free(reader);
}

enum gk_list_kind gk_list_reader_kind(const struct gk_list_reader *reader)
{
    return reader->kind;
}

uint64_t gk_list_reader_offset(const struct gk_list_reader *reader)
{
    return reader->offset;
}

/* --- the digest --- */

enum gk_status gk_list_digest(const char *path, const char *token, char ret_digest[65], uint64_t *ret_size,
                              struct gk_error *error)
{
    crypto_generichash_state state;
    unsigned char key[crypto_generichash_KEYBYTES];
    unsigned char digest[32];
    unsigned char buffer[BUFFER_SIZE];
    uint64_t size = 0;
    size_t got;
    FILE *stream = NULL;
    const enum gk_status status = open_file(path, &stream, error);

    if (status != GK_OK) {
        return status;
    }
    crypto_generichash(key, sizeof key, (const unsigned char *)token, strlen(token), NULL, 0);
    crypto_generichash_init(&state, key, sizeof key, sizeof digest);
    while ((got = fread(buffer, 1, sizeof buffer, stream)) > 0) {
        crypto_generichash_update(&state, buffer, got);
        size += got;
    }
    const bool failed = ferror(stream) != 0;

    fclose(stream);
    sodium_memzero(buffer, sizeof buffer);
    sodium_memzero(key, sizeof key);
    if (failed) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s cannot be read: %s", path, strerror(errno));
    }
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(ret_digest, 65, digest, sizeof digest);
    *ret_size = size;
    return GK_OK;
}
