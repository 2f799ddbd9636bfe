/*
 * What happens to found cards, one operation each. An operation carries all that it needs, so that a sequence
 * still means the same where others are taken out of it; one whose card is not there does nothing.
 */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_OPERATION_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum operation_kind {
    OP_DEPOSIT,       /* a card with `reading` drops into `box` */
    OP_DEPOSIT_TWO,   /* the same card's number at once in `box` and the next one */
    OP_DEPOSIT_RACE,  /* one deposit, called twice at the same time */
    OP_DEPOSIT_AGAIN, /* `card`'s deposit is sent again; what 1: with other frames */
    OP_ADD_FRAMES,    /* the frames that were asked for, which make `reading` */
    OP_STORE,         /* ConfirmStored, outcome `what`, zone `where` */
    OP_HEARTBEAT,     /* `box` says what it can do: bits of `what` */
    OP_COURIER,       /* takes `card`'s notice; what becomes of it is `what` */
    OP_REISSUE,       /* an operator has another code sent */
    OP_PICKUP,        /* a code is entered at the box where the card lies, or at `where` */
    OP_COLLECTED,     /* ConfirmCollected, outcome `what` */
    OP_SERVICE,       /* staff open `box` and take what they are told to */
    OP_TAKE,          /* staff take `card` out of its box into a bag, whatever they were told */
    OP_MOVE,          /* to a place of kind `what`, `where` */
    OP_HAND_OUT,      /* a code is said at the desk */
    OP_RESOLVE,       /* operator `what` types the number of `reading` */
    OP_RETRY,         /* an operator has it tried again; a picture makes `reading` */
    OP_VIEW,          /* a viewer looks at the picture */
    OP_DISCARD,
    OP_HAND_TO_ISSUER, /* what 1: the issuer is named */
    OP_CLOSE,          /* CloseCard, state `what` */
    OP_GIVE_UP,        /* the holder does not want it */
    OP_ACKNOWLEDGE,    /* issuer `where` has written it down */
    OP_DECIDE,         /* issuer `where` decides `what` */
    OP_IMPORT,         /* account `where` has the numbers of the bits of `what` now */
    OP_REVOKE,         /* the number `reading` is dead */
    OP_FORGET,         /* the holder of number `reading` is forgotten */
    OP_WATCH,          /* contact `what` reports number `reading` lost */
    OP_GRANT,          /* an operator gives `card` to contact `what`, who filed watch `where` */
    OP_PLUGIN,         /* the shelf has changed: all pictures are read again and make `reading` */
    OP_PASS,           /* `pass_ms` go by, and the clocks are looked at */
    OP_CRASH,          /* power is cut and comes back; what 1: with a checkpoint in place of the disk */
    OP_ROTATE,         /* new keys */
    OP_KINDS
};

/* What a reader makes of a picture: a number of the model's world, or a reason. */
enum {
    NUMBERS = 14,
    READING_REASON = 100, /* and a guika_v1_Reason */
};

struct operation {
    uint32_t id; /* its place in the whole sequence; names the cards that it makes, 2 * id and 2 * id + 1 */
    enum operation_kind kind;
    uint32_t card;
    uint32_t box;
    uint32_t reading;
    uint32_t what;
    uint32_t where;
    bool may_ask;    /* of a reading: another frame may help */
    bool no_picture; /* of a reading: none may be kept */
    bool right;      /* the code is the one that the holder was told last */
    bool lost;       /* power is cut before the operation is on the disk: it did not happen */
    int64_t pass_ms;
};

/* One line, as a person reads it; no line end. */
void operation_print(FILE *to, const struct operation *operation);

/* It is about a card that another operation made. */
bool operation_has_card(enum operation_kind kind);

const char *operation_word(enum operation_kind kind);

#endif
