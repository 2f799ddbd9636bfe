/* Card numbers: check digits (sources in mint.h), printed forms. */
#include "tests/mint/mint.h"

#include <ctype.h>
#include <string.h>

static const char *const payment_brands[] = {"visa", "mastercard", "amex",    "discover",
                                             "jcb",  "diners",     "unionpay"};
static const char *const transit_brands[] = {"octopus", "tunion"};

const char *gk_mint_brand_name(enum gk_mint_kind kind, size_t index)
{
    if (kind == GK_MINT_PAYMENT && index < sizeof payment_brands / sizeof *payment_brands) {
        return payment_brands[index];
    }
    if (kind == GK_MINT_TRANSIT && index < sizeof transit_brands / sizeof *transit_brands) {
        return transit_brands[index];
    }
    return NULL;
}

/* The digit that brings the sum to a multiple of ten; every second digit counts twice, by its digit sum. */
static char modulo_ten_digit(const char *digits, int first_factor)
{
    int sum = 0, factor = first_factor;
    for (size_t i = strlen(digits); i-- > 0;) {
        int product = (digits[i] - '0') * factor;
        sum += product / 10 + product % 10;
        factor = 3 - factor;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

char gk_mint_luhn_digit(const char *digits)
{
    return modulo_ten_digit(digits, 2);
}

char gk_mint_octopus_digit(const char *digits)
{
    return modulo_ten_digit(digits, 1);
}

char gk_mint_resident_id_check(const char *digits17)
{
    static const int weights[17] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (size_t i = 0; i < 17; i++) {
        sum += (digits17[i] - '0') * weights[i];
    }
    return "10X98765432"[sum % 11];
}

void gk_mint_printed_number(const struct gk_mint_card *card, char *ret_text)
{
    const char *digit = card->number, *group = card->grouping;
    char *out = ret_text;
    while (*group != '\0') {
        if (isdigit((unsigned char)*group)) {
            unsigned size = 0;
            while (isdigit((unsigned char)*group)) {
                size = size * 10 + (unsigned)(*group++ - '0');
            }
            while (size-- > 0 && *digit != '\0') {
                *out++ = *digit++;
            }
        } else {
            *out++ = *group == '-' ? ' ' : *group;
            group++;
        }
    }
    strcpy(out, digit);
}

static const char *verdict(const char *number, char (*check_digit)(const char *), const char *good,
                           const char *bad)
{
    char head[sizeof((struct gk_mint_card *)NULL)->number];
    size_t length = strlen(number);
    if (length < 2) {
        return bad;
    }
    memcpy(head, number, length - 1);
    head[length - 1] = '\0';
    return check_digit(head) == number[length - 1] ? good : bad;
}

const char *gk_mint_check_word(const struct gk_mint_card *card)
{
    if (card->number[0] == '\0') {
        return "none";
    }
    switch (card->kind) {
    case GK_MINT_PAYMENT:
        return verdict(card->number, gk_mint_luhn_digit, "luhn_ok", "luhn_bad");
    case GK_MINT_TRANSIT:
        if (strcmp(card->brand, "octopus") == 0) {
            return verdict(card->number, gk_mint_octopus_digit, "octopus_ok", "octopus_bad");
        }
        return verdict(card->number, gk_mint_luhn_digit, "luhn_ok", "luhn_bad");
    case GK_MINT_ID:
        if (strlen(card->number) != 18) {
            return "iso7064_bad";
        }
        return verdict(card->number, gk_mint_resident_id_check, "iso7064_ok", "iso7064_bad");
    case GK_MINT_CAMPUS:
    case GK_MINT_PARKING:
    case GK_MINT_RECEIPT:
    case GK_MINT_NOTHING:
    case GK_MINT_ISSUED:
        break;
    }
    return "none";
}
