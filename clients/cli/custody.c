/* guika found show, move, code, close: one found card and where it is. */
#include "clients/cli/custody.h"

#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/names.h"
#include "guika/v1/operator.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char show_help[] =
    "usage: guika found show CASE [--json]\n"
    "\n"
    "All that is known of one found card. CASE: its case number, as A1B2-C3D4, or the whole case id.\n"
    "\n" GK_CLI_COMMON_HELP;

static const char move_help[] = "usage: guika found move CASE compartment BOX COMPARTMENT\n"
                                "       guika found move CASE bin BOX COMPARTMENT\n"
                                "       guika found move CASE bag|depot|desk|issuer NAME\n"
                                "\n"
                                "Says that a card was carried to another place. Codes from before are void. "
                                "In a compartment or at a desk an\n"
                                "identified card is ready: its holder is told where it is, with a new code.\n"
                                "\n" GK_CLI_COMMON_HELP;

static const char code_help[] =
    "usage: guika found code CASE\n"
    "\n"
    "Sends the holder another pickup code, to the registered contact. Codes from before are void.\n"
    "\n" GK_CLI_COMMON_HELP;

static const char close_help[] = "usage: guika found close CASE returned|handed-over TO\n"
                                 "       guika found close CASE destroyed\n"
                                 "\n"
                                 "How an expired card, or a difficult one, left for good: returned to its "
                                 "issuer (expired ones alone), handed over\n"
                                 "to the police or a lost property office, or destroyed.\n"
                                 "\n" GK_CLI_COMMON_HELP;

static const char *const places[] = {"",      "finder", "slot",   "compartment", "bin",    "jammed",   "bag",
                                     "depot", "desk",   "issuer", "authority",   "holder", "destroyed"};

const char *gk_cli_place_name(guika_v1_PlaceKind kind)
{
    return kind < sizeof places / sizeof places[0] ? places[kind] : "?";
}

void gk_cli_local_time(int64_t at_ms, char ret_text[20])
{
    const time_t seconds = (time_t)(at_ms / 1000);
    struct tm local;

    ret_text[0] = '\0';
    if (at_ms != 0 && localtime_r(&seconds, &local) != NULL) {
        (void)strftime(ret_text, 20, "%Y-%m-%d %H:%M", &local);
    }
}

static void print_line(const char *what, const char *text)
{
    if (text[0] != '\0') {
        (void)printf("%-14s %s\n", what, text);
    }
}

static void print_time(const char *what, int64_t at_ms)
{
    char text[20];

    gk_cli_local_time(at_ms, text);
    print_line(what, text);
}

static void print_shown(const guika_v1_ShowCardResponse *shown)
{
    const guika_v1_FoundCardRow *card = &shown->card;
    char number[24];

    print_line("case", shown->case_number);
    print_line("state", gk_cli_state_name(card->state));
    print_line("reason", gk_cli_reason_name(card->reason));
    print_line("place", gk_cli_place_name(shown->place));
    print_line("", shown->uncertain ? "uncertain: an opening ended unseen, look whether it is there" : "");
    print_line("where", shown->location);
    print_line("compartment", card->compartment);
    print_line("", shown->open ? "open just now" : "");
    print_line("issuer", card->issuer);
    print_line("kind", gk_cli_kind_name(card->kind));
    print_line("number", card->masked_number);
    print_line("account", shown->issuer_account);
    print_line("found in", card->box_id);
    print_time("found", card->received_at_ms);
    print_line("holder told", card->notice_delivered ? "yes" : "no");
    if (shown->code_expires_at_ms != 0) {
        (void)snprintf(number, sizeof number, "issue %u", (unsigned)shown->issue);
        print_line("code", number);
        print_line("", shown->code_is_short ? "6 digits, with the last 4 digits of the holder's telephone"
                                            : "8 digits");
        print_time("  good until", shown->code_expires_at_ms);
        (void)snprintf(number, sizeof number, "%u", (unsigned)shown->failed_tries);
        print_line("  wrong tries", number);
        print_time("  waits until", shown->locked_until_ms);
    }
    print_time("reminder", shown->remind_at_ms);
    print_time("kept until", shown->expires_at_ms);
    print_time("closed", shown->closed_at_ms);
    print_time("forgotten", shown->erase_at_ms);
    print_line("case id", card->case_id);
}

static void print_json(const guika_v1_ShowCardResponse *shown)
{
    const guika_v1_FoundCardRow *card = &shown->card;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s, s:s, s:s, s:s, s:I, s:b, s:I, s:I, s:I, s:I, "
        "s:I, s:I, s:I}",
        "case", card->case_id, "case_number", shown->case_number, "state", gk_cli_state_name(card->state),
        "reason", gk_cli_reason_name(card->reason), "place", gk_cli_place_name(shown->place), "where",
        shown->location, "compartment", card->compartment, "uncertain", shown->uncertain, "open", shown->open,
        "issuer", card->issuer, "account", shown->issuer_account, "number", card->masked_number, "box",
        card->box_id, "issue", (json_int_t)shown->issue, "code_is_short", shown->code_is_short,
        "code_expires_at_ms", (json_int_t)shown->code_expires_at_ms, "failed_tries",
        (json_int_t)shown->failed_tries, "locked_until_ms", (json_int_t)shown->locked_until_ms,
        "remind_at_ms", (json_int_t)shown->remind_at_ms, "expires_at_ms", (json_int_t)shown->expires_at_ms,
        "closed_at_ms", (json_int_t)shown->closed_at_ms, "erase_at_ms", (json_int_t)shown->erase_at_ms);

    (void)json_dumpf(object, stdout, JSON_COMPACT);
    (void)putchar('\n');
    json_decref(object);
}

