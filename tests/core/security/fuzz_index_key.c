/* Any line as a key file's: it is refused, or written back as it was read. */
#include "core/security/index_key.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2 * GK_INDEX_KEY_TEXT_SIZE] = "";
    char written[GK_INDEX_KEY_TEXT_SIZE];
    struct gk_index_key key;
    struct gk_index_key again;
    struct gk_error error;

    memcpy(text, data, size < sizeof text - 1 ? size : sizeof text - 1);
    if (gk_index_key_read(text, &key, &error) != GK_OK) {
        return 0;
    }
    gk_index_key_write(&key, written);
    if (gk_index_key_read(written, &again, &error) != GK_OK || memcmp(&key, &again, sizeof key) != 0) {
        abort();
    }
    return 0;
}
