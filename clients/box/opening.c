#include "clients/box/opening.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "opening"
#define PATH_SIZE 4096

static enum gk_status path_of(const char *directory, const char *name, char ret_path[PATH_SIZE],
                              struct gk_error *error)
{
    return (size_t)snprintf(ret_path, PATH_SIZE, "%s/%s", directory, name) < PATH_SIZE
               ? GK_OK
               : gk_error_set(error, GK_INTERNAL, "the box's folder has too long a name");
}

static enum gk_status sync_directory(const char *directory, struct gk_error *error)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return good ? GK_OK
                : gk_error_set(error, GK_INTERNAL, "cannot write the journal of openings: %s",
                               strerror(errno));
}

enum gk_status gk_opening_read(const char *directory, struct gk_opening *ret_opening, struct gk_error *error)
{
    char path[PATH_SIZE];
    struct gk_opening opening = {0};
    enum gk_status status = path_of(directory, FILE_NAME, path, error);

    if (status != GK_OK) {
        return status;
    }
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return errno == ENOENT
                   ? GK_NOT_FOUND
                   : gk_error_set(error, GK_INTERNAL, "cannot read %s: %s", path, strerror(errno));
    }
    const int fields =
        fscanf(file, "%" SCNu64 " %32s %d", &opening.fencing_token, opening.compartment, &opening.outcome);

    (void)fclose(file);
    if (fields != 3 || opening.fencing_token == 0) {
        return gk_error_set(error, GK_INTERNAL, "%s is damaged: look into the compartments, then delete it",
                            path);
    }
    *ret_opening = opening;
    return GK_OK;
}

enum gk_status gk_opening_write(const char *directory, const struct gk_opening *opening,
                                struct gk_error *error)
{
    char path[PATH_SIZE], fresh[PATH_SIZE];
    enum gk_status status = path_of(directory, FILE_NAME, path, error);

    if (status == GK_OK) {
        status = path_of(directory, FILE_NAME ".new", fresh, error);
    }
    if (status != GK_OK) {
        return status;
    }
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    bool good = file != NULL && fprintf(file, "%" PRIu64 " %s %d\n", opening->fencing_token,
                                        opening->compartment, opening->outcome) > 0;

    good = good && fflush(file) == 0 && fsync(fd) == 0;
    if (file != NULL) {
        good = fclose(file) == 0 && good;
    }
    if (!good || rename(fresh, path) != 0) {
        return gk_error_set(error, GK_INTERNAL, "cannot write the journal of openings: %s", strerror(errno));
    }
    return sync_directory(directory, error);
}
