#include "bench/issuers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    PLACES = 4096,   /* found cards of a scattered issuer: even ones are registered, odd ones not */
    NEIGHBOURS = 12, /* registered around each */
    CAMPUS_CARDS = 20000,
};

static const struct gk_bench_issuer issuers[GK_BENCH_ISSUERS] = {
    {"bank-16-dense", "iso7812", "iso7812:453978", guika_v1_CardKind_CARD_KIND_PAYMENT, GK_MINT_PAYMENT,
     "visa", "45397827", 7, true, true, true, 40, 0},
    {"bank-19-dense", "iso7812", "iso7812:622848", guika_v1_CardKind_CARD_KIND_PAYMENT, GK_MINT_PAYMENT,
     "unionpay", "62284848001", 7, true, true, true, 30, 0},
    {"bank-16-scattered", "iso7812", "iso7812:545454", guika_v1_CardKind_CARD_KIND_PAYMENT, GK_MINT_PAYMENT,
     "mastercard", "545454", 9, true, false, false, 10, 0},
    {"transit-dense", "t-union", "t-union:310487", guika_v1_CardKind_CARD_KIND_TRANSIT, GK_MINT_TRANSIT,
     "tunion", "31048700216", 7, true, true, true, 17, 0},
    {"campus-no-check", "guihai-campus", "guihai-campus:2021", guika_v1_CardKind_CARD_KIND_CAMPUS,
     GK_MINT_CAMPUS, NULL, "2021", 6, false, true, false, 0, CAMPUS_CARDS},
    {"parking-no-check", "guihai-parking", "guihai-parking", guika_v1_CardKind_CARD_KIND_PARKING,
     GK_MINT_PARKING, NULL, "", 9, false, false, false, 3, 0},
};

const struct gk_bench_issuer *gk_bench_issuer(size_t issuer)
{
    assert(issuer < GK_BENCH_ISSUERS);
    return &issuers[issuer];
}

