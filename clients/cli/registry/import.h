/*
 * The run of one import: the list's rows in pages of 500, sent one after another.
 *
 * A page that cannot be delivered is sent again, with growing pauses: for five minutes where the service has
 * taken a page before, so that it may be restarted meanwhile; for half a minute where it has not, because
 * then it rather is not there at all. A run that was stopped is continued by starting it again: the answer to
 * page 0 says how far the service is.
 */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_IMPORT_H
#define GUIKA_CLIENTS_CLI_REGISTRY_IMPORT_H

#include "clients/cli/registry/list_reader.h"
#include "clients/cli/registry/progress.h"

#include <stdbool.h>

/* How a page travels, so that the run knows nothing of connections. */
struct gk_import_line {
    /* Sends one page and waits for up to `deadline_ms` (0: the method's default). As
     * IssuerService/ImportCards. */
    enum gk_status (*send)(void *context, uint32_t deadline_ms, const guika_v1_ImportCardsRequest *request,
                           guika_v1_ImportCardsResponse *ret_response, struct gk_error *error);
    void (*pause)(void *context, uint32_t pause_ms);
    int64_t (*now_ms)(void *context); /* of a clock that never goes back */
    void *context;
};

struct gk_import_report {
    /* Called for each row that did not go in. `reason` never repeats the number. */
    void (*reject)(void *context, uint64_t line, const char *reason);
    /* Called once where an earlier run had got as far as `rows`. */
    void (*resume)(void *context, uint64_t rows);
    /* Called once for a page that could not be delivered: it is sent again for up to `patience_ms`. */
    void (*retry)(void *context, const struct gk_error *error, uint32_t patience_ms);
    void *context;
};

struct gk_import_result {
    uint64_t rows;     /* read */
    uint64_t accepted; /* of those that this run sent */
    uint64_t rejected;
    uint64_t skipped;  /* sent by an earlier run */
    bool taken;        /* the service took a page, in this run */
    bool was_in_force; /* nothing was sent: this list already is in force */
};

/* Reads all of `reader` and sends it. On failure the text says what to do. `ret_result` is filled in either
 * way, as far as the run got. */
enum gk_status gk_import_run(struct gk_list_reader *reader, const char *import_id,
                             const struct gk_import_line *line, const struct gk_import_report *report,
                             struct gk_progress *progress, struct gk_import_result *ret_result,
                             struct gk_error *error);

#endif
