/* The public header alone, as strict C11 and as C++17 (this file is compiled as both), linked to the shared
 * library alone. */
#include <guika/client.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    struct guika_box_options options;
    struct guika_box *box = NULL;
    struct guika_failure failure;
    size_t wrong = 0;

    memset(&options, 0, sizeof options);
    memset(&failure, 0, sizeof failure);
    wrong += guika_box_open(&options, &box, &failure) != GUIKA_CODE_INVALID_ARGUMENT;
    wrong += failure.code != GUIKA_CODE_INVALID_ARGUMENT || strlen(failure.message) == 0;
    wrong += box != NULL;
    guika_box_close(box);
    if (wrong > 0) {
        (void)fprintf(stderr, "the library does not refuse empty options\n");
    }
    return wrong == 0 ? 0 : 1;
}
