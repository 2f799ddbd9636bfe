#include "core/store/overlay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 8192 /* a page of 500 imported cards makes some thousand changes */
#define NONE SIZE_MAX

struct slot {
    enum gk_change_kind kind;
    enum gk_family family;
    size_t at; /* offset of the key's copy; the value's follows */
    size_t key_size;
    size_t value_size;
    uint64_t amount;
    size_t older; /* of a range: the range before; else the slot before in the bucket */
};

struct gk_overlay {
    struct slot *slots;
    size_t count;
    size_t slot_capacity;
    uint8_t *bytes;
    size_t used;
    size_t byte_capacity;
    size_t newest_range;
    size_t buckets[BUCKETS]; /* newest slot of each */
};

struct gk_overlay *gk_overlay_new(void)
{
    struct gk_overlay *overlay = calloc(1, sizeof *overlay);

    if (overlay == NULL) {
        abort();
    }
    overlay->newest_range = NONE;
    for (size_t i = 0; i < BUCKETS; i++) {
        overlay->buckets[i] = NONE;
    }
    return overlay;
}

void gk_overlay_free(struct gk_overlay *overlay)
{
    if (overlay != NULL) {
        free(overlay->slots);
        free(overlay->bytes);
        free(overlay);
    }
}

size_t gk_overlay_mark(const struct gk_overlay *overlay)
{
    return overlay->count;
}

