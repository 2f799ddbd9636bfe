#include "clients/cli/registry/import.h"

#include "rpc/repeated.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_ROWS = 500,
    FIRST_PAUSE_MS = 500,
    LONGEST_PAUSE_MS = 15000,
    GIVE_UP_MS = 300000,         /* on one page */
    GIVE_UP_AT_FIRST_MS = 30000, /* on the first page: as the method's default deadline */
    FIRST_TRY_MS = 5000,         /* of those */
    SHORTEST_TRY_MS = 1000,
};

struct run {
    struct gk_list_reader *reader;
    const char *import_id;
    const struct gk_import_line *line;
    const struct gk_import_report *report;
    struct gk_progress *progress;
    struct gk_import_result *result;
    struct gk_list_row carried; /* read ahead: the first row of the next page */
    bool has_carried;
    guika_v1_ImportCardsResponse response;
};

struct page {
    uint32_t number;
    bool tokens; /* the rows are TokenRows */
    struct gk_repeated rows;
    uint64_t lines[PAGE_ROWS];
    size_t count;
    bool last;
};

static void reject(struct run *run, uint64_t line, const char *reason)
{
    run->result->rejected++;
    gk_progress_clear(run->progress);
    run->report->reject(run->report->context, line, reason);
}

static enum gk_status add_row(struct page *page, const struct gk_list_row *row, struct gk_error *error)
{
    const bool tokens = page->tokens;
    const pb_msgdesc_t *fields = tokens ? guika_v1_TokenRow_fields : guika_v1_CardRow_fields;
    const void *item = tokens ? (const void *)&row->token : (const void *)&row->card;

    if (gk_repeated_append(&page->rows, fields, item) != GK_OK) {
        return gk_error_set(error, GK_INTERNAL, "line %llu does not encode", (unsigned long long)row->line);
    }
    page->lines[page->count++] = row->line;
    return GK_OK;
}

/* Reads up to 500 rows that can be sent, and one more, to know whether the page is the last. */
static enum gk_status read_page(struct run *run, struct page *page, struct gk_error *error)
{
    struct gk_list_row *row = &run->carried;
    enum gk_status status = GK_OK;

    sodium_memzero(page->rows.data, page->rows.size);
    page->rows.size = 0;
    page->count = 0;
    if (run->has_carried) {
        status = add_row(page, row, error);
        run->has_carried = false;
    }
    while (status == GK_OK) {
        status = gk_list_reader_next(run->reader, row, error);
        if (status != GK_OK) {
            break;
        }
        run->result->rows++;
        if (row->problem[0] != '\0') {
            reject(run, row->line, row->problem);
        } else if (page->count == PAGE_ROWS) {
            run->has_carried = true;
            return GK_OK;
        } else {
            status = add_row(page, row, error);
        }
    }
    page->last = status == GK_NOT_FOUND;
    return page->last ? GK_OK : status;
}

static bool is_passing(enum gk_status status)
{
    return status == GK_UNAVAILABLE || status == GK_DEADLINE_EXCEEDED || status == GK_RESOURCE_EXHAUSTED ||
           status == GK_ABORTED;
}

/* How long one try may take, 0 for the method's default. The very first is short, so that the person soon
 * reads what is being waited for. */
static uint32_t deadline_of_try(const struct run *run, unsigned try, uint32_t left_ms)
{
    if (run->result->taken) {
        return 0;
    }
    if (try == 0) {
        return FIRST_TRY_MS;
    }
    return left_ms > SHORTEST_TRY_MS ? left_ms : SHORTEST_TRY_MS;
}

static enum gk_status send_page(struct run *run, const struct page *page, struct gk_error *error)
{
    const struct gk_import_line *line = run->line;
    const uint32_t patience_ms = run->result->taken ? GIVE_UP_MS : GIVE_UP_AT_FIRST_MS;
    const int64_t until_ms = line->now_ms(line->context) + patience_ms;
    guika_v1_ImportCardsRequest request = {.page = 0};
    uint32_t pause_ms = FIRST_PAUSE_MS;
    uint32_t left_ms = patience_ms;
    struct gk_error failure;

