#include "core/host/plugin_loader.h"

#include "core/host/trail.h"

#include <assert.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_PLUGIN_BYTES (64L * 1024 * 1024)
#define LONGEST_ID 32

struct gk_plugin {
    int copy_fd; /* stays open while loaded: the loader knows objects by path, and the path names this fd */
    void *object;
    const struct gk_plugin_head *head;
    char file[256]; /* its name, without the folder */
};

/* A private copy in memory that has a path of its own. */
static enum gk_status copy_file(const char *path, int *ret_fd, struct gk_error *error)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0) {
        return gk_error_set(error, GK_NOT_FOUND, "%s: %s", path, strerror(errno));
    }
    struct stat about;
    enum gk_status status = GK_OK;
    int to = -1;
    if (fstat(from, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > LARGEST_PLUGIN_BYTES) {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "%s: not a regular file of at most 64 MiB", path);
        goto close_from;
    }
    to = memfd_create("guika-plugin", MFD_CLOEXEC);
    for (off_t done = 0; to >= 0 && done < about.st_size;) {
        ssize_t moved = sendfile(to, from, &done, (size_t)(about.st_size - done));
        if (moved <= 0) {
            close(to);
            to = -1;
        }
    }
    if (to < 0) {
        status = gk_error_set(error, GK_INTERNAL, "%s: cannot be copied: %s", path, strerror(errno));
    }
close_from:
    close(from);
    if (status == GK_OK) {
        *ret_fd = to;
    }
    return status;
}

/* Looks the descriptor up; `*ret_size` is what the object says about its size, bytes. */
static const struct gk_plugin_head *find_descriptor(void *object, const char *symbol, size_t *ret_size)
{
    void *found = dlsym(object, symbol);
    Dl_info info;
    const ElfW(Sym) *entry = NULL;
    if (found == NULL || dladdr1(found, &info, (void **)&entry, RTLD_DL_SYMENT) == 0 || entry == NULL) {
        return NULL;
    }
    *ret_size = entry->st_size;
    return found;
}

static enum gk_status check_id(const char *path, const char *id, struct gk_error *error)
{
    size_t length = id == NULL ? 0 : strnlen(id, LONGEST_ID + 1);
    if (length == 0 || length > LONGEST_ID || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") < length) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "%s: the plugin's id must be 1 to %d characters of [a-z0-9_-]", path, LONGEST_ID);
    }
    return GK_OK;
}

static enum gk_status check_head(const char *path, const struct gk_plugin_kind *kind,
                                 const struct gk_plugin_head *head, size_t object_size,
                                 struct gk_error *error)
{
    if (head == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s: exports no \"%s\": not an %s plugin", path,
                            kind->symbol, kind->word);
    }
    if (object_size < sizeof *head || object_size < head->struct_size ||
        head->struct_size < kind->smallest_struct) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "%s: its descriptor has %zu bytes and says %u; at least %u are wanted", path,
                            object_size, object_size < sizeof *head ? 0 : head->struct_size,
                            kind->smallest_struct);
    }
    if (head->abi_major != kind->abi_major || head->abi_minor > kind->abi_minor) {
        bool newer = head->abi_major > kind->abi_major ||
                     (head->abi_major == kind->abi_major && head->abi_minor > kind->abi_minor);
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "%s: made for %s interface %u.%u; this program has %u.%u: %s", path, kind->word,
                            head->abi_major, head->abi_minor, kind->abi_major, kind->abi_minor,
                            newer ? "update Guika, or build the plugin with this release's SDK"
                                  : "build the plugin anew with this release's SDK");
    }
    enum gk_status status = check_id(path, head->id, error);
    if (status != GK_OK || kind->check == NULL) {
        return status;
    }
    struct gk_error inner = {0};
    if (kind->check(head, &inner) != GK_OK) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s: %s", path, inner.message);
    }
    return GK_OK;
}

