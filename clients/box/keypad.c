#include "clients/box/keypad.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gk_keypad {
    int fd;
    size_t length; /* of what was read and not taken */
    bool skipping; /* the line is too long: dropped up to its end */
    char buffer[GK_KEYPAD_LINE_SIZE];
};

enum gk_status gk_keypad_open(const char *path, struct gk_keypad **ret_keypad, struct gk_error *error)
{
    struct gk_keypad *keypad = calloc(1, sizeof *keypad);
    struct stat found;

    if (keypad == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for a keypad");
    }
    if (mkfifo(path, 0600) != 0 && errno != EEXIST) {
        free(keypad);
        return gk_error_set(error, GK_INTERNAL, "cannot make the keypad's pipe %s: %s", path,
                            strerror(errno));
    }
    /* Also open for writing, so that the pipe never ends. */
    keypad->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (keypad->fd < 0 || fstat(keypad->fd, &found) != 0 || !S_ISFIFO(found.st_mode)) {
        gk_keypad_close(keypad);
        return gk_error_set(error, GK_INTERNAL, "%s is no named pipe", path);
    }
    *ret_keypad = keypad;
    return GK_OK;
}

void gk_keypad_close(struct gk_keypad *keypad)
{
    if (keypad != NULL) {
        if (keypad->fd >= 0) {
            (void)close(keypad->fd);
        }
        explicit_bzero(keypad, sizeof *keypad);
        free(keypad);
    }
}

int gk_keypad_fd(const struct gk_keypad *keypad)
{
    return keypad->fd;
}

bool gk_keypad_next(struct gk_keypad *keypad, char ret_line[GK_KEYPAD_LINE_SIZE])
{
    char byte;

    while (read(keypad->fd, &byte, 1) == 1) {
        if (byte != '\n') {
            keypad->skipping = keypad->skipping || keypad->length + 1 == GK_KEYPAD_LINE_SIZE;
            if (!keypad->skipping) {
                keypad->buffer[keypad->length++] = byte;
            }
            continue;
        }
        const bool whole = !keypad->skipping && keypad->length > 0;

        memcpy(ret_line, keypad->buffer, keypad->length);
        ret_line[keypad->length] = '\0';
        explicit_bzero(keypad->buffer, sizeof keypad->buffer);
        keypad->length = 0;
        keypad->skipping = false;
        if (whole) {
            return true;
        }
    }
    return false;
}
