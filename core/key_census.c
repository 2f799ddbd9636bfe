#include "core/key_census.h"

#include "core/store/record.h"
#include "core/watches.h"

struct counting {
    struct gk_key_census census;
    enum gk_status status;
    struct gk_error *error;
};

/* Records from before there was more than one base are of the first. */
static struct gk_key_use *use_of(struct counting *counting, uint32_t base)
{
    const uint32_t epoch = base == 0 ? 1 : base;

    if (epoch > GK_KEY_EPOCHS_MAX) {
        counting->status =
            gk_error_set(counting->error, GK_DATA_LOSS, "a record names a key epoch of %u", (unsigned)epoch);
        return &counting->census.epochs[0];
    }
    return &counting->census.epochs[epoch];
}

static bool count_list(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct counting *counting = context;
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;

    (void)key;
    counting->status =
        gk_record_decode(value, guika_v1_internal_IssuerAccount_fields, &account, counting->error);
    if (counting->status == GK_OK && account.generation != 0) {
        struct gk_key_use *use = use_of(counting, account.base_epoch);

        use->lists++;
        use->cards += account.rows;
    }
    return counting->status == GK_OK;
}

static bool count_found(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct counting *counting = context;
    guika_v1_internal_FoundCard card = {0};

    (void)key;
    counting->status = gk_record_decode(value, guika_v1_internal_FoundCard_fields, &card, counting->error);
    if (counting->status == GK_OK && !card.own_key && card.card_token.size == GK_TOKEN_SIZE) {
        use_of(counting, card.base_epoch)->found_cards++;
    }
    return counting->status == GK_OK;
}

static bool count_watch(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct counting *counting = context;
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;

    (void)key;
    counting->status = gk_record_decode(value, guika_v1_internal_WatchRecord_fields, &watch, counting->error);
    if (counting->status != GK_OK || watch.state != guika_v1_internal_WatchRecord_State_WATCH_WAITING) {
        return counting->status == GK_OK;
    }
    for (pb_size_t i = 0; i < watch.card_tokens_count; i++) {
        use_of(counting, gk_watches_base(&watch, i))->watches++;
    }
    return counting->status == GK_OK;
}

static bool count_claims(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct counting *counting = context;
    guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;

    (void)key;
    counting->status =
        gk_record_decode(value, guika_v1_internal_ClaimRecord_fields, &claims, counting->error);
    if (counting->status == GK_OK) {
        use_of(counting, claims.base_epoch)->claims++;
    }
    return counting->status == GK_OK;
}

static const struct {
    enum gk_family family;
    bool (*count)(void *context, struct gk_bytes key, struct gk_bytes value);
} rounds[] = {{GK_FAMILY_ISSUER_ACCOUNTS, count_list},
              {GK_FAMILY_FOUND_CARDS, count_found},
              {GK_FAMILY_WATCHES, count_watch},
              {GK_FAMILY_CLAIMS, count_claims}};

enum gk_status gk_key_census_take(struct gk_store *store, struct gk_key_census *ret_census,
                                  struct gk_error *error)
{
    struct counting counting = {.status = GK_OK, .error = error};
    const struct gk_bytes all = {NULL, 0};

    for (size_t i = 0; counting.status == GK_OK && i < sizeof rounds / sizeof rounds[0]; i++) {
        const enum gk_status status =
            gk_store_scan(store, rounds[i].family, all, all, false, rounds[i].count, &counting, error);

        counting.status = counting.status == GK_OK ? status : counting.status;
    }
    if (counting.status == GK_OK) {
        *ret_census = counting.census;
    }
    return counting.status;
}

uint32_t gk_key_census_lowest(const struct gk_key_census *census, uint32_t newest)
{
    uint32_t epoch = 1;

    while (epoch < newest && census->epochs[epoch].lists == 0 && census->epochs[epoch].found_cards == 0 &&
           census->epochs[epoch].watches == 0 && census->epochs[epoch].claims == 0) {
        epoch++;
    }
    return epoch;
}
