/*
 * Random sequences of what a box does without the line, with crashes of either side wherever one may come,
 * and answers that get lost: real journal, real spool, real store. Nothing is lost and nothing is doubled:
 * after the last replay the service counts each wrong try and each opening once, and those cards are
 * collected that left the box.
 */
#include "clients/c/pickup_journal.h"
#include "clients/c/spool.h"
#include "core/found_card_offline.h"
#include "core/grant_list.h"
#include "tests/core/life_words.h"
#include "tests/core/security/scratch.h"

#include <pb_decode.h>

enum { CARDS = 4, SEEDS = 12, STEPS = 120, SEALED_OVERHEAD = 48, LIMIT = 16 << 20 };

struct box {
    struct life *life;
    char *directory;
    uint64_t seed, random;
    struct gk_registry *registry;
    struct gk_spool *spool;
    struct gk_pickup_journal journal;
    struct gk_grant_list grants; /* as it fetched them last */
    uint64_t wrong, opened;      /* what the disk had */
    bool collected[CARDS + 1];
};

/* xorshift64: the sequence follows from the seed alone. */
static unsigned draw(struct box *box, unsigned below)
{
    box->random ^= box->random << 13;
    box->random ^= box->random >> 7;
    box->random ^= box->random << 17;
    return (unsigned)(box->random % below);
}

static void must(const struct box *box, bool good, const char *what)
{
    if (!good) {
        fail_msg("seed %llu: %s", (unsigned long long)box->seed, what);
    }
}

static void switch_on(struct box *box)
{
    uint8_t key[GK_SPOOL_KEY_SIZE];

    must(box, gk_spool_open(box->directory, LIMIT, &box->spool, NULL) == GK_OK, "the spool opens");
    gk_keys_spool_public(box->life->keys, key);
    must(box, gk_spool_learn_key(box->spool, key, NULL) == GK_OK, "the key is kept");
    gk_pickup_journal_open(gk_spool_directory(box->spool), &box->journal);
    must(box, !box->journal.damaged, "the journal is whole");
    if (gk_pickup_journal_is_open(&box->journal)) {
        must(box, gk_pickup_journal_outcome(&box->journal, UNCERTAIN, NULL) == GK_OK, "the door is reported");
    }
}

static void switch_off(struct box *box)
{
    gk_pickup_journal_close(&box->journal);
    gk_spool_close(box->spool);
}

static void crash(struct box *box)
{
    switch_off(box);
    switch_on(box);
}

/* From the journal into the spool; the power may go in between. */
static void settle(struct box *box, bool steady)
{
    guika_v1_SpoolEntry entry = {.which_entry = guika_v1_SpoolEntry_pickup_tag};

    if (!box->journal.has_event) {
        return;
    }
    entry.entry.pickup = box->journal.event;
    must(box, gk_spool_append(box->spool, &entry, NULL) == GK_OK, "the spool takes it");
    if (!steady && draw(box, 4) == 0) {
        crash(box);
        return;
    }
    must(box, gk_pickup_journal_spooled(&box->journal, NULL) == GK_OK, "the journal knows");
}

static void fetch(struct box *box)
{
    const atomic_bool stop = false;
    const struct gk_pickup_parts parts = {box->life->fixture->store, box->life->keys, box->registry,
                                          &box->life->retention};
    struct gk_grant_list list = {0};

    must(box,
         gk_grant_list_make(&parts, LIFE_BOX, atomic_load(&box->life->fixture->now_ms), &box->grants, &stop,
                            &list, NULL) == GK_OK,
         "the list is made");
    gk_grant_list_clear(&box->grants);
    box->grants = list;
}

/* A grant that may be tried now; false where the one drawn may not. */
static bool choose(struct box *box, guika_v1_PickupGrant *ret_grant)
{
    uint8_t key[GK_GRANT_KEY_SIZE];

    if (box->grants.count == 0) {
        return false;
    }
    gk_keys_grant_public(box->life->keys, key);
    const struct gk_granted *item = &box->grants.items[draw(box, (unsigned)box->grants.count)];

    must(box, gk_grant_open(&item->grant, key, LIFE_BOX, ret_grant, NULL) == GK_OK, "the grant opens");
    const struct gk_tried tried = gk_pickup_journal_tried(&box->journal, ret_grant);

    return !tried.used && tried.locked_until_ms <= atomic_load(&box->life->fixture->now_ms);
}

static void try_wrong(struct box *box)
{
    guika_v1_PickupGrant grant;

    settle(box, false);
    if (choose(box, &grant) && !box->journal.has_event) {
        must(box,
             gk_pickup_journal_wrong(&box->journal, &grant, atomic_load(&box->life->fixture->now_ms), NULL) ==
                 GK_OK,
             "the try is kept");
        box->wrong++;
    }
}

