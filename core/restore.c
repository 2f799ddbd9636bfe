#include "core/restore.h"

#include "core/backup.h"
#include "core/clock.h"
#include "core/security/keys.h"
#include "core/store/store.h"

#include <unistd.h>

/* A service that runs on the data would be left with files that have another name. */
static enum gk_status refuse_running(const char *data_directory, struct gk_error *error)
{
    const struct gk_clock clock = gk_clock_system();
    const struct gk_store_options options = {
        .path = data_directory, .now_ms = clock.now_ms, .now_context = clock.context};
    struct gk_store *store = NULL;

    if (access(data_directory, F_OK) != 0) {
        return GK_OK;
    }
    const enum gk_status status = gk_store_open(&options, &store, error);

    if (status == GK_OK) {
        gk_store_close(store);
    }
    return status == GK_UNAVAILABLE ? status : GK_OK; /* damaged data are what a backup is for */
}

enum gk_status gk_restore_stage(const struct gk_configuration *configuration, const char *directory,
                                struct gk_error *error)
{
    struct gk_keys *keys = NULL;
    enum gk_status status = gk_keys_open(configuration->keys_directory, &keys, error);

    if (status != GK_OK) {
        return status;
    }
    status = refuse_running(configuration->data_directory, error);
    if (status == GK_OK) {
        status = gk_backup_stage(keys, directory, configuration->data_directory, error);
    }
    gk_keys_close(keys);
    return status;
}
