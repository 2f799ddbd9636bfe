/* Any bytes as a file of signed heads or as a public key: they are refused, but for lines signed by the key
 * of the corpus. */
#include "clients/cli/audit/heads.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t key[GK_AUDIT_PUBLIC_SIZE] = {0};
    struct gk_heads *heads = NULL;
    struct gk_error error;
    char line[GK_AUDIT_LINE_SIZE + 1] = "";
    FILE *file = size == 0 ? NULL : fmemopen((void *)(uintptr_t)data, size, "r");

    if (file == NULL) {
        return 0;
    }
    if (fgets(line, sizeof line, file) != NULL) {
        (void)gk_audit_public_read(line, key, &error);
    }
    if (gk_heads_read(file, key, &heads, &error) == GK_OK && gk_heads_count(heads) == 0) {
        abort();
    }
    gk_heads_free(heads);
    (void)fclose(file);
    return 0;
}
