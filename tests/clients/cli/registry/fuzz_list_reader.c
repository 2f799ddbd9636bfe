/* Any bytes as a list: the reader ends, and a row that it calls good is well formed. */
#include "clients/cli/registry/list_reader.h"
#include "clients/cli/registry/utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

typedef enum gk_status (*open_fn)(FILE *stream, struct gk_list_reader **ret_reader, struct gk_error *error);

static void check_row(const struct gk_list_row *row, enum gk_list_kind kind)
{
    require(memchr(row->problem, '\0', sizeof row->problem) != NULL);
    require(row->card.contacts_count <= 4);
    require(gk_utf8_is_text(row->card.number, strlen(row->card.number)));
    require(row->token.blocks.size <= sizeof row->token.blocks.bytes);
    if (kind == GK_LIST_TOKENS && row->problem[0] == '\0') {
        require(row->token.key_epoch > 0 && row->token.blocks.size % 32 == 0);
        require(gk_list_word_of_kind(row->token.kind) != NULL);
    }
}

static void read_all(const uint8_t *data, size_t size, open_fn open)
{
    struct gk_list_reader *reader;
    struct gk_list_row row;
    struct gk_error error;
    uint64_t line = 0;
    enum gk_status status;
    char empty[1] = "";
    FILE *stream = size == 0 ? fmemopen(empty, 1, "r") : fmemopen((void *)(uintptr_t)data, size, "r");

    if (stream == NULL || open(stream, &reader, &error) != GK_OK) {
        return;
    }
    while ((status = gk_list_reader_next(reader, &row, &error)) == GK_OK) {
        require(row.line >= line);
        line = row.line;
        check_row(&row, gk_list_reader_kind(reader));
    }
    require(status == GK_NOT_FOUND || status == GK_INVALID_ARGUMENT);
    require(gk_list_reader_offset(reader) <= size + 1);
    gk_list_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(data, size, gk_list_reader_open_stream);
    read_all(data, size, gk_list_reader_open_numbers);
    return 0;
}
