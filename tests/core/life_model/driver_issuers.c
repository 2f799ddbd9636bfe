/* Issuers and their lists; holders who are forgotten, and people who watch for a card. */
#include "core/collapse.h"
#include "core/holder_rights.h"
#include "core/security/contact_seal.h"
#include "core/security/hex.h"
#include "core/watches.h"
#include "guika/v1/issuer.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/repeated.h"
#include "tests/core/life_model/driver.h"

#include <stdlib.h>
#include <string.h>

static void fill_row(uint32_t number, guika_v1_CardRow *ret_row)
{
    const struct world_number *from = &world_numbers[number];

    *ret_row = (guika_v1_CardRow){0};
    (void)snprintf(ret_row->scheme, sizeof ret_row->scheme, "%s", from->scheme);
    (void)snprintf(ret_row->number, sizeof ret_row->number, "%s", from->number);
    (void)snprintf(ret_row->holder_id, sizeof ret_row->holder_id, "holder-%u", number);
    for (size_t i = 0; i < 2 && from->contacts[i] != NULL; i++) {
        (void)snprintf(ret_row->contacts[ret_row->contacts_count++], sizeof ret_row->contacts[0], "%s",
                       from->contacts[i]);
    }
}

/* What still has tokens from older index keys comes under the list's. */
static enum gk_status bring_up(struct driver *driver)
{
    const struct gk_collapse_parts parts = {.log = &driver->rig.log,
                                            .keys = driver->rig.keys,
                                            .store = driver->rig.store,
                                            .registry = driver->rig.registry};
    size_t renewed = 0;

    return gk_collapse_run(&parts, &renewed, &driver->error);
}

/* In two pages, so that a list is staged for a while. */
enum gk_status driver_import(struct driver *driver, uint32_t account, uint32_t numbers)
{
    guika_v1_ImportCardsRequest request = {0};
    guika_v1_ImportCardsResponse *response = calloc(1, sizeof *response);
    struct gk_repeated rows = {0};
    enum gk_status status;

    (void)snprintf(request.import_id, sizeof request.import_id, "import-%u-%lld", driver->imports++,
                   (long long)atomic_load(&driver->rig.now_ms));
    for (uint32_t i = 0; i < NUMBERS; i++) {
        guika_v1_CardRow row;

        if (world_numbers[i].account == account && (numbers >> i & 1U) != 0) {
            fill_row(i, &row);
            (void)gk_repeated_append(&rows, guika_v1_CardRow_fields, &row);
        }
    }
    request.page_rows = gk_repeated_bytes(&rows);
    status = guika_v1_issuer_service_import_cards(driver->issuers[account], &driver_patience, &request,
                                                  response, &driver->error);
    if (status == GK_OK) {
        request.page = 1;
        request.last = true;
        request.page_rows = (struct gk_bytes){NULL, 0};
        status = guika_v1_issuer_service_import_cards(driver->issuers[account], &driver_patience, &request,
                                                      response, &driver->error);
    }
    if (status == GK_OK && !response->in_force) {
        status = DRIVER_ODD;
    }
    gk_repeated_free(&rows);
    free(response);
    driver_settle(driver);
    return status == GK_OK ? bring_up(driver) : status;
}

static enum gk_status revoke_number(struct driver *driver, uint32_t number)
{
    guika_v1_RevokeCardRequest request = {0};
    guika_v1_RevokeCardResponse response = {0};

    (void)snprintf(request.scheme, sizeof request.scheme, "%s", world_numbers[number].scheme);
    (void)snprintf(request.number, sizeof request.number, "%s", world_numbers[number].number);
    return guika_v1_issuer_service_revoke_card(driver->issuers[world_numbers[number].account],
                                               &driver_patience, &request, &response, &driver->error);
}

static enum gk_status forget(struct driver *driver, uint32_t number)
{
    const struct gk_holder_rights rights = {driver->rig.registry, driver->rig.store, driver->rig.keys};
    struct gk_holder_forgotten forgotten;
    char holder[32];

    (void)snprintf(holder, sizeof holder, "holder-%u", number);
    return gk_holder_forget(&rights, world_accounts[world_numbers[number].account].name, holder,
                            "operator:anna", &forgotten, &driver->error);
}

/* --- watches --- */

static void watch_id(uint32_t operation, uint8_t ret_id[GK_WATCH_ID_SIZE])
{
    memset(ret_id, 0x77, GK_WATCH_ID_SIZE);
    memcpy(ret_id, &operation, sizeof operation);
}

