/* Cards and scenes at random, within what is valid and plausible. */
#include "tests/mint/mint_internal.h"

#include <string.h>

static void fill_digits(char *number, size_t from, size_t to, struct gk_random *random)
{
    for (size_t i = from; i < to; i++) {
        number[i] = (char)('0' + gk_random_below(random, 10));
    }
    number[to] = '\0';
}

/* Prefix ranges and lengths: ISO/IEC 7812 registrations as listed in braintree/credit-card-type. */
struct issue {
    const char *brand;
    uint32_t prefix_low, prefix_high;
    size_t length;
    const char *grouping;
};

static const struct issue payment_issues[] = {
    {"visa", 4, 4, 16, "4-4-4-4"},           {"visa", 4, 4, 16, "4-4-4-4"},
    {"mastercard", 51, 55, 16, "4-4-4-4"},   {"mastercard", 2221, 2720, 16, "4-4-4-4"},
    {"amex", 34, 34, 15, "4-6-5"},           {"amex", 37, 37, 15, "4-6-5"},
    {"discover", 6011, 6011, 16, "4-4-4-4"}, {"discover", 644, 649, 16, "4-4-4-4"},
    {"jcb", 3528, 3589, 16, "4-4-4-4"},      {"diners", 300, 305, 14, "4-6-4"},
    {"diners", 36, 36, 14, "4-6-4"},         {"unionpay", 62, 62, 16, "4-4-4-4"},
    {"unionpay", 62, 62, 16, "4-4-4-4"},     {"unionpay", 62, 62, 19, "6-13"},
    {"unionpay", 62, 62, 19, "4-4-4-4-3"},
};

static void payment_number(struct gk_mint_card *card, const char *brand, struct gk_random *random)
{
    size_t fitting[sizeof payment_issues / sizeof *payment_issues], count = 0;
    for (size_t i = 0; i < sizeof payment_issues / sizeof *payment_issues; i++) {
        if (brand == NULL || brand[0] == '\0' || strcmp(brand, payment_issues[i].brand) == 0) {
            fitting[count++] = i;
        }
    }
    if (count == 0) {
        return;
    }
    const struct issue *issue = &payment_issues[fitting[gk_random_below(random, (uint32_t)count)]];
    uint32_t prefix = issue->prefix_low + gk_random_below(random, issue->prefix_high - issue->prefix_low + 1);
    int start = snprintf(card->number, sizeof card->number, "%u", prefix);
    fill_digits(card->number, (size_t)start, issue->length - 1, random);
    card->number[issue->length - 1] = gk_mint_luhn_digit(card->number);
    card->number[issue->length] = '\0';
    strcpy(card->brand, issue->brand);
    strcpy(card->grouping, issue->grouping);
}

static bool issue_fits(const struct issue *issue, const char *number)
{
    uint32_t prefix = 0, low = issue->prefix_low;
    for (const char *digit = number; low > 0 && *digit != '\0'; low /= 10) {
        prefix = prefix * 10 + (uint32_t)(*digit++ - '0');
    }
    return prefix >= issue->prefix_low && prefix <= issue->prefix_high && strlen(number) == issue->length;
}

