#include "tests/core/life_model/world.h"

#include <stddef.h>

#define PAYMENT guika_v1_CardKind_CARD_KIND_PAYMENT
#define TRANSIT guika_v1_CardKind_CARD_KIND_TRANSIT
#define IDENTITY guika_v1_CardKind_CARD_KIND_ID
#define CAMPUS guika_v1_CardKind_CARD_KIND_CAMPUS

/* No two begin alike, so that no block of numbers is dense. */
const struct world_number world_numbers[] = {
    {0, PAYMENT, "iso7812", "unionpay", "6210941006528599", {"smtp:a@b.example", NULL}},
    {0, PAYMENT, "iso7812", "unionpay", "6221942006528591", {"sms:+8613800000001", NULL}},
    {0, PAYMENT, "iso7812", "unionpay", "6232943006528592", {"smtp:c@b.example", "sms:+8613900000001"}},
    {0, PAYMENT, "iso7812", "unionpay", "6243944006528593", {NULL, NULL}},
    {0, PAYMENT, "iso7812", "unionpay", "6254945006528594", {"smtp:e@b.example", NULL}},
    {0, PAYMENT, "iso7812", "unionpay", "6265946006528595", {"carrier-pigeon:f", "smtp:f@b.example"}},
    {1, TRANSIT, "octopus", "octopus", "1120250701", {"smtp:g@b.example", NULL}},
    {1, TRANSIT, "octopus", "octopus", "2220250702", {"sms:+85290000001", NULL}},
    {1, TRANSIT, "octopus", "octopus", "3320250703", {"smtp:h@b.example", NULL}},
    {1, TRANSIT, "octopus", "octopus", "4420250704", {"smtp:i@b.example", NULL}},
    {2, IDENTITY, "cn-resident-id", "cn_resident_id", "11010519491231002X", {"smtp:j@b.example", NULL}},
    {2, IDENTITY, "cn-resident-id", "cn_resident_id", "440524188001010014", {"smtp:k@b.example", NULL}},
    {3, CAMPUS, "campus", "campus", "S190001234", {"smtp:l@b.example", NULL}},
    {3, CAMPUS, "campus", "campus", "T290001234", {"smtp:m@b.example", NULL}},
};

const char world_telephone_end[] = "0001";

const struct world_account world_accounts[] = {
    {"bank", "iso7812:62", 0x000f, false},
    {"city", "octopus", 0x00c0, false},
    {"state", "cn-resident-id", 0x0400, false},
    {"club", "campus", 0x3000, true},
};

const char *world_box(uint32_t box)
{
    static const char *const names[BOXES] = {"box-0", "box-1", "box-2"};

    return names[box];
}

const char *world_place(guika_v1_internal_Place_Kind kind, uint32_t index)
{
    static const char *const desks[DESKS] = {"desk-0", "desk-1"};

    switch (kind) {
    case guika_v1_internal_Place_Kind_PLACE_DESK:
        return desks[index % DESKS];
    case guika_v1_internal_Place_Kind_PLACE_BAG:
        return "bag-0";
    case guika_v1_internal_Place_Kind_PLACE_DEPOT:
        return "depot-0";
    case guika_v1_internal_Place_Kind_PLACE_ISSUER:
        return "issuer-0";
    case guika_v1_internal_Place_Kind_PLACE_AUTHORITY:
        return "police-0";
    case guika_v1_internal_Place_Kind_PLACE_COMPARTMENT:
    case guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN:
    case guika_v1_internal_Place_Kind_PLACE_SLOT:
    case guika_v1_internal_Place_Kind_PLACE_JAMMED:
        return world_box(index % BOXES);
    default:
        return "";
    }
}
