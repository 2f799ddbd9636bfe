#include "core/plugins/plugin_records.h"

#include "core/memory.h"
#include "core/store/record.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

struct loading {
    struct gk_plugin_table *table;
    const struct gk_plugin_key *keys;
    size_t key_count;
    const char *copies;
};

static bool load_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    const struct loading *loading = context;
    const size_t prefix = strlen(GK_PLUGIN_RECORD_PREFIX), length = key.size - prefix;
    guika_v1_internal_PluginRecord record = {0};
    char file[GK_TRAIL_FILE_SIZE];

    if (length == 0 || length >= sizeof file ||
        gk_record_decode(value, guika_v1_internal_PluginRecord_fields, &record, NULL) != GK_OK) {
        return true;
    }
    memcpy(file, key.data + prefix, length);
    file[length] = '\0';
    if (record.used_hash.size == GK_PLUGIN_HASH_SIZE &&
        gk_intake_check_copy(loading->copies, record.used_hash.bytes, NULL) != GK_OK) {
        record.used_hash.size = 0;
    }
    gk_plugin_table_load(loading->table, file, &record, loading->keys, loading->key_count);
    return loading->table->count < sizeof loading->table->entries / sizeof loading->table->entries[0] / 2;
}

enum gk_status gk_plugin_records_load(struct gk_store *store, const char *copies,
                                      const struct gk_plugin_key *keys, size_t key_count,
                                      struct gk_plugin_table *table, struct gk_error *error)
{
    const struct gk_bytes prefix = {(const uint8_t *)GK_PLUGIN_RECORD_PREFIX,
                                    strlen(GK_PLUGIN_RECORD_PREFIX)};
    struct loading loading = {table, keys, key_count, copies};
    uint8_t hashes[2 * GK_TRAIL_PLUGINS][GK_PLUGIN_HASH_SIZE];
    size_t count = 0;
    enum gk_status status = gk_intake_begin(copies, error);

    if (status == GK_OK) {
        status = gk_store_scan(store, GK_FAMILY_META, prefix, (struct gk_bytes){NULL, 0}, false, load_one,
                               &loading, error);
    }
    for (size_t i = 0; i < table->count; i++) {
        const guika_v1_internal_PluginRecord *record = &table->entries[i].record;

        if (record->used_hash.size == GK_PLUGIN_HASH_SIZE) {
            memcpy(hashes[count++], record->used_hash.bytes, GK_PLUGIN_HASH_SIZE);
        }
    }
    gk_intake_forget(copies, (const uint8_t(*)[GK_PLUGIN_HASH_SIZE])hashes, count);
    return status;
}

/* --- writing --- */

struct change {
    char file[GK_TRAIL_FILE_SIZE];
    bool is_gone;
    guika_v1_internal_PluginRecord record;
};

struct writing {
    struct gk_commit commit;
    char actor[49];
    char action[41];
    bool any_new;
    void (*done)(void *context, enum gk_status status, const struct gk_error *error, bool any_new);
    void *context;
    size_t count;
    struct change changes[];
};

static struct gk_bytes key_of(const char *file, char key[80])
{
    (void)snprintf(key, 80, "%s%s", GK_PLUGIN_RECORD_PREFIX, file);
    return (struct gk_bytes){(const uint8_t *)key, strlen(key)};
}

/* Another copy is used than before: other cards may be read. */
static bool is_new(struct gk_transaction *transaction, struct gk_bytes key, const struct change *change)
{
    guika_v1_internal_PluginRecord before = {0};
    const enum gk_status status =
        gk_record_get(transaction, GK_FAMILY_META, key, guika_v1_internal_PluginRecord_fields, &before, NULL);
    const guika_v1_internal_PluginRecord *now = &change->record;

    return now->used_hash.size > 0 &&
           (status != GK_OK || before.used_hash.size != now->used_hash.size ||
            memcmp(before.used_hash.bytes, now->used_hash.bytes, now->used_hash.size) != 0);
}

static enum gk_status apply(struct gk_commit *commit, struct gk_transaction *transaction,
                            struct gk_error *error)
{
    struct writing *writing = gk_container_of(commit, struct writing, commit);
    char detail[97], key[80];

    writing->any_new = false;
    for (size_t i = 0; i < writing->count; i++) {
        const struct change *change = &writing->changes[i];
        const struct gk_bytes name = key_of(change->file, key);

        writing->any_new = writing->any_new || is_new(transaction, name, change);
        if (change->is_gone) {
            gk_transaction_delete(transaction, GK_FAMILY_META, name);
            continue;
        }
        const enum gk_status status = gk_record_put(
            transaction, GK_FAMILY_META, name, guika_v1_internal_PluginRecord_fields, &change->record, error);

        if (status != GK_OK) {
            return status;
        }
    }
    if (strcmp(writing->action, "plugins.use") != 0) {
        gk_transaction_count(transaction, "", writing->action); /* the operator sees it in the figures too */
    }
    (void)snprintf(detail, sizeof detail, "%s%s", writing->changes[0].file,
                   writing->count > 1 ? " and others" : "");
    gk_transaction_audit(transaction, writing->actor, writing->action,
                         (struct gk_bytes){(const uint8_t *)writing->changes[0].file,
                                           strnlen(writing->changes[0].file, GK_TRAIL_FILE_SIZE)},
                         detail);
    return GK_OK;
}

static void on_written(struct gk_commit *commit)
{
    struct writing *writing = gk_container_of(commit, struct writing, commit);

    writing->done(writing->context, commit->status, &commit->error,
                  commit->status == GK_OK && writing->any_new);
    free(writing);
}

void gk_plugin_records_write(struct gk_store *store, struct gk_mailbox *mailbox,
                             struct gk_plugin_table *table, const char *actor, const char *action,
                             void (*done)(void *context, enum gk_status status, const struct gk_error *error,
                                          bool any_new),
                             void *context)
{
    struct writing *writing = gk_allocate(sizeof *writing + table->count * sizeof writing->changes[0]);
    const struct gk_error none = {0};

    for (size_t i = 0; i < table->count; i++) {
        struct gk_plugin_entry *entry = &table->entries[i];

        if (entry->is_changed) {
            struct change *change = &writing->changes[writing->count++];

            memcpy(change->file, entry->file, sizeof change->file);
            change->is_gone = !entry->present && entry->record.struck_hash.size == 0;
            change->record = entry->record;
            entry->is_changed = false;
        }
    }
    if (writing->count == 0) {
        free(writing);
        done(context, GK_OK, &none, false);
        return;
    }
    (void)snprintf(writing->actor, sizeof writing->actor, "%s", actor);
    (void)snprintf(writing->action, sizeof writing->action, "%s", action);
    writing->done = done;
    writing->context = context;
    writing->commit.apply = apply;
    writing->commit.done = on_written;
    gk_commit_start(store, mailbox, &writing->commit);
}
