#include "clients/cli/holder_list.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>

/* By the numbers of CardState and CardKind in schemas/guika/v1/types.proto. */
static const char *const states[] = {"",           "RECEIVED",    "IDENTIFIED", "DIFFICULT",
                                     "GIVEN_BACK", "NOTIFIED",    "COLLECTED",  "EXPIRED",
                                     "RETURNED",   "HANDED_OVER", "DESTROYED"};
static const char *const kinds[] = {"", "PAYMENT", "TRANSIT", "ID", "CAMPUS", "PARKING", "OTHER"};

const char *gk_cli_kind_word(guika_v1_CardKind kind)
{
    return kind < sizeof kinds / sizeof kinds[0] ? kinds[kind] : "?";
}

static const char *state_word(guika_v1_CardState state)
{
    return state < sizeof states / sizeof states[0] ? states[state] : "?";
}

static void write_time(int64_t at_ms, char ret_text[32])
{
    const time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;

    ret_text[0] = '\0';
    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(ret_text, 32, "%Y-%m-%d %H:%M", &local);
    }
}

/* --- JSON --- */

static json_t *words(const guika_v1_LocalText *text)
{
    return json_pack("{s:s, s:s}", "zh", text->zh, "en", text->en);
}

static json_t *card_object(const guika_v1_MyCard *card)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:I, s:s, s:I, s:I}", "case",
                     card->case_id, "case_number", card->case_number, "state", state_word(card->state),
                     "kind", gk_cli_kind_word(card->kind), "issuer", words(&card->issuer), "last_four",
                     card->last_four, "place", words(&card->place), "opening_hours",
                     words(&card->opening_hours), "collecting", words(&card->collecting), "map_url",
                     card->map_url, "found_at_ms", (json_int_t)card->found_at_ms, "pickup_code",
                     card->pickup_code, "telephone_digits", (json_int_t)card->telephone_digits,
                     "code_expires_at_ms", (json_int_t)card->code_expires_at_ms);
}

static json_t *watch_object(const guika_v1_MyWatch *watch)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "watch", watch->watch_id, "kind",
                     gk_cli_kind_word(watch->kind), "last_four", watch->last_four, "line", watch->line,
                     "filed_at_ms", (json_int_t)watch->filed_at_ms, "case", watch->case_id);
}

static void print_json(const guika_v1_ListMyCardsResponse *response)
{
    json_t *object = json_pack("{s:[], s:[]}", "cards", "watches");

    for (pb_size_t i = 0; i < response->cards_count; i++) {
        (void)json_array_append_new(json_object_get(object, "cards"), card_object(&response->cards[i]));
    }
    for (pb_size_t i = 0; i < response->watches_count; i++) {
        (void)json_array_append_new(json_object_get(object, "watches"), watch_object(&response->watches[i]));
    }
    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(object);
}

/* --- for people --- */

/* English where there is any: the command line speaks English. */
static void print_words(const char *title, const guika_v1_LocalText *text)
{
    const char *chosen = text->en[0] != '\0' ? text->en : text->zh;

    if (chosen[0] != '\0') {
        (void)printf("  %-8s %s\n", title, chosen);
    }
}

static void print_card(const guika_v1_MyCard *card)
{
    char found[32];

    write_time(card->found_at_ms, found);
    (void)printf("%s  %s  %s card", card->case_number, state_word(card->state), gk_cli_kind_word(card->kind));
    if (card->last_four[0] != '\0') {
        (void)printf(" ending in %s", card->last_four);
    }
    (void)printf(", found %s\n", found);
    print_words("issuer", &card->issuer);
    print_words("place", &card->place);
    print_words("hours", &card->opening_hours);
    print_words("collect", &card->collecting);
    if (card->map_url[0] != '\0') {
        (void)printf("  %-8s %s\n", "map", card->map_url);
    }
    if (card->pickup_code[0] != '\0') {
        (void)printf("  %-8s %s%s\n", "code", card->pickup_code,
                     card->telephone_digits == 0 ? ""
                                                 : ", and the last four digits of your telephone number");
    }
    (void)printf("  %-8s %s\n", "case", card->case_id);
}

static void print_watch(const guika_v1_MyWatch *watch)
{
    char filed[32];

    write_time(watch->filed_at_ms, filed);
    (void)printf("watched for since %s: %s card", filed, gk_cli_kind_word(watch->kind));
    if (watch->last_four[0] != '\0') {
        (void)printf(" ending in %s", watch->last_four);
    }
    (void)printf("%s%s%s\n  %-8s %s\n", watch->line[0] != '\0' ? ", " : "", watch->line,
                 watch->case_id[0] != '\0' ? ": found" : "", "watch", watch->watch_id);
}

void gk_cli_print_my_cards(const guika_v1_ListMyCardsResponse *response, bool json)
{
    if (json) {
        print_json(response);
        return;
    }
    if (response->cards_count == 0) {
        (void)puts("No card of yours has been found.");
    }
    for (pb_size_t i = 0; i < response->cards_count; i++) {
        print_card(&response->cards[i]);
    }
    for (pb_size_t i = 0; i < response->watches_count; i++) {
        print_watch(&response->watches[i]);
    }
}
