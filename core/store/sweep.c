#include "core/store/sweep.h"

#include <sodium.h>
#include <string.h>

enum { START_SIZE = 32 };

struct round {
    bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value);
    void *context;
    uint8_t start[START_SIZE];
    bool second; /* from the first key on; ends where the first scan began */
    bool over;   /* the visitor has had enough */
};

static bool visit_once(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct round *round = context;

    if (round->second && key.size >= START_SIZE && memcmp(key.data, round->start, START_SIZE) >= 0) {
        return false;
    }
    round->over = !round->visit(round->context, key, value);
    return !round->over;
}

enum gk_status gk_store_sweep(struct gk_store *store, enum gk_family family,
                              bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value),
                              void *context, struct gk_error *error)
{
    const struct gk_bytes none = {NULL, 0};
    struct round round = {.visit = visit, .context = context};

    randombytes_buf(round.start, sizeof round.start);
    enum gk_status status =
        gk_store_scan(store, family, none, (struct gk_bytes){round.start, sizeof round.start}, false,
                      visit_once, &round, error);

    if (status == GK_OK && !round.over) {
        round.second = true;
        status = gk_store_scan(store, family, none, none, false, visit_once, &round, error);
    }
    return status;
}
