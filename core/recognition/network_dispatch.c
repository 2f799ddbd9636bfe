/*
 * Which kernels this processor can run.
 */
#include "core/recognition/network_kernels.h"

#include <assert.h>

extern const struct gk_kernels gk_kernels_portable;
#if defined(__x86_64__)
extern const struct gk_kernels gk_kernels_avx2;
extern const struct gk_kernels gk_kernels_avx512;
#endif

const struct gk_kernels *gk_kernels_available(size_t index)
{
    const struct gk_kernels *found[3];
    size_t count = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        found[count++] = &gk_kernels_avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        found[count++] = &gk_kernels_avx2;
    }
#endif
    found[count++] = &gk_kernels_portable;
    assert(count <= sizeof found / sizeof found[0]);
    return index < count ? found[index] : NULL;
}
