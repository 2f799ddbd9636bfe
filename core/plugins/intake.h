/*
 * What lies in the plugin folder: finds changed files, takes a private copy of each, checks the signature of
 * that very copy, and makes the folders of copies that readers load from.
 *
 * Owns: <data>/plugins: `<hash>.so`, one a content, and `shelf-<n>/`, links to these under the plugins' names
 * (shelf.h). Nothing here runs a plugin's code: guikad reads the bytes alone. Everything is [worker].
 */
#ifndef GUIKA_CORE_PLUGINS_INTAKE_H
#define GUIKA_CORE_PLUGINS_INTAKE_H

#include "core/host/trail.h"
#include "core/security/plugin_signature.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <sys/stat.h>

#define GK_PLUGIN_HASH_SIZE 32 /* bytes, BLAKE2b-256 of the file */
#define GK_PLUGIN_REASON_SIZE 193

/* When a file was changed last, and its signature. */
struct gk_plugin_stamp {
    ino_t inode, signature_inode;
    off_t size;
    struct timespec changed, signature_changed;
};

/* One file of the folder. */
struct gk_plugin_found {
    char file[GK_TRAIL_FILE_SIZE];
    struct gk_plugin_stamp stamp;
    bool unchanged;                    /* as in the stamps that were known: nothing below is set */
    uint8_t hash[GK_PLUGIN_HASH_SIZE]; /* of the copy; zero where it could not be read */
    char signed_by[GK_PLUGIN_KEY_ID_SIZE];
    char refused[GK_PLUGIN_REASON_SIZE]; /* why it may not even be tried; empty: it may */
};

struct gk_intake_options {
    const char *folder;               /* of plugins */
    const char *copies;               /* <data>/plugins */
    const struct gk_plugin_key *keys; /* that may sign; none: nobody has to */
    size_t key_count;
};

/* What is known of a file from the scan before. */
struct gk_plugin_known {
    char file[GK_TRAIL_FILE_SIZE];
    struct gk_plugin_stamp stamp;
};

/* Makes <data>/plugins and removes the shelves that a guikad before this one left. */
enum gk_status gk_intake_begin(const char *copies, struct gk_error *error);

/* Looks at every *.so of the folder, at most GK_TRAIL_PLUGINS, in order of name; `ret_found` is the caller's
 * to free. NOT_FOUND where there is no such folder. */
enum gk_status gk_intake_scan(const struct gk_intake_options *options, const struct gk_plugin_known *known,
                              size_t known_count, struct gk_plugin_found **ret_found, size_t *ret_count,
                              struct gk_error *error);

/* Makes sure that the copy of this content is there and whole. */
enum gk_status gk_intake_check_copy(const char *copies, const uint8_t hash[GK_PLUGIN_HASH_SIZE],
                                    struct gk_error *error);

/* Removes the copies that are none of `hashes`. */
void gk_intake_forget(const char *copies, const uint8_t (*hashes)[GK_PLUGIN_HASH_SIZE], size_t count);

#endif
