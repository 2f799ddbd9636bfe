/* guika box list: how the boxes are. */
#include "clients/cli/box_list.h"

#include "clients/cli/cli.h"
#include "clients/cli/custody.h"
#include "clients/cli/table.h"
#include "guika/v1/operator.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: guika box list [--json]\n"
    "\n"
    "The boxes, when each was last heard since the service began, and how full it is. STATE is one or more "
    "of\n"
    "  OK\n"
    "  NOT_HEARD        nothing since the service began, and it is not missed yet\n"
    "  SILENT           nothing for three of its reports\n"
    "  NORMAL_FULL, DIFFICULT_FULL\n"
    "                   no compartment of the zone is free\n"
    "GRANTS: cards that it may hand out while its line is down. SPOOLED: what it has still to tell.\n"
    "\n"
    "  --json               {\"boxes\":[{\"box\":..., \"state\":[...], ...}]}\n" GK_CLI_COMMON_HELP;

struct fill {
    unsigned long used, capacity;
};

static struct fill fill_of(const guika_v1_BoxRow *row, guika_v1_Zone zone)
{
    struct fill fill = {0, 0};

    for (size_t i = 0; i < row->zones_count; i++) {
        if (row->zones[i].zone == zone) {
            fill.used += row->zones[i].used;
            fill.capacity += row->zones[i].capacity;
        }
    }
    return fill;
}

/* The words of a box's state; returns how many, at most 3. */
static size_t states_of(const guika_v1_BoxRow *row, const char *ret_words[3])
{
    size_t count = 0;

    if (row->silent_since_ms != 0) {
        ret_words[count++] = "SILENT";
    }
    if (row->normal_full_since_ms != 0) {
        ret_words[count++] = "NORMAL_FULL";
    }
    if (row->difficult_full_since_ms != 0) {
        ret_words[count++] = "DIFFICULT_FULL";
    }
    if (count == 0) {
        ret_words[count++] = row->heard_at_ms == 0 ? "NOT_HEARD" : "OK";
    }
    return count;
}

static void add_json(json_t *boxes, const guika_v1_BoxRow *row)
{
    const struct fill normal = fill_of(row, guika_v1_Zone_ZONE_NORMAL);
    const struct fill difficult = fill_of(row, guika_v1_Zone_ZONE_DIFFICULT);
    const char *words[3];
    const size_t count = states_of(row, words);
    json_t *states = json_array();

    for (size_t i = 0; i < count; i++) {
        (void)json_array_append_new(states, json_string(words[i]));
    }
    (void)json_array_append_new(
        boxes, json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:[I,I], s:[I,I], s:I, s:I, s:s}", "box",
                         row->box_id, "state", states, "heard_at_ms", (json_int_t)row->heard_at_ms,
                         "silent_since_ms", (json_int_t)row->silent_since_ms, "normal_full_since_ms",
                         (json_int_t)row->normal_full_since_ms, "difficult_full_since_ms",
                         (json_int_t)row->difficult_full_since_ms, "normal", (json_int_t)normal.used,
                         (json_int_t)normal.capacity, "difficult", (json_int_t)difficult.used,
                         (json_int_t)difficult.capacity, "grants", (json_int_t)row->grants, "spooled",
                         (json_int_t)row->spooled, "software", row->software));
}

static void add_row(struct gk_table *table, const guika_v1_BoxRow *row)
{
    const struct fill normal = fill_of(row, guika_v1_Zone_ZONE_NORMAL);
    const struct fill difficult = fill_of(row, guika_v1_Zone_ZONE_DIFFICULT);
    const char *words[3];
    const size_t count = states_of(row, words);
    char states[64] = "", heard[20], normal_text[48], difficult_text[48], grants[16], spooled[16];

    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(states);

        (void)snprintf(states + length, sizeof states - length, "%s%s", i > 0 ? " " : "", words[i]);
    }
    gk_cli_local_time(row->heard_at_ms, heard);
    (void)snprintf(normal_text, sizeof normal_text, "%lu/%lu", normal.used, normal.capacity);
    (void)snprintf(difficult_text, sizeof difficult_text, "%lu/%lu", difficult.used, difficult.capacity);
    (void)snprintf(grants, sizeof grants, "%u", (unsigned)row->grants);
    (void)snprintf(spooled, sizeof spooled, "%u", (unsigned)row->spooled);
    const char *const cells[] = {row->box_id,    states, heard,   normal_text,
                                 difficult_text, grants, spooled, row->software};

    gk_table_add(table, cells);
}

/* All pages; desks send no reports and are left out. */
static enum gk_status fetch(struct gk_cli *cli, json_t *boxes, struct gk_table *table, struct gk_error *error)
{
    guika_v1_ListBoxesRequest request = {0};
    guika_v1_ListBoxesResponse *response = calloc(1, sizeof *response);
    enum gk_status status = GK_OK;

    if (response == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for a list");
    }

    for (bool more = true; status == GK_OK && more;) {
        memset(response, 0, sizeof *response);
        status = guika_v1_operator_service_list_boxes(cli->client, NULL, &request, response, error);
        for (size_t i = 0; status == GK_OK && i < response->boxes_count; i++) {
            memcpy(request.after_box_id, response->boxes[i].box_id, sizeof request.after_box_id);
            if (!response->boxes[i].is_desk) {
                add_json(boxes, &response->boxes[i]);
                add_row(table, &response->boxes[i]);
            }
        }
        more = response->more && response->boxes_count > 0;
    }
    free(response);
    return status;
}

int gk_cli_box_list(int argc, char **argv)
{
    static const char *const titles[] = {"BOX",       "STATE",  "HEARD",   "NORMAL",
                                         "DIFFICULT", "GRANTS", "SPOOLED", "SOFTWARE"};
    struct gk_cli cli;
    struct gk_error error = {0};
    bool as_json = false;
    const struct gk_cli_option options[] = {{"json", NULL, &as_json}};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "box list", help, argc, argv, options, 1, 0, 0);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        json_t *boxes = json_array();
        struct gk_table *table = gk_table_new(titles, sizeof titles / sizeof titles[0]);

        status = fetch(&cli, boxes, table, &error);
        if (status == GK_OK && as_json) {
            json_t *all = json_pack("{s:O}", "boxes", boxes);

            (void)json_dumpf(all, stdout, JSON_COMPACT);
            (void)putchar('\n');
            json_decref(all);
        } else if (status == GK_OK) {
            gk_table_print(table, stdout);
        }
        gk_table_free(table);
        json_decref(boxes);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
