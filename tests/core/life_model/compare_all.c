/* Everything at once: each card, and that no index, notice, picture or audit entry is missing or too many. */
#include "core/statistics.h"
#include "core/store/record.h"
#include "tests/core/life_model/compare.h"

#include <stdlib.h>
#include <string.h>

/* What rests beside the cards, counted for each. */
struct beside {
    uint32_t audited;
    uint32_t subject_of; /* audit entries of any kind */
    uint32_t by_subject;
    uint32_t notices;
    uint32_t by_place;
    uint32_t clocks;
    uint32_t difficult;
    uint32_t hand_over;
    uint32_t by_card;
    uint32_t by_holder;
    uint32_t by_time;
    uint32_t openings;
    uint32_t queued;
    uint32_t due;
    bool picture;
};

struct looking {
    struct driver *driver;
    const struct model *model;
    uint32_t *order; /* indexes of cards by case id */
    struct beside *beside;
    size_t member; /* offset in struct beside of what is counted now */
    const char *what;
    uint64_t counts[COUNTS];
    char *difference;
};

static void differ(struct looking *looking, const char *what, uint32_t name, int64_t is, int64_t wanted)
{
    if (is != wanted && looking->difference[0] == '\0') {
        (void)snprintf(looking->difference, DIFFERENCE_SIZE, "card %u: %s: %lld, the model says %lld", name,
                       what, (long long)is, (long long)wanted);
    }
}

/* --- which card is it? --- */

static int compare_ids(const void *a, const void *b, void *context)
{
    const struct driver_card *cards = context;

    return memcmp(cards[*(const uint32_t *)a].case_id, cards[*(const uint32_t *)b].case_id, GK_CASE_ID_SIZE);
}

static struct beside *find(struct looking *looking, const uint8_t *case_id)
{
    const struct driver_card *cards = looking->driver->cards;
    uint32_t from = 0;
    uint32_t to = looking->model->card_count;

