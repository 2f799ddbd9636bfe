#include "clients/box/camera.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_PICTURE_BYTES ((off_t)8 * 1024 * 1024)
#define READY_NAME "ready"

struct gk_camera {
    int directory_fd;
    int watch_fd;
    char *path;
};

enum gk_status gk_camera_open(const char *directory, struct gk_camera **ret_camera, struct gk_error *error)
{
    struct gk_camera *camera = calloc(1, sizeof *camera);

    if (camera == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for the camera");
    }
    camera->path = strdup(directory);
    camera->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    camera->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (camera->path == NULL || camera->directory_fd < 0 || camera->watch_fd < 0 ||
        inotify_add_watch(camera->watch_fd, directory, IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0) {
        const int failed = errno;

        gk_camera_close(camera);
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "cannot watch the camera folder %s: %s; make it first", directory,
                            strerror(failed));
    }
    *ret_camera = camera;
    return GK_OK;
}

void gk_camera_close(struct gk_camera *camera)
{
    if (camera == NULL) {
        return;
    }
    if (camera->watch_fd >= 0) {
        (void)close(camera->watch_fd);
    }
    if (camera->directory_fd >= 0) {
        (void)close(camera->directory_fd);
    }
    free(camera->path);
    free(camera);
}

int gk_camera_fd(const struct gk_camera *camera)
{
    return camera->watch_fd;
}

void gk_camera_settle(struct gk_camera *camera)
{
    char events[4096];

    while (read(camera->watch_fd, events, sizeof events) > 0) {
    }
}

static bool is_picture_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '.' && dot != NULL &&
           (strcasecmp(dot, ".jpg") == 0 || strcasecmp(dot, ".jpeg") == 0 || strcasecmp(dot, ".png") == 0);
}

static int keep_visible(const struct dirent *file)
{
    return file->d_name[0] != '.';
}

static int list_directory(int directory_fd, const char *name, struct dirent ***ret_files)
{
    return scandirat(directory_fd, name, ret_files, keep_visible, alphasort);
}

static void free_list(struct dirent **files, int count)
{
    for (int i = 0; i < count; i++) {
        free(files[i]);
    }
    free(files);
}

/* A read lease is refused with EAGAIN while anybody has the file open for writing (fcntl(2)). */
static bool is_being_written(int fd)
{
    if (fcntl(fd, F_SETLEASE, F_RDLCK) != 0) {
        return errno == EAGAIN;
    }
    (void)fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
}

/* Reads one picture. NOT_FOUND: not whole yet; INVALID_ARGUMENT: not to be used. */
static enum gk_status read_picture(int directory_fd, const char *name, uint8_t **ret_data, size_t *ret_size,
                                   struct gk_error *error)
{
    struct stat info = {0};
    uint8_t *data = NULL;
    enum gk_status status = GK_OK;
    const int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "the picture cannot be read");
    } else if (info.st_size == 0 || is_being_written(fd)) {
        status = gk_error_set(error, GK_NOT_FOUND, "the picture is not whole yet");
    } else if (info.st_size > MAX_PICTURE_BYTES) {
        status =
            gk_error_set(error, GK_INVALID_ARGUMENT, "a picture has at most 8 MiB; this one has %lld bytes",
                         (long long)info.st_size);
    } else {
        data = malloc((size_t)info.st_size);
        if (data == NULL || read(fd, data, (size_t)info.st_size) != (ssize_t)info.st_size) {
            status = gk_error_set(error, GK_INVALID_ARGUMENT, "the picture cannot be read");
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (status != GK_OK) {
        free(data);
        return status;
    }
    *ret_data = data;
    *ret_size = (size_t)info.st_size;
    return GK_OK;
}

static bool has_word(const char *name, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = name; *at != '\0' && *at != '.';) {
        const size_t part = strcspn(at, "-.");

        if (part == length && strncasecmp(at, word, length) == 0) {
            return true;
        }
        at += part + (at[part] == '-');
    }
    return false;
}

static void label_frame(const char *name, struct guika_frame *frame)
{
    static const char *const lamps[] = {"diffuse", "left", "right", "top", "bottom"};

    frame->side = has_word(name, "front")  ? GUIKA_FRAME_FRONT
                  : has_word(name, "back") ? GUIKA_FRAME_BACK
                                           : GUIKA_FRAME_SIDE_UNKNOWN;
    for (size_t i = 0; i < sizeof lamps / sizeof lamps[0]; i++) {
        if (has_word(name, lamps[i])) {
            frame->lamp = (enum guika_lamp)(GUIKA_LAMP_DIFFUSE + i);
        }
    }
}

/* Moves the first frame of each side to the front; the others keep their order behind. */
static void order_frames(struct gk_card_seen *card)
{
    card->first_count = 0;
    for (size_t i = 0; i < card->frame_count; i++) {
        bool seen = false;

        for (size_t j = 0; j < card->first_count; j++) {
            seen = seen || card->frames[j].side == card->frames[i].side;
        }
        if (!seen) {
            const struct guika_frame first = card->frames[i];

            memmove(&card->frames[card->first_count + 1], &card->frames[card->first_count],
                    (i - card->first_count) * sizeof first);
            card->frames[card->first_count++] = first;
        }
    }
}

