/* Short names of what the tests of a card's life speak about all the time, and cmocka. */
#ifndef GUIKA_TESTS_CORE_LIFE_WORDS_H
#define GUIKA_TESTS_CORE_LIFE_WORDS_H

#include "tests/core/life_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define NOTIFIED guika_v1_CardState_CARD_STATE_NOTIFIED
#define COLLECTED guika_v1_CardState_CARD_STATE_COLLECTED
#define EXPIRED guika_v1_CardState_CARD_STATE_EXPIRED
#define RETURNED guika_v1_CardState_CARD_STATE_RETURNED
#define HANDED_OVER guika_v1_CardState_CARD_STATE_HANDED_OVER
#define DESTROYED guika_v1_CardState_CARD_STATE_DESTROYED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define NORMAL guika_v1_Zone_ZONE_NORMAL
#define BIN_ZONE guika_v1_Zone_ZONE_DIFFICULT
#define TOOK guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED
#define NOT_OPENED guika_v1_ConfirmCollectedRequest_Outcome_NOT_OPENED
#define CARD_INSIDE guika_v1_ConfirmCollectedRequest_Outcome_CARD_INSIDE
#define UNCERTAIN guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD
#define CANCELLED guika_v1_internal_NoticeRecord_State_NOTICE_CANCELLED
#define COMPARTMENT guika_v1_internal_Place_Kind_PLACE_COMPARTMENT
#define BIN guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN
#define BAG guika_v1_internal_Place_Kind_PLACE_BAG
#define DEPOT guika_v1_internal_Place_Kind_PLACE_DEPOT
#define DESK guika_v1_internal_Place_Kind_PLACE_DESK
#define AT_HOLDER guika_v1_internal_Place_Kind_PLACE_HOLDER

#endif
