#include "clients/cli/number.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 130 };

enum gk_status gk_cli_read_number(char *ret_number, size_t size, struct gk_error *error)
{
    char line[LINE_SIZE];

    if (isatty(STDIN_FILENO)) {
        (void)fputs("Card number: ", stderr);
    }
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    if (fgets(line, sizeof line, stdin) == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "standard input holds no number");
    }
    line[strcspn(line, "\r\n")] = '\0';
    const size_t length = strlen(line);

    if (length > 0 && length < size) {
        memcpy(ret_number, line, length + 1);
    }
    explicit_bzero(line, sizeof line);
    if (length == 0 || length >= size) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a number has 1 to %zu characters", size - 1);
    }
    return GK_OK;
}
