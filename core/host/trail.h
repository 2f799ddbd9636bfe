/*
 * The trail: one shared page between guikad and a reader, on which the reader writes down whose plugin's code
 * runs, so that guikad knows whom to blame when the reader dies. A breadcrumb that survives its writer.
 *
 * Owns: the page's layout and the verdict that is read from it. guikad makes the page and gives it to the
 * reader as descriptor 4; the reader attaches it once. A reader gone wrong may write anything there: guikad
 * takes a copy, and a name counts only where it is that of a file of the reader's shelf.
 */
#ifndef GUIKA_CORE_HOST_TRAIL_H
#define GUIKA_CORE_HOST_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_TRAIL_FD 4
#define GK_TRAIL_PLUGINS 128
#define GK_TRAIL_FILE_SIZE 64 /* bytes of a plugin file's name, with the terminator */
#define GK_TRAIL_WHY_SIZE 96

struct gk_trail_page;

/* --- the reader's side: one thread, the one that attached. All are without effect where nothing was attached
 * (couriers, `guika read`, tests). --- */

/* Maps the page that guikad gave as `fd`; false where there is none. */
bool gk_trail_attach(int fd);

/* The file `path` is being opened: its constructors and the check of its examples run from here ... */
void gk_trail_load(const char *path);
/* ... to here. `id` is the plugin's, borrowed while it is loaded; NULL: the file was refused. */
void gk_trail_loaded(const char *id);

/* A job begins and ends; what the plugins spend is counted within. */
void gk_trail_begin_job(void);
void gk_trail_end_job(void);

/* The code of the plugin `id` (the pointer that was given to gk_trail_loaded) runs from here to
 * gk_trail_leave. */
void gk_trail_enter(const char *id);
void gk_trail_leave(void);

/* Did code of a plugin run since the job began? */
bool gk_trail_has_run(void);

/* --- guikad's side --- */

/* Makes a page and the descriptor to give to the child. NULL where memory is exhausted. */
struct gk_trail_page *gk_trail_make(int *ret_fd);
void gk_trail_free(struct gk_trail_page *page, int fd);
/* Forgets what a reader wrote, for the next one. */
void gk_trail_clear(struct gk_trail_page *page);

/* How a reader ended. */
struct gk_trail_end {
    bool overdue;      /* guikad killed it: its lease, or its time to start, had run out */
    int signal_number; /* 0: it exited */
    int64_t exit_status;
    uint32_t lease_ms;
};

/* Whose fault was it? False: no plugin's. `ret_file` is the plugin's file name, `ret_why` says in words what
 * it did. The first that holds:
 *   - it was being loaded;
 *   - overdue: its code was running and had been for a while, or had taken half of the lease;
 *   - its code was running when the reader died;
 *   - the memory that its code took and did not give back is the most, and much (64 MiB);
 *   - its code was the last to run in the job in which the reader died (it may have scribbled). */
bool gk_trail_blame(const struct gk_trail_page *page, const struct gk_trail_end *end,
                    char ret_file[GK_TRAIL_FILE_SIZE], char ret_why[GK_TRAIL_WHY_SIZE]);

#endif
