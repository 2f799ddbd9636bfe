#include "tests/core/recognition/recognition_rig.h"

#include "core/recognition/descriptor.h"
#include "core/recognition/model.h"
#include "core/recognition/sight.h"

#include <stdlib.h>
#include <string.h>

int rig_open(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    size_t size = 0;
    const uint8_t *model = gk_model_bytes(&size);
    if (rig == NULL ||
        gk_plugin_open_all(GUIKA_BINARY_DIR "/lib/guika/issuers", gk_descriptor_kind(), NULL, NULL,
                           &rig->plugins, &rig->plugin_count, NULL) != GK_OK ||
        gk_network_load(model, size, GK_SIGHT_NETWORK, &rig->finder, NULL) != GK_OK ||
        gk_digit_net_open(&rig->digits, NULL) != GK_OK) {
        return -1;
    }
    rig->issuers = calloc(rig->plugin_count + 1, sizeof *rig->issuers);
    for (size_t i = 0; i < rig->plugin_count && rig->issuers != NULL; i++) {
        rig->issuers[i] = (const struct guika_issuer *)(const void *)gk_plugin_head(rig->plugins[i]);
    }
    *state = rig;
    return rig->issuers == NULL ? -1 : 0;
}

int rig_close(void **state)
{
    struct rig *rig = *state;
    gk_digit_net_close(rig->digits);
    gk_network_free(rig->finder);
    for (size_t i = 0; i < rig->plugin_count; i++) {
        gk_plugin_close(rig->plugins[i]);
    }
    free(rig->plugins);
    free(rig->issuers);
    free(rig);
    return 0;
}

struct gk_card_reader rig_reader(const struct rig *rig)
{
    return (struct gk_card_reader){.finder = rig->finder,
                                   .digits = rig->digits,
                                   .rules = {rig->issuers, rig->plugin_count, false},
                                   .stop_cpu_ms = INT64_MAX,
                                   .stop_wall_ms = INT64_MAX};
}
