/*
 * Which kernels this processor can run.
 */
#include "core/recognition/network_kernels.h"

#include <assert.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define DECLARE(processor)                                                                                   \
    extern const struct gk_convolution_kernels gk_convolution_##processor;                                   \
    extern const struct gk_layer_kernels gk_layers_##processor

DECLARE(portable);
static const struct gk_kernels portable = {"portable", &gk_convolution_portable, &gk_convolution_portable,
                                           &gk_layers_portable};

#if defined(__x86_64__)
DECLARE(avx2);
DECLARE(avx512);
extern const struct gk_convolution_kernels gk_convolution_bf16;
extern const struct gk_convolution_kernels gk_convolution_amx;
static const struct gk_kernels avx2 = {"avx2", &gk_convolution_avx2, &gk_convolution_avx2, &gk_layers_avx2};
static const struct gk_kernels avx512 = {"avx512", &gk_convolution_avx512, &gk_convolution_avx512,
                                         &gk_layers_avx512};
static const struct gk_kernels bf16 = {"avx512_bf16", &gk_convolution_avx512, &gk_convolution_bf16,
                                       &gk_layers_avx512};
static const struct gk_kernels amx = {"amx", &gk_convolution_avx512, &gk_convolution_amx, &gk_layers_avx512};

/* The kernel lets a process use the tiles that asks for them (Linux, Documentation/arch/x86/xstate.rst). */
#define ARCH_REQ_XCOMP_PERM 0x1023
#define XFEATURE_XTILEDATA 18

/* Bits of CPUID's leaf 7, in the Intel 64 and IA-32 Architectures Software Developer's Manual. */
static bool has_bf16(void)
{
    const unsigned avx512_bf16 = 1u << 5;
    unsigned a, b, c, d;

    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & avx512_bf16) != 0;
}

static bool has_amx(void)
{
    const unsigned tiles_and_bf16 = 1u << 24 | 1u << 22;
    unsigned a, b, c, d;

    if (!has_bf16() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & tiles_and_bf16) != tiles_and_bf16) {
        return false;
    }
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#endif

const struct gk_kernels *gk_kernels_available(size_t index)
{
    const struct gk_kernels *found[5];
    size_t count = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) {
        if (has_amx()) {
            found[count++] = &amx;
        }
        if (has_bf16()) {
            found[count++] = &bf16;
        }
        found[count++] = &avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        found[count++] = &avx2;
    }
#endif
    found[count++] = &portable;
    assert(count <= sizeof found / sizeof found[0]);
    return index < count ? found[index] : NULL;
}