static uint64_t power_of_ten(unsigned exponent)
{
    uint64_t power = 1;

    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

/* Steele, Lea and Flood's splitmix64. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static void write_number(const struct gk_bench_issuer *issuer, uint64_t serial,
                         char ret_number[GK_BENCH_NUMBER_SIZE])
{
    const int length = snprintf(ret_number, GK_BENCH_NUMBER_SIZE - 1, "%s%0*llu", issuer->prefix,
                                (int)issuer->payload_digits, (unsigned long long)serial);

    if (issuer->luhn) {
        ret_number[length] = gk_mint_luhn_digit(ret_number);
        ret_number[length + 1] = '\0';
    }
}

/* --- consecutive numbers --- */

static bool is_gap(const struct gk_bench_issuer *issuer, uint64_t serial)
{
    return issuer->gaps && mix(serial) % 10 == 0;
}

static uint64_t find_dense(const struct gk_bench_issuer *issuer, uint64_t rows, uint64_t index,
                           bool registered)
{
    uint64_t serial = mix(~index) % rows;

    if (!issuer->gaps) {
        /* No gaps: one digit off, so that it lies outside the block. */
        const uint64_t highest = power_of_ten(issuer->payload_digits - 1);

        return registered ? serial : serial + highest * (1 + mix(index) % 9);
    }
    while (is_gap(issuer, serial) == registered) {
        serial = (serial + 1) % rows;
    }
    return serial;
}

/* --- scattered numbers ---
 * The card of place j has the serial (j * STEP + START) mod 10^digits. STEP shares no factor with 10, so that
 * no two places have one serial, and the place of a serial can be computed.
 */

static const uint64_t STEP = 738563927;
static const uint64_t START = 104729831;

static uint64_t multiply(uint64_t a, uint64_t b, uint64_t modulus)
{
    __extension__ typedef unsigned __int128 wide;

    return (uint64_t)((wide)a * b % modulus);
}

static uint64_t scattered_serial(const struct gk_bench_issuer *issuer, uint64_t place)
{
    const uint64_t modulus = power_of_ten(issuer->payload_digits);

    return (multiply(place, STEP, modulus) + START) % modulus;
}

/* STEP to the power that inverts it: Euler's totient of 10^n is 4 * 10^(n - 1). */
static uint64_t inverse_step(uint64_t modulus)
{
    uint64_t power = 1;
    uint64_t base = STEP % modulus;

    for (uint64_t exponent = modulus / 10 * 4 - 1; exponent > 0; exponent /= 2) {
        if (exponent % 2 == 1) {
            power = multiply(power, base, modulus);
        }
        base = multiply(base, base, modulus);
    }
    return power;
}

/* Is it the number of a card that shall not be registered? */
static bool is_kept_out(const struct gk_bench_issuer *issuer, uint64_t serial)
{
    const uint64_t modulus = power_of_ten(issuer->payload_digits);
    const uint64_t place =
        multiply((serial + modulus - START % modulus) % modulus, inverse_step(modulus), modulus);

    return place < PLACES && place % 2 == 1;
}

/* The serial with one digit, chosen by `which`, replaced by another one. With a check digit that makes two.
 */
static uint64_t neighbour_of(const struct gk_bench_issuer *issuer, uint64_t serial, uint64_t which)
{
    const uint64_t chance = mix(serial * NEIGHBOURS + which);
    const uint64_t unit = power_of_ten((unsigned)(chance % issuer->payload_digits));
    const uint64_t digit = serial / unit % 10;

    return serial - digit * unit + (digit + 1 + chance / 64 % 9) % 10 * unit;
}

static bool scattered_row(const struct gk_bench_issuer *issuer, uint64_t row, uint64_t *ret_serial)
{
    if (row < PLACES) {
        *ret_serial = scattered_serial(issuer, row);
        return row % 2 == 0;
    }
    if (row < (uint64_t)PLACES * (1 + NEIGHBOURS)) {
        const uint64_t serial = scattered_serial(issuer, row % PLACES);

        *ret_serial = neighbour_of(issuer, serial, row / PLACES);
        return !is_kept_out(issuer, *ret_serial);
    }
    *ret_serial = scattered_serial(issuer, row);
    return true;
}

/* --- both --- */

uint64_t gk_bench_issuer_rows(size_t issuer, uint64_t all_rows)
{
    const struct gk_bench_issuer *is = gk_bench_issuer(issuer);
    const uint64_t least = is->dense ? 1000 : (uint64_t)PLACES * (1 + NEIGHBOURS);
    const uint64_t listed = is->rows_percent == 0 ? is->rows : all_rows / 100 * is->rows_percent;
    const uint64_t rows = is->gaps ? listed / 9 * 10 : listed;

    return rows > least ? rows : least;
}

bool gk_bench_issuer_row(size_t issuer, uint64_t row, char ret_number[GK_BENCH_NUMBER_SIZE])
{
    const struct gk_bench_issuer *is = gk_bench_issuer(issuer);
    uint64_t serial = row;
    const bool listed = is->dense ? !is_gap(is, row) : scattered_row(is, row, &serial);

    if (listed) {
        write_number(is, serial, ret_number);
    }
    return listed;
}

static bool list_row(const struct gk_bench_list *list, uint64_t row, char ret_number[GK_BENCH_NUMBER_SIZE])
{
    return gk_bench_issuer_row(list->issuer, row, ret_number);
}

void gk_bench_issuer_lists(uint64_t all_rows, struct gk_bench_list ret_lists[GK_BENCH_ISSUERS])
{
    for (size_t i = 0; i < GK_BENCH_ISSUERS; i++) {
        const struct gk_bench_issuer *is = gk_bench_issuer(i);

        ret_lists[i] = (struct gk_bench_list){.account = is->account,
                                              .scheme = is->scheme,
                                              .binding = is->binding,
                                              .kind = is->kind,
                                              .rows = gk_bench_issuer_rows(i, all_rows),
                                              .row = list_row,
                                              .issuer = i};
    }
}

void gk_bench_issuer_found(size_t issuer, uint64_t all_rows, uint64_t index, bool registered,
                           char ret_number[GK_BENCH_NUMBER_SIZE])
{
    const struct gk_bench_issuer *is = gk_bench_issuer(issuer);
    const uint64_t place = index * 2 % PLACES + (registered ? 0 : 1);

    write_number(is,
                 is->dense ? find_dense(is, gk_bench_issuer_rows(issuer, all_rows), index, registered)
                           : scattered_serial(is, place),
                 ret_number);
}
