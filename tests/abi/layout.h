/* Sizes and offsets of what 1.0 of guika/issuer.h has, in bytes, in the order of the header. */
#ifndef GUIKA_TESTS_ABI_LAYOUT_H
#define GUIKA_TESTS_ABI_LAYOUT_H

#include <stddef.h>

#define GK_ABI_FIELDS 55

void gk_abi_layout_old(size_t ret_fields[GK_ABI_FIELDS]);
void gk_abi_layout_new(size_t ret_fields[GK_ABI_FIELDS]);

#endif
