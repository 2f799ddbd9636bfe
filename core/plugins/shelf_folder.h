/*
 * A shelf in force: a folder of links to private copies of plugins, from which readers load. Never changed
 * once it is made; it goes when the last one that uses it has gone.
 *
 * A plugin that was in use before stands before a new one in the order of names, so that of two with the same
 * id the new one is refused: links are named "a-FILE" and "b-FILE".
 */
#ifndef GUIKA_CORE_PLUGINS_SHELF_FOLDER_H
#define GUIKA_CORE_PLUGINS_SHELF_FOLDER_H

#include "core/plugins/intake.h"

#include <limits.h>
#include <uv.h>

struct gk_shelf_copy {
    char file[GK_TRAIL_FILE_SIZE]; /* in the plugin folder */
    uint8_t hash[GK_PLUGIN_HASH_SIZE];
    bool is_new; /* not in use before */
};

struct gk_shelf_folder {
    unsigned users;
    uv_loop_t *loop;
    uint64_t number;
    char directory[PATH_MAX];
    size_t count;
    struct gk_shelf_copy copies[GK_TRAIL_PLUGINS];
};

/* Without a folder on the disk yet, and with one user. [loop] */
struct gk_shelf_folder *gk_shelf_folder_new(uv_loop_t *loop, const char *copies, uint64_t number);

/* Makes the folder and its links. [worker] */
enum gk_status gk_shelf_folder_make(const struct gk_shelf_folder *shelf, const char *copies,
                                    struct gk_error *error);

struct gk_shelf_folder *gk_shelf_folder_use(struct gk_shelf_folder *shelf); /* [loop] */
/* The last one removes the folder, on a worker. NULL is accepted. [loop] */
void gk_shelf_folder_leave(struct gk_shelf_folder *shelf);

/* The copy whose link or file a reader named; NULL where there is none. [any] */
const struct gk_shelf_copy *gk_shelf_folder_find(const struct gk_shelf_folder *shelf, const char *link);

#endif