enum gk_status gk_plugin_open(const char *path, const struct gk_plugin_kind *kind,
                              struct gk_plugin **ret_plugin, struct gk_error *error)
{
    assert(path != NULL && kind != NULL && ret_plugin != NULL);
    struct gk_plugin plugin = {.copy_fd = -1};
    enum gk_status status = copy_file(path, &plugin.copy_fd, error);
    if (status != GK_OK) {
        return status;
    }
    char copy_path[32];
    snprintf(copy_path, sizeof copy_path, "/proc/self/fd/%d", plugin.copy_fd);
    plugin.object = dlopen(copy_path, RTLD_NOW | RTLD_LOCAL);
    if (plugin.object == NULL) {
        const char *reason = dlerror();
        const size_t prefix = strlen(copy_path);

        /* The copy's name says nothing to anybody. */
        if (reason != NULL && strncmp(reason, copy_path, prefix) == 0 &&
            strncmp(reason + prefix, ": ", 2) == 0) {
            reason += prefix + 2;
        }
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "%s: cannot be loaded: %s", path,
                              reason == NULL ? "unknown" : reason);
        goto close_copy;
    }
    size_t object_size = 0;
    plugin.head = find_descriptor(plugin.object, kind->symbol, &object_size);
    status = check_head(path, kind, plugin.head, object_size, error);
    if (status != GK_OK) {
        goto close_object;
    }
    struct gk_plugin *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        status = gk_error_set(error, GK_RESOURCE_EXHAUSTED, "%s: out of memory", path);
        goto close_object;
    }
    *kept = plugin;
    (void)snprintf(kept->file, sizeof kept->file, "%s",
                   strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1);
    *ret_plugin = kept;
    return GK_OK;
close_object:
    dlclose(plugin.object);
close_copy:
    close(plugin.copy_fd);
    return status;
}

void gk_plugin_close(struct gk_plugin *plugin)
{
    if (plugin == NULL) {
        return;
    }
    dlclose(plugin->object);
    close(plugin->copy_fd);
    free(plugin);
}

const struct gk_plugin_head *gk_plugin_head(const struct gk_plugin *plugin)
{
    assert(plugin != NULL);
    return plugin->head;
}

const char *gk_plugin_file(const struct gk_plugin *plugin)
{
    assert(plugin != NULL);
    return plugin->file;
}

static int is_shared_object(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0;
}

static enum gk_status check_new_id(const char *path, const struct gk_plugin *plugin,
                                   struct gk_plugin *const *plugins, size_t count, struct gk_error *error)
{
    assert(plugin != NULL && plugin->head != NULL);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(plugins[i]->head->id, plugin->head->id) == 0) {
            return gk_error_set(error, GK_ALREADY_EXISTS, "%s: another plugin with the id \"%s\" is loaded",
                                path, plugin->head->id);
        }
    }
    return GK_OK;
}

enum gk_status
gk_plugin_open_all(const char *directory, const struct gk_plugin_kind *kind,
                   void (*on_refused)(void *context, const char *path, const struct gk_error *error),
                   void *context, struct gk_plugin ***ret_plugins, size_t *ret_count, struct gk_error *error)
{
    assert(directory != NULL && kind != NULL && ret_plugins != NULL && ret_count != NULL);
    struct dirent **entries = NULL;
    int found = scandir(directory, &entries, is_shared_object, alphasort);
    if (found < 0) {
        return gk_error_set(error, GK_NOT_FOUND, "plugin directory %s: %s", directory, strerror(errno));
    }
    struct gk_plugin **plugins = calloc((size_t)found + 1, sizeof *plugins);
    size_t count = 0;
    for (int i = 0; i < found; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        free(entries[i]);
        struct gk_error refused = {0};
        struct gk_plugin *plugin = NULL;
        gk_trail_load(path);
        if (plugins != NULL && gk_plugin_open(path, kind, &plugin, &refused) == GK_OK &&
            check_new_id(path, plugin, plugins, count, &refused) == GK_OK) {
            gk_trail_loaded(plugin->head->id);
            plugins[count++] = plugin;
            continue;
        }
        gk_plugin_close(plugin);
        gk_trail_loaded(NULL);
        if (on_refused != NULL && plugins != NULL) {
            on_refused(context, path, &refused);
        }
    }
    free(entries);
    if (plugins == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "plugin directory %s: out of memory", directory);
    }
    *ret_plugins = plugins;
    *ret_count = count;
    return GK_OK;
}