static int finish(struct gk_cli *cli, int exit_status, enum gk_status status, const struct gk_error *error)
{
    const int ended = gk_cli_end(cli, status, error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

int gk_cli_found_show(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    bool json = false;
    const struct gk_cli_option options[] = {{"json", NULL, &json}};
    guika_v1_ShowCardRequest request = {0};
    guika_v1_ShowCardResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "found show", show_help, argc, argv, options, 1, 1, 1);

    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "CASE", cli.arguments[0], request.case_number, sizeof request.case_number)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_show_card(cli.client, NULL, &request, &response, &error);
        if (status == GK_OK && json) {
            print_json(&response);
        } else if (status == GK_OK) {
            print_shown(&response);
        }
    }
    return finish(&cli, exit_status, status, &error);
}

/* Fills the move from the arguments; GK_CLI_GO_ON or 2. */
static int read_move(const struct gk_cli *cli, guika_v1_MoveCardRequest *request)
{
    const char *place = cli->arguments[1];
    bool in_box;

    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcasecmp(places[i], place) == 0) {
            request->place = (guika_v1_PlaceKind)i;
        }
    }
    in_box = request->place == guika_v1_PlaceKind_PLACE_KIND_COMPARTMENT ||
             request->place == guika_v1_PlaceKind_PLACE_KIND_BIN;
    if (!in_box && (request->place < guika_v1_PlaceKind_PLACE_KIND_BAG ||
                    request->place > guika_v1_PlaceKind_PLACE_KIND_ISSUER)) {
        return gk_cli_usage(
            cli, "a card is moved to compartment, bin, bag, depot, desk or issuer, not \"%.40s\"", place);
    }
    if (cli->argument_count != (in_box ? 4 : 3)) {
        return gk_cli_usage(cli, "needs %s", in_box ? "a box and a compartment" : "one name");
    }
    return gk_cli_copy(cli, "CASE", cli->arguments[0], request->case_number, sizeof request->case_number) &&
                   gk_cli_copy(cli, "NAME", cli->arguments[2], request->location, sizeof request->location) &&
                   gk_cli_copy(cli, "COMPARTMENT", in_box ? cli->arguments[3] : "", request->compartment,
                               sizeof request->compartment)
               ? GK_CLI_GO_ON
               : 2;
}

int gk_cli_found_move(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_MoveCardRequest request = {0};
    guika_v1_MoveCardResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "found move", move_help, argc, argv, NULL, 0, 3, 4);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = read_move(&cli, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_move_card(cli.client, NULL, &request, &response, &error);
    }
    return finish(&cli, exit_status, status, &error);
}

int gk_cli_found_code(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_ReissueCodeRequest request = {0};
    guika_v1_ReissueCodeResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "found code", code_help, argc, argv, NULL, 0, 1, 1);

    if (exit_status == GK_CLI_GO_ON &&
        !gk_cli_copy(&cli, "CASE", cli.arguments[0], request.case_number, sizeof request.case_number)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_reissue_code(cli.client, NULL, &request, &response, &error);
    }
    return finish(&cli, exit_status, status, &error);
}

static int read_close(const struct gk_cli *cli, guika_v1_CloseCardRequest *request)
{
    const char *state = cli->arguments[1];

    request->state = strcasecmp(state, "returned") == 0      ? guika_v1_CardState_CARD_STATE_RETURNED
                     : strcasecmp(state, "handed-over") == 0 ? guika_v1_CardState_CARD_STATE_HANDED_OVER
                     : strcasecmp(state, "destroyed") == 0   ? guika_v1_CardState_CARD_STATE_DESTROYED
                                                             : 0;
    if (request->state == 0) {
        return gk_cli_usage(cli, "a card is returned, handed-over or destroyed, not \"%.40s\"", state);
    }
    if ((cli->argument_count == 3) == (request->state == guika_v1_CardState_CARD_STATE_DESTROYED)) {
        return gk_cli_usage(cli, "needs to whom the card went, unless it was destroyed");
    }
    return gk_cli_copy(cli, "CASE", cli->arguments[0], request->case_number, sizeof request->case_number) &&
                   gk_cli_copy(cli, "TO", cli->argument_count == 3 ? cli->arguments[2] : "",
                               request->location, sizeof request->location)
               ? GK_CLI_GO_ON
               : 2;
}

int gk_cli_found_close(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_CloseCardRequest request = {0};
    guika_v1_CloseCardResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "found close", close_help, argc, argv, NULL, 0, 2, 3);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = read_close(&cli, &request);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_operator_service_close_card(cli.client, NULL, &request, &response, &error);
    }
    return finish(&cli, exit_status, status, &error);
}
