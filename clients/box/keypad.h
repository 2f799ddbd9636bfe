/*
 * The simulated keypad: a named pipe; each line that is written into it is somebody who stands at the box.
 * Owns the pipe and the line that is not whole yet.
 */
#ifndef GUIKA_CLIENTS_BOX_KEYPAD_H
#define GUIKA_CLIENTS_BOX_KEYPAD_H

#include "rpc/status.h"

#include <stdbool.h>

#define GK_KEYPAD_LINE_SIZE 256 /* bytes with the terminator; longer lines are dropped */

struct gk_keypad;

/* Makes the pipe `path` (0600) where there is none. */
enum gk_status gk_keypad_open(const char *path, struct gk_keypad **ret_keypad, struct gk_error *error);
void gk_keypad_close(struct gk_keypad *keypad);

int gk_keypad_fd(const struct gk_keypad *keypad);

/* The next whole line, without its end; false where there is none yet. */
bool gk_keypad_next(struct gk_keypad *keypad, char ret_line[GK_KEYPAD_LINE_SIZE]);

#endif