    while (from < to) {
        const uint32_t middle = (from + to) / 2;
        const int order = memcmp(cards[looking->order[middle]].case_id, case_id, GK_CASE_ID_SIZE);

        if (order == 0) {
            return &looking->beside[looking->order[middle]];
        }
        if (order < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

static void count(struct looking *looking, const uint8_t *case_id)
{
    struct beside *beside = find(looking, case_id);

    if (beside != NULL) {
        ++*(uint32_t *)((char *)beside + looking->member);
    } else if (looking->difference[0] == '\0') {
        (void)snprintf(looking->difference, DIFFERENCE_SIZE, "%s names a case that there is not",
                       looking->what);
    }
}

/* --- families --- */

/* Keys end with the case id. */
static bool visit_row(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)value;
    count(context, key.data + key.size - GK_CASE_ID_SIZE);
    return true;
}

static bool visit_opening(void *context, struct gk_bytes key, struct gk_bytes value)
{
    guika_v1_internal_OpeningRecord opening = {0};

    (void)key;
    (void)gk_record_decode(value, guika_v1_internal_OpeningRecord_fields, &opening, NULL);
    count(context, opening.case_id);
    return true;
}

static bool visit_notice(void *context, struct gk_bytes key, struct gk_bytes value)
{
    guika_v1_internal_NoticeRecord notice = {0};

    (void)key;
    (void)gk_record_decode(value, guika_v1_internal_NoticeRecord_fields, &notice, NULL);
    count(context, notice.case_id.bytes);
    return true;
}

/* A row of what is due has a notice that is due then. */
static bool visit_due(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct looking *looking = context;
    guika_v1_internal_NoticeRecord notice = {0};
    const struct gk_bytes id = {key.data + 8, GK_NOTICE_ID_SIZE};

    (void)value;
    if (gk_record_read(looking->driver->rig.store, GK_FAMILY_OUTBOX, id,
                       guika_v1_internal_NoticeRecord_fields, &notice, NULL) != GK_OK ||
        notice.state != NOTICE_DUE || notice.due_at_ms != gk_outbox_due_ms(key.data)) {
        differ(looking, "a row of outbox_due without a notice", 0, 1, 0);
        return false;
    }
    count(looking, notice.case_id.bytes);
    return true;
}

/* Entries about cases; others are of people, boxes and lists. */
static bool visit_entry(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct looking *looking = context;
    guika_v1_internal_AuditEntry entry = {0};

    (void)key;
    if (gk_record_decode(value, guika_v1_internal_AuditEntry_fields, &entry, NULL) != GK_OK) {
        return true;
    }
    struct beside *beside = entry.subject.size == GK_CASE_ID_SIZE ? find(looking, entry.subject.bytes) : NULL;

    if (beside != NULL) {
        beside->subject_of++;
    }
    if (strncmp(entry.action, "found_card.", 11) == 0 || strncmp(entry.action, "notice.", 7) == 0) {
        count(looking, entry.subject.bytes);
    }
    return true;
}

/* The index of entries by what they are about; what is no case is a person or a list. */
static bool visit_subject(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct beside *beside = find(context, key.data);

    (void)value;
    if (beside != NULL) {
        beside->by_subject++;
    }
    return true;
}

static void look_at(struct looking *looking, enum gk_family family, size_t member, const char *what,
                    bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value))
{
    const struct gk_bytes all = {NULL, 0};

    looking->member = member;
    looking->what = what;
    if (gk_store_scan(looking->driver->rig.store, family, all, all, false, visit, looking, NULL) != GK_OK) {
        differ(looking, "a family cannot be read", 0, 1, 0);
    }
}

static bool visit_picture(void *context, const uint8_t case_id[16])
{
    struct looking *looking = context;
    struct beside *beside = find(looking, case_id);

    if (beside == NULL) {
        differ(looking, "a picture of no case", 0, 1, 0);
        return false;
    }
    beside->picture = true;
    return true;
}

static void look_everywhere(struct looking *looking)
{
    look_at(looking, GK_FAMILY_AUDIT, offsetof(struct beside, audited), "an audit entry", visit_entry);
    look_at(looking, GK_FAMILY_AUDIT_BY_SUBJECT, offsetof(struct beside, by_subject), "audit_by_subject",
            visit_subject);
    look_at(looking, GK_FAMILY_OUTBOX, offsetof(struct beside, notices), "outbox", visit_notice);
    look_at(looking, GK_FAMILY_OUTBOX_DUE, offsetof(struct beside, due), "outbox_due", visit_due);
    look_at(looking, GK_FAMILY_BY_PLACE, offsetof(struct beside, by_place), "by_place", visit_row);
    look_at(looking, GK_FAMILY_CLOCKS, offsetof(struct beside, clocks), "clocks", visit_row);
    look_at(looking, GK_FAMILY_DIFFICULT, offsetof(struct beside, difficult), "difficult", visit_row);
    look_at(looking, GK_FAMILY_HAND_OVER, offsetof(struct beside, hand_over), "hand_over", visit_row);
    look_at(looking, GK_FAMILY_FOUND_BY_CARD, offsetof(struct beside, by_card), "found_by_card", visit_row);
    look_at(looking, GK_FAMILY_FOUND_BY_HOLDER, offsetof(struct beside, by_holder), "found_by_holder",
            visit_row);
    look_at(looking, GK_FAMILY_FOUND_BY_TIME, offsetof(struct beside, by_time), "found_by_time", visit_row);
    look_at(looking, GK_FAMILY_OPENINGS, offsetof(struct beside, openings), "openings", visit_opening);
    look_at(looking, GK_FAMILY_ISSUER_QUEUE, offsetof(struct beside, queued), "issuer_queue", visit_row);
    (void)gk_picture_vault_each(looking->driver->rig.vault, visit_picture, looking, NULL);
}

/* --- */

static void check_beside(struct looking *looking, const struct model_card *card, const struct beside *beside)
{
    const bool is_kept = card->place != AT_FINDER && card->place != AT_HOLDER && card->place != IS_DESTROYED;
    const bool on_list = card->state == EXPIRED || (card->state == DIFFICULT && card->expires_at_ms != 0);
    const bool is_due = card->notice >= 0 && card->notices[card->notice].state == NOTICE_DUE;

    differ(looking, "audit entries", card->name, beside->audited, card->audited);
    differ(looking, "rows in audit_by_subject", card->name, beside->by_subject, beside->subject_of);
    differ(looking, "notices", card->name, beside->notices, card->notice_count);
    differ(looking, "notices that are due", card->name, beside->due, is_due);
    differ(looking, "rows in by_place", card->name, beside->by_place, is_kept);
    differ(looking, "rows in difficult", card->name, beside->difficult, card->state == DIFFICULT);
    differ(looking, "rows in hand_over", card->name, beside->hand_over, on_list);
    differ(looking, "rows in found_by_card", card->name, beside->by_card, card->number != NO_NUMBER);
    differ(looking, "rows in found_by_time", card->name, beside->by_time, 1);
    differ(looking, "openings", card->name, beside->openings, card->opening != 0);
    differ(looking, "picture files", card->name, beside->picture, card->picture);
    if (model_is_live(card)) {
        differ(looking, "rows in found_by_holder", card->name, beside->by_holder,
               card->holder != HOLDER_NONE);
        differ(looking, "rows in issuer_queue", card->name, beside->queued, card->queued);
    }
    if (card->erased) {
        differ(looking, "rows in found_by_holder", card->name, beside->by_holder, 0);
        differ(looking, "rows in clocks", card->name, beside->clocks, 0);
    }
}

static void add_statistic(void *context, const struct gk_statistics_item *item)
{
    struct looking *looking = context;

    if (item->duration_bucket == SIZE_MAX && (unsigned)item->statistic < COUNTS) {
        looking->counts[item->statistic] += item->value;
    }
}

static void check_statistics(struct looking *looking)
{
    (void)gk_statistics_each(looking->driver->rig.store, atomic_load(&looking->driver->rig.now_ms),
                             UINT32_MAX, add_statistic, looking, NULL);
    for (unsigned i = 1; i < COUNTS; i++) {
        if (looking->counts[i] != looking->model->counts[i] && looking->difference[0] == '\0') {
            (void)snprintf(looking->difference, DIFFERENCE_SIZE,
                           "statistics: \"%s\" is %llu, the model says %llu",
                           gk_statistic_word((enum gk_statistic)i), (unsigned long long)looking->counts[i],
                           (unsigned long long)looking->model->counts[i]);
        }
    }
}

static void check_cards(struct looking *looking)
{
    for (uint32_t i = 0; i < looking->model->card_count && looking->difference[0] == '\0'; i++) {
        if (compare_card(looking->driver, &looking->model->cards[i], &looking->driver->cards[i],
                         looking->difference)) {
            check_beside(looking, &looking->model->cards[i], &looking->beside[i]);
        }
    }
}

bool compare_all(struct driver *driver, const struct model *model, char ret_difference[DIFFERENCE_SIZE])
{
    struct looking looking = {.driver = driver, .model = model, .difference = ret_difference};
    uint64_t entries;

    ret_difference[0] = '\0';
    looking.order = calloc(model->card_count + 1, sizeof *looking.order);
    looking.beside = calloc(model->card_count + 1, sizeof *looking.beside);
    for (uint32_t i = 0; i < model->card_count; i++) {
        looking.order[i] = i;
    }
    driver_settle(driver);
    qsort_r(looking.order, model->card_count, sizeof *looking.order, compare_ids, driver->cards);
    if (gk_store_verify_audit(driver->rig.store, &entries, &driver->error) != GK_OK) {
        (void)snprintf(ret_difference, DIFFERENCE_SIZE, "the audit chain: %.200s", driver->error.message);
    }
    look_everywhere(&looking);
    check_statistics(&looking);
    check_cards(&looking);
    free(looking.beside);
    free(looking.order);
    return ret_difference[0] == '\0';
}