size_t gk_overlay_bytes(const struct gk_overlay *overlay)
{
    return overlay->used;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits. */
static size_t bucket_of(enum gk_family family, struct gk_bytes key)
{
    uint64_t hash = (UINT64_C(0xcbf29ce484222325) ^ (uint64_t)family) * UINT64_C(0x100000001b3);

    for (size_t i = 0; i < key.size; i++) {
        hash = (hash ^ key.data[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)((hash ^ hash >> 32) % BUCKETS);
}

static struct gk_bytes key_of(const struct gk_overlay *overlay, const struct slot *slot)
{
    return (struct gk_bytes){.data = overlay->bytes + slot->at, .size = slot->key_size};
}

static struct gk_bytes value_of(const struct gk_overlay *overlay, const struct slot *slot)
{
    return (struct gk_bytes){.data = overlay->bytes + slot->at + slot->key_size, .size = slot->value_size};
}

static int compare(struct gk_bytes a, struct gk_bytes b)
{
    const size_t shorter = a.size < b.size ? a.size : b.size;
    const int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static size_t *newest_of(struct gk_overlay *overlay, const struct slot *slot)
{
    return slot->kind == GK_CHANGE_DELETE_RANGE
               ? &overlay->newest_range
               : &overlay->buckets[bucket_of(slot->family, key_of(overlay, slot))];
}

void gk_overlay_rollback(struct gk_overlay *overlay, size_t mark)
{
    assert(mark <= overlay->count);
    while (overlay->count > mark) {
        const struct slot *slot = &overlay->slots[--overlay->count];

        *newest_of(overlay, slot) = slot->older;
        overlay->used = slot->at;
    }
}

/* Room for `wanted` of `size` bytes each, doubling; what is in the array stays. */
static void *grown(void *array, size_t *capacity, size_t wanted, size_t size)
{
    if (wanted <= *capacity) {
        return array;
    }
    size_t larger = *capacity > 0 ? *capacity : 1024;

    while (larger < wanted) {
        larger *= 2;
    }
    array = reallocarray(array, larger, size);
    if (array == NULL) {
        abort();
    }
    *capacity = larger;
    return array;
}

static void copy(struct gk_overlay *overlay, struct gk_bytes bytes)
{
    if (bytes.size > 0) {
        memcpy(overlay->bytes + overlay->used, bytes.data, bytes.size);
        overlay->used += bytes.size;
    }
}

static void append(struct gk_overlay *overlay, enum gk_change_kind kind, enum gk_family family,
                   struct gk_bytes key, struct gk_bytes value, uint64_t amount)
{
    assert(family < GK_FAMILY_COUNT);
    overlay->slots =
        grown(overlay->slots, &overlay->slot_capacity, overlay->count + 1, sizeof *overlay->slots);
    overlay->bytes = grown(overlay->bytes, &overlay->byte_capacity, overlay->used + key.size + value.size, 1);

    struct slot *slot = &overlay->slots[overlay->count];

    *slot = (struct slot){.kind = kind,
                          .family = family,
                          .at = overlay->used,
                          .key_size = key.size,
                          .value_size = value.size,
                          .amount = amount};
    copy(overlay, key);
    copy(overlay, value);

    size_t *newest = newest_of(overlay, slot);

    slot->older = *newest;
    *newest = overlay->count++;
}

void gk_overlay_put(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key,
                    struct gk_bytes value)
{
    append(overlay, GK_CHANGE_PUT, family, key, value, 0);
}

void gk_overlay_delete(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key)
{
    append(overlay, GK_CHANGE_DELETE, family, key, (struct gk_bytes){0}, 0);
}

void gk_overlay_delete_range(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes from,
                             struct gk_bytes to)
{
    append(overlay, GK_CHANGE_DELETE_RANGE, family, from, to, 0);
}

/* The newest slot of this key from `index` on down its bucket, or NONE. */
static size_t find(const struct gk_overlay *overlay, size_t index, enum gk_family family, struct gk_bytes key)
{
    while (index != NONE) {
        const struct slot *slot = &overlay->slots[index];

        if (slot->family == family && compare(key_of(overlay, slot), key) == 0) {
            return index;
        }
        index = slot->older;
    }
    return NONE;
}

/* The newest range that covers the key, or NONE. */
static size_t find_range(const struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key)
{
    size_t index = overlay->newest_range;

    while (index != NONE) {
        const struct slot *slot = &overlay->slots[index];

        if (slot->family == family && compare(key_of(overlay, slot), key) <= 0 &&
            compare(key, value_of(overlay, slot)) < 0) {
            return index;
        }
        index = slot->older;
    }
    return NONE;
}

void gk_overlay_add(struct gk_overlay *overlay, enum gk_family family, struct gk_bytes key, uint64_t amount,
                    size_t mark)
{
    const size_t index = find(overlay, overlay->buckets[bucket_of(family, key)], family, key);

    if (index != NONE && index >= mark && overlay->slots[index].kind == GK_CHANGE_ADD &&
        (overlay->newest_range == NONE || overlay->newest_range < index)) {
        overlay->slots[index].amount += amount;
        return;
    }
    append(overlay, GK_CHANGE_ADD, family, key, (struct gk_bytes){0}, amount);
}

struct gk_overlay_view gk_overlay_look(const struct gk_overlay *overlay, enum gk_family family,
                                       struct gk_bytes key)
{
    const size_t range = find_range(overlay, family, key);
    size_t index = find(overlay, overlay->buckets[bucket_of(family, key)], family, key);
    struct gk_overlay_view view = {.base = range != NONE ? GK_VIEW_DELETED : GK_VIEW_UNTOUCHED};

    while (index != NONE && (range == NONE || index > range)) {
        const struct slot *slot = &overlay->slots[index];

        if (slot->kind == GK_CHANGE_PUT) {
            view.base = GK_VIEW_VALUE;
            view.value = value_of(overlay, slot);
            break;
        }
        if (slot->kind == GK_CHANGE_DELETE) {
            view.base = GK_VIEW_DELETED;
            break;
        }
        view.added = true;
        view.amount += slot->amount;
        index = find(overlay, slot->older, family, key);
    }
    return view;
}

struct gk_change gk_overlay_change(const struct gk_overlay *overlay, size_t index)
{
    assert(index < overlay->count);
    const struct slot *slot = &overlay->slots[index];

    return (struct gk_change){.kind = slot->kind,
                              .family = slot->family,
                              .key = key_of(overlay, slot),
                              .value = value_of(overlay, slot),
                              .amount = slot->amount};
}
