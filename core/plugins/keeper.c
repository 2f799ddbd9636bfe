#include "core/plugins/keeper_internal.h"

#include "core/memory.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { READER_START_MS = 30000 /* loading the plugins and Tesseract takes a tenth of a second */ };

static void try_shelf(struct gk_keeper *keeper);

static void finish_close(struct gk_keeper *keeper)
{
    if (!keeper->closing || keeper->busy || !keeper->watch_closed || !keeper->readers_closed) {
        return;
    }
    void (*on_closed)(void *context) = keeper->on_closed;
    void *context = keeper->on_closed_context;

    free(keeper);
    on_closed(context);
}

static void end_round(struct gk_keeper *keeper)
{
    gk_shelf_folder_leave(keeper->shelf);
    free(keeper->announced);
    keeper->shelf = NULL;
    keeper->announced = NULL;
    keeper->busy = false;
    if (keeper->closing) {
        finish_close(keeper);
    } else if (keeper->again) {
        gk_keeper_begin_round(keeper);
    }
}

/* The watch comes back to it. */
static void fail_round(struct gk_keeper *keeper)
{
    keeper->dropped = true;
    end_round(keeper);
}

static void adopt(void *context, const char *reader_id, int process_id, int fd)
{
    const struct gk_keeper *keeper = context;

    keeper->options.adopt(keeper->options.context, reader_id, process_id, fd);
}

/* --- 1. what lies in the folder? --- */

/* [worker] */
static void run_scan(struct gk_task *task)
{
    struct gk_keeper *keeper = gk_container_of(task, struct gk_keeper, task);
    const struct gk_keeper_options *options = &keeper->options;
    const struct gk_intake_options intake = {.folder = options->folder,
                                             .copies = options->copies,
                                             .keys = options->keys,
                                             .key_count = options->key_count};

    keeper->status = GK_OK;
    if (!keeper->loaded) {
        keeper->rested = gk_allocate(sizeof *keeper->rested);
        keeper->status = gk_plugin_records_load(options->store, options->copies, options->keys,
                                                options->key_count, keeper->rested, &keeper->error);
    }
    if (keeper->status == GK_OK) {
        keeper->status = gk_intake_scan(&intake, keeper->known, keeper->known_count, &keeper->found,
                                        &keeper->found_count, &keeper->error);
    }
}

static void log_scan_problem(struct gk_keeper *keeper)
{
    if (strcmp(keeper->scan_problem, keeper->error.message) != 0) {
        gk_log(keeper->options.log, GK_LOG_ERROR, "no_plugins", {"why", keeper->error.message});
        (void)snprintf(keeper->scan_problem, sizeof keeper->scan_problem, "%.*s", GK_PLUGIN_REASON_SIZE - 1,
                       keeper->error.message);
    }
}

/* Says once what was refused before any reader saw it. */
static void log_refused(const struct gk_keeper *keeper)
{
    for (size_t i = 0; i < keeper->found_count; i++) {
        const struct gk_plugin_found *found = &keeper->found[i];

        if (!found->unchanged && found->refused[0] != '\0') {
            gk_log(keeper->options.log, GK_LOG_ERROR, "plugin_refused", {"file", found->file},
                   {"why", found->refused});
        }
    }
}

/* Is the shelf that the folder asks for another one than is in use? */
static bool needs_change(const struct gk_keeper *keeper)
{
    for (size_t i = 0; i < keeper->table.count; i++) {
        if (keeper->table.entries[i].is_candidate) {
            return true;
        }
    }
    return !keeper->started || keeper->dropped;
}

static void on_scanned(struct gk_task *task)
{
    struct gk_keeper *keeper = gk_container_of(task, struct gk_keeper, task);

    free(keeper->known);
    keeper->known = NULL;
    if (keeper->rested != NULL) {
        keeper->table = *keeper->rested;
        keeper->loaded = true;
        free(keeper->rested);
        keeper->rested = NULL;
    }
    if (keeper->status != GK_OK) {
        log_scan_problem(keeper);
        /* The service begins without plugins rather than not at all; what it has it keeps. */
        if (keeper->started || keeper->closing) {
            end_round(keeper);
            return;
        }
    } else {
        keeper->scan_problem[0] = '\0';
        keeper->dropped =
            gk_plugin_table_merge(&keeper->table, keeper->found, keeper->found_count) || keeper->dropped;
        log_refused(keeper);
    }
    free(keeper->found);
    keeper->found = NULL;
    keeper->found_count = 0;
    if (keeper->closing || !needs_change(keeper)) {
        end_round(keeper);
    } else {
        keeper->is_checked = false;
        try_shelf(keeper);
    }
}

