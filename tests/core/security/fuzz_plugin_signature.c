/* Any bytes as a signature's file, and as a key: refused, and never taken for one of a key that signed
 * nothing. */
#include "core/security/plugin_signature.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t file[] = "a plugin";
    struct gk_plugin_key keys[2] = {{.bytes = {1}, .id = "0123456789abcdef"}};
    char id[GK_PLUGIN_KEY_ID_SIZE], signature[GK_PLUGIN_SIGNATURE_SIZE];
    char *text = calloc(1, size + 1);
    size_t count = 1;

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    if (gk_plugin_key_read(text, &keys[1], NULL) == GK_OK) {
        count = 2;
    }
    if (gk_plugin_verify(keys, count, (struct gk_bytes){file, sizeof file}, (struct gk_bytes){data, size}, id,
                         NULL) == GK_OK) {
        abort();
    }
    (void)gk_plugin_sign(text, (struct gk_bytes){file, sizeof file}, signature, NULL);
    free(text);
    return 0;
}
