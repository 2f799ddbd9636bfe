#include "core/rotation.h"

#include "core/memory.h"
#include "core/registry/rewrap.h"
#include "core/rotation_records.h"
#include "core/store/record.h"
#include "core/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICTURES = 16 /* of one case; picture_vault.h */ };

static const struct gk_bytes progress_key = {(const uint8_t *)"rotation", sizeof "rotation" - 1};
static const struct gk_bytes epoch_key = {(const uint8_t *)"key_epoch", sizeof "key_epoch" - 1};

static enum gk_status read_epoch(struct gk_store *store, uint32_t *ret_epoch, struct gk_error *error)
{
    struct gk_value value = {0};
    enum gk_status status = gk_store_get(store, GK_FAMILY_META, epoch_key, &value, error);

    if (status == GK_NOT_FOUND) {
        *ret_epoch = 1;
        return GK_OK;
    }
    if (status == GK_OK && value.size != 4) {
        status = gk_error_set(error, GK_DATA_LOSS, "the store's key epoch is damaged");
    }
    if (status == GK_OK) {
        *ret_epoch = (uint32_t)value.data[0] << 24 | (uint32_t)value.data[1] << 16 |
                     (uint32_t)value.data[2] << 8 | (uint32_t)value.data[3];
    }
    gk_value_free(&value);
    return status;
}

/* --- stages 3 and 4 --- */

struct finishing {
    struct gk_store *store;
    struct gk_keys *keys;
    struct gk_picture_vault *vault;
    uint32_t from;
    guika_v1_internal_RotationRecord progress;
    struct {
        char account[33];
        guika_v1_internal_RewrapRecord copy;
    } * copies;
    size_t copy_count;
    enum gk_status status;
    struct gk_error *error;
};

/* What is sealed under the epoch in force already is sealed once more: a crash in between repeats it. */
static bool seal_pictures(void *context, const uint8_t case_id[16])
{
    struct finishing *finishing = context;

    for (unsigned index = 0; finishing->status == GK_OK && index < PICTURES; index++) {
        struct gk_value picture = {0};
        const enum gk_status status =
            gk_picture_vault_get(finishing->vault, case_id, index, &picture, finishing->error);

        if (status == GK_OK) {
            finishing->status =
                gk_picture_vault_put(finishing->vault, case_id, index,
                                     (struct gk_bytes){picture.data, picture.size}, finishing->error);
        } else if (status != GK_NOT_FOUND) {
            finishing->status = status;
        }
        gk_value_free(&picture);
    }
    return finishing->status == GK_OK;
}

static void take_copy(void *context, const char *issuer_account, const guika_v1_internal_RewrapRecord *copy)
{
    struct finishing *finishing = context;

    finishing->copies = reallocarray(finishing->copies, finishing->copy_count + 1, sizeof *finishing->copies);
    if (finishing->copies == NULL) {
        abort();
    }
    (void)snprintf(finishing->copies[finishing->copy_count].account, sizeof finishing->copies[0].account,
                   "%s", issuer_account);
    finishing->copies[finishing->copy_count++].copy = *copy;
}

static enum gk_status apply_end(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct finishing *finishing = context;
    const uint32_t to = finishing->progress.to;
    const uint8_t value[4] = {(uint8_t)(to >> 24), (uint8_t)(to >> 16), (uint8_t)(to >> 8), (uint8_t)to};
    char detail[32];

    for (size_t i = 0; i < finishing->copy_count; i++) {
        const enum gk_status status =
            gk_rewrap_flip(transaction, &finishing->copies[i].copy, finishing->copies[i].account, error);

        if (status != GK_OK) {
            return status;
        }
    }
    gk_transaction_delete(transaction, GK_FAMILY_META, progress_key);
    gk_transaction_put(transaction, GK_FAMILY_META, epoch_key, (struct gk_bytes){value, sizeof value});
    (void)snprintf(detail, sizeof detail, "epoch %u", (unsigned)to);
    gk_transaction_audit(transaction, "core", "keys.rotate", (struct gk_bytes){NULL, 0}, detail);
    return GK_OK;
}

static enum gk_status finish(struct finishing *finishing, struct gk_error *error)
{
    bool done = false;
    enum gk_status status = gk_keys_use(finishing->keys, finishing->progress.to, error);

