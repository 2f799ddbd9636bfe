/* How long a deposit may take, in tests: processor time, since a busy machine is not the input's fault. */
#ifndef GUIKA_TESTS_CORE_RECOGNITION_LEASE_H
#define GUIKA_TESTS_CORE_RECOGNITION_LEASE_H

#include <time.h>

#if defined(__SANITIZE_ADDRESS__)
#define LEASE_SLOWER 5 /* times, under AddressSanitizer. Estimated */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEASE_SLOWER 5
#endif
#endif
#ifndef LEASE_SLOWER
#define LEASE_SLOWER 1
#endif

#define LEASE_CPU_MS (2000.0 * LEASE_SLOWER) /* a reader's lease is 2 s */

/* Of this thread. */
static inline double lease_cpu_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

#endif
