/* What no caller does: power that is cut, time that goes by, work that goes on by itself. */
#include "core/difficult_internal.h"
#include "core/recovery.h"
#include "core/rotation.h"
#include "core/watches.h"
#include "tests/core/life_model/disk.h"
#include "tests/core/life_model/driver.h"
#include "tests/core/security/scratch.h"

#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MAX = 200 };

static int64_t rig_now(void *context)
{
    return atomic_load(&((struct core_rig *)context)->now_ms);
}

static void doze(void)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

/* --- what runs by itself --- */

static void look_whether_idle(struct core_rig *rig, void *argument)
{
    *(bool *)argument = rig->difficult->walk == GK_WALK_NONE && rig->difficult->in_hand == 0 &&
                        gk_pipeline_in_hand(rig->pipeline) == 0;
}

void driver_settle(struct driver *driver)
{
    bool idle = false;

    core_rig_run(&driver->rig, look_whether_idle, &idle);
    while (!idle) {
        doze();
        core_rig_run(&driver->rig, look_whether_idle, &idle);
    }
}

static void begin_rematch(struct core_rig *rig, void *argument)
{
    (void)argument;
    gk_difficult_rematch(rig->difficult);
}

static void begin_retry_all(struct core_rig *rig, void *argument)
{
    (void)argument;
    gk_difficult_retry_all(rig->difficult);
}

/* --- power --- */

/* As the daemon starts. */
static enum gk_status start_again(struct driver *driver)
{
    core_rig_resume(&driver->rig);
    const enum gk_status status =
        driver->fault == FAULT_FORGETS_RECOVERY
            ? GK_OK
            : gk_recover(driver->rig.store, driver->rig.vault, driver->rig.credentials, &driver->error);

    driver_connect(driver);
    core_rig_run(&driver->rig, begin_rematch, NULL);
    driver_settle(driver);
    return status;
}

static enum gk_status cut_power(struct driver *driver, uint64_t log_bytes, bool checkpoint)
{
    char *data = scratch_path(driver->rig.folder, "data");
    char *left = scratch_path(driver->rig.folder, "left");

    driver_settle(driver);
    if (checkpoint) {
        driver_must(driver, gk_store_checkpoint(driver->rig.store, left, &driver->error) == GK_OK,
                    "no checkpoint");
    } else {
        driver_must(driver, disk_cut(data, left, log_bytes), "the disk cannot be copied");
    }
    driver_leave(driver);
    driver_must(driver, disk_replace(left, data), "the disk cannot be put in place");
    free(left);
    free(data);
    return start_again(driver);
}

enum gk_status driver_crash(struct driver *driver, bool checkpoint)
{
    return cut_power(driver, UINT64_MAX, checkpoint);
}

/* The operation runs to its end, but next to nothing of it is on the disk when power is cut. */
enum gk_status driver_lose(struct driver *driver, const struct operation *operation)
{
    enum { TORN = 20 }; /* bytes: fewer than any transition has */
    char *data = scratch_path(driver->rig.folder, "data");
    const uint64_t before = disk_log_bytes(data);
    const uint32_t cards = driver->card_count;
    struct driver_card *card = driver_find(driver, operation->card);
    const struct driver_card as_it_was = card == NULL ? (struct driver_card){.name = 0} : *card;
    bool did;

    free(data);
    (void)driver_do(driver, operation, &did);
    driver->card_count = cards;
    if (card != NULL) {
        *card = as_it_was;
    }
    return cut_power(driver, before + operation->id % TORN, false);
}

/* --- new keys --- */

struct copying {
    struct core_rig *rig;
    struct gk_rotation *rotation;
    atomic_bool copied;
    atomic_bool closed;
};

static void on_copied(void *context)
{
    atomic_store(&((struct copying *)context)->copied, true);
}

static void on_rotation_closed(void *context)
{
    atomic_store(&((struct copying *)context)->closed, true);
}

static void open_rotation(struct core_rig *rig, void *argument)
{
    struct copying *copying = argument;
    const struct gk_rotation_parts parts = {.loop = &rig->loop,
                                            .log = &rig->log,
                                            .keys = rig->keys,
                                            .store = rig->store,
                                            .on_copied = on_copied,
                                            .context = copying};

    copying->rotation = gk_rotation_open(&parts);
}

static void close_rotation(struct core_rig *rig, void *argument)
{
    struct copying *copying = argument;

    (void)rig;
    gk_rotation_close(copying->rotation, on_rotation_closed, copying);
}

/* As the daemon goes through it: with the new files, then with the lists copied, it begins anew. */
enum gk_status driver_rotate(struct driver *driver)
{
    struct copying copying = {.rig = &driver->rig};
    char *keys = scratch_path(driver->rig.folder, "keys");
    uint32_t epoch = 0;
    enum gk_status status = gk_keys_add_epoch(keys, &epoch, &driver->error);

    free(keys);
    if (status == GK_OK) {
        status = driver_crash(driver, false);
    }
    if (status != GK_OK) {
        return status;
    }
    core_rig_run(&driver->rig, open_rotation, &copying);
    while (!atomic_load(&copying.copied)) {
        doze();
    }
    core_rig_run(&driver->rig, close_rotation, &copying);
    while (!atomic_load(&copying.closed)) {
        doze();
    }
    status = driver_crash(driver, false);
    return status != GK_OK ? status : gk_keys_epoch(driver->rig.keys) == epoch ? GK_OK : DRIVER_ODD;
}

/* --- time --- */

static enum gk_status apply_forget_watch(void *context, struct gk_transaction *transaction,
                                         struct gk_error *error)
{
    return gk_watches_forget(transaction, context, error);
}

static enum gk_status forget_watches(struct driver *driver)
{
    uint8_t keys[GK_WATCHES_SWEPT][GK_WATCH_KEY_SIZE];
    size_t count = 0;
    unsigned quiet = 0;
    enum gk_status status = GK_OK;

    while (status == GK_OK && quiet < 2 + WATCHES_MAX / GK_WATCHES_SWEPT) {
        status = gk_watches_expired(driver->rig.store, atomic_load(&driver->rig.now_ms), keys, &count,
                                    &driver->error);
        quiet = count == 0 ? quiet + 1 : 0;
        for (size_t i = 0; i < count && status == GK_OK; i++) {
            status = gk_store_commit_and_wait(driver->rig.store, apply_forget_watch, keys[i], &driver->error);
        }
    }
    return status;
}

enum gk_status driver_pass(struct driver *driver, int64_t pass_ms)
{
    const struct gk_sweeper_parts parts = {.clock = {rig_now, &driver->rig},
                                           .keys = driver->rig.keys,
                                           .store = driver->rig.store,
                                           .retention = &driver->rig.retention};
    struct gk_swept swept = {0};
    unsigned rounds = 0;
    enum gk_status status;

    atomic_fetch_add(&driver->rig.now_ms, pass_ms);
    do {
        status = gk_sweep(&parts, &swept, &driver->error);
    } while (status == GK_OK && (swept.ticks > 0 || swept.more) && ++rounds < ROUNDS_MAX);
    if (rounds == ROUNDS_MAX) {
        return gk_error_set(&driver->error, DRIVER_ODD, "something is due for ever");
    }
    return status == GK_OK ? forget_watches(driver) : status;
}

enum gk_status driver_read_all(struct driver *driver)
{
    core_rig_run(&driver->rig, begin_retry_all, NULL);
    driver_settle(driver);
    return GK_OK;
}
