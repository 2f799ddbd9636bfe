#include "core/host/trail.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    STUCK_MS = 100,     /* a hook that has run so long at the end of a lease is why the lease ended */
    SAMPLED_FIRST = 8,  /* calls of a job whose memory is measured, */
    SAMPLED_EVERY = 64, /* and after those one in so many, which stands for all of them */
};

#define MUCH_BYTES ((uint64_t)64 << 20)
#define NS_PER_MS UINT64_C(1000000)

struct entry {
    char file[GK_TRAIL_FILE_SIZE];
    _Atomic uint64_t spent_ns;    /* in this job */
    _Atomic uint64_t grown_bytes; /* since the reader's start, as far as it was measured */
};

struct gk_trail_page {
    _Atomic uint32_t running; /* index of an entry and 1; 0: none */
    _Atomic uint32_t last;    /* alike: ran last in this job */
    _Atomic uint64_t entered_ns;
    _Atomic uint32_t loading; /* 1: the file named below is being opened */
    char loading_file[GK_TRAIL_FILE_SIZE];
    _Atomic uint32_t count;
    struct entry entries[GK_TRAIL_PLUGINS];
};

/* A crash leaves no time to look anything up: where the page is has to be known to the code that is called
 * through a plugin's descriptor. Of the reader's one thread. */
static _Thread_local struct {
    struct gk_trail_page *page;
    const char *ids[GK_TRAIL_PLUGINS]; /* by entry */
    uint32_t calls[GK_TRAIL_PLUGINS];  /* in this job */
    uint64_t heap_bytes;               /* before a measured call */
    bool measured;
} trail;

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 * NS_PER_MS + (uint64_t)now.tv_nsec;
}

static uint64_t heap_bytes(void)
{
    const struct mallinfo2 info = mallinfo2();

    return (uint64_t)info.uordblks + (uint64_t)info.hblkhd;
}

static void name(char file[GK_TRAIL_FILE_SIZE], const char *path)
{
    const char *slash = strrchr(path, '/');

    (void)snprintf(file, GK_TRAIL_FILE_SIZE, "%s", slash == NULL ? path : slash + 1);
}

/* --- the reader's side --- */

