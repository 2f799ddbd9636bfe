/*
 * The trained model file, which is part of the program.
 */
#ifndef GUIKA_CORE_RECOGNITION_MODEL_H
#define GUIKA_CORE_RECOGNITION_MODEL_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of models/reading.gkm, for gk_network_load; valid for ever. [any] */
const uint8_t *gk_model_bytes(size_t *ret_size);

#endif
