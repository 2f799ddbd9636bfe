#include "core/plugins/plugin_table.h"

#include "core/security/hex.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static bool has_hash(const void *bytes, size_t size, const uint8_t *hash)
{
    return size == GK_PLUGIN_HASH_SIZE && memcmp(bytes, hash, GK_PLUGIN_HASH_SIZE) == 0;
}

static bool is_used(const struct gk_plugin_entry *entry)
{
    return entry->record.used_hash.size == GK_PLUGIN_HASH_SIZE;
}

static bool is_struck(const struct gk_plugin_entry *entry, const uint8_t *hash)
{
    return has_hash(entry->record.struck_hash.bytes, entry->record.struck_hash.size, hash);
}

static void stop_using(struct gk_plugin_entry *entry)
{
    entry->record.used_hash.size = 0;
    entry->record.issuer[0] = '\0';
    entry->record.version[0] = '\0';
    entry->record.signed_by[0] = '\0';
    entry->is_changed = true;
}

static void forget_strikes(struct gk_plugin_entry *entry)
{
    entry->record.struck_hash.size = 0;
    entry->record.strikes = 0;
    entry->record.quarantined = false;
    entry->record.reason[0] = '\0';
    entry->is_changed = true;
}

struct gk_plugin_entry *gk_plugin_table_find(struct gk_plugin_table *table, const char *file)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->entries[i].file, file) == 0) {
            return &table->entries[i];
        }
    }
    return NULL;
}

/* Where there is no room left, the place of a file that has gone is taken. */
static struct gk_plugin_entry *add(struct gk_plugin_table *table, const char *file)
{
    const size_t room = sizeof table->entries / sizeof table->entries[0];
    size_t at = 0;

    for (size_t i = 0; table->count == room && i < table->count; i++) {
        if (!table->entries[i].present && !is_used(&table->entries[i])) {
            memmove(&table->entries[i], &table->entries[i + 1],
                    (table->count - i - 1) * sizeof table->entries[0]);
            table->count--;
        }
    }
    assert(table->count < room); /* at most half of them are in the folder */
    while (at < table->count && strcmp(table->entries[at].file, file) < 0) {
        at++;
    }
    memmove(&table->entries[at + 1], &table->entries[at], (table->count - at) * sizeof table->entries[0]);
    table->count++;
    table->entries[at] = (struct gk_plugin_entry){0};
    (void)snprintf(table->entries[at].file, sizeof table->entries[at].file, "%s", file);
    return &table->entries[at];
}

void gk_plugin_table_load(struct gk_plugin_table *table, const char *file,
                          const guika_v1_internal_PluginRecord *record, const struct gk_plugin_key *keys,
                          size_t key_count)
{
    struct gk_plugin_entry *entry = gk_plugin_table_find(table, file);
    bool is_signed = key_count == 0;

    if (entry == NULL) {
        entry = add(table, file);
    }
    entry->record = *record;
    for (size_t i = 0; i < key_count; i++) {
        is_signed = is_signed || strcmp(keys[i].id, record->signed_by) == 0;
    }
    if (!is_signed) {
        stop_using(entry);
    }
}

static void take_found(struct gk_plugin_entry *entry, const struct gk_plugin_found *found)
{
    guika_v1_internal_PluginRecord *record = &entry->record;

    entry->stamp = found->stamp;
    memcpy(entry->hash, found->hash, sizeof entry->hash);
    memcpy(entry->signed_by, found->signed_by, sizeof entry->signed_by);
    memcpy(entry->refused, found->refused, sizeof entry->refused);
    entry->is_candidate = false;
    if (found->refused[0] != '\0') {
        return;
    }
    if (has_hash(record->used_hash.bytes, record->used_hash.size, found->hash)) {
        entry->is_changed = entry->is_changed || strcmp(record->signed_by, found->signed_by) != 0;
        memcpy(record->signed_by, found->signed_by, sizeof record->signed_by);
    } else {
        entry->is_candidate = !(record->quarantined && is_struck(entry, found->hash));
    }
}

