/*
 * A found card's life after the decision, on a real store with a clock that the test sets: what a box, staff,
 * a clerk and time do, one call each. Cards are made as the pipeline makes them.
 */
#ifndef GUIKA_TESTS_CORE_LIFE_RIG_H
#define GUIKA_TESTS_CORE_LIFE_RIG_H

#include "core/found_card_clocks.h"
#include "core/found_card_custody.h"
#include "core/found_card_pickup.h"
#include "core/sweeper.h"
#include "tests/core/store/store_fixture.h"

#define LIFE_DAY_MS (INT64_C(24) * 3600 * 1000)
#define LIFE_BOX "library-1"

struct life {
    struct store_fixture *fixture;
    struct gk_keys *keys;
    struct gk_retention retention;
    struct gk_sweeper_parts sweeper;
};

/* cmocka's setup and teardown; *state is the struct life. */
int life_setup(void **state);
int life_teardown(void **state);
#define LIFE_TEST(name) cmocka_unit_test_setup_teardown(name, life_setup, life_teardown)

/* Lets time pass. */
void life_pass(struct life *life, int64_t ms);
/* Does what is due, until nothing is. */
void life_sweep(struct life *life);

/* A payment card of the token `card` (repeated 32 times) is decided on, IDENTIFIED or DIFFICULT; `id` is its
 * case id's first byte and its deposit. */
void life_find(struct life *life, uint8_t id, uint8_t card, const char *box, bool identified);
/* Its box says that it lies in compartment "N<id>" of that zone. */
void life_store(struct life *life, uint8_t id, const char *box, guika_v1_Zone zone);
/* The notice that waits is delivered: the code is made and the card NOTIFIED. */
void life_notify(struct life *life, uint8_t id);
/* life_find, life_store in the normal zone, life_notify and life_sweep. */
void life_ready(struct life *life, uint8_t id, uint8_t card);

guika_v1_internal_FoundCard life_card(struct life *life, uint8_t id);
/* The state of the notice that the card names; UNSPECIFIED where there is none. */
int life_notice(struct life *life, uint8_t id);
/* Its notice as it rests. */
guika_v1_internal_NoticeRecord life_notice_record(struct life *life, uint8_t id);

/* The code in force, of 8 digits. */
void life_code(struct life *life, uint8_t id, char ret_code[9]);

struct gk_pickup_answer life_try(struct life *life, uint8_t id, const char *place, const char *code);
struct gk_pickup_answer life_try_at_desk(struct life *life, uint8_t id, const char *desk, const char *code);
/* With the code in force, at the box: must be right. */
uint64_t life_open(struct life *life, uint8_t id);
enum gk_status life_confirm(struct life *life, const char *box, uint64_t token, int outcome);
enum gk_status life_reissue(struct life *life, uint8_t id);
enum gk_status life_move(struct life *life, uint8_t id, guika_v1_internal_Place_Kind kind,
                         const char *location, const char *compartment);
enum gk_status life_end(struct life *life, uint8_t id, guika_v1_CardState state, const char *location);

/* Audit entries so far; the chain is verified. */
uint64_t life_audited(struct life *life);
size_t life_records(struct life *life, enum gk_family family);

#endif