void gk_keeper_begin_round(struct gk_keeper *keeper)
{
    if (keeper->busy || keeper->closing) {
        keeper->again = true;
        return;
    }
    keeper->busy = true;
    keeper->again = false;
    keeper->known_count = 0;
    keeper->known = gk_allocate((keeper->table.count + 1) * sizeof *keeper->known);
    for (size_t i = 0; i < keeper->table.count; i++) {
        const struct gk_plugin_entry *entry = &keeper->table.entries[i];

        if (entry->present) {
            memcpy(keeper->known[keeper->known_count].file, entry->file, sizeof entry->file);
            keeper->known[keeper->known_count++].stamp = entry->stamp;
        }
    }
    keeper->task.run = run_scan;
    keeper->task.done = on_scanned;
    gk_task_start(keeper->options.loop, &keeper->task);
}

static void on_folder_changed(void *context)
{
    gk_keeper_begin_round(context);
}

/* --- 2. a folder of copies, and a reader's look at it --- */

static void write_records(struct gk_keeper *keeper);

/* [worker] */
static void run_make(struct gk_task *task)
{
    struct gk_keeper *keeper = gk_container_of(task, struct gk_keeper, task);

    keeper->status = gk_shelf_folder_make(keeper->shelf, keeper->options.copies, &keeper->error);
    gk_intake_forget(keeper->options.copies, (const uint8_t(*)[GK_PLUGIN_HASH_SIZE])keeper->kept,
                     keeper->kept_count);
}

static void refuse(struct gk_keeper *keeper, const struct gk_shelf_copy *copy, const char *why)
{
    gk_log(keeper->options.log, GK_LOG_ERROR, "plugin_refused", {"file", copy->file}, {"why", why});
    gk_plugin_table_refuse(&keeper->table, copy, why);
}

static void take_refusals(struct gk_keeper *keeper, const guika_v1_internal_AnnounceRequest *announced)
{
    for (size_t i = 0; i < announced->refused_count; i++) {
        const struct gk_shelf_copy *copy = gk_shelf_folder_find(keeper->shelf, announced->refused[i].file);
        const char *reason = announced->refused[i].reason;

        if (copy != NULL) {
            /* "b-name.so: why": the operator knows which file is meant. */
            const size_t name = strlen(announced->refused[i].file);
            const bool is_named =
                strncmp(reason, announced->refused[i].file, name) == 0 && reason[name] == ':';

            refuse(keeper, copy, is_named ? reason + name + 2 : reason);
        }
    }
}

static void on_checked(void *context, const struct gk_check_outcome *outcome)
{
    struct gk_keeper *keeper = context;

    keeper->check = NULL;
    if (keeper->closing) {
        end_round(keeper);
        return;
    }
    if (outcome->announced != NULL) {
        take_refusals(keeper, outcome->announced);
        keeper->announced = gk_allocate(sizeof *keeper->announced);
        *keeper->announced = *outcome->announced;
        gk_plugin_table_accept(&keeper->table, keeper->shelf, outcome->announced,
                               gk_clock_now_ms(&keeper->options.clock));
        keeper->is_checked = outcome->announced->refused_count == 0;
    } else if (outcome->blamed != NULL) {
        refuse(keeper, outcome->blamed, outcome->why);
    } else {
        gk_log(keeper->options.log, GK_LOG_ERROR, "plugins_not_checked", {"why", outcome->why});
        fail_round(keeper);
        return;
    }
    if (keeper->is_checked) {
        write_records(keeper);
    } else {
        try_shelf(keeper); /* without what was refused */
    }
}

static void on_made(struct gk_task *task)
{
    struct gk_keeper *keeper = gk_container_of(task, struct gk_keeper, task);
    const struct gk_check_options options = {.loop = keeper->options.loop,
                                             .program = keeper->options.reader_program,
                                             .shelf = keeper->shelf,
                                             .adopt = adopt,
                                             .done = on_checked,
                                             .context = keeper};

    if (keeper->status != GK_OK || keeper->closing) {
        if (keeper->status != GK_OK) {
            gk_log(keeper->options.log, GK_LOG_ERROR, "plugins_not_copied", {"why", keeper->error.message});
        }
        fail_round(keeper);
        return;
    }
    keeper->check = gk_check_start(&options);
}

/* What lies in the folder, also what is in quarantine, and what is used should that be refused. */
static void keep_copies(struct gk_keeper *keeper)
{
    keeper->kept_count = 0;
    for (size_t i = 0; i < keeper->table.count; i++) {
        const struct gk_plugin_entry *entry = &keeper->table.entries[i];

        if (entry->present) {
            memcpy(keeper->kept[keeper->kept_count++], entry->hash, GK_PLUGIN_HASH_SIZE);
        }
        if (entry->record.used_hash.size == GK_PLUGIN_HASH_SIZE) {
            memcpy(keeper->kept[keeper->kept_count++], entry->record.used_hash.bytes, GK_PLUGIN_HASH_SIZE);
        }
    }
}

