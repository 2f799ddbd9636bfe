#include "bench/listing.h"

#include "rpc/repeated.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { LISTS_MOST = 64, PAGE_ROWS = 500, CACHE_BYTES = 256 << 20, SAY_EVERY_PAGES = 2000 };

static bool complain(const char *what, const struct gk_error *error)
{
    (void)fprintf(stderr, "%s: %s\n", what, error->message);
    return false;
}

static int64_t now_ms(void *context)
{
    (void)context;
    return (int64_t)time(NULL) * 1000;
}

static enum gk_status add_nothing(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    (void)transaction;
    (void)error;
    return GK_OK;
}

/* One issuer's list on its way in. */
struct import {
    pthread_t thread;
    struct gk_registry *registry;
    const struct gk_bench_list *list;
    bool good;
};

static void add_row(const struct gk_bench_list *list, const char *number, struct gk_repeated *rows,
                    struct gk_repeated *answers)
{
    guika_v1_CardRow row = guika_v1_CardRow_init_zero;
    guika_v1_internal_NumberAnswer answer = guika_v1_internal_NumberAnswer_init_zero;
    guika_v1_internal_NumberMatch *match = &answer.matches[0];

    (void)snprintf(row.scheme, sizeof row.scheme, "%s", list->scheme);
    (void)snprintf(row.number, sizeof row.number, "%s", number);
    (void)snprintf(row.holder_id, sizeof row.holder_id, "holder of %s", number);
    answer.matches_count = 1;
    (void)snprintf(match->scheme, sizeof match->scheme, "%s", list->scheme);
    (void)snprintf(match->number, sizeof match->number, "%s", number);
    match->kind = list->kind;
    (void)gk_repeated_append(rows, guika_v1_CardRow_fields, &row);
    (void)gk_repeated_append(answers, guika_v1_internal_NumberAnswer_fields, &answer);
}

/* Sends one page; `*page` becomes the next one to send. */
static bool send_page(const struct import *import, uint32_t *page, bool *ret_in_force)
{
    const struct gk_bench_list *list = import->list;
    const uint64_t from = (uint64_t)*page * PAGE_ROWS;
    guika_v1_ImportCardsRequest request = {
        .import_id = "bench", .page = *page, .last = from + PAGE_ROWS >= import->list->rows};
    guika_v1_ImportCardsResponse *response = malloc(sizeof *response); /* large */
    struct gk_repeated rows = {.data = NULL};
    struct gk_repeated answers = {.data = NULL};
    struct gk_error error = {.status = GK_OK};
    char number[GK_BENCH_NUMBER_SIZE];

    if (response == NULL) {
        abort();
    }
    for (uint64_t i = from; i < from + PAGE_ROWS && i < import->list->rows; i++) {
        if (list->row(list, i, number)) {
            add_row(list, number, &rows, &answers);
        }
    }
    request.page_rows = gk_repeated_bytes(&rows);
    bool good = gk_registry_import_page(import->registry, list->account, &request,
                                        gk_repeated_bytes(&answers), response, &error) == GK_OK;

    if (good && response->rejected_count > 0) {
        (void)snprintf(error.message, sizeof error.message, "%s", response->rejected[0].reason);
        good = false;
    }
    *page = good ? response->next_page : *page;
    *ret_in_force = good && response->in_force;
    gk_repeated_free(&rows);
    gk_repeated_free(&answers);
    free(response);
    return good || complain(list->account, &error);
}

static void *run_import(void *context)
{
    struct import *import = context;
    bool in_force = false;
    uint32_t page = 0;

    /* Page 0 was perhaps taken before: the answer then says with which one to go on. */
    do {
        import->good = send_page(import, &page, &in_force);
        if (page % SAY_EVERY_PAGES == 0) {
            (void)fprintf(stderr, "registry: %s: row %llu of %llu\n", import->list->account,
                          (unsigned long long)page * PAGE_ROWS, (unsigned long long)import->list->rows);
        }
    } while (import->good && !in_force);
    return NULL;
}

static bool add_account(struct gk_registry *registry, const struct gk_bench_list *list)
{
    struct gk_error error = {.status = GK_OK};
    char bindings[1][65] = {""};

    (void)snprintf(bindings[0], sizeof bindings[0], "%s", list->binding);
    const enum gk_status status = gk_registry_add_account(
        registry, list->account, (const char(*)[65])bindings, 1, add_nothing, NULL, &error);

    return status == GK_OK || status == GK_ALREADY_EXISTS || complain(list->account, &error);
}

/* All lists at once, so that their pages share the writes to the disk. */
static bool import_all(struct gk_registry *registry, const struct gk_bench_list *lists, size_t count)
{
    struct import imports[LISTS_MOST];
    bool good = true;

    assert(count <= LISTS_MOST);
    for (size_t i = 0; i < count; i++) {
        if (!add_account(registry, &lists[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < count; i++) {
        imports[i] = (struct import){.registry = registry, .list = &lists[i], .good = false};
        if (pthread_create(&imports[i].thread, NULL, run_import, &imports[i]) != 0) {
            abort();
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void)pthread_join(imports[i].thread, NULL);
        good = good && imports[i].good;
    }
    return good;
}

static bool open_parts(const char *directory, struct gk_bench_listing *listing)
{
    char path[4096];
    struct gk_error error = {.status = GK_OK};
    const struct gk_store_options options = {.path = path, .cache_bytes = CACHE_BYTES, .now_ms = now_ms};

    if (mkdir(directory, 0777) != 0 && errno != EEXIST) {
        (void)gk_error_set(&error, GK_INTERNAL, "%s", strerror(errno));
        return complain(directory, &error);
    }
    (void)snprintf(path, sizeof path, "%s/keys", directory);
    const enum gk_status made = gk_keys_generate(path, &error);

    if ((made != GK_OK && made != GK_ALREADY_EXISTS) || gk_keys_open(path, &listing->keys, &error) != GK_OK) {
        return complain(path, &error);
    }
    (void)snprintf(path, sizeof path, "%s/store", directory);
    if (gk_store_open(&options, &listing->store, &error) != GK_OK ||
        gk_registry_open(listing->store, listing->keys, &listing->registry, &error) != GK_OK) {
        return complain(path, &error);
    }
    return true;
}

bool gk_bench_listing_open(const char *directory, const struct gk_bench_list *lists, size_t count,
                           struct gk_bench_listing *ret_listing)
{
    struct gk_bench_listing listing = {.store = NULL};

    if (!open_parts(directory, &listing) || !import_all(listing.registry, lists, count)) {
        gk_bench_listing_close(&listing);
        return false;
    }
    *ret_listing = listing;
    return true;
}

void gk_bench_listing_close(struct gk_bench_listing *listing)
{
    gk_registry_close(listing->registry);
    if (listing->store != NULL) {
        gk_store_close(listing->store);
    }
    if (listing->keys != NULL) {
        gk_keys_close(listing->keys);
    }
}
