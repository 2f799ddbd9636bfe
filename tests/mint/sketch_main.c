/*
 * guika-mint-scenes FILLED COUNT SEED: writes sketched scenes to standard output for
 * core/recognition/training. FILLED 0: photographs of 320 x 240; 1: cards that fill 320 x 208 (202 rows and a
 * margin). A scene is its grey pixels, then GK_SKETCH_MAPS label maps of a quarter of the size
 * (tests/mint/sketch.h).
 */
#include "tests/mint/sketch.h"

#include <stdlib.h>

#define WIDTH_PX 320
#define PHOTOGRAPH_HEIGHT_PX 240
#define FILLED_HEIGHT_PX 208

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s FILLED COUNT SEED > scenes\n", argv[0]);
        return 2;
    }
    struct gk_sketch_scene scene = {.width_px = WIDTH_PX, .filled = strtol(argv[1], NULL, 10) != 0};
    scene.height_px = scene.filled ? FILLED_HEIGHT_PX : PHOTOGRAPH_HEIGHT_PX;
    size_t pixels = (size_t)scene.width_px * (size_t)scene.height_px;
    size_t bytes = pixels + GK_SKETCH_MAPS * pixels / (GK_SKETCH_STRIDE_PX * GK_SKETCH_STRIDE_PX);
    uint64_t count = strtoull(argv[2], NULL, 10), seed = strtoull(argv[3], NULL, 10);
    scene.grey = malloc(bytes);
    scene.maps = scene.grey == NULL ? NULL : scene.grey + pixels;
    int status = scene.grey == NULL;
    for (uint64_t i = 0; i < count && status == 0; i++) {
        status = gk_sketch_scene_draw(seed + i, &scene) != 0 || fwrite(scene.grey, bytes, 1, stdout) != 1;
    }
    free(scene.grey);
    if (status != 0) {
        fprintf(stderr, "%s: the scenes could not be drawn or written\n", argv[0]);
    }
    return status;
}
