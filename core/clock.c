#include "core/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t system_now_ms(void *context)
{
    struct timespec now;

    (void)context;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct gk_clock gk_clock_system(void)
{
    return (struct gk_clock){system_now_ms, NULL};
}

int64_t gk_clock_now_ms(const struct gk_clock *clock)
{
    return clock->now_ms(clock->context);
}
