#include "clients/cli/difficult.h"
#include "clients/cli/names.h"

#include <stdio.h>
#include <time.h>

static void put_time(int64_t at_ms, char ret_text[32])
{
    const time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;

    ret_text[0] = '\0';
    if (localtime_r(&seconds, &local) != NULL) {
        (void)strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S", &local);
    }
}

json_t *gk_difficult_json(const guika_v1_DifficultCard *card)
{
    const guika_v1_FoundCardRow *row = &card->card;
    json_t *candidates = json_array();

    for (pb_size_t i = 0; i < card->candidates_count; i++) {
        const guika_v1_DifficultCandidate *candidate = &card->candidates[i];

        (void)json_array_append_new(candidates,
                                    json_pack("{s:s, s:s, s:s, s:f}", "issuer", candidate->issuer, "scheme",
                                              candidate->scheme, "number", candidate->masked_number,
                                              "probability", candidate->probability));
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:b, s:s, s:o}", "case",
                     row->case_id, "state", gk_cli_state_name(row->state), "reason",
                     gk_cli_reason_name(row->reason), "box", row->box_id, "deposit", row->deposit_id, "zone",
                     gk_cli_zone_name(row->zone), "compartment", row->compartment, "received_at_ms",
                     (json_int_t)row->received_at_ms, "issuer", row->issuer, "kind",
                     gk_cli_kind_name(row->kind), "number", row->masked_number, "picture", card->has_picture,
                     "proposed_by", card->proposed_by, "candidates", candidates);
}

struct gk_table *gk_difficult_table(void)
{
    static const char *const titles[] = {"RECEIVED", "REASON", "BOX",     "COMPARTMENT", "ISSUER",
                                         "NUMBER",   "LIKELY", "PICTURE", "CASE"};

    return gk_table_new(titles, sizeof titles / sizeof titles[0]);
}

void gk_difficult_table_add(struct gk_table *table, const guika_v1_DifficultCard *card)
{
    const guika_v1_FoundCardRow *row = &card->card;
    char received[32];
    char likely[64] = "";

    put_time(row->received_at_ms, received);
    if (card->candidates_count > 0 && row->masked_number[0] == '\0') {
        (void)snprintf(likely, sizeof likely, "%.32s %.0f%%", card->candidates[0].masked_number,
                       100 * card->candidates[0].probability);
    }
    const char *const cells[] = {
        received,     gk_cli_reason_name(row->reason),
        row->box_id,  row->compartment,
        row->issuer,  row->masked_number,
        likely,       card->has_picture ? "yes" : "",
        row->case_id,
    };

    gk_table_add(table, cells);
}

void gk_difficult_print(const guika_v1_DifficultCard *card)
{
    const guika_v1_FoundCardRow *row = &card->card;
    char received[32];

    put_time(row->received_at_ms, received);
    (void)printf("case         %s\nstate        %s\nreason       %s\nreceived     %s\n", row->case_id,
                 gk_cli_state_name(row->state), gk_cli_reason_name(row->reason), received);
    (void)printf("box          %s\ndeposit      %s\ncompartment  %s\n", row->box_id, row->deposit_id,
                 row->compartment);
    (void)printf("issuer       %s\nkind         %s\nnumber       %s\npicture      %s\n", row->issuer,
                 gk_cli_kind_name(row->kind), row->masked_number,
                 card->has_picture ? "kept, for a viewer: guika difficult picture" : "none");
    if (card->proposed_by[0] != '\0') {
        (void)printf("proposed by  %s; another operator has to type the same number\n", card->proposed_by);
    }
    for (pb_size_t i = 0; i < card->candidates_count; i++) {
        const guika_v1_DifficultCandidate *candidate = &card->candidates[i];

        (void)printf("%s%s  %5.1f%%  %s\n", i == 0 ? "candidates   " : "             ",
                     candidate->masked_number, 100 * candidate->probability,
                     candidate->issuer[0] == '\0' ? "no known issuer" : candidate->issuer);
    }
}
