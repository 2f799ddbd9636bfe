/* What tests of the card's reader share: the model's networks and the built plugins, without the recogniser
 * around them. */
#ifndef GUIKA_TESTS_CORE_RECOGNITION_RECOGNITION_RIG_H
#define GUIKA_TESTS_CORE_RECOGNITION_RECOGNITION_RIG_H

#include "core/recognition/card_reader.h"

struct gk_plugin;

struct rig {
    struct gk_plugin **plugins;
    size_t plugin_count;
    const struct guika_issuer **issuers;
    struct gk_network *finder;
    struct gk_digit_net *digits;
};

/* For cmocka's groups: `*state` is a struct rig. */
int rig_open(void **state);
int rig_close(void **state);

/* A reader without witnesses that has all the time in the world. */
struct gk_card_reader rig_reader(const struct rig *rig);

#endif
