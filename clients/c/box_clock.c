#include "clients/c/box_clock.h"

#include "clients/c/line.h"
#include "clients/c/spool_file.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "clock"

enum {
    BOOT_ID_SIZE = 37, /* bytes: a UUID and the terminator */
    WORTH_WRITING_MS = 2000,
    TEXT_SIZE = 128,
};

static int64_t boot_now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The first `size` - 1 bytes of a file; false where there is none. */
static bool read_text(int directory_fd, const char *path, char *ret_text, size_t size)
{
    const int fd = openat(directory_fd, path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, ret_text, size - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    ret_text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

static bool read_boot_id(char ret_id[BOOT_ID_SIZE])
{
    return read_text(AT_FDCWD, "/proc/sys/kernel/random/boot_id", ret_id, BOOT_ID_SIZE) &&
           strlen(ret_id) == BOOT_ID_SIZE - 1;
}

void gk_box_clock_open(int directory_fd, struct gk_box_clock *ret_clock)
{
    struct gk_box_clock clock = {.directory_fd = directory_fd};
    char text[TEXT_SIZE], boot[BOOT_ID_SIZE], id[BOOT_ID_SIZE];
    const char *at = text;
    uint64_t boot_ms = 0, service_ms = 0;

    clock.known = read_boot_id(boot) && read_text(directory_fd, FILE_NAME, text, sizeof text) &&
                  gk_line_word(&at, id, sizeof id) && strcmp(id, boot) == 0 &&
                  gk_line_number(&at, (uint64_t)boot_now_ms(), &boot_ms) &&
                  gk_line_number(&at, INT64_MAX, &service_ms) && *at == '\n';
    clock.boot_ms = (int64_t)boot_ms;
    clock.service_ms = (int64_t)service_ms;
    *ret_clock = clock;
}

bool gk_box_clock_now(const struct gk_box_clock *clock, int64_t *ret_service_ms)
{
    if (clock->known) {
        *ret_service_ms = clock->service_ms + (boot_now_ms() - clock->boot_ms);
    }
    return clock->known;
}

enum gk_status gk_box_clock_learn(struct gk_box_clock *clock, int64_t service_ms, struct gk_error *error)
{
    char text[TEXT_SIZE], boot[BOOT_ID_SIZE];
    int64_t reckoned_ms = 0;

    if (gk_box_clock_now(clock, &reckoned_ms) && service_ms - reckoned_ms < WORTH_WRITING_MS &&
        reckoned_ms - service_ms < WORTH_WRITING_MS) {
        return GK_OK;
    }
    clock->boot_ms = boot_now_ms();
    clock->service_ms = service_ms;
    clock->known = true;
    if (!read_boot_id(boot)) {
        return GK_OK; /* known as long as this program runs */
    }
    const int length =
        snprintf(text, sizeof text, "%s %" PRId64 " %" PRId64 "\n", boot, clock->boot_ms, clock->service_ms);

    return gk_spool_file_write(clock->directory_fd, FILE_NAME, (const uint8_t *)text, (size_t)length, error);
}
