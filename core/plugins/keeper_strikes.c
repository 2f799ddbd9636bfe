#include "core/plugins/keeper_internal.h"

#include <string.h>

static void on_strike_written(void *context, enum gk_status status, const struct gk_error *error,
                              bool any_new)
{
    const struct gk_log *log = context;

    (void)any_new;
    if (status != GK_OK) {
        gk_log(log, GK_LOG_ERROR, "plugins_not_recorded", {"why", error->message});
    }
}

static void strike(struct gk_keeper *keeper, const struct gk_shelf_copy *copy, const char *why)
{
    const bool too_often =
        gk_plugin_table_strike(&keeper->table, copy, why, gk_clock_now_ms(&keeper->options.clock));
    const struct gk_plugin_entry *entry = gk_plugin_table_find(&keeper->table, copy->file);
    char strikes[24];

    gk_log(keeper->options.log, too_often ? GK_LOG_ERROR : GK_LOG_WARNING,
           too_often ? "plugin_quarantined" : "plugin_struck", {"file", copy->file},
           {"strikes", gk_log_number(entry == NULL ? 0 : (int64_t)entry->record.strikes, strikes)},
           {"why", why});
    gk_plugin_records_write(keeper->options.store, keeper->options.mailbox, &keeper->table, "core",
                            too_often ? "plugin.quarantine" : "plugin.strike", on_strike_written,
                            (void *)(uintptr_t)keeper->options.log);
    if (too_often) {
        keeper->dropped = true;
        gk_keeper_begin_round(keeper);
    }
}

void gk_keeper_reader_died(void *context, const struct gk_reader_death *death)
{
    struct gk_keeper *keeper = context;
    char status[24], signal_text[24], restart[24];

    gk_log(keeper->options.log, GK_LOG_WARNING, "child_ended", {"child", death->reader_id},
           {"status", gk_log_number(death->exit_status, status)},
           {"signal", gk_log_number(death->signal_number, signal_text)},
           {"restart_ms", death->restart_ms == UINT32_MAX ? NULL : gk_log_number(death->restart_ms, restart)},
           {"plugin", death->blamed == NULL ? NULL : death->blamed->file});
    if (death->blamed != NULL && !keeper->closing) {
        strike(keeper, death->blamed, death->why);
    }
}

/* --- the operator --- */

void gk_keeper_list(const struct gk_keeper *keeper, const char *page_token,
                    guika_v1_ListPluginsResponse *ret_response)
{
    const size_t room = sizeof ret_response->plugins / sizeof ret_response->plugins[0];

    for (size_t i = 0; i < keeper->table.count; i++) {
        const struct gk_plugin_entry *entry = &keeper->table.entries[i];

        if (strcmp(entry->file, page_token) <= 0) {
            continue;
        }
        if (ret_response->plugins_count == room) {
            memcpy(ret_response->next_page_token, ret_response->plugins[room - 1].file,
                   sizeof ret_response->next_page_token);
            return;
        }
        if (gk_plugin_table_row(entry, &ret_response->plugins[ret_response->plugins_count])) {
            ret_response->plugins_count++;
        }
    }
}

enum gk_status gk_keeper_release(struct gk_keeper *keeper, const char *file, const char *actor,
                                 struct gk_error *error)
{
    const enum gk_status status = gk_plugin_table_release(&keeper->table, file, error);

    if (status == GK_OK) {
        gk_plugin_records_write(keeper->options.store, keeper->options.mailbox, &keeper->table, actor,
                                "plugin.release", on_strike_written, (void *)(uintptr_t)keeper->options.log);
        gk_keeper_begin_round(keeper);
    }
    return status;
}
