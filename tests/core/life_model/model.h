/*
 * The reference model: what a found card's life is, written from the design's states and the words of the
 * schemas, without a call into the core. It knows no keys, codes, tokens or records; it knows where each card
 * is, whose it is, who has been told what, and what time will do to it.
 *
 * Owns: the cards of a sequence, the lists, the watches and its own clock. model_apply does one operation and
 * says how it must be answered.
 */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_MODEL_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_MODEL_H

#include "rpc/status.h"
#include "tests/core/life_model/operation.h"
#include "tests/core/life_model/world.h"

#define NO_NUMBER UINT32_MAX
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (24 * 60 * MINUTE_MS)

/* Short names of the words that the model is made of. */
#define RECEIVED guika_v1_CardState_CARD_STATE_RECEIVED
#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define GIVEN_BACK guika_v1_CardState_CARD_STATE_GIVEN_BACK
#define NOTIFIED guika_v1_CardState_CARD_STATE_NOTIFIED
#define COLLECTED guika_v1_CardState_CARD_STATE_COLLECTED
#define EXPIRED guika_v1_CardState_CARD_STATE_EXPIRED
#define RETURNED guika_v1_CardState_CARD_STATE_RETURNED
#define HANDED_OVER guika_v1_CardState_CARD_STATE_HANDED_OVER
#define DESTROYED guika_v1_CardState_CARD_STATE_DESTROYED

#define AT_FINDER guika_v1_internal_Place_Kind_PLACE_FINDER
#define IN_SLOT guika_v1_internal_Place_Kind_PLACE_SLOT
#define IN_COMPARTMENT guika_v1_internal_Place_Kind_PLACE_COMPARTMENT
#define IN_BIN guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN
#define IS_JAMMED guika_v1_internal_Place_Kind_PLACE_JAMMED
#define IN_BAG guika_v1_internal_Place_Kind_PLACE_BAG
#define IN_DEPOT guika_v1_internal_Place_Kind_PLACE_DEPOT
#define AT_DESK guika_v1_internal_Place_Kind_PLACE_DESK
#define AT_ISSUER guika_v1_internal_Place_Kind_PLACE_ISSUER
#define AT_AUTHORITY guika_v1_internal_Place_Kind_PLACE_AUTHORITY
#define AT_HOLDER guika_v1_internal_Place_Kind_PLACE_HOLDER
#define IS_DESTROYED guika_v1_internal_Place_Kind_PLACE_DESTROYED

#define NOTICE_HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD
#define NOTICE_DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define NOTICE_DELIVERED guika_v1_internal_NoticeRecord_State_NOTICE_DELIVERED
#define NOTICE_DEAD guika_v1_internal_NoticeRecord_State_NOTICE_DEAD
#define NOTICE_CANCELLED guika_v1_internal_NoticeRecord_State_NOTICE_CANCELLED

#define ZONE_NORMAL guika_v1_Zone_ZONE_NORMAL
#define ZONE_BIN guika_v1_Zone_ZONE_DIFFICULT

#define REASON_NONE guika_v1_Reason_REASON_UNSPECIFIED
#define REASON_UNREGISTERED guika_v1_Reason_REASON_UNREGISTERED
#define REASON_CANCELLED guika_v1_Reason_REASON_CANCELLED
#define REASON_UNREADABLE guika_v1_Reason_REASON_UNREADABLE
#define REASON_NOT_A_CARD guika_v1_Reason_REASON_NOT_A_CARD

enum model_word { WORD_FOUND, WORD_MOVED, WORD_REMINDER, WORD_EXPIRED, WORD_NEW_CODE };

/* What OP_COURIER makes of a notice. */
enum { COURIER_DELIVERS, COURIER_IS_REFUSED, COURIER_TRIES_LATER, COURIER_DIES };

/* Bits of OP_HEARTBEAT. */
enum { BOX_GIVES_BACK = 1, BOX_NORMAL_FULL = 2, BOX_BIN_FULL = 4, BOX_HAS_LAMPS = 8 };

struct model_notice {
    uint32_t issue; /* 0: the one of the decision */
    enum model_word word;
    guika_v1_internal_NoticeRecord_State state;
    int64_t due_at_ms;
    uint32_t contact;
    uint32_t attempts;
    uint32_t number; /* whose holder it names; NO_NUMBER: nobody in a list */
    bool reached;    /* the holder has it */
};

enum model_holder { HOLDER_NONE, HOLDER_LISTED, HOLDER_WATCHER };

enum { NOTICES_MAX = 64 };

struct model_card {
    uint32_t name; /* see struct operation */
    uint32_t box;
    guika_v1_CardState state;
    guika_v1_Reason reason;
    guika_v1_CardKind kind;
    guika_v1_Disposition disposition;
    uint32_t number; /* NO_NUMBER: nobody knows */
    enum model_holder holder;
    uint32_t watcher; /* contact */
    bool through_issuer;
    bool queued; /* for its issuer */
    bool has_reference;

    guika_v1_internal_Place_Kind place;
    uint32_t at;     /* which place of that kind */
    int compartment; /* -1: none; 0: its own; else a shared one */
    guika_v1_Zone zone;
    guika_v1_Zone decided_zone;
    bool misplaced;
    bool uncertain;
    guika_v1_ConfirmStoredRequest_Outcome outcome;
    bool asked_for_frames;

    int64_t received_at_ms;
    int64_t stored_at_ms; /* 0: never */
    int64_t closed_at_ms;

    struct model_notice notices[NOTICES_MAX]; /* every one that rests; the last written is `notice` */
    uint32_t notice_count;
    int notice; /* index; -1: none */

