/* Chance from a seed, and the noise tile made of it. */
#include "tests/mint/mint_internal.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct gk_random gk_random_new(uint64_t seed, uint64_t stream)
{
    return (struct gk_random){mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ mix(~stream)};
}

uint64_t gk_random_next(struct gk_random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    return mix(random->state);
}

uint32_t gk_random_below(struct gk_random *random, uint32_t bound)
{
    return (uint32_t)(((gk_random_next(random) >> 32) * bound) >> 32);
}

double gk_random_between(struct gk_random *random, double low, double high)
{
    return low + (high - low) * ((double)(gk_random_next(random) >> 11) / 9007199254740992.0);
}

bool gk_random_chance(struct gk_random *random, double probability)
{
    return gk_random_between(random, 0, 1) < probability;
}

void gk_noise_fill(struct gk_noise *noise, struct gk_random *random)
{
    for (size_t i = 0; i < GK_NOISE_SIZE * GK_NOISE_SIZE; i++) {
        noise->value[i] = (float)gk_random_between(random, 0, 1);
    }
}

float gk_noise_at(const struct gk_noise *noise, double x, double y)
{
    /* rounds down by truncating, for every x and y above -2^20 */
    int64_t cell_x = (int64_t)(x + 0x100000) - 0x100000, cell_y = (int64_t)(y + 0x100000) - 0x100000;
    float share_x = (float)(x - (double)cell_x), share_y = (float)(y - (double)cell_y);
    size_t x0 = (size_t)(cell_x & (GK_NOISE_SIZE - 1)), x1 = (x0 + 1) & (GK_NOISE_SIZE - 1);
    size_t y0 = (size_t)(cell_y & (GK_NOISE_SIZE - 1)), y1 = (y0 + 1) & (GK_NOISE_SIZE - 1);
    const float *top = noise->value + y0 * GK_NOISE_SIZE, *bottom = noise->value + y1 * GK_NOISE_SIZE;
    float above = top[x0] + (top[x1] - top[x0]) * share_x;
    float below = bottom[x0] + (bottom[x1] - bottom[x0]) * share_x;
    return above + (below - above) * share_y;
}
