/* What somebody types as their telephone number or e-mail address. */
#include "core/registry/contact.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct gk_contact contact;
    struct gk_contact again;
    char address[129];

    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (gk_contact_read(text, &contact)) {
        /* What was read is read as itself, with its channel and without. */
        gk_contact_address(&contact, address);
        assert(gk_contact_read(contact.text, &again) && strcmp(contact.text, again.text) == 0);
        assert(gk_contact_read(address, &again) && strcmp(contact.text, again.text) == 0);
        assert(contact.kind == again.kind);
    }
    free(text);
    return 0;
}
