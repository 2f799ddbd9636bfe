/* Allocation that cannot fail: a service that has no memory left for a few hundred bytes stops rather than
 * guess. */
#ifndef GUIKA_CORE_MEMORY_H
#define GUIKA_CORE_MEMORY_H

#include <stdlib.h>

/* `size` zeroed bytes, to be freed with free(); aborts where there are none. */
static inline void *gk_allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

#endif
