/* guika check: a holder asks after a card. What they ask by comes from standard input, because arguments can
 * be seen by everybody on the machine; the answer is the same sentence whatever it is. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/holder.rpc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] = "usage: guika check [--box ID] [--number-stdin] < FILE\n"
                           "\n"
                           "Has my card been found? Reads from standard input the telephone number or e-mail "
                           "address that the card is\n"
                           "registered with, or the card's number; spaces and dashes do not matter. The "
                           "answer is the same for all: the\n"
                           "truth goes to the registered contact, in one message a day at most.\n"
                           "\n"
                           "  --box ID             tell of a card in this box before others\n"
                           "  --number-stdin       do not ask, also on a terminal\n" GK_CLI_COMMON_HELP;

static const char sentence[] =
    "Your enquiry is taken. If this card is registered, its registered contact is told what is known.";

/* Reads the number; false where there is none or it is too long. */
static bool read_number(bool ask, char *ret_number, size_t size)
{
    if (ask && isatty(STDIN_FILENO)) {
        (void)fputs("Telephone number, e-mail address or card number: ", stderr);
    }
    if (fgets(ret_number, (int)size, stdin) == NULL) {
        return false;
    }
    const size_t length = strcspn(ret_number, "\r\n");
    const bool whole = ret_number[length] != '\0' || feof(stdin);

    ret_number[length] = '\0';
    return whole && length > 0;
}

/* What begins with a + or has an @ is a contact. A bare number may be a card's or a telephone's: the service
 * asks by both. */
static bool fill(const struct gk_cli *cli, const char *asked, const char *box,
                 guika_v1_CheckStatusRequest *request)
{
    const bool is_contact = asked[0] == '+' || strchr(asked, '@') != NULL;

    return gk_cli_copy(cli, "--box", box, request->box_id, sizeof request->box_id) &&
           (is_contact ? gk_cli_copy(cli, "the contact", asked, request->contact, sizeof request->contact)
                       : gk_cli_copy(cli, "the number", asked, request->number, sizeof request->number));
}

int gk_cli_check(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    bool number_stdin = false;
    const char *box = NULL;
    char asked[sizeof((guika_v1_CheckStatusRequest *)NULL)->contact];
    const struct gk_cli_option options[] = {{"number-stdin", NULL, &number_stdin}, {"box", &box, NULL}};
    guika_v1_CheckStatusRequest request = {0};
    guika_v1_CheckStatusResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "check", help, argc, argv, options, 2, 0, 0);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, false);
    }
    if (exit_status == GK_CLI_GO_ON && !read_number(!number_stdin, asked, sizeof asked)) {
        exit_status = gk_cli_usage(&cli, "standard input gives nothing to ask by, of 1 to %zu characters",
                                   sizeof asked - 2);
    }
    if (exit_status == GK_CLI_GO_ON && !fill(&cli, asked, box, &request)) {
        exit_status = 2;
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_holder_service_check_status(cli.client, NULL, &request, &response, &error);
        if (status == GK_OK) {
            (void)puts(sentence);
        }
    }
    explicit_bzero(asked, sizeof asked);
    explicit_bzero(&request, sizeof request);
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
