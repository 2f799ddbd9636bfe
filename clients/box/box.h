/*
 * A simulated recovery box: the way of one card through it, its heartbeat, its spool. READ FIRST:
 * gk_box_take_card.
 *
 * Owns the client library's handle, the camera, the compartments and the box's random prefix. Every event is
 * one line on standard output. The words for the finder are the same for every card that is kept. One thread.
 */
#ifndef GUIKA_CLIENTS_BOX_BOX_H
#define GUIKA_CLIENTS_BOX_BOX_H

#include "clients/cli/settings.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>

struct gk_box;

/* `settings` must name server, token file, camera and spool. */
enum gk_status gk_box_open(const struct gk_settings *settings, bool quiet, struct gk_box **ret_box,
                           struct gk_error *error);
void gk_box_close(struct gk_box *box);

/* Readable when the camera may have seen a card. */
int gk_box_camera_fd(const struct gk_box *box);
void gk_box_camera_settle(struct gk_box *box);

/* Takes the next card that the camera sees through the box. NOT_FOUND: none there. UNAVAILABLE: the card is
 * in the box, but where it lies can neither be said nor spooled now; its pictures stay, try again later.
 * INTERNAL: the box must stop. */
enum gk_status gk_box_take_card(struct gk_box *box, struct gk_error *error);

/* Readable when somebody has typed; -1 where the box has no keypad. */
int gk_box_keypad_fd(const struct gk_box *box);

/* Serves those who have typed something: holders and staff. INTERNAL: the box must stop. */
enum gk_status gk_box_serve_keypad(struct gk_box *box, struct gk_error *error);

/* Says that the box is alive; returns whether the service answered. `ret_interval_ms`: until the next one. */
bool gk_box_beat(struct gk_box *box, unsigned *ret_interval_ms);

/* Sends the spool's oldest entry; returns whether to go on with the next. */
bool gk_box_replay(struct gk_box *box);

size_t gk_box_spooled(const struct gk_box *box);

/* Cards that the service refused and events that a person must look at, since the start. */
size_t gk_box_troubles(const struct gk_box *box);

#endif
