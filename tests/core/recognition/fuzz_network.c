/* Any bytes are a model that runs or an error, never a crash. */
#include "core/recognition/network.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEIGHT = 9, WIDTH = 14, CHANNELS_MOST = 8 };
    static const float input[HEIGHT * WIDTH * CHANNELS_MOST];
    struct gk_network *network = NULL;
    struct gk_tensor output;

    if (gk_network_load(data, size, "net", &network, NULL) == GK_OK) {
        if (gk_network_input_channels(network) <= CHANNELS_MOST) {
            (void)gk_network_run(network, input, HEIGHT, WIDTH, &output);
        }
        gk_network_free(network);
    }
    return 0;
}
