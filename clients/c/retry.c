#include "clients/c/retry.h"

#include <errno.h>
#include <sodium.h>
#include <time.h>

#define FIRST_PAUSE_MS 50U
#define LONGEST_PAUSE_MS 1000U

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

static void sleep_ms(uint32_t pause_ms)
{
    struct timespec rest = {.tv_sec = pause_ms / 1000U, .tv_nsec = (long)(pause_ms % 1000U) * 1000000L};

    while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {
    }
}

/* How long to wait before the attempt after number `attempt` (0, 1, ...). */
static uint32_t pause_before(uint32_t attempt, uint32_t asked_ms)
{
    const uint32_t doubled_ms = attempt < 5 ? FIRST_PAUSE_MS << attempt : LONGEST_PAUSE_MS;
    const uint32_t full_ms = doubled_ms < LONGEST_PAUSE_MS ? doubled_ms : LONGEST_PAUSE_MS;

    if (asked_ms > 0) {
        return asked_ms + randombytes_uniform(asked_ms / 4 + 1);
    }
    return full_ms - randombytes_uniform(full_ms / 2);
}

enum gk_status gk_retry_call(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                             uint32_t deadline_ms, const void *request, void *ret_response,
                             struct gk_error *error)
{
    const uint32_t total_ms = deadline_ms == 0 ? method->default_deadline_ms : deadline_ms;
    const uint64_t end_ms = now_ms() + total_ms;
    uint32_t left_ms = total_ms;

    for (uint32_t attempt = 0;; attempt++) {
        const struct gk_rpc_call_options options = {.deadline_ms = left_ms};
        const enum gk_status status =
            gk_rpc_client_call(client, method, &options, request, ret_response, error);

        if (status != GK_UNAVAILABLE && status != GK_RESOURCE_EXHAUSTED) {
            return status;
        }
        const uint32_t asked_ms = status == GK_RESOURCE_EXHAUSTED ? gk_rpc_client_retry_after_ms(client) : 0;
        const uint32_t pause_ms = pause_before(attempt, asked_ms);
        const uint64_t next_ms = now_ms() + pause_ms;

        if (next_ms >= end_ms) {
            return status;
        }
        sleep_ms(pause_ms);
        left_ms = (uint32_t)(end_ms - next_ms);
    }
}
