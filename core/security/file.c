#include "core/security/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_all(int fd, struct gk_bytes bytes)
{
    size_t written = 0;

    while (written < bytes.size) {
        const ssize_t n = write(fd, bytes.data + written, bytes.size - written);

        if (n < 0 && errno != EINTR) {
            return false;
        }
        written += n > 0 ? (size_t)n : 0;
    }
    return true;
}

enum gk_status gk_file_create(const char *path, mode_t mode, struct gk_bytes bytes, struct gk_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0 && errno == EEXIST) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already and is never overwritten", path);
    }
    if (fd < 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot make %s: %s", path, strerror(errno));
    }
    /* fchmod, because the mode given to open is cut by the umask. */
    const bool written = write_all(fd, bytes) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    const int cause = errno;

    if (close(fd) != 0 || !written) {
        (void)unlink(path);
        return gk_error_set(error, GK_UNAVAILABLE, "cannot write %s: %s", path,
                            strerror(written ? errno : cause));
    }
    return GK_OK;
}

enum gk_status gk_file_sync_directory(const char *directory, struct gk_error *error)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot open directory %s: %s", directory,
                            strerror(errno));
    }
    const bool synced = fsync(fd) == 0;
    const int cause = errno;

    (void)close(fd);
    return synced ? GK_OK
                  : gk_error_set(error, GK_UNAVAILABLE, "cannot sync directory %s: %s", directory,
                                 strerror(cause));
}

enum gk_status gk_file_make_directory(const char *directory, struct gk_error *error)
{
    struct stat found;

    if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot make directory %s: %s", directory,
                            strerror(errno));
    }
    if (stat(directory, &found) != 0 || !S_ISDIR(found.st_mode)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "%s is not a directory", directory);
    }
    if ((found.st_mode & 022) != 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "%s has mode %03o, so others may write to it: chmod 700 it", directory,
                            (unsigned)(found.st_mode & 0777));
    }
    return GK_OK;
}
