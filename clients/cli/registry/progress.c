#include "clients/cli/registry/progress.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, TERMINAL_INTERVAL_MS = 200, PLAIN_INTERVAL_MS = 5000 };

static int64_t monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void gk_progress_start(struct gk_progress *progress, FILE *out, uint64_t total_bytes)
{
    const int64_t now_ms = monotonic_ms();

    *progress = (struct gk_progress){.out = out,
                                     .terminal = isatty(fileno(out)) == 1,
                                     .total_bytes = total_bytes,
                                     .started_ms = now_ms,
                                     .drawn_ms = now_ms};
}

void gk_progress_resume(struct gk_progress *progress, uint64_t rows, uint64_t bytes)
{
    progress->started_ms = monotonic_ms();
    progress->first_rows = rows;
    progress->first_bytes = bytes;
}

void gk_progress_text(uint64_t rows, uint64_t bytes, uint64_t total_bytes, uint64_t new_rows,
                      uint64_t new_bytes, int64_t elapsed_ms, char *ret_text, size_t size)
{
    const double share = total_bytes == 0 ? 1 : (double)bytes / (double)total_bytes;
    const double seconds = elapsed_ms > 0 ? (double)elapsed_ms / 1000 : 0.001;
    const double left_s = new_bytes == 0 ? 0 : seconds * (double)(total_bytes - bytes) / (double)new_bytes;
    const int filled = (int)(share * BAR_WIDTH);
    char bar[BAR_WIDTH + 1];

    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', (size_t)(filled < BAR_WIDTH ? filled : BAR_WIDTH));
    bar[BAR_WIDTH] = '\0';
    snprintf(ret_text, size, "[%s] %3.0f%%  %llu rows  %.0f rows/s  %d:%02d left", bar, share * 100,
             (unsigned long long)rows, (double)new_rows / seconds, (int)(left_s / 60), (int)left_s % 60);
}

void gk_progress_show(struct gk_progress *progress, uint64_t rows, uint64_t bytes)
{
    const int64_t now_ms = monotonic_ms();
    char text[128];

    if (now_ms - progress->drawn_ms < (progress->terminal ? TERMINAL_INTERVAL_MS : PLAIN_INTERVAL_MS)) {
        return;
    }
    gk_progress_text(rows, bytes, progress->total_bytes, rows - progress->first_rows,
                     bytes - progress->first_bytes, now_ms - progress->started_ms, text, sizeof text);
    if (progress->terminal) {
        fprintf(progress->out, "\r\033[K%s", text);
    } else {
        fprintf(progress->out, "%s\n", text);
    }
    fflush(progress->out);
    progress->drawn_ms = now_ms;
    progress->drawn = progress->terminal;
}

void gk_progress_clear(struct gk_progress *progress)
{
    if (progress->drawn) {
        fputs("\r\033[K", progress->out);
        progress->drawn = false;
    }
}
