#include "core/plugins/shelf_folder.h"

#include "core/memory.h"
#include "core/security/hex.h"
#include "core/task.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINK_PREFIX 2 /* characters: "a-" */

struct removal {
    struct gk_task task;
    struct gk_shelf_folder *shelf;
};

struct gk_shelf_folder *gk_shelf_folder_new(uv_loop_t *loop, const char *copies, uint64_t number)
{
    struct gk_shelf_folder *shelf = gk_allocate(sizeof *shelf);

    shelf->users = 1;
    shelf->loop = loop;
    shelf->number = number;
    (void)snprintf(shelf->directory, sizeof shelf->directory, "%.*s/shelf-%llu", PATH_MAX - 40, copies,
                   (unsigned long long)number);
    return shelf;
}

static void link_path(const struct gk_shelf_folder *shelf, const struct gk_shelf_copy *copy,
                      char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%.*s/%s-%s", PATH_MAX - GK_TRAIL_FILE_SIZE - 8, shelf->directory,
                   copy->is_new ? "b" : "a", copy->file);
}

enum gk_status gk_shelf_folder_make(const struct gk_shelf_folder *shelf, const char *copies,
                                    struct gk_error *error)
{
    if (mkdir(shelf->directory, 0700) != 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", shelf->directory, strerror(errno));
    }
    for (size_t i = 0; i < shelf->count; i++) {
        char from[PATH_MAX], to[PATH_MAX], hex[2 * GK_PLUGIN_HASH_SIZE + 1];

        gk_hex_encode(shelf->copies[i].hash, GK_PLUGIN_HASH_SIZE, hex);
        (void)snprintf(from, sizeof from, "%.*s/%s.so", PATH_MAX - 80, copies, hex);
        link_path(shelf, &shelf->copies[i], to);
        if (link(from, to) != 0) {
            return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", from, strerror(errno));
        }
    }
    return GK_OK;
}

struct gk_shelf_folder *gk_shelf_folder_use(struct gk_shelf_folder *shelf)
{
    shelf->users++;
    return shelf;
}

/* [worker] */
static void run_removal(struct gk_task *task)
{
    const struct gk_shelf_folder *shelf = gk_container_of(task, struct removal, task)->shelf;

    for (size_t i = 0; i < shelf->count; i++) {
        char path[PATH_MAX];

        link_path(shelf, &shelf->copies[i], path);
        (void)unlink(path);
    }
    (void)rmdir(shelf->directory); /* the next start removes what is left */
}

static void on_removed(struct gk_task *task)
{
    struct removal *removal = gk_container_of(task, struct removal, task);

    free(removal->shelf);
    free(removal);
}

void gk_shelf_folder_leave(struct gk_shelf_folder *shelf)
{
    if (shelf == NULL) {
        return;
    }
    assert(shelf->users > 0);
    if (--shelf->users == 0) {
        struct removal *removal = gk_allocate(sizeof *removal);

        removal->shelf = shelf;
        removal->task.run = run_removal;
        removal->task.done = on_removed;
        gk_task_start(shelf->loop, &removal->task);
    }
}

const struct gk_shelf_copy *gk_shelf_folder_find(const struct gk_shelf_folder *shelf, const char *link)
{
    const bool is_link = (link[0] == 'a' || link[0] == 'b') && link[1] == '-';

    for (size_t i = 0; i < shelf->count && is_link; i++) {
        const struct gk_shelf_copy *copy = &shelf->copies[i];

        if (copy->is_new == (link[0] == 'b') && strcmp(copy->file, link + LINK_PREFIX) == 0) {
            return copy;
        }
    }
    return NULL;
}
