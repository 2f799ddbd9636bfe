/* guika holder export, guika holder forget: what is known of one holder, and having them forgotten. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "clients/cli/names.h"
#include "guika/v1/admin.rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: guika holder export ISSUER HOLDER\n"
    "       guika holder forget ISSUER HOLDER\n"
    "\n"
    "ISSUER is an issuer's account, HOLDER the issuer's own name of a holder.\n"
    "\n"
    "  export   prints all that is known of the holder, as JSON; audited\n"
    "  forget   lists, cases and notices name the holder no more; an import that does brings them back\n"
    "\n" GK_CLI_COMMON_HELP;

static void print_export(const guika_v1_ExportHolderResponse *response)
{
    json_t *contacts = json_array();
    json_t *cases = json_array();

    for (pb_size_t i = 0; i < response->contacts_count; i++) {
        (void)json_array_append_new(contacts, json_string(response->contacts[i]));
    }
    for (pb_size_t i = 0; i < response->cases_count; i++) {
        const guika_v1_FoundCardRow *row = &response->cases[i];

        (void)json_array_append_new(cases, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:b}", "case",
                                                     row->case_id, "state", gk_cli_state_name(row->state),
                                                     "box", row->box_id, "compartment", row->compartment,
                                                     "received_at_ms", (json_int_t)row->received_at_ms,
                                                     "issuer", row->issuer, "number", row->masked_number,
                                                     "notice_delivered", row->notice_delivered));
    }
    json_t *object = json_pack("{s:s, s:s, s:o, s:I, s:I, s:o}", "name", response->name, "language",
                               response->language, "contacts", contacts, "cards", (json_int_t)response->cards,
                               "cancelled_cards", (json_int_t)response->cancelled_cards, "cases", cases);

    (void)json_dumpf(object, stdout, JSON_INDENT(2));
    (void)putchar('\n');
    json_decref(object);
}

static enum gk_status run(struct gk_cli *cli, bool forget, const guika_v1_HolderRequest *request,
                          struct gk_error *error)
{
    guika_v1_ExportHolderResponse exported = {0};
    guika_v1_ForgetHolderResponse forgotten = {0};
    enum gk_status status;

    if (forget) {
        status = guika_v1_admin_service_forget_holder(cli->client, NULL, request, &forgotten, error);
        if (status == GK_OK) {
            (void)printf("forgotten: %u rows of lists, %u cases, %u notices\n", (unsigned)forgotten.cards,
                         (unsigned)forgotten.cases, (unsigned)forgotten.notices);
        }
        return status;
    }
    status = guika_v1_admin_service_export_holder(cli->client, NULL, request, &exported, error);
    if (status == GK_OK) {
        print_export(&exported);
    }
    return status;
}

int gk_cli_holder_rights(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    guika_v1_HolderRequest request = {0};
    enum gk_status status = GK_OK;
    bool forget = false;
    int exit_status = gk_cli_begin(&cli, "holder", help, argc, argv, NULL, 0, 3, 3);

    if (exit_status == GK_CLI_GO_ON) {
        forget = strcmp(cli.arguments[0], "forget") == 0;
        if (!forget && strcmp(cli.arguments[0], "export") != 0) {
            exit_status =
                gk_cli_usage(&cli, "knows \"export\" and \"forget\", not \"%.40s\"", cli.arguments[0]);
        } else if (!gk_cli_copy(&cli, "ISSUER", cli.arguments[1], request.issuer_id,
                                sizeof request.issuer_id) ||
                   !gk_cli_copy(&cli, "HOLDER", cli.arguments[2], request.holder_id,
                                sizeof request.holder_id)) {
            exit_status = 2;
        }
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, true);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = run(&cli, forget, &request, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
