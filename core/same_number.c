#include "core/same_number.h"

#include "core/found_card.h"
#include "core/holdings.h"
#include "core/watches.h"

#include <stdlib.h>
#include <string.h>

/* A found card under an older token. */
struct item {
    const uint8_t *token;
    uint8_t case_id[GK_CASE_ID_SIZE];
};

struct gathering {
    const struct gk_card_tokens *tokens;
    const uint8_t *token; /* whose cards are being listed */
    struct item *items;
    size_t count;
};

static bool add(void *context, const guika_v1_internal_FoundCard *card)
{
    struct gathering *gathering = context;
    struct item *items = reallocarray(gathering->items, gathering->count + 1,
                                      sizeof *gathering->items); /* few: one number's */

    if (items == NULL) {
        abort();
    }
    gathering->items = items;
    items[gathering->count].token = gathering->token;
    memcpy(items[gathering->count++].case_id, card->case_id, GK_CASE_ID_SIZE);
    return true;
}

static enum gk_status apply(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct gathering *gathering = context;
    const struct gk_card_tokens *tokens = gathering->tokens;
    enum gk_status status = gk_watches_gather(transaction, tokens, error);

    for (size_t i = 0; status == GK_OK && i < gathering->count; i++) {
        status =
            gk_found_card_renew_token(transaction, gathering->items[i].case_id, gathering->items[i].token,
                                      tokens->tokens[0], tokens->newest, error);
    }
    return status;
}

enum gk_status gk_same_number_gather(struct gk_store *store, const struct gk_card_tokens *tokens,
                                     struct gk_error *error)
{
    struct gathering gathering = {.tokens = tokens};
    enum gk_status status = GK_OK;

    for (size_t i = 1; status == GK_OK && i < tokens->count; i++) {
        gathering.token = tokens->tokens[i];
        status = gk_holdings_of_card(store, gathering.token, add, &gathering, error);
    }
    if (status == GK_OK && gathering.count > 0) {
        status = gk_store_commit_and_wait(store, apply, &gathering, error);
    }
    free(gathering.items);
    return status;
}