static enum gk_status see_folder(int directory_fd, struct gk_card_seen *card, struct gk_error *error)
{
    struct dirent **files = NULL;
    enum gk_status status = GK_OK;
    const int fd = openat(directory_fd, card->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int count = fd < 0 ? -1 : list_directory(fd, ".", &files);

    for (int i = 0; status == GK_OK && i < count; i++) {
        struct guika_frame *frame = &card->frames[card->frame_count];

        if (!is_picture_name(files[i]->d_name)) {
            continue;
        }
        if (card->frame_count == GK_CAMERA_FRAMES) {
            status = gk_error_set(error, GK_INVALID_ARGUMENT,
                                  "a card has at most %d pictures; this folder has more", GK_CAMERA_FRAMES);
            break;
        }
        status = read_picture(fd, files[i]->d_name, &card->pictures[card->frame_count], &frame->picture_size,
                              error);
        frame->picture = card->pictures[card->frame_count];
        label_frame(files[i]->d_name, frame);
        card->frame_count += status == GK_OK;
    }
    if (status == GK_OK && card->frame_count == 0) {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "the folder has no picture");
    }
    free_list(files, count);
    if (fd >= 0) {
        (void)close(fd);
    }
    order_frames(card);
    return status;
}

static enum gk_status see_file(int directory_fd, struct gk_card_seen *card, struct gk_error *error)
{
    const enum gk_status status =
        read_picture(directory_fd, card->name, &card->pictures[0], &card->frames[0].picture_size, error);

    if (status == GK_OK) {
        card->frames[0].picture = card->pictures[0];
        card->frame_count = card->first_count = 1;
    }
    return status;
}

/* Is the folder complete? If not, it is watched until it is. */
static bool folder_is_ready(struct gk_camera *camera, const char *name)
{
    char path[4096];
    char ready[GK_CAMERA_NAME_SIZE + sizeof READY_NAME + 1];

    if ((size_t)snprintf(path, sizeof path, "%s/%s", camera->path, name) < sizeof path) {
        (void)inotify_add_watch(camera->watch_fd, path, IN_CLOSE_WRITE | IN_MOVED_TO);
    }
    (void)snprintf(ready, sizeof ready, "%s/%s", name, READY_NAME);
    return faccessat(camera->directory_fd, ready, F_OK, 0) == 0;
}

/* NOT_FOUND: nothing here to take now. */
static enum gk_status see(struct gk_camera *camera, const char *name, struct gk_card_seen *card,
                          struct gk_error *error)
{
    struct stat info = {0};

    (void)snprintf(card->name, sizeof card->name, "%s", name);
    if (fstatat(camera->directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return GK_NOT_FOUND;
    }
    if (S_ISDIR(info.st_mode)) {
        return folder_is_ready(camera, name) ? see_folder(camera->directory_fd, card, error) : GK_NOT_FOUND;
    }
    return is_picture_name(name) ? see_file(camera->directory_fd, card, error) : GK_NOT_FOUND;
}

enum gk_status gk_camera_next(struct gk_camera *camera, struct gk_card_seen *ret_card, struct gk_error *error)
{
    struct dirent **files = NULL;
    enum gk_status status = gk_error_set(error, GK_NOT_FOUND, "no card");
    const int count = list_directory(camera->directory_fd, ".", &files);

    *ret_card = (struct gk_card_seen){0};
    for (int i = 0; status == GK_NOT_FOUND && i < count; i++) {
        gk_card_seen_clear(ret_card);
        status = see(camera, files[i]->d_name, ret_card, error);
    }
    free_list(files, count);
    return status;
}

void gk_card_seen_clear(struct gk_card_seen *card)
{
    for (size_t i = 0; i < GK_CAMERA_FRAMES; i++) {
        free(card->pictures[i]);
    }
    *card = (struct gk_card_seen){0};
}

/* Erases what belongs to the card; a folder with other things in it stays, no longer ready. */
static bool erase_folder(int directory_fd, const char *name)
{
    struct dirent **files = NULL;
    const int fd = openat(directory_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int count = fd < 0 ? -1 : list_directory(fd, ".", &files);
    bool erased = fd >= 0;

    for (int i = 0; i < count; i++) {
        if (is_picture_name(files[i]->d_name) || strcmp(files[i]->d_name, READY_NAME) == 0) {
            erased = unlinkat(fd, files[i]->d_name, 0) == 0 && erased;
        }
    }
    free_list(files, count);
    if (fd >= 0) {
        (void)close(fd);
    }
    (void)unlinkat(directory_fd, name, AT_REMOVEDIR);
    return erased;
}

enum gk_status gk_camera_erase(struct gk_camera *camera, const char *name, struct gk_error *error)
{
    struct stat info = {0};
    bool erased = false;

    if (fstatat(camera->directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) == 0) {
        erased = S_ISDIR(info.st_mode) ? erase_folder(camera->directory_fd, name)
                                       : unlinkat(camera->directory_fd, name, 0) == 0;
    }
    return erased ? GK_OK
                  : gk_error_set(error, GK_INTERNAL,
                                 "cannot erase %s from the camera folder %s: make the folder writable", name,
                                 camera->path);
}
