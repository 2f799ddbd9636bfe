/*
 * Puts the model file that GK_MODEL_PATH names (CMakeLists.txt) into the program.
 */
#include "core/recognition/model.h"

__asm__(".section .rodata\n"
        ".balign 64\n"
        "gk_model_start:\n"
        ".incbin \"" GK_MODEL_PATH "\"\n"
        "gk_model_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const uint8_t gk_model_start[] __attribute__((visibility("hidden")));
extern const uint8_t gk_model_end[] __attribute__((visibility("hidden")));

const uint8_t *gk_model_bytes(size_t *ret_size)
{
    *ret_size = (size_t)(gk_model_end - gk_model_start);
    return gk_model_start;
}