struct watching {
    guika_v1_internal_WatchRecord *watch;
    struct gk_card_tokens tokens;
};

static enum gk_status apply_watch(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct watching *watching = context;
    const enum gk_status status = gk_watches_gather(transaction, &watching->tokens, error);

    return status == GK_OK ? gk_watches_file(transaction, watching->watch, error) : status;
}

/* What the holder's page does once a contact is proven. */
static enum gk_status watch(struct driver *driver, const struct operation *operation)
{
    const struct world_number *number = &world_numbers[operation->reading];
    guika_v1_internal_WatchRecord *watch = calloc(1, sizeof *watch);
    char contact[64];

    driver_contact(operation->what, contact);
    watch_id(operation->id, watch->watch_id);
    driver_must(driver, gk_registry_contact_token(driver->rig.registry, contact, watch->contact_token),
                "no contact");
    watch->sealed_contact.size = (pb_size_t)gk_contact_seal(driver->rig.keys, watch->contact_token, contact,
                                                            watch->sealed_contact.bytes);
    watch->kind = number->kind;
    watch->key_epoch = gk_keys_epoch(driver->rig.keys);
    (void)snprintf(watch->issuer, sizeof watch->issuer, "%s", number->issuer);
    struct watching watching = {watch, gk_keys_card_tokens(driver->rig.keys, number->scheme, number->number)};

    driver_must(
        driver,
        gk_watches_choose(driver->rig.registry, driver->rig.store, &watching.tokens, &driver->error) == GK_OK,
        "no token for the watch");
    watch->card_tokens_count = 1;
    memcpy(watch->card_tokens[0], watching.tokens.tokens[0], GK_TOKEN_SIZE);
    watch->card_bases_count = 1;
    watch->card_bases[0] = watching.tokens.newest;
    const enum gk_status status =
        gk_store_commit_and_wait(driver->rig.store, apply_watch, &watching, &driver->error);

    free(watch);
    return status;
}

static enum gk_status grant(struct driver *driver, const struct operation *operation,
                            const struct driver_card *card)
{
    guika_v1_ResolveClaimRequest request = {0};
    guika_v1_ResolveClaimResponse response = {0};
    uint8_t id[GK_WATCH_ID_SIZE];

    watch_id(operation->where, id);
    gk_hex_encode(id, sizeof id, request.watch_id);
    driver_case_number(card, request.case_id);
    return guika_v1_operator_service_resolve_claim(driver->operators[1], &driver_patience, &request,
                                                   &response, &driver->error);
}

/* --- what an issuer says of a card --- */

static enum gk_status say(struct driver *driver, const struct operation *operation, struct driver_card *card)
{
    struct gk_rpc_client *issuer = driver->issuers[operation->where % ACCOUNTS];
    guika_v1_AcknowledgeFoundRequest acknowledged = {0};
    guika_v1_AcknowledgeFoundResponse noted = {0};
    guika_v1_DecideFoundRequest request = {.decision = (guika_v1_IssuerDecision)operation->what};
    guika_v1_DecideFoundResponse response = {0};

    driver_case_number(card, acknowledged.case_id);
    driver_case_number(card, request.case_id);
    if (operation->kind == OP_ACKNOWLEDGE) {
        return guika_v1_issuer_service_acknowledge_found(issuer, &driver_patience, &acknowledged, &noted,
                                                         &driver->error);
    }
    const enum gk_status status =
        guika_v1_issuer_service_decide_found(issuer, &driver_patience, &request, &response, &driver->error);

    if (status == GK_OK && response.pickup_code[0] != '\0') {
        (void)snprintf(card->code, sizeof card->code, "%.8s", response.pickup_code);
        card->tail[0] = '\0';
    }
    return status;
}

enum gk_status driver_issuer(struct driver *driver, const struct operation *operation)
{
    struct driver_card *card = driver_find(driver, operation->card);

    switch (operation->kind) {
    case OP_IMPORT:
        return driver_import(driver, operation->where, operation->what);
    case OP_REVOKE:
        return revoke_number(driver, operation->reading);
    case OP_FORGET:
        return forget(driver, operation->reading);
    case OP_WATCH:
        return watch(driver, operation);
    case OP_GRANT:
        return grant(driver, operation, card);
    default:
        return say(driver, operation, card);
    }
}