static void try_shelf(struct gk_keeper *keeper)
{
    gk_shelf_folder_leave(keeper->shelf);
    free(keeper->announced);
    keeper->announced = NULL;
    keeper->shelf = gk_shelf_folder_new(keeper->options.loop, keeper->options.copies, ++keeper->last_shelf);
    gk_plugin_table_fill(&keeper->table, keeper->shelf);
    keep_copies(keeper);
    keeper->dropped = false; /* what is dropped from here on is for the next round */
    keeper->task.run = run_make;
    keeper->task.done = on_made;
    gk_task_start(keeper->options.loop, &keeper->task);
}

/* --- 3. durable, and then in use --- */

static void on_written(void *context, enum gk_status status, const struct gk_error *error, bool any_new)
{
    struct gk_keeper *keeper = context;
    char number[24], count[24];

    if (status != GK_OK) {
        gk_log(keeper->options.log, GK_LOG_ERROR, "plugins_not_recorded", {"why", error->message});
    }
    if (!keeper->closing) {
        gk_log(keeper->options.log, GK_LOG_INFO, "shelf_changes",
               {"shelf", gk_log_number((int64_t)keeper->shelf->number, number)},
               {"plugins", gk_log_number((int64_t)keeper->shelf->count, count)});
        keeper->started = true;
        if (any_new) {
            keeper->new_plugin_shelf = keeper->shelf->number;
        }
        gk_readers_change(keeper->readers, keeper->shelf);
    }
    end_round(keeper);
}

static void write_records(struct gk_keeper *keeper)
{
    gk_plugin_records_write(keeper->options.store, keeper->options.mailbox, &keeper->table, "core",
                            "plugins.use", on_written, keeper);
}

/* --- readers --- */

static void on_changed(void *context, const struct gk_shelf_folder *shelf)
{
    struct gk_keeper *keeper = context;
    char number[24];

    gk_log(keeper->options.log, GK_LOG_INFO, "shelf_in_use",
           {"shelf", gk_log_number((int64_t)shelf->number, number)});
    if (keeper->new_plugin_shelf != 0 && keeper->new_plugin_shelf <= shelf->number) {
        keeper->new_plugin_shelf = 0;
        keeper->options.on_new_plugin(keeper->options.context);
    }
}

static void on_failed(void *context, const char *reader_id, const struct gk_error *error)
{
    const struct gk_keeper *keeper = context;

    gk_log(keeper->options.log, GK_LOG_ERROR, "child_not_started", {"child", reader_id},
           {"why", error->message});
}

bool gk_keeper_announced(struct gk_keeper *keeper, const char *reader_id,
                         const guika_v1_internal_AnnounceRequest *announced)
{
    char number[24];

    if (gk_check_announced(keeper->check, reader_id, announced)) {
        return false;
    }
    gk_log(keeper->options.log, announced->issuers_count > 0 ? GK_LOG_INFO : GK_LOG_WARNING, "shelf",
           {"child", reader_id}, {"issuers", gk_log_number((int64_t)announced->issuers_count, number)});
    return gk_readers_ready(keeper->readers, reader_id);
}

void gk_keeper_overdue(struct gk_keeper *keeper, const char *reader_id)
{
    gk_log(keeper->options.log, GK_LOG_WARNING, "lease_ran_out", {"child", reader_id});
    gk_readers_overdue(keeper->readers, reader_id);
}

/* --- start and end --- */

struct gk_keeper *gk_keeper_open(const struct gk_keeper_options *options)
{
    struct gk_keeper *keeper = gk_allocate(sizeof *keeper);
    const struct gk_readers_options readers = {.loop = options->loop,
                                               .program = options->reader_program,
                                               .count = options->readers,
                                               .start_ms = READER_START_MS,
                                               .lease_ms = GK_READER_LEASE_MS,
                                               .jobs = options->jobs,
                                               .adopt = adopt,
                                               .on_died = gk_keeper_reader_died,
                                               .on_failed = on_failed,
                                               .on_changed = on_changed,
                                               .context = keeper};

    keeper->options = *options;
    keeper->readers = gk_readers_open(&readers);
    keeper->watch = gk_folder_watch_open(options->loop, options->folder, on_folder_changed, keeper);
    gk_keeper_begin_round(keeper);
    return keeper;
}

static void on_watch_closed(void *context)
{
    struct gk_keeper *keeper = context;

    keeper->watch_closed = true;
    finish_close(keeper);
}

static void on_readers_closed(void *context)
{
    struct gk_keeper *keeper = context;

    keeper->readers_closed = true;
    finish_close(keeper);
}

void gk_keeper_close(struct gk_keeper *keeper, uint32_t grace_ms, void (*on_closed)(void *context),
                     void *context)
{
    assert(!keeper->closing);
    keeper->closing = true;
    keeper->on_closed = on_closed;
    keeper->on_closed_context = context;
    gk_folder_watch_close(keeper->watch, on_watch_closed, keeper);
    gk_readers_close(keeper->readers, grace_ms, on_readers_closed, keeper);
}
