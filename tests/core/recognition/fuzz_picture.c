/* Any bytes are a picture or an error, never a crash. */
#include "core/recognition/picture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gk_picture picture;
    if (gk_picture_decode(data, size, &picture, NULL) == GK_OK) {
        gk_picture_clear(&picture);
    }
    return 0;
}

#ifdef GUIKA_FUZZ_REPLAY
static void replay(const char *path)
{
    static uint8_t data[1024 * 1024];
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        size_t size = fread(data, 1, sizeof data, file);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
        for (size_t cut = 0; cut < size; cut += 1 + size / 97) {
            LLVMFuzzerTestOneInput(data, cut);
        }
    }
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = argc > 1 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        replay(path);
        free(entries[i]);
    }
    free(entries);
    return count > 2 ? 0 : 1;
}
#endif