    /* A list may have been changed between its copy and the end of the service. */
    while (status == GK_OK && !done) {
        status = gk_rewrap_step(finishing->store, finishing->keys, finishing->from, finishing->progress.to,
                                &done, error);
    }
    while (status == GK_OK && finishing->progress.step < GK_ROTATION_FAMILIES) {
        status = gk_rotation_records_step(finishing->store, finishing->keys, finishing->from,
                                          &finishing->progress, error);
    }
    if (status == GK_OK) {
        status = gk_picture_vault_each(finishing->vault, seal_pictures, finishing, error);
    }
    if (status == GK_OK) {
        status = finishing->status;
    }
    if (status == GK_OK) {
        status = gk_rewrap_each(finishing->store, take_copy, finishing, error);
    }
    return status == GK_OK ? gk_store_commit_and_wait(finishing->store, apply_end, finishing, error) : status;
}

enum gk_status gk_rotation_settle(struct gk_store *store, struct gk_keys *keys,
                                  struct gk_picture_vault *vault, struct gk_error *error)
{
    struct finishing finishing = {
        .store = store, .keys = keys, .vault = vault, .status = GK_OK, .error = error};
    enum gk_status status = read_epoch(store, &finishing.from, error);

    if (status == GK_OK) {
        status = gk_keys_use(keys, finishing.from, error);
    }
    if (status != GK_OK) {
        return status;
    }
    status = gk_record_read(store, GK_FAMILY_META, progress_key, guika_v1_internal_RotationRecord_fields,
                            &finishing.progress, error);
    if (status == GK_NOT_FOUND) {
        return GK_OK;
    }
    if (status == GK_OK && finishing.progress.lists_done) {
        status = finish(&finishing, error);
    }
    free(finishing.copies);
    return status;
}

/* --- stage 2 --- */

struct gk_rotation {
    struct gk_rotation_parts parts;
    struct gk_task task;
    bool running;
    bool done;
    enum gk_status status;
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

static enum gk_status apply_copied(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct gk_rotation *rotation = context;
    const guika_v1_internal_RotationRecord progress = {.to = gk_keys_newest(rotation->parts.keys),
                                                       .lists_done = true};

    return gk_rotation_put(transaction, &progress, error);
}

/* [worker] */
static void run_step(struct gk_task *task)
{
    struct gk_rotation *rotation = gk_container_of(task, struct gk_rotation, task);
    const struct gk_rotation_parts *parts = &rotation->parts;

    rotation->status = gk_rewrap_step(parts->store, parts->keys, gk_keys_epoch(parts->keys),
                                      gk_keys_newest(parts->keys), &rotation->done, &rotation->error);
    if (rotation->status == GK_OK && rotation->done) {
        rotation->status = gk_store_commit_and_wait(parts->store, apply_copied, rotation, &rotation->error);
    }
}

static void step(struct gk_rotation *rotation);

static void free_closed(struct gk_rotation *rotation)
{
    void (*on_closed)(void *context) = rotation->on_closed;
    void *context = rotation->on_closed_context;

    free(rotation);
    on_closed(context);
}

static void on_stepped(struct gk_task *task)
{
    struct gk_rotation *rotation = gk_container_of(task, struct gk_rotation, task);
    const struct gk_rotation_parts *parts = &rotation->parts;

    rotation->running = false;
    if (rotation->on_closed != NULL) {
        free_closed(rotation);
    } else if (rotation->status != GK_OK) {
        /* The next start goes on. */
        gk_log(parts->log, GK_LOG_ERROR, "rotation_stopped", {"why", rotation->error.message});
    } else if (rotation->done) {
        gk_log(parts->log, GK_LOG_INFO, "lists_copied", {"for", "new keys"});
        parts->on_copied(parts->context);
    } else {
        step(rotation);
    }
}

static void step(struct gk_rotation *rotation)
{
    rotation->running = true;
    rotation->task.run = run_step;
    rotation->task.done = on_stepped;
    gk_task_start(rotation->parts.loop, &rotation->task);
}

struct gk_rotation *gk_rotation_open(const struct gk_rotation_parts *parts)
{
    struct gk_rotation *rotation = gk_allocate(sizeof *rotation);

    rotation->parts = *parts;
    if (gk_keys_newest(parts->keys) > gk_keys_epoch(parts->keys)) {
        step(rotation);
    }
    return rotation;
}

void gk_rotation_close(struct gk_rotation *rotation, void (*on_closed)(void *context), void *context)
{
    rotation->on_closed = on_closed;
    rotation->on_closed_context = context;
    if (!rotation->running) {
        free_closed(rotation);
    }
}