bool gk_plugin_table_merge(struct gk_plugin_table *table, const struct gk_plugin_found *found, size_t count)
{
    bool dropped = false;

    for (size_t i = 0; i < table->count; i++) {
        table->entries[i].present = false;
        for (size_t k = 0; k < count; k++) {
            table->entries[i].present |= strcmp(table->entries[i].file, found[k].file) == 0;
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct gk_plugin_entry *entry = gk_plugin_table_find(table, found[i].file);

        if (entry == NULL) {
            entry = add(table, found[i].file);
        }
        entry->present = true;
        if (!found[i].unchanged) {
            take_found(entry, &found[i]);
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        struct gk_plugin_entry *entry = &table->entries[i];

        if (!entry->present) {
            entry->is_candidate = false;
            entry->stamp = (struct gk_plugin_stamp){0};
            if (is_used(entry)) {
                stop_using(entry);
                dropped = true;
            }
        }
    }
    return dropped;
}

void gk_plugin_table_fill(const struct gk_plugin_table *table, struct gk_shelf_folder *shelf)
{
    shelf->count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct gk_plugin_entry *entry = &table->entries[i];

        if (entry->present && (entry->is_candidate || is_used(entry))) {
            struct gk_shelf_copy *copy = &shelf->copies[shelf->count++];

            *copy = (struct gk_shelf_copy){.is_new = entry->is_candidate};
            memcpy(copy->file, entry->file, sizeof copy->file);
            memcpy(copy->hash, entry->is_candidate ? entry->hash : entry->record.used_hash.bytes,
                   sizeof copy->hash);
        }
    }
}

static void say(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%.*s", (int)size - 1, text);
}

void gk_plugin_table_refuse(struct gk_plugin_table *table, const struct gk_shelf_copy *copy, const char *why)
{
    struct gk_plugin_entry *entry = gk_plugin_table_find(table, copy->file);

    if (entry == NULL) {
        return;
    }
    if (has_hash(entry->record.used_hash.bytes, entry->record.used_hash.size, copy->hash)) {
        stop_using(entry);
    }
    if (memcmp(entry->hash, copy->hash, sizeof entry->hash) == 0) {
        entry->is_candidate = false;
        say(entry->refused, sizeof entry->refused, why);
    }
}

static void take_in_use(struct gk_plugin_entry *entry, const struct gk_shelf_copy *copy,
                        const guika_v1_internal_ShelfIssuer *issuer, int64_t now_ms)
{
    guika_v1_internal_PluginRecord *record = &entry->record;

    record->used_hash.size = GK_PLUGIN_HASH_SIZE;
    memcpy(record->used_hash.bytes, copy->hash, GK_PLUGIN_HASH_SIZE);
    memcpy(record->issuer, issuer->issuer, sizeof record->issuer);
    memcpy(record->version, issuer->version, sizeof record->version);
    memcpy(record->signed_by, entry->signed_by, sizeof record->signed_by);
    record->changed_at_ms = now_ms;
    entry->is_changed = true;
    if (!is_struck(entry, copy->hash)) {
        forget_strikes(entry);
    }
}

void gk_plugin_table_accept(struct gk_plugin_table *table, const struct gk_shelf_folder *shelf,
                            const guika_v1_internal_AnnounceRequest *announced, int64_t now_ms)
{
    for (size_t i = 0; i < announced->issuers_count; i++) {
        const struct gk_shelf_copy *copy = gk_shelf_folder_find(shelf, announced->issuers[i].file);
        struct gk_plugin_entry *entry = copy == NULL ? NULL : gk_plugin_table_find(table, copy->file);

        if (entry != NULL && entry->is_candidate &&
            memcmp(entry->hash, copy->hash, sizeof entry->hash) == 0) {
            entry->is_candidate = false;
            take_in_use(entry, copy, &announced->issuers[i], now_ms);
        }
    }
}

bool gk_plugin_table_strike(struct gk_plugin_table *table, const struct gk_shelf_copy *copy, const char *why,
                            int64_t now_ms)
{
    struct gk_plugin_entry *entry = gk_plugin_table_find(table, copy->file);

    if (entry == NULL || !has_hash(entry->record.used_hash.bytes, entry->record.used_hash.size, copy->hash)) {
        return false;
    }
    guika_v1_internal_PluginRecord *record = &entry->record;

    if (!is_struck(entry, copy->hash)) {
        forget_strikes(entry);
        record->struck_hash.size = GK_PLUGIN_HASH_SIZE;
        memcpy(record->struck_hash.bytes, copy->hash, GK_PLUGIN_HASH_SIZE);
    }
    record->strikes++;
    record->changed_at_ms = now_ms;
    say(record->reason, sizeof record->reason, why);
    entry->is_changed = true;
    if (record->strikes < GK_PLUGIN_STRIKES) {
        return false;
    }
    record->quarantined = true;
    stop_using(entry);
    return true;
}

enum gk_status gk_plugin_table_release(struct gk_plugin_table *table, const char *file,
                                       struct gk_error *error)
{
    struct gk_plugin_entry *entry = gk_plugin_table_find(table, file);

    if (entry == NULL || !entry->present) {
        return gk_error_set(error, GK_NOT_FOUND,
                            "there is no file \"%.60s\" in the plugin folder; `guika plugin list` shows them",
                            file);
    }
    const bool was_quarantined = entry->record.quarantined && is_struck(entry, entry->hash);

    forget_strikes(entry);
    entry->is_candidate = entry->is_candidate || was_quarantined;
    return GK_OK;
}

bool gk_plugin_table_row(const struct gk_plugin_entry *entry, guika_v1_PluginRow *ret_row)
{
    static const uint8_t unread[GK_PLUGIN_HASH_SIZE] = {0};
    const guika_v1_internal_PluginRecord *record = &entry->record;
    const uint8_t *hash = is_used(entry) ? record->used_hash.bytes : entry->hash;
    const bool quarantined = record->quarantined && is_struck(entry, entry->hash);
    const char *reason = entry->refused[0] != '\0' ? entry->refused : record->reason;
    guika_v1_PluginRow row = {.strikes = record->strikes};

    if (!entry->present) {
        return false;
    }
    memcpy(row.file, entry->file, sizeof row.file);
    row.state = entry->is_candidate         ? guika_v1_PluginState_PLUGIN_STATE_CHECKING
                : quarantined               ? guika_v1_PluginState_PLUGIN_STATE_QUARANTINED
                : !is_used(entry)           ? guika_v1_PluginState_PLUGIN_STATE_REFUSED
                : entry->refused[0] != '\0' ? guika_v1_PluginState_PLUGIN_STATE_OLD_IN_USE
                                            : guika_v1_PluginState_PLUGIN_STATE_IN_USE;
    memcpy(row.issuer, record->issuer, sizeof row.issuer);
    memcpy(row.version, record->version, sizeof row.version);
    say(row.reason, sizeof row.reason, reason);
    if (memcmp(hash, unread, sizeof unread) != 0) {
        gk_hex_encode(hash, (sizeof row.hash - 1) / 2, row.hash);
    }
    memcpy(row.signed_by, is_used(entry) ? record->signed_by : entry->signed_by, sizeof row.signed_by);
    *ret_row = row;
    return true;
}