static void open_door(struct box *box)
{
    static const guika_v1_ConfirmCollectedRequest_Outcome outcomes[] = {TOOK, NOT_OPENED, CARD_INSIDE};
    guika_v1_PickupGrant grant;

    settle(box, false);
    if (!choose(box, &grant) || box->journal.has_event) {
        return;
    }
    must(box,
         gk_pickup_journal_opened(&box->journal, &grant, atomic_load(&box->life->fixture->now_ms), NULL) ==
             GK_OK,
         "the opening is kept");
    box->opened++;
    must(box, !box->collected[grant.case_id[0]], "no door is opened for a card that has left");
    if (draw(box, 4) == 0) {
        crash(box); /* with the door open, the card inside */
        return;
    }
    const guika_v1_ConfirmCollectedRequest_Outcome outcome = outcomes[draw(box, 3)];

    must(box, gk_pickup_journal_outcome(&box->journal, outcome, NULL) == GK_OK, "the outcome is kept");
    box->collected[grant.case_id[0]] = outcome == TOOK;
}

struct merging {
    guika_v1_OfflinePickup entry;
    struct gk_offline_merged merged;
};

static enum gk_status apply_merge(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct merging *merging = context;

    return gk_found_card_merge_offline(transaction, LIFE_BOX, &merging->entry, &merging->merged, error);
}

/* The service takes the oldest entry; its answer may be lost, then the box says it again. */
static bool replay(struct box *box, bool steady)
{
    struct gk_spool_item item;

    if (gk_spool_oldest(box->spool, &item, NULL) != GK_OK) {
        return false;
    }
    uint8_t plain[512];
    guika_v1_SpoolEntry entry = {0};
    const size_t size = item.sealed_size - SEALED_OVERHEAD;

    must(box, size <= sizeof plain, "an entry is small");
    must(box,
         gk_keys_open_spooled(box->life->keys, (struct gk_bytes){item.sealed, item.sealed_size}, plain,
                              NULL) == GK_OK,
         "the service opens it");
    pb_istream_t stream = pb_istream_from_buffer(plain, size);

    must(box, pb_decode(&stream, guika_v1_SpoolEntry_fields, &entry), "it is an entry");
    gk_spool_item_clear(&item);
    struct merging merging = {.entry = entry.entry.pickup};

    must(box, gk_store_commit_and_wait(box->life->fixture->store, apply_merge, &merging, NULL) == GK_OK,
         "the service takes it");
    if (steady || draw(box, 3) != 0) {
        must(box, gk_spool_erase_oldest(box->spool, NULL) == GK_OK, "it is erased");
    }
    return true;
}

static void step(struct box *box)
{
    switch (draw(box, 10)) {
    case 0:
    case 1:
        try_wrong(box);
        break;
    case 2:
    case 3:
        open_door(box);
        break;
    case 4:
        settle(box, false);
        break;
    case 5:
    case 6:
        (void)replay(box, false);
        break;
    case 7:
        crash(box);
        break;
    case 8:
        fetch(box);
        break;
    default:
        life_pass(box->life, draw(box, 120000));
    }
}

static void add_up(void *context, const char *name, uint64_t value)
{
    uint64_t *sums = context;

    sums[0] += strcmp(name, "wrong_codes") == 0 ? value : 0;
    sums[1] += strcmp(name, "opened") == 0 ? value : 0;
}

static void compare(struct box *box)
{
    uint64_t sums[2] = {0, 0};

    settle(box, true);
    while (replay(box, true)) {
    }
    must(box, gk_store_counters(box->life->fixture->store, LIFE_BOX, 3, add_up, sums, NULL) == GK_OK,
         "figures");
    must(box, sums[0] == box->wrong, "each wrong try counts once");
    must(box, sums[1] == box->opened, "each opening counts once");
    for (uint8_t id = 1; id <= CARDS; id++) {
        must(box, (life_card(box->life, id).state == COLLECTED) == box->collected[id],
             "a card is collected where it left the box");
    }
    (void)life_audited(box->life); /* the chain is whole */
}

static void run_sequence(struct life *life, uint64_t seed)
{
    struct box box = {.life = life, .seed = seed, .random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    char name[32];

    (void)snprintf(name, sizeof name, "box-%llu", (unsigned long long)seed);
    box.directory = scratch_path(life->fixture->directory, name);
    must(&box, gk_registry_open(life->fixture->store, life->keys, &box.registry, NULL) == GK_OK,
         "the registry");
    for (uint8_t id = 1; id <= CARDS; id++) {
        life_ready(life, id, (uint8_t)(id + 10));
    }
    switch_on(&box);
    fetch(&box);
    for (unsigned i = 0; i < STEPS; i++) {
        step(&box);
    }
    compare(&box);
    switch_off(&box);
    gk_grant_list_clear(&box.grants);
    gk_registry_close(box.registry);
    free(box.directory);
}

static void test_nothing_is_lost_and_nothing_doubled(void **state)
{
    const char *wanted = getenv("GUIKA_OFFLINE_SEED"); /* one sequence alone, to look into */
    const uint64_t first = wanted == NULL ? 1 : strtoull(wanted, NULL, 10);

    (void)state;
    for (uint64_t seed = first; seed < first + (wanted == NULL ? SEEDS : 1); seed++) {
        void *life = NULL;

        assert_int_equal(life_setup(&life), 0);
        run_sequence(life, seed);
        assert_int_equal(life_teardown(&life), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_is_lost_and_nothing_doubled)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
