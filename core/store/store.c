#include "core/store/store.h"

#include "core/security/file.h"
#include "core/store/audit.h"
#include "core/store/committer.h"
#include "core/store/counters.h"
#include "core/store/engine.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA_VERSION "1" /* of records.proto and of the keys; another one is another layout on disk */

struct gk_store {
    struct gk_engine *engine;
    struct gk_committer *committer;
    int64_t (*now_ms)(void *context);
    void *now_context;
};

static struct gk_bytes text_bytes(const char *text)
{
    return (struct gk_bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

/* --- opening --- */

/* A new store gets the version; another version is refused. */
static enum gk_status settle_version(struct gk_engine *engine, const char *path, struct gk_error *error)
{
    const struct gk_bytes key = text_bytes("schema_version");
    struct gk_value found = {0};
    enum gk_status status = gk_engine_get(engine, GK_FAMILY_META, key, false, &found, error);

    if (status == GK_NOT_FOUND) {
        struct gk_overlay *overlay = gk_overlay_new();

        gk_overlay_put(overlay, GK_FAMILY_META, key, text_bytes(SCHEMA_VERSION));
        status = gk_engine_write(engine, overlay, error);
        gk_overlay_free(overlay);
        return status;
    }
    if (status == GK_OK &&
        (found.size != strlen(SCHEMA_VERSION) || memcmp(found.data, SCHEMA_VERSION, found.size) != 0)) {
        status = gk_error_set(error, GK_FAILED_PRECONDITION,
                              "the store in %.100s has schema version %.*s, wanted " SCHEMA_VERSION, path,
                              (int)(found.size < 16 ? found.size : 16), (const char *)found.data);
    }
    gk_value_free(&found);
    return status;
}

static enum gk_status start(struct gk_store *store, const char *path, struct gk_error *error)
{
    struct gk_audit_head head;
    enum gk_status status = settle_version(store->engine, path, error);

    if (status == GK_OK) {
        status = gk_audit_load(store->engine, &head, error);
    }
    if (status == GK_OK) {
        status = gk_committer_start(store, store->engine, &head, &store->committer, error);
    }
    return status;
}

enum gk_status gk_store_open(const struct gk_store_options *options, struct gk_store **ret_store,
                             struct gk_error *error)
{
    assert(options->path != NULL && options->now_ms != NULL);
    struct gk_store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        abort();
    }
    store->now_ms = options->now_ms;
    store->now_context = options->now_context;

    enum gk_status status = gk_file_make_directory(options->path, error);

    if (status == GK_OK) {
        status = gk_engine_open(options->path, options->cache_bytes, &store->engine, error);
    }
    if (status == GK_OK) {
        status = start(store, options->path, error);
    }
    if (status != GK_OK) {
        gk_store_close(store);
        return status;
    }
    *ret_store = store;
    return GK_OK;
}

void gk_store_close(struct gk_store *store)
{
    if (store != NULL) {
        gk_committer_stop(store->committer);
        gk_engine_close(store->engine);
        free(store);
    }
}

/* --- reading --- */

void gk_value_free(struct gk_value *value)
{
    free(value->data);
    *value = (struct gk_value){0};
}

uint64_t gk_sum_decode(struct gk_bytes value)
{
    uint64_t sum = 0;

    for (unsigned i = 0; value.size == 8 && i < 8; i++) {
        sum |= (uint64_t)value.data[i] << (8 * i);
    }
    return sum;
}

enum gk_status gk_store_get(struct gk_store *store, enum gk_family family, struct gk_bytes key,
                            struct gk_value *ret_value, struct gk_error *error)
{
    return gk_engine_get(store->engine, family, key, false, ret_value, error);
}

enum gk_status gk_store_get_cached(struct gk_store *store, enum gk_family family, struct gk_bytes key,
                                   struct gk_value *ret_value, struct gk_error *error)
{
    return gk_engine_get(store->engine, family, key, true, ret_value, error);
}

enum gk_status gk_store_multi_get(struct gk_store *store, enum gk_family family, const struct gk_bytes *keys,
                                  size_t count, struct gk_value *ret_values, struct gk_error *error)
{
    return gk_engine_multi_get(store->engine, family, keys, count, ret_values, error);
}

enum gk_status gk_store_scan(struct gk_store *store, enum gk_family family, struct gk_bytes prefix,
                             struct gk_bytes start_key, bool backwards,
                             bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value),
                             void *context, struct gk_error *error)
{
    return gk_engine_scan(store->engine, family, prefix, start_key, backwards, visit, context, error);
}

