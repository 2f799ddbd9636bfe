/*
 * How far an import is: on a terminal a bar that redraws itself, elsewhere a plain line every few seconds.
 */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_PROGRESS_H
#define GUIKA_CLIENTS_CLI_REGISTRY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct gk_progress {
    FILE *out;
    bool terminal;
    uint64_t total_bytes;
    int64_t started_ms; /* monotonic; of the first row that was really sent */
    int64_t drawn_ms;
    uint64_t first_rows; /* skipped before, because an earlier run had sent them */
    uint64_t first_bytes;
    bool drawn;
};

/* `total_bytes`: size of the file. */
void gk_progress_start(struct gk_progress *progress, FILE *out, uint64_t total_bytes);
/* Rows and bytes skipped up to here do not count for the rate. */
void gk_progress_resume(struct gk_progress *progress, uint64_t rows, uint64_t bytes);
void gk_progress_show(struct gk_progress *progress, uint64_t rows, uint64_t bytes);
/* Takes the bar off the line, so that other text can be written. */
void gk_progress_clear(struct gk_progress *progress);

/* What is shown, without colour or line end: "[#####     ]  50%  1000 rows  500 rows/s  0:02 left". Pure. */
void gk_progress_text(uint64_t rows, uint64_t bytes, uint64_t total_bytes, uint64_t new_rows,
                      uint64_t new_bytes, int64_t elapsed_ms, char *ret_text, size_t size);

#endif
