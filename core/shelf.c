#include "core/shelf.h"

#include "core/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct gk_shelf {
    pthread_mutex_t lock;
    guika_v1_internal_AnnounceRequest announced;
};

struct gk_shelf *gk_shelf_new(void)
{
    struct gk_shelf *shelf = gk_allocate(sizeof *shelf);

    (void)pthread_mutex_init(&shelf->lock, NULL);
    return shelf;
}

void gk_shelf_free(struct gk_shelf *shelf)
{
    if (shelf != NULL) {
        (void)pthread_mutex_destroy(&shelf->lock);
        free(shelf);
    }
}

void gk_shelf_set(struct gk_shelf *shelf, const guika_v1_internal_AnnounceRequest *announced)
{
    (void)pthread_mutex_lock(&shelf->lock);
    shelf->announced = *announced;
    (void)pthread_mutex_unlock(&shelf->lock);
}

bool gk_shelf_find(struct gk_shelf *shelf, const char *id, guika_v1_internal_ShelfIssuer *ret_issuer)
{
    bool found = false;

    (void)pthread_mutex_lock(&shelf->lock);
    for (size_t i = 0; i < shelf->announced.issuers_count && !found; i++) {
        if (strcmp(shelf->announced.issuers[i].issuer, id) == 0) {
            *ret_issuer = shelf->announced.issuers[i];
            found = true;
        }
    }
    (void)pthread_mutex_unlock(&shelf->lock);
    return found;
}

static bool is_among(const char schemes[GK_SHELF_SCHEMES_MAX][32], size_t count, const char *scheme)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(schemes[i], scheme) == 0) {
            return true;
        }
    }
    return false;
}

size_t gk_shelf_schemes(struct gk_shelf *shelf, char ret_schemes[GK_SHELF_SCHEMES_MAX][32])
{
    size_t count = 0;

    (void)pthread_mutex_lock(&shelf->lock);
    for (size_t i = 0; i < shelf->announced.issuers_count && count < GK_SHELF_SCHEMES_MAX; i++) {
        const char *scheme = shelf->announced.issuers[i].scheme;

        if (!is_among((const char(*)[32])ret_schemes, count, scheme)) {
            (void)snprintf(ret_schemes[count++], 32, "%s", scheme);
        }
    }
    (void)pthread_mutex_unlock(&shelf->lock);
    return count;
}