    snprintf(request.import_id, sizeof request.import_id, "%s", run->import_id);
    request.page = page->number;
    if (page->tokens) {
        request.page_tokens = gk_repeated_bytes(&page->rows);
    } else {
        request.page_rows = gk_repeated_bytes(&page->rows);
    }
    request.last = page->last;
    for (unsigned try = 0;; try++) {
        const enum gk_status status =
            line->send(line->context, deadline_of_try(run, try, left_ms), &request, &run->response, &failure);

        if (status == GK_OK) {
            run->result->taken = true;
            return GK_OK;
        }
        int64_t now_ms = line->now_ms(line->context);

        if (!is_passing(status) || now_ms >= until_ms) {
            return gk_error_set(error, status, "%s", failure.message);
        }
        left_ms = (uint32_t)(until_ms - now_ms);
        if (try == 0) {
            gk_progress_clear(run->progress);
            run->report->retry(run->report->context, &failure, left_ms);
        }
        /* Between half the pause and all of it, so that several senders do not keep step. */
        const uint32_t jittered_ms = pause_ms / 2 + randombytes_uniform(pause_ms / 2 + 1);

        line->pause(line->context, jittered_ms < left_ms ? jittered_ms : left_ms);
        now_ms = line->now_ms(line->context);
        left_ms = now_ms < until_ms ? (uint32_t)(until_ms - now_ms) : 0;
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

static enum gk_status take_answer(struct run *run, const struct page *page, struct gk_error *error)
{
    const guika_v1_ImportCardsResponse *response = &run->response;

    for (pb_size_t i = 0; i < response->rejected_count; i++) {
        if (response->rejected[i].row >= page->count) {
            return gk_error_set(error, GK_INTERNAL, "the service rejected a row that was not sent");
        }
        reject(run, page->lines[response->rejected[i].row], response->rejected[i].reason);
    }
    run->result->accepted += response->accepted;
    if (page->last && !response->in_force) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "not one row was accepted, so the list in force stays as it is");
    }
    if (!page->last && response->next_page <= page->number) {
        return gk_error_set(error, GK_INTERNAL, "the service expects page %u after page %u",
                            response->next_page, page->number);
    }
    return GK_OK;
}

/* Reads past the pages that an earlier run sent, up to the one that the service expects. `page` is then the
 * one to send. */
static enum gk_status skip_pages(struct run *run, struct page *page, struct gk_error *error)
{
    const uint32_t wanted = run->response.next_page;

    while (page->number + 1 < wanted && !page->last) {
        const enum gk_status status = read_page(run, page, error);

        if (status != GK_OK) {
            return status;
        }
        page->number++;
        run->result->skipped += page->count;
    }
    if (page->last) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "the service has more pages of this import than the list; use another --import-id");
    }
    const uint64_t offset = gk_list_reader_offset(run->reader);

    gk_progress_clear(run->progress);
    gk_progress_resume(run->progress, run->result->rows, offset);
    run->report->resume(run->report->context, run->result->rows);
    return GK_OK;
}

static enum gk_status run_pages(struct run *run, struct page *page, struct gk_error *error)
{
    for (;;) {
        enum gk_status status = read_page(run, page, error);

        if (status == GK_OK && page->number == 0 && page->count == 0 && page->last) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "the list has no row that can be sent");
        }
        if (status == GK_OK) {
            status = send_page(run, page, error);
        }
        if (status == GK_OK) {
            status = take_answer(run, page, error);
        }
        if (status != GK_OK) {
            return status;
        }
        if (run->response.in_force && !page->last) {
            run->result->was_in_force = true;
            return GK_OK;
        }
        if (run->response.next_page > page->number + 1) {
            status = skip_pages(run, page, error);
            if (status != GK_OK) {
                return status;
            }
        }
        gk_progress_show(run->progress, run->result->rows, gk_list_reader_offset(run->reader));
        if (page->last) {
            return GK_OK;
        }
        page->number++;
    }
}

enum gk_status gk_import_run(struct gk_list_reader *reader, const char *import_id,
                             const struct gk_import_line *line, const struct gk_import_report *report,
                             struct gk_progress *progress, struct gk_import_result *ret_result,
                             struct gk_error *error)
{
    struct run *run = calloc(1, sizeof *run);
    struct page page = {.tokens = gk_list_reader_kind(reader) == GK_LIST_TOKENS};

    if (run == NULL) {
        abort();
    }
    *ret_result = (struct gk_import_result){0};
    *run = (struct run){.reader = reader,
                        .import_id = import_id,
                        .line = line,
                        .report = report,
                        .progress = progress,
                        .result = ret_result};
    const enum gk_status status = run_pages(run, &page, error);

    gk_progress_clear(progress);
    if (page.rows.data != NULL) {
        sodium_memzero(page.rows.data, page.rows.capacity);
    }
    gk_repeated_free(&page.rows);
    sodium_memzero(run, sizeof *run);
    free(run);
    return status;
}
