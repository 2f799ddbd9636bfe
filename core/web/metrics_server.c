/*
 * NNG's HTTP server with one page. A page is made on the thread of NNG's that received the request: a short
 * scan of counters, one page at a time. The handler's data belongs to NNG, which frees it when nothing can
 * call it any more; closing marks it, so that what is still under way finds no source.
 */
#include "core/memory.h"
#include "core/web/metrics.h"

#include <nng/nng.h>
#include <nng/supplemental/http/http.h>
#include <pthread.h>
#include <string.h>

struct page {
    pthread_mutex_t lock;
    bool closed;
    struct gk_metrics_source source;
};

struct gk_metrics_server {
    nng_http_server *http;
    struct page *page; /* the handler's */
};

static void free_page(void *data)
{
    struct page *page = data;

    (void)pthread_mutex_destroy(&page->lock);
    free(page);
}

static uint16_t write_page(struct page *page, char **ret_text, size_t *ret_size)
{
    uint16_t code = NNG_HTTP_STATUS_SERVICE_UNAVAILABLE;

    (void)pthread_mutex_lock(&page->lock);
    if (!page->closed && gk_metrics_write(&page->source, ret_text, ret_size, NULL) == GK_OK) {
        code = NNG_HTTP_STATUS_OK;
    }
    (void)pthread_mutex_unlock(&page->lock);
    return code;
}

/* [nng] */
static void on_request(nng_aio *aio)
{
    struct page *page = nng_http_handler_get_data(nng_aio_get_input(aio, 1));
    nng_http_res *response = NULL;
    char *text = NULL;
    size_t size = 0;
    const uint16_t code = write_page(page, &text, &size);
    int failed = code == NNG_HTTP_STATUS_OK ? nng_http_res_alloc(&response)
                                            : nng_http_res_alloc_error(&response, code);

    if (failed == 0 && code == NNG_HTTP_STATUS_OK) {
        failed = nng_http_res_copy_data(response, text, size);
    }
    if (failed == 0 && code == NNG_HTTP_STATUS_OK) {
        failed =
            nng_http_res_set_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    }
    free(text);
    if (failed != 0) {
        nng_http_res_free(response);
        nng_aio_finish(aio, failed);
        return;
    }
    (void)nng_aio_set_output(aio, 0, response);
    nng_aio_finish(aio, 0);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static enum gk_status check_url(const char *text, bool allow_remote, nng_url **ret_url,
                                struct gk_error *error)
{
    nng_url *url = NULL;

    if (nng_url_parse(&url, text) != 0 || strcmp(url->u_scheme, "http") != 0 || url->u_port[0] == '\0') {
        nng_url_free(url);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "metrics must be http://HOST:PORT, not \"%.60s\"",
                            text);
    }
    if (!allow_remote && !is_loopback(url->u_hostname)) {
        const enum gk_status status =
            gk_error_set(error, GK_PERMISSION_DENIED,
                         "metrics would listen beyond loopback in clear: use http://127.0.0.1:%s, or set "
                         "plain_remote = true",
                         url->u_port);

        nng_url_free(url);
        return status;
    }
    *ret_url = url;
    return GK_OK;
}

static struct page *make_page(const struct gk_metrics_source *source)
{
    struct page *page = gk_allocate(sizeof *page);

    (void)pthread_mutex_init(&page->lock, NULL);
    page->source = *source;
    return page;
}

/* Serves `page`, which is the handler's from here on, whatever is returned. */
static int serve(nng_http_server *http, struct page *page)
{
    nng_http_handler *handler = NULL;
    int failed = nng_http_handler_alloc(&handler, "/metrics", on_request);

    if (failed != 0) {
        free_page(page);
        return failed;
    }
    failed = nng_http_handler_set_data(handler, page, free_page);
    if (failed == 0) {
        failed = nng_http_handler_set_method(handler, "GET");
    }
    if (failed == 0) {
        failed = nng_http_server_add_handler(http, handler);
    }
    if (failed != 0) {
        nng_http_handler_free(handler);
        return failed;
    }
    return nng_http_server_start(http);
}

enum gk_status gk_metrics_server_open(const char *url, bool allow_remote,
                                      const struct gk_metrics_source *source,
                                      struct gk_metrics_server **ret_server, struct gk_error *error)
{
    nng_url *parsed = NULL;
    nng_http_server *http = NULL;
    const enum gk_status status = check_url(url, allow_remote, &parsed, error);

    if (status != GK_OK) {
        return status;
    }
    struct page *page = NULL;
    int failed = nng_http_server_hold(&http, parsed);

    nng_url_free(parsed);
    if (failed == 0) {
        page = make_page(source);
        failed = serve(http, page);
    }
    if (failed != 0) {
        if (http != NULL) {
            nng_http_server_release(http);
        }
        return gk_error_set(error, GK_UNAVAILABLE, "cannot serve metrics at %.60s: %s", url,
                            nng_strerror(failed));
    }
    struct gk_metrics_server *server = gk_allocate(sizeof *server);

    *server = (struct gk_metrics_server){http, page};
    *ret_server = server;
    return GK_OK;
}

void gk_metrics_server_close(struct gk_metrics_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&server->page->lock);
    server->page->closed = true;
    (void)pthread_mutex_unlock(&server->page->lock);
    nng_http_server_stop(server->http);
    nng_http_server_release(server->http);
    free(server);
}
