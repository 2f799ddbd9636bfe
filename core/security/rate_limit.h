/*
 * Token buckets by a 64-bit key (a client's address, a card's token, an issuer prefix), in a table of fixed
 * size: the oldest bucket gives way, so that nobody can fill the memory.
 */
#ifndef GUIKA_CORE_SECURITY_RATE_LIMIT_H
#define GUIKA_CORE_SECURITY_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gk_rate_limit;

/* `burst` calls at once, then one each `refill_ms`; at most `keys` buckets. Never NULL. */
struct gk_rate_limit *gk_rate_limit_new(uint32_t burst, uint32_t refill_ms, size_t keys);
void gk_rate_limit_free(struct gk_rate_limit *limit);

/* Takes one call of `key` at `now_ms`. False where there is none left; `ret_retry_after_ms` (may be NULL)
 * then says when there will be. One thread at a time. */
bool gk_rate_limit_take(struct gk_rate_limit *limit, uint64_t key, int64_t now_ms,
                        uint32_t *ret_retry_after_ms);

#endif
