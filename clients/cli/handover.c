/* guika found handover: the list of cards whose time is over, for an issuer or the police. */
#include "clients/cli/cli.h"
#include "clients/cli/custody.h"
#include "clients/cli/names.h"
#include "clients/cli/table.h"
#include "guika/v1/operator.rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: guika found handover [--issuer ACCOUNT] [--csv | --html]\n"
    "\n"
    "The cards whose retention is over, oldest first: what goes to the issuer, or to the police.\n"
    "Say with `guika found close` what became of each.\n"
    "\n"
    "  --issuer ACCOUNT     those of one issuer's account alone\n"
    "  --csv                comma-separated values (RFC 4180), with a line of titles\n"
    "  --html               a page to print and sign\n" GK_CLI_COMMON_HELP;

enum { COLUMNS = 10, PAGE = 100 };

static const char *const titles[COLUMNS] = {"CASE",     "KIND",  "ISSUER",  "NUMBER", "REASON",
                                            "FOUND IN", "FOUND", "EXPIRED", "PLACE",  "WHERE"};

/* Where a list goes. */
struct sheet {
    enum { SHEET_TABLE, SHEET_CSV, SHEET_HTML } kind;
    struct gk_table *table;
    size_t rows;
};

/* A cell that begins as a formula would is kept from being one. */
static void put_csv(const char *cell)
{
    (void)putchar('"');
    if (cell[0] != '\0' && strchr("=+-@", cell[0]) != NULL) {
        (void)putchar('\'');
    }
    for (; *cell != '\0'; cell++) {
        if (*cell == '"') {
            (void)putchar('"');
        }
        (void)putchar(*cell);
    }
    (void)putchar('"');
}

static void put_html(const char *cell)
{
    for (; *cell != '\0'; cell++) {
        switch (*cell) {
        case '&':
            (void)fputs("&amp;", stdout);
            break;
        case '<':
            (void)fputs("&lt;", stdout);
            break;
        case '>':
            (void)fputs("&gt;", stdout);
            break;
        default:
            (void)putchar(*cell);
        }
    }
}

static void put_row(struct sheet *sheet, const char *const *cells, const char *tag)
{
    if (sheet->kind == SHEET_TABLE) {
        gk_table_add(sheet->table, cells);
        return;
    }
    (void)fputs(sheet->kind == SHEET_HTML ? "<tr>" : "", stdout);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (sheet->kind == SHEET_HTML) {
            (void)printf("<%s>", tag);
            put_html(cells[i]);
            (void)printf("</%s>", tag);
        } else {
            (void)fputs(i == 0 ? "" : ",", stdout);
            put_csv(cells[i]);
        }
    }
    (void)fputs(sheet->kind == SHEET_HTML ? "</tr>\n" : "\r\n", stdout);
}

static void begin_sheet(struct sheet *sheet)
{
    if (sheet->kind == SHEET_TABLE) {
        sheet->table = gk_table_new(titles, COLUMNS);
        return;
    }
    if (sheet->kind == SHEET_HTML) {
        (void)fputs("<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Found cards to hand "
                    "over</title>\n"
                    "<style>body{font:11pt sans-serif;margin:2em}table{border-collapse:collapse;width:100%}"
                    "th,td{border:1px solid #888;padding:.3em .5em;text-align:left}tr{break-inside:avoid}"
                    "thead{display:table-header-group}.sign{margin-top:3em}</style>\n"
                    "<h1>Found cards to hand over</h1>\n<table>\n<thead>",
                    stdout);
    }
    put_row(sheet, titles, "th");
    (void)fputs(sheet->kind == SHEET_HTML ? "</thead>\n" : "", stdout);
}

static void end_sheet(struct sheet *sheet)
{
    if (sheet->kind == SHEET_TABLE) {
        gk_table_print(sheet->table, stdout);
        gk_table_free(sheet->table);
    } else if (sheet->kind == SHEET_HTML) {
        (void)printf("</table>\n<p>%zu cards.</p>\n<p class=\"sign\">Handed over: ______________________ "
                     "&nbsp; Received: ______________________ &nbsp; Date: ______________</p>\n</html>\n",
                     sheet->rows);
    }
}

static void put_card(struct sheet *sheet, const guika_v1_HandOverRow *card)
{
    char number[10];
    char found[20];
    char expired[20];
    char where[70];

    (void)snprintf(number, sizeof number, "%.4s-%.4s", card->case_id, card->case_id + 4);
    for (char *digit = number; *digit != '\0'; digit++) {
        *digit = (char)(*digit >= 'a' && *digit <= 'f' ? *digit - 'a' + 'A' : *digit);
    }
    gk_cli_local_time(card->received_at_ms, found);
    gk_cli_local_time(card->expired_at_ms, expired);
    (void)snprintf(where, sizeof where, "%s%s%s", card->location, card->compartment[0] == '\0' ? "" : " ",
                   card->compartment);
    const char *const cells[COLUMNS] = {number,
                                        gk_cli_kind_name(card->kind),
                                        card->issuer,
                                        card->masked_number,
                                        gk_cli_reason_name(card->reason),
                                        card->found_in,
                                        found,
                                        expired,
                                        gk_cli_place_name(card->place),
                                        where};

    put_row(sheet, cells, "td");
    sheet->rows++;
}

/* All pages of the list. Nothing is printed before the first has come. */
static enum gk_status print_list(struct gk_cli *cli, guika_v1_ListHandOverRequest *request,
                                 struct sheet *sheet, struct gk_error *error)
{
    guika_v1_ListHandOverResponse *response = calloc(1, sizeof *response);
    enum gk_status status =
        response == NULL ? gk_error_set(error, GK_INTERNAL, "no memory for a list") : GK_OK;
    bool begun = false;

    while (status == GK_OK) {
        status = guika_v1_operator_service_list_hand_over(cli->client, NULL, request, response, error);
        if (status != GK_OK) {
            break;
        }
        if (!begun) {
            begin_sheet(sheet);
            begun = true;
        }
        for (pb_size_t i = 0; i < response->cards_count; i++) {
            put_card(sheet, &response->cards[i]);
        }
        memcpy(request->page_token, response->next_page_token, sizeof request->page_token);
        if (request->page_token[0] == '\0') {
            break;
        }
    }
    if (begun) {
        end_sheet(sheet);
    }
    free(response);
    return status;
}

int gk_cli_found_handover(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *issuer = NULL;
    bool csv = false, html = false;
    const struct gk_cli_option options[] = {
        {"issuer", &issuer, NULL}, {"csv", NULL, &csv}, {"html", NULL, &html}};
    guika_v1_ListHandOverRequest request = {.limit = PAGE};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "found handover", help, argc, argv, options, 3, 0, 0);

    if (exit_status == GK_CLI_GO_ON && csv && html) {
        exit_status = gk_cli_usage(&cli, "takes --csv or --html, not both");
    }
    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "--issuer", issuer, request.issuer_account, sizeof request.issuer_account)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        struct sheet sheet = {.kind = csv ? SHEET_CSV : html ? SHEET_HTML : SHEET_TABLE};

        status = print_list(&cli, &request, &sheet, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
