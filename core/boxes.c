#include "core/boxes.h"

#include "core/memory.h"

#include <stdio.h>
#include <string.h>

struct box {
    struct box *next;
    char id[33];
    guika_v1_HeartbeatRequest heartbeat;
};

struct gk_boxes {
    struct box *first;
};

struct gk_boxes *gk_boxes_new(void)
{
    return gk_allocate(sizeof(struct gk_boxes));
}

void gk_boxes_free(struct gk_boxes *boxes)
{
    if (boxes == NULL) {
        return;
    }
    while (boxes->first != NULL) {
        struct box *box = boxes->first;

        boxes->first = box->next;
        free(box);
    }
    free(boxes);
}

static struct box *find(const struct gk_boxes *boxes, const char *box_id)
{
    struct box *box = boxes->first;

    while (box != NULL && strcmp(box->id, box_id) != 0) {
        box = box->next;
    }
    return box;
}

bool gk_boxes_heard(struct gk_boxes *boxes, const char *box_id, const guika_v1_HeartbeatRequest *heartbeat)
{
    struct box *box = find(boxes, box_id);
    const bool is_new = box == NULL;

    if (is_new) {
        box = gk_allocate(sizeof *box);
        (void)snprintf(box->id, sizeof box->id, "%s", box_id);
        box->next = boxes->first;
        boxes->first = box;
    }
    box->heartbeat = *heartbeat;
    return is_new;
}

const guika_v1_HeartbeatRequest *gk_boxes_latest(const struct gk_boxes *boxes, const char *box_id)
{
    const struct box *box = find(boxes, box_id);

    return box == NULL ? NULL : &box->heartbeat;
}

static bool is_full(const guika_v1_HeartbeatRequest *heartbeat, guika_v1_Zone zone)
{
    uint64_t capacity = 0;
    uint64_t used = 0;
    bool told = false;

    for (size_t i = 0; i < heartbeat->zones_count; i++) {
        if (heartbeat->zones[i].zone == zone) {
            told = true;
            capacity += heartbeat->zones[i].capacity;
            used += heartbeat->zones[i].used;
        }
    }
    return told && used >= capacity;
}

/* A box that does not name its lamp or its camera's side has one plain front camera. */
static guika_v1_Lamp lamp_of(guika_v1_Lamp told)
{
    return told > guika_v1_Lamp_LAMP_UNSPECIFIED && told <= guika_v1_Lamp_LAMP_BOTTOM
               ? told
               : guika_v1_Lamp_LAMP_DIFFUSE;
}

static guika_v1_Side side_of(guika_v1_Side told)
{
    return told == guika_v1_Side_SIDE_BACK ? told : guika_v1_Side_SIDE_FRONT;
}

static uint32_t lamps_of(const guika_v1_HeartbeatRequest *heartbeat, guika_v1_Side side)
{
    uint32_t lamps = 0;

    for (size_t i = 0; i < heartbeat->cameras_count; i++) {
        if (side_of(heartbeat->cameras[i].side) == side) {
            for (size_t k = 0; k < heartbeat->cameras[i].lamps_count; k++) {
                lamps |= 1U << (unsigned)lamp_of(heartbeat->cameras[i].lamps[k]);
            }
        }
    }
    return lamps;
}

struct gk_box_abilities gk_boxes_abilities(const struct gk_boxes *boxes, const char *box_id)
{
    const struct box *box = find(boxes, box_id);

    if (box == NULL) {
        return (struct gk_box_abilities){.front_lamps = 1U << guika_v1_Lamp_LAMP_DIFFUSE};
    }
    return (struct gk_box_abilities){
        .can_give_back = box->heartbeat.can_give_back,
        .normal_full = is_full(&box->heartbeat, guika_v1_Zone_ZONE_NORMAL),
        .difficult_full = is_full(&box->heartbeat, guika_v1_Zone_ZONE_DIFFICULT),
        .front_lamps = lamps_of(&box->heartbeat, guika_v1_Side_SIDE_FRONT),
        .back_lamps = lamps_of(&box->heartbeat, guika_v1_Side_SIDE_BACK),
    };
}