int gk_mint_card_set_number(struct gk_mint_card *card, const char *number)
{
    size_t length = strlen(number);
    if (length >= sizeof card->number || strspn(number, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != length) {
        return -1;
    }
    bool grouped = strlen(card->number) == length;
    if (card->kind == GK_MINT_PAYMENT) {
        const struct issue *kept = NULL, *fitting = NULL;
        for (size_t i = 0; i < sizeof payment_issues / sizeof *payment_issues; i++) {
            if (issue_fits(&payment_issues[i], number)) {
                fitting = fitting != NULL ? fitting : &payment_issues[i];
                kept = strcmp(payment_issues[i].brand, card->brand) == 0 ? &payment_issues[i] : kept;
            }
        }
        if (fitting != NULL && kept == NULL) {
            strcpy(card->brand, fitting->brand);
            strcpy(card->grouping, fitting->grouping);
        } else if (kept != NULL && !grouped) {
            strcpy(card->grouping, kept->grouping);
        } else if (!grouped) {
            strcpy(card->grouping, "4-4-4-4-4-4-4-4");
        }
    } else if (!grouped) {
        bool octopus = strcmp(card->brand, "octopus") == 0 && length >= 2;
        snprintf(card->grouping, sizeof card->grouping, octopus ? "%zu(1)" : "%zu",
                 octopus ? length - 1 : length);
    }
    strcpy(card->number, number);
    return 0;
}

static void transit_number(struct gk_mint_card *card, const char *brand, struct gk_random *random)
{
    bool octopus =
        brand != NULL && brand[0] != '\0' ? strcmp(brand, "octopus") == 0 : gk_random_chance(random, 0.5);
    size_t length = octopus ? 8 + gk_random_below(random, 2) : 18;
    strcpy(card->brand, octopus ? "octopus" : "tunion");
    strcpy(card->number, octopus ? "1" : "31");
    fill_digits(card->number, octopus ? 1 : 2, length, random);
    card->number[length] = octopus ? gk_mint_octopus_digit(card->number) : gk_mint_luhn_digit(card->number);
    card->number[length + 1] = '\0';
    strcpy(card->grouping, !octopus ? "4-4-4-4-3" : length == 8 ? "8(1)" : "9(1)");
    strcpy(card->issuer, octopus ? "八达通 Octopus" : "归海交通 Guihai Transit");
}

static void resident_number(struct gk_mint_card *card, struct gk_random *random)
{
    static const uint32_t regions[] = {110105, 310104, 440106, 330106, 510107, 420111, 610113, 350203};
    char number[24];
    snprintf(number, sizeof number, "%06u%04u%02u%02u%03u", regions[gk_random_below(random, 8)],
             1950 + gk_random_below(random, 56), 1 + gk_random_below(random, 12),
             1 + gk_random_below(random, 28), gk_random_below(random, 1000));
    memcpy(card->number, number, 17);
    card->number[17] = gk_mint_resident_id_check(card->number);
    card->number[18] = '\0';
    strcpy(card->grouping, "18");
}

static void holder_name(struct gk_mint_card *card, struct gk_random *random)
{
    static const char *const latin_first[] = {"MEI",  "ANNA",  "JONAS", "LI",  "OMAR",
                                              "XIAO", "PETRA", "KENJI", "AVA", "RI"};
    static const char *const latin_last[] = {"ZHAO", "BERG",  "MILLER", "CHEN",  "HADDAD",
                                             "KUI",  "NOVAK", "SATO",   "LOPEZ", "WU"};
    static const char *const family[] = {"赵", "钱", "孙", "李", "周", "吴", "郑", "王"};
    static const char *const given[] = {"小明", "海燕", "建国", "雨桐", "志远", "静", "思齐", "安"};
    if (card->kind == GK_MINT_ID || card->kind == GK_MINT_CAMPUS) {
        snprintf(card->name, sizeof card->name, "%s%s", family[gk_random_below(random, 8)],
                 given[gk_random_below(random, 8)]);
    } else {
        snprintf(card->name, sizeof card->name, "%s %s", latin_first[gk_random_below(random, 10)],
                 latin_last[gk_random_below(random, 10)]);
    }
}

void gk_mint_card_random(enum gk_mint_kind kind, const char *brand, uint64_t seed,
                         struct gk_mint_card *ret_card)
{
    static const char *const banks[] = {"Harbour Bank", "NORTHFIELD", "Civic Trust", "Banco Aurora",
                                        "Lumen Bank"};
    static const char *const chinese_banks[] = {"远山银行 YUANSHAN BANK", "归海银行",
                                                "青石银行 BANK OF QINGSHI", "临川农商银行"};
    static const char *const schools[] = {"归海大学 Guihai University", "Dawnfield Academy 晨原学院",
                                          "临川理工大学"};
    static const char *const garages[] = {"归海停车 Guihai Parking", "North Gate Garage 北门车库"};
    struct gk_random random = gk_random_new(seed, 100);
    struct gk_mint_card card = {.kind = kind, .seed = gk_random_next(&random)};
    switch (kind) {
    case GK_MINT_PAYMENT:
        payment_number(&card, brand, &random);
        strcpy(card.issuer, strcmp(card.brand, "unionpay") == 0 ? chinese_banks[gk_random_below(&random, 4)]
                                                                : banks[gk_random_below(&random, 5)]);
        card.print = gk_random_chance(&random, 0.5) ? GK_MINT_EMBOSSED : GK_MINT_FLAT;
        break;
    case GK_MINT_TRANSIT:
        transit_number(&card, brand, &random);
        break;
    case GK_MINT_ID:
        resident_number(&card, &random);
        strcpy(card.issuer, "resident ID");
        break;
    case GK_MINT_CAMPUS:
        strcpy(card.issuer, schools[gk_random_below(&random, 3)]);
        snprintf(card.number, sizeof card.number, "20%02u", 18 + gk_random_below(&random, 9));
        fill_digits(card.number, 4, 10, &random);
        strcpy(card.grouping, "10");
        break;
    case GK_MINT_PARKING:
        strcpy(card.issuer, garages[gk_random_below(&random, 2)]);
        fill_digits(card.number, 0, 9, &random);
        strcpy(card.grouping, "3-3-3");
        break;
    case GK_MINT_RECEIPT:
    case GK_MINT_NOTHING:
    case GK_MINT_ISSUED:
        break;
    }
    holder_name(&card, &random);
    card.foil = gk_random_below(&random, 4);
    card.foil_wear = gk_random_between(&random, 0, 0.8);
    *ret_card = card;
}

void gk_mint_scene_random(double difficulty, uint64_t seed, struct gk_mint_scene *ret_scene)
{
    struct gk_random random = gk_random_new(seed, 101);
    double tilt = 40 * difficulty;
    struct gk_mint_card plain = {.kind = GK_MINT_PAYMENT};
    struct gk_mint_scene scene = {.width_px = 1280, .height_px = 960};
    scene.seed = gk_random_next(&random);
    scene.card_width_share = gk_random_between(&random, 0.72 - 0.32 * difficulty, 0.85);
    scene.centre_x = 0.5 + difficulty * gk_random_between(&random, -0.15, 0.15);
    scene.centre_y = 0.5 + difficulty * gk_random_between(&random, -0.15, 0.15);
    scene.rotation_degrees = difficulty * gk_random_between(&random, -180, 180);
    scene.tilt_x_degrees = gk_random_between(&random, -tilt, tilt);
    scene.tilt_y_degrees = gk_random_between(&random, -tilt, tilt);
    scene.light_degrees = gk_random_between(&random, 0, 360);
    scene.light_strength = gk_random_between(&random, 0.2, 0.3 + 0.7 * difficulty);
    scene.brightness = gk_random_between(&random, 1 - 0.3 * difficulty, 1 + 0.15 * difficulty);
    scene.warmth = difficulty * gk_random_between(&random, -0.8, 1);
    scene.glare = gk_random_chance(&random, 0.4 * difficulty) ? gk_random_between(&random, 0.2, 0.9) : 0;
    scene.blur_sigma_px = 0.5 + difficulty * gk_random_between(&random, 0, 1.2);
    scene.noise = 1.5 + difficulty * gk_random_between(&random, 0, 6);
    scene.background = gk_random_below(&random, 5);
    gk_mint_scene_fit(&plain, &scene);
    *ret_scene = scene;
}
