/*
 * The courier's work: its channels, and one notice after the other from the core to a channel.
 *
 * Owns: the channel instances. One thread.
 */
#ifndef GUIKA_CORE_NOTIFICATION_COURIER_H
#define GUIKA_CORE_NOTIFICATION_COURIER_H

#include "core/host/plugin_loader.h"
#include "core/log.h"
#include "rpc/client.h"
#include "rpc/status.h"

#include <signal.h>

/* What a channel plugin is; checks that its operations are there. [any] */
const struct gk_plugin_kind *gk_courier_plugin_kind(void);

struct gk_courier;

/* Tells the core which plugins there are and opens an instance for each channel that it has settings for. A
 * channel that does not open is logged and its notices are put off. `client`, `log` and `plugins` are
 * borrowed. Errors: the core's. [worker] */
enum gk_status gk_courier_open(struct gk_rpc_client *client, const struct gk_log *log,
                               struct gk_plugin *const *plugins, size_t plugin_count,
                               struct gk_courier **ret_courier, struct gk_error *error);
void gk_courier_close(struct gk_courier *courier);

/* Waits for one notice, delivers it and says what became of it. Nothing due is GK_OK. `*delivering` is 1 from
 * the lease to the answer. Errors: the core's. [worker] */
enum gk_status gk_courier_step(struct gk_courier *courier, volatile sig_atomic_t *delivering,
                               struct gk_error *error);

#endif
