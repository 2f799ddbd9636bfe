/*
 * Where time comes from. State machines never ask the system: they are given a clock, so that a test lets
 * years pass in seconds.
 */
#ifndef GUIKA_CORE_CLOCK_H
#define GUIKA_CORE_CLOCK_H

#include <stdint.h>

struct gk_clock {
    int64_t (*now_ms)(void *context); /* Unix milliseconds [any] */
    void *context;
};

/* The system's clock. */
struct gk_clock gk_clock_system(void);

int64_t gk_clock_now_ms(const struct gk_clock *clock);

#endif
