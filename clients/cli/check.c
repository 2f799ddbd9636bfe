/* guika check: a holder asks after a card. The number comes from standard input, because arguments can be
 * seen by everybody on the machine; the answer is the same sentence whatever the card. */
#include "clients/cli/cli.h"
#include "clients/cli/commands.h"
#include "guika/v1/holder.rpc.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: guika check [--number-stdin] < FILE\n"
    "\n"
    "Has my card been found? Reads the number from standard input; spaces and dashes do not matter. The "
    "answer is the\n"
    "same for every card: the truth goes to the card's registered contact.\n"
    "\n"
    "  --number-stdin       do not ask for the number, also on a terminal\n" GK_CLI_COMMON_HELP;

static const char sentence[] =
    "Your enquiry is taken. If this card is registered, its registered contact is told what is known.";

/* Reads the number; false where there is none or it is too long. */
static bool read_number(bool ask, char *ret_number, size_t size)
{
    if (ask && isatty(STDIN_FILENO)) {
        (void)fputs("Card number: ", stderr);
    }
    if (fgets(ret_number, (int)size, stdin) == NULL) {
        return false;
    }
    const size_t length = strcspn(ret_number, "\r\n");
    const bool whole = ret_number[length] != '\0' || feof(stdin);

    ret_number[length] = '\0';
    return whole && length > 0;
}

int gk_cli_check(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    bool number_stdin = false;
    const struct gk_cli_option options[] = {{"number-stdin", NULL, &number_stdin}};
    guika_v1_CheckStatusRequest request = {0};
    guika_v1_CheckStatusResponse response = {0};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin(&cli, "check", help, argc, argv, options, 1, 0, 0);

    if (exit_status == GK_CLI_GO_ON) {
        exit_status = gk_cli_connect(&cli, false);
    }
    if (exit_status == GK_CLI_GO_ON && !read_number(!number_stdin, request.number, sizeof request.number)) {
        exit_status = gk_cli_usage(&cli, "standard input gives no number of 1 to %zu characters",
                                   sizeof request.number - 2);
    }
    if (exit_status == GK_CLI_GO_ON) {
        status = guika_v1_holder_service_check_status(cli.client, NULL, &request, &response, &error);
        if (status == GK_OK) {
            (void)puts(sentence);
        }
    }
    explicit_bzero(request.number, sizeof request.number);
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
