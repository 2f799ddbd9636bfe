/*
 * guikad at work: makes the parts, ties them together, runs the loop, and takes them apart in order.
 */
#ifndef GUIKA_CORE_DAEMON_H
#define GUIKA_CORE_DAEMON_H

#include "core/configuration.h"
#include "core/log.h"

/* Runs the service until SIGTERM or SIGINT. What was acknowledged is finished before it returns. `log` and
 * `configuration` are borrowed. */
enum gk_status gk_daemon_run(const struct gk_configuration *configuration, const struct gk_log *log,
                             struct gk_error *error);

#endif
