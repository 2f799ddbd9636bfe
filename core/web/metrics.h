/*
 * The service's figures as a Prometheus page (text format 0.0.4). Labels are boxes, plugin ids and names of
 * the schema's enums; nothing in it is personal.
 */
#ifndef GUIKA_CORE_WEB_METRICS_H
#define GUIKA_CORE_WEB_METRICS_H

#include "core/store/store.h"

#include <stdbool.h>

/* What a page is made of; borrowed. */
struct gk_metrics_source {
    struct gk_store *store;
    uint64_t (*registered_cards)(void *context); /* [any] */
    void *context;
};

/* Writes a page; the caller frees `*ret_text`. [worker] */
enum gk_status gk_metrics_write(const struct gk_metrics_source *source, char **ret_text, size_t *ret_size,
                                struct gk_error *error);

/* Serves it at http://HOST:PORT/metrics. */
struct gk_metrics_server;

/* `url` is http://HOST:PORT; beyond loopback only with `allow_remote`, because nothing encrypts it.
 * INVALID_ARGUMENT, PERMISSION_DENIED (not loopback), UNAVAILABLE (the port is taken). [loop] */
enum gk_status gk_metrics_server_open(const char *url, bool allow_remote,
                                      const struct gk_metrics_source *source,
                                      struct gk_metrics_server **ret_server, struct gk_error *error);

/* After this nothing of the source is touched. NULL is no error. [loop] */
void gk_metrics_server_close(struct gk_metrics_server *server);

#endif