bool gk_trail_attach(int fd)
{
    struct stat about;

    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
        (size_t)about.st_size != sizeof(struct gk_trail_page)) {
        return false;
    }
    void *page = mmap(NULL, sizeof(struct gk_trail_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (page == MAP_FAILED) {
        return false;
    }
    trail.page = page;
    return true;
}

void gk_trail_load(const char *path)
{
    if (trail.page != NULL) {
        name(trail.page->loading_file, path);
        atomic_store(&trail.page->loading, 1);
    }
}

void gk_trail_loaded(const char *id)
{
    if (trail.page == NULL) {
        return;
    }
    const uint32_t index = atomic_load(&trail.page->count);

    if (id != NULL && index < GK_TRAIL_PLUGINS) {
        memcpy(trail.page->entries[index].file, trail.page->loading_file, GK_TRAIL_FILE_SIZE);
        trail.ids[index] = id;
        atomic_store(&trail.page->count, index + 1);
    }
    atomic_store(&trail.page->loading, 0);
}

void gk_trail_begin_job(void)
{
    if (trail.page == NULL) {
        return;
    }
    memset(trail.calls, 0, sizeof trail.calls);
    for (size_t i = 0; i < GK_TRAIL_PLUGINS; i++) {
        atomic_store(&trail.page->entries[i].spent_ns, 0);
    }
    atomic_store(&trail.page->last, 0);
}

void gk_trail_end_job(void)
{
    if (trail.page != NULL) {
        atomic_store(&trail.page->last, 0);
    }
}

bool gk_trail_has_run(void)
{
    return trail.page != NULL && atomic_load(&trail.page->last) != 0;
}

void gk_trail_enter(const char *id)
{
    uint32_t index = 0;

    while (index < GK_TRAIL_PLUGINS && trail.ids[index] != id) {
        index++;
    }
    /* Of a plugin that is still being loaded nothing is entered: the file's name stands there. */
    if (trail.page == NULL || index == GK_TRAIL_PLUGINS) {
        return;
    }
    const uint32_t calls = trail.calls[index]++;

    trail.measured = calls < SAMPLED_FIRST || calls % SAMPLED_EVERY == 0;
    trail.heap_bytes = trail.measured ? heap_bytes() : 0;
    atomic_store(&trail.page->last, index + 1);
    atomic_store(&trail.page->entered_ns, now_ns());
    atomic_store(&trail.page->running, index + 1);
}

void gk_trail_leave(void)
{
    const uint32_t running = trail.page == NULL ? 0 : atomic_load(&trail.page->running);

    if (running == 0 || running > GK_TRAIL_PLUGINS) {
        return;
    }
    struct entry *entry = &trail.page->entries[running - 1];
    const uint64_t after = trail.measured ? heap_bytes() : 0;

    atomic_store(&trail.page->running, 0);
    atomic_fetch_add(&entry->spent_ns, now_ns() - atomic_load(&trail.page->entered_ns));
    if (after > trail.heap_bytes) {
        const uint64_t weight = trail.calls[running - 1] <= SAMPLED_FIRST ? 1 : SAMPLED_EVERY;

        atomic_fetch_add(&entry->grown_bytes, (after - trail.heap_bytes) * weight);
    }
}

/* --- guikad's side --- */

struct gk_trail_page *gk_trail_make(int *ret_fd)
{
    const int fd = memfd_create("guika-trail", MFD_CLOEXEC);
    void *page = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, sizeof(struct gk_trail_page)) == 0) {
        page = mmap(NULL, sizeof(struct gk_trail_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (page == MAP_FAILED) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return NULL;
    }
    *ret_fd = fd;
    return page;
}

void gk_trail_free(struct gk_trail_page *page, int fd)
{
    if (page != NULL) {
        (void)munmap(page, sizeof *page);
        (void)close(fd);
    }
}

void gk_trail_clear(struct gk_trail_page *page)
{
    memset(page, 0, sizeof *page);
}

/* The entry that has the most of something; its number and 1, 0 for none. */
static uint32_t most(const struct gk_trail_page *page, bool spent, uint64_t least)
{
    uint32_t best = 0;

    for (uint32_t i = 0; i < GK_TRAIL_PLUGINS; i++) {
        const struct entry *entry = &page->entries[i];
        const uint64_t value = spent ? atomic_load(&entry->spent_ns) : atomic_load(&entry->grown_bytes);

        if (value >= least) {
            best = i + 1;
            least = value + 1;
        }
    }
    return best;
}

static void say_end(const struct gk_trail_end *end, char *text, size_t size)
{
    if (end->overdue) {
        (void)snprintf(text, size, "it did not come to an end");
    } else if (end->signal_number != 0) {
        (void)snprintf(text, size, "signal %d, %s", end->signal_number, strsignal(end->signal_number));
    } else {
        (void)snprintf(text, size, "exit status %d", (int)end->exit_status);
    }
}

static uint32_t blame_overdue(const struct gk_trail_page *page, const struct gk_trail_end *end, char *why)
{
    const uint32_t running = atomic_load(&page->running);
    const uint64_t since_ns = now_ns() - atomic_load(&page->entered_ns);

    if (running != 0 && since_ns >= STUCK_MS * NS_PER_MS) {
        (void)snprintf(why, GK_TRAIL_WHY_SIZE, "its accepts() did not return: a reader's lease ran out");
        return running;
    }
    const uint32_t slow = most(page, true, (uint64_t)end->lease_ms * NS_PER_MS / 2);

    if (slow != 0) {
        (void)snprintf(why, GK_TRAIL_WHY_SIZE, "its accepts() took more than half of a reader's lease");
    }
    return slow;
}

static uint32_t blame_death(const struct gk_trail_page *page, const char *how, char *why)
{
    uint32_t found = atomic_load(&page->running);

    if (found != 0) {
        (void)snprintf(why, GK_TRAIL_WHY_SIZE, "a reader died in its accepts() (%.48s)", how);
        return found;
    }
    found = most(page, false, MUCH_BYTES);
    if (found != 0) {
        (void)snprintf(why, GK_TRAIL_WHY_SIZE, "its accepts() leaked %u MiB in a reader",
                       (unsigned)(atomic_load(&page->entries[found - 1].grown_bytes) >> 20));
        return found;
    }
    found = atomic_load(&page->last);
    if (found != 0) {
        (void)snprintf(why, GK_TRAIL_WHY_SIZE, "a reader died right after its accepts() (%.40s)", how);
    }
    return found;
}

bool gk_trail_blame(const struct gk_trail_page *page, const struct gk_trail_end *end,
                    char ret_file[GK_TRAIL_FILE_SIZE], char ret_why[GK_TRAIL_WHY_SIZE])
{
    char why[GK_TRAIL_WHY_SIZE] = "";
    char how[64];
    const char *file = page->loading_file;

    say_end(end, how, sizeof how);
    if (atomic_load(&page->loading) != 0) {
        (void)snprintf(why, sizeof why, "a reader died while it loaded the file (%.48s)", how);
    } else {
        const uint32_t found = end->overdue ? blame_overdue(page, end, why) : blame_death(page, how, why);

        if (found == 0 || found > GK_TRAIL_PLUGINS) {
            return false;
        }
        file = page->entries[found - 1].file;
    }
    (void)snprintf(ret_file, GK_TRAIL_FILE_SIZE, "%.*s", GK_TRAIL_FILE_SIZE - 1, file);
    memcpy(ret_why, why, sizeof why);
    return true;
}