enum gk_status gk_store_checkpoint(struct gk_store *store, const char *directory, struct gk_error *error)
{
    return gk_engine_checkpoint(store->engine, directory, error);
}

/* --- transitions --- */

bool gk_store_commit(struct gk_store *store, struct gk_work *work)
{
    return gk_committer_submit(store->committer, work);
}

/* A work whose submitter sleeps until it is done. */
struct waiter {
    struct gk_work work;
    enum gk_status (*apply)(void *context, struct gk_transaction *transaction, struct gk_error *error);
    void *context;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool finished;
    enum gk_status status;
    struct gk_error *error;
};

static enum gk_status waiter_apply(struct gk_work *work, struct gk_transaction *transaction,
                                   struct gk_error *error)
{
    struct waiter *waiter = (struct waiter *)work; /* its first member */

    return waiter->apply(waiter->context, transaction, error);
}

static void waiter_done(struct gk_work *work, enum gk_status status, const struct gk_error *error)
{
    struct waiter *waiter = (struct waiter *)work;

    pthread_mutex_lock(&waiter->mutex);
    waiter->status = status;
    if (status != GK_OK && waiter->error != NULL) {
        *waiter->error = *error;
    }
    waiter->finished = true;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->mutex);
}

enum gk_status gk_store_commit_and_wait(struct gk_store *store,
                                        enum gk_status (*apply)(void *context,
                                                                struct gk_transaction *transaction,
                                                                struct gk_error *error),
                                        void *context, struct gk_error *error)
{
    struct waiter waiter = {.work = {.apply = waiter_apply, .done = waiter_done},
                            .apply = apply,
                            .context = context,
                            .error = error};

    if (pthread_mutex_init(&waiter.mutex, NULL) != 0 || pthread_cond_init(&waiter.wake, NULL) != 0) {
        abort();
    }
    if (gk_store_commit(store, &waiter.work)) {
        pthread_mutex_lock(&waiter.mutex);
        while (!waiter.finished) {
            pthread_cond_wait(&waiter.wake, &waiter.mutex);
        }
        pthread_mutex_unlock(&waiter.mutex);
    } else {
        waiter.status = gk_error_set(error, GK_RESOURCE_EXHAUSTED,
                                     "%d changes wait for the store already, or it closes", GK_COMMIT_QUEUE);
    }
    (void)pthread_cond_destroy(&waiter.wake);
    (void)pthread_mutex_destroy(&waiter.mutex);
    return waiter.status;
}

int64_t gk_store_now_ms(const struct gk_store *store)
{
    return store->now_ms(store->now_context);
}

bool gk_store_failed(const struct gk_store *store)
{
    return gk_committer_failed(store->committer);
}

/* --- statistics and audit --- */

enum gk_status gk_store_counters(struct gk_store *store, const char *box_id, uint32_t days,
                                 void (*visit)(void *context, const char *name, uint64_t value),
                                 void *context, struct gk_error *error)
{
    return gk_counters_sum(store->engine, gk_store_now_ms(store), box_id, days, visit, context, error);
}

enum gk_status gk_store_verify_audit(struct gk_store *store, uint64_t *ret_entries, struct gk_error *error)
{
    return gk_audit_verify(store->engine, ret_entries, error);
}

enum gk_status gk_store_audit_head(struct gk_store *store, struct gk_audit_head *ret_head,
                                   struct gk_error *error)
{
    return gk_audit_load(store->engine, ret_head, error);
}