    uint32_t issue;
    int64_t code_expires_at_ms;
    uint32_t tries;
    int64_t locked_until_ms;
    uint32_t told_issue; /* the issue of the last code that reached the holder; 0: none did */
    bool told_short;     /* that code needs the end of their telephone number */
    uint32_t messages;   /* that reached the holder */

    uint64_t opening; /* its latest fencing token; 0: none */
    guika_v1_ConfirmCollectedRequest_Outcome opening_outcome;
    uint32_t opening_box;
    int opening_compartment;
    int64_t opening_at_ms;
    int64_t opened_at_ms; /* 0: not open */

    bool picture;
    uint32_t proposed; /* number; NO_NUMBER: none */
    uint32_t proposed_by;

    uint32_t clocks_for;
    int64_t remind_at_ms;
    int64_t expires_at_ms;
    int64_t erase_at_ms;
    bool erased;

    uint32_t audited; /* entries about it */
};

struct model_watch {
    uint32_t id; /* of the operation that filed it */
    uint32_t number;
    uint32_t contact;
    int64_t filed_at_ms;
    bool marked; /* an operator has to look at it */
    bool matched;
    uint32_t card; /* index, once matched */
};

enum { CARDS_MAX = 4096, WATCHES_MAX = 256, NOTED_MAX = 4 };

/* Of all cards since the beginning. */
enum model_count {
    COUNT_FOUND = 1, /* in the order of the statistics' words */
    COUNT_READ,
    COUNT_DIFFICULT,
    COUNT_RESOLVED,
    COUNT_GIVEN_BACK,
    COUNT_NOTIFIED,
    COUNT_COLLECTED,
    COUNT_EXPIRED,
    COUNT_RETURNED,
    COUNT_HANDED_OVER,
    COUNT_DESTROYED,
    COUNTS
};

struct model {
    int64_t now_ms;
    struct model_card *cards;
    uint32_t card_count;
    struct model_watch watches[WATCHES_MAX];
    uint32_t watch_count;
    uint32_t noted[NUMBERS][NOTED_MAX]; /* cards of the number that nobody had registered; the latest */
    uint32_t noted_count[NUMBERS];
    uint32_t listed;    /* bits of numbers that a list in force has */
    uint32_t cancelled; /* bits of those that are cancelled there */
    uint32_t abilities[BOXES];
    uint64_t openings; /* given so far */
    uint64_t counts[COUNTS];
    uint32_t touched[CARDS_MAX]; /* indexes of the cards that the operation changed */
    uint32_t touched_count;
    bool did; /* the operation's card was there */
};

struct model *model_new(void);
void model_free(struct model *model);

/* The card that an operation made; NULL where it was taken out of the sequence, or its case forgot all. */
struct model_card *model_find(struct model *model, uint32_t name);

/* Does one operation; `did` and `touched` are then set. Returns how it has to be answered. */
enum gk_status model_apply(struct model *model, const struct operation *operation);

/* --- for the model's own files --- */

struct model_card *model_add(struct model *model, uint32_t name, uint32_t box);
bool model_is_closed(const struct model_card *card);
bool model_is_live(const struct model_card *card); /* waits for its holder */
bool model_is_collectable(const struct model_card *card);
bool model_is_listed(const struct model *model, uint32_t number);
bool model_is_cancelled(const struct model *model, uint32_t number);

/* One transition is over: one audit entry. */
void model_audit(struct model *model, struct model_card *card);
void model_touch(struct model *model, const struct model_card *card);
/* Another state, counted; a case that is over keeps no evidence. */
void model_set_state(struct model *model, struct model_card *card, guika_v1_CardState state);
void model_place(struct model_card *card, guika_v1_internal_Place_Kind place, uint32_t at, int compartment);

void model_cancel_notice(struct model_card *card);
/* Writes the notice of an issue, or of the decision. */
void model_add_notice(struct model *model, struct model_card *card, uint32_t issue, enum model_word word,
                      guika_v1_internal_NoticeRecord_State state);
/* Tells the holder something now, or the issuer where that tells. */
void model_tell(struct model *model, struct model_card *card, enum model_word word);
void model_next_issue(struct model *model, struct model_card *card);

/* What was found out about a card: `number` (certain), or NO_NUMBER and a reason. True: it is identified, and
 * whose it is is set. */
bool model_judge(struct model *model, struct model_card *card, uint32_t number, guika_v1_Reason reason,
                 bool may_claim);
/* The card is somebody's by now: notice, queue, evidence. */
void model_identify(struct model *model, struct model_card *card);

/* Goes through the difficult cards, oldest first: those whose number is known, and where `operation` is given
 * those with a picture, which makes its reading. */
void model_try_all(struct model *model, const struct operation *operation);

/* In a box's keeping; staff are told to take it along. */
bool model_lies_in(const struct model_card *card, uint32_t box);
bool model_is_to_take(const struct model_card *card);
/* A contact's watch for a number that still waits; NULL: none. */
struct model_watch *model_waiting(struct model *model, uint32_t number, uint32_t contact);

void model_sweep(struct model *model);
void model_forget_watches(struct model *model);

enum gk_status model_box(struct model *model, const struct operation *operation);
enum gk_status model_pickup(struct model *model, const struct operation *operation);
enum gk_status model_staff(struct model *model, const struct operation *operation);
enum gk_status model_queue(struct model *model, const struct operation *operation);
enum gk_status model_registry(struct model *model, const struct operation *operation);
enum gk_status model_courier(struct model *model, const struct operation *operation);
void model_crash(struct model *model);

#endif
