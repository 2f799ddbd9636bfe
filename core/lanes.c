#include "core/lanes.h"

#include "core/memory.h"

#include <assert.h>
#include <string.h>

struct lane {
    struct lane *next;
    uint8_t key[GK_LANE_KEY_SIZE];
    size_t key_size;
    struct gk_errand *first; /* whose turn it is */
    struct gk_errand **last; /* where the next one hangs */
};

struct gk_lanes {
    struct lane *lanes;
    size_t count;
};

struct gk_lanes *gk_lanes_new(void)
{
    return gk_allocate(sizeof(struct gk_lanes));
}

void gk_lanes_free(struct gk_lanes *lanes)
{
    assert(lanes == NULL || lanes->count == 0);
    free(lanes);
}

static struct lane *find(struct gk_lanes *lanes, const uint8_t *key, size_t key_size)
{
    struct lane *lane = lanes->lanes;

    while (lane != NULL && (lane->key_size != key_size || memcmp(lane->key, key, key_size) != 0)) {
        lane = lane->next;
    }
    return lane;
}

void gk_lanes_enter(struct gk_lanes *lanes, const uint8_t *key, size_t key_size, struct gk_errand *errand)
{
    struct lane *lane = find(lanes, key, key_size);
    const int is_first = lane == NULL;

    assert(key_size <= GK_LANE_KEY_SIZE);
    if (lane == NULL) {
        lane = gk_allocate(sizeof *lane);
        memcpy(lane->key, key, key_size);
        lane->key_size = key_size;
        lane->last = &lane->first;
        lane->next = lanes->lanes;
        lanes->lanes = lane;
    }
    errand->next = NULL;
    *lane->last = errand;
    lane->last = &errand->next;
    lanes->count++;
    if (is_first) {
        errand->start(errand);
    }
}

void gk_lanes_finish(struct gk_lanes *lanes, struct gk_errand *errand)
{
    struct lane **link = &lanes->lanes;

    while (*link != NULL && (*link)->first != errand) {
        link = &(*link)->next;
    }
    struct lane *lane = *link;

    assert(lane != NULL);
    lanes->count--;
    lane->first = errand->next;
    if (lane->first != NULL) {
        lane->first->start(lane->first);
        return;
    }
    *link = lane->next;
    free(lane);
}

size_t gk_lanes_count(const struct gk_lanes *lanes)
{
    return lanes->count;
}
