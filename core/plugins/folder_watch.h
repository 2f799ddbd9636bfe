/*
 * Says when something may have changed in a folder: the kernel's notices (libuv's fs_event), and a look every
 * five seconds besides, because notices do not come over network file systems nor after the folder itself was
 * replaced. Changes close together are one. On the loop.
 */
#ifndef GUIKA_CORE_PLUGINS_FOLDER_WATCH_H
#define GUIKA_CORE_PLUGINS_FOLDER_WATCH_H

#include <uv.h>

struct gk_folder_watch;

/* `on_change` is called 150 ms after a notice, and every five seconds. Never NULL. */
struct gk_folder_watch *gk_folder_watch_open(uv_loop_t *loop, const char *folder,
                                             void (*on_change)(void *context), void *context);

/* Calls `on_change` soon. */
void gk_folder_watch_poke(struct gk_folder_watch *watch);

void gk_folder_watch_close(struct gk_folder_watch *watch, void (*on_closed)(void *context), void *context);

#endif
