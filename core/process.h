/*
 * What the processes of the service have in common: where they find each other, and what a child does before
 * it touches anything from outside.
 */
#ifndef GUIKA_CORE_PROCESS_H
#define GUIKA_CORE_PROCESS_H

#include <limits.h>
#include <stdbool.h>

#define GK_CHILD_FD 3 /* a child's end of the socket pair to guikad */

/* The folder of the running program, without a slash at its end; "." where it cannot be known. */
void gk_process_directory(char ret_directory[PATH_MAX]);

/* No core dumps and no tracing by others: memory holds pictures and numbers. */
void gk_process_harden(void);

/* As gk_process_harden; and the process gets `death_signal` when guikad ends. Ctrl-C at the terminal and
 * broken pipes are ignored: guikad says when a child ends. False where GK_CHILD_FD is no stream socket: the
 * program was started by hand. */
bool gk_process_begin_child(int death_signal);

#endif
