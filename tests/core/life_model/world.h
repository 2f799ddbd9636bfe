/* The numbers, holders and places of the model's world. */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_WORLD_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_WORLD_H

#include "guika/v1/internal/records.pb.h"
#include "guika/v1/issuer.pb.h"

enum {
    BOXES = 3,
    DESKS = 2,
    ACCOUNTS = 4,
    CONTACTS = 3, /* of people who stand in no list */
    OPERATORS = 2,
};

#define WORLD_BEGINS_MS INT64_C(1700000000000)

struct world_number {
    uint32_t account;
    guika_v1_CardKind kind;
    const char *scheme;
    const char *issuer; /* plugin id */
    const char *number;
    const char *contacts[2]; /* of its holder, best first; NULL: no more */
};

extern const struct world_number world_numbers[];

/* The last four digits of every telephone. */
extern const char world_telephone_end[];

struct world_account {
    const char *name;
    const char *binding;
    uint32_t registered; /* bits of numbers: its list on the first day */
    bool through_issuer; /* tells its holders itself */
};

extern const struct world_account world_accounts[];

/* "box-0"; the id of a place of a kind, which is that of the box for compartment and bin. */
const char *world_place(guika_v1_internal_Place_Kind kind, uint32_t index);
const char *world_box(uint32_t box);

#endif
