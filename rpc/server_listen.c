/*
 * Where the server listens, and what it refuses to listen on.
 */
#include "rpc/server_internal.h"

#include <arpa/inet.h>
#include <nng/supplemental/tls/tls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PEM_MAX_BYTES = 1 << 20 }; /* far above any certificate chain */

static bool has_scheme(const nng_url *url, const char *scheme)
{
    return strcmp(url->u_scheme, scheme) == 0;
}

/* An ipc listener of NNG 1.5 is dead after a few connections that are closed at once, so nobody but our own
 * user may reach it. */
static enum gk_status check_ipc(const nng_url *url, struct gk_error *error)
{
    char folder[4096];
    struct stat facts;
    const char *slash = strrchr(url->u_path, '/');

    if (slash == NULL || (size_t)(slash - url->u_path) >= sizeof folder) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "\"%s\" needs an absolute path", url->u_rawurl);
    }
    (void)snprintf(folder, sizeof folder, "%.*s/", (int)(slash - url->u_path), url->u_path);
    if (stat(folder, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        return gk_error_set(error, GK_NOT_FOUND, "there is no folder %s for \"%s\"", folder, url->u_rawurl);
    }
    if ((facts.st_mode & 077) != 0 || facts.st_uid != geteuid()) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "%s must belong to this user and have mode 0700, it has %04o", folder,
                            (unsigned)(facts.st_mode & 07777));
    }
    return GK_OK;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == 127;
    }
    if (inet_pton(AF_INET6, host, &v6) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&v6);
    }
    return strcmp(host, "localhost") == 0;
}

static enum gk_status check_url(const struct gk_rpc_server *server, const nng_url *url,
                                const struct gk_rpc_tls *tls, struct gk_error *error)
{
    const bool web = has_scheme(url, "ws") || has_scheme(url, "wss");

    if (has_scheme(url, "ipc")) {
        return check_ipc(url, error);
    }
    if (has_scheme(url, "tls+tcp") || has_scheme(url, "wss")) {
        if (tls == NULL || tls->certificate_file == NULL || tls->key_file == NULL) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "\"%s\" needs a certificate and a key",
                                url->u_rawurl);
        }
    } else if (!has_scheme(url, "tcp") && !has_scheme(url, "ws")) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "\"%s\" must begin with ipc, tcp, tls+tcp, ws or wss",
                            url->u_rawurl);
    } else if (!server->front->options.allow_plain_remote && !is_loopback(url->u_hostname)) {
        return gk_error_set(error, GK_PERMISSION_DENIED,
                            "\"%s\" is not encrypted and may listen on the loopback interface only; use "
                            "tls+tcp or wss, or allow plain connections",
                            url->u_rawurl);
    }
    if (web && strcmp(url->u_port, "0") == 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "\"%s\" needs a port", url->u_rawurl);
    }
    return GK_OK;
}

/* The whole file as a terminated text; the caller's to free. */
static enum gk_status read_pem(const char *path, char **ret_text, struct gk_error *error)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(PEM_MAX_BYTES + 1);
    size_t size = 0;

    if (file != NULL && text != NULL) {
        size = fread(text, 1, PEM_MAX_BYTES + 1, file);
    }
    if (file != NULL) {
        fclose(file);
    }
    if (size == 0 || size > PEM_MAX_BYTES) {
        free(text);
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "cannot read %s: it must be a PEM file of 1 to %d bytes", path, PEM_MAX_BYTES);
    }
    text[size] = '\0';
    *ret_text = text;
    return GK_OK;
}

/* Keys do not stay in freed memory. */
static void free_pem(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

static enum gk_status use_certificate(nng_listener listener, const char *certificate, const char *key,
                                      const struct gk_rpc_tls *tls, struct gk_error *error)
{
    nng_tls_config *config;
    int code = nng_tls_config_alloc(&config, NNG_TLS_MODE_SERVER);

    if (code != 0) {
        return gk_error_set(error, GK_INTERNAL, "TLS: %s", nng_strerror(code));
    }
    code = nng_tls_config_own_cert(config, certificate, key, NULL);
    code = code != 0 ? code : nng_listener_set_ptr(listener, NNG_OPT_TLS_CONFIG, config);
    nng_tls_config_free(config);
    return code == 0 ? GK_OK
                     : gk_error_set(error, GK_INVALID_ARGUMENT, "cannot use %s with %s: %s",
                                    tls->certificate_file, tls->key_file, nng_strerror(code));
}

static enum gk_status use_tls(nng_listener listener, const struct gk_rpc_tls *tls, struct gk_error *error)
{
    char *certificate = NULL;
    char *key = NULL;
    enum gk_status status = read_pem(tls->certificate_file, &certificate, error);

    if (status == GK_OK) {
        status = read_pem(tls->key_file, &key, error);
    }
    if (status == GK_OK) {
        status = use_certificate(listener, certificate, key, tls, error);
    }
    free_pem(certificate);
    free_pem(key);
    return status;
}

/* The URL with the port that was really bound; the caller's to free. */
static char *bound_url(nng_listener listener, const nng_url *url)
{
    char *text = NULL;
    char *copy = NULL;
    int port = 0;

    if (nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0 && strcmp(url->u_port, "0") == 0) {
        const char *bracket = strchr(url->u_hostname, ':') != NULL ? "[" : "";

        return asprintf(&text, "%s://%s%s%s:%d", url->u_scheme, bracket, url->u_hostname,
                        bracket[0] != '\0' ? "]" : "", port) > 0
                   ? text
                   : NULL;
    }
    copy = strdup(url->u_rawurl);
    return copy;
}

static enum gk_status remember_url(struct gk_rpc_server *server, nng_listener listener, const nng_url *url,
                                   struct gk_error *error)
{
    char **urls = realloc(server->urls, (server->url_count + 1) * sizeof *urls);

    if (urls != NULL) {
        server->urls = urls;
        urls[server->url_count] = bound_url(listener, url);
    }
    if (urls == NULL || urls[server->url_count] == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for \"%s\"", url->u_rawurl);
    }
    server->url_count++;
    return GK_OK;
}

static enum gk_status listen_at(struct gk_rpc_server *server, const nng_url *url,
                                const struct gk_rpc_tls *tls, struct gk_error *error)
{
    nng_listener listener;
    enum gk_status status = GK_OK;
    int code = nng_listener_create(&listener, server->front->socket, url->u_rawurl);

    if (code != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "cannot listen at \"%s\": %s", url->u_rawurl,
                            nng_strerror(code));
    }
    if (has_scheme(url, "tls+tcp") || has_scheme(url, "wss")) {
        status = use_tls(listener, tls, error);
    }
    if (status == GK_OK) {
        code = nng_listener_set_size(listener, NNG_OPT_RECVMAXSZ, server->front->options.max_message_bytes);
        code = code != 0 ? code : nng_listener_start(listener, 0);
        if (code != 0) {
            status = gk_error_set(error, GK_UNAVAILABLE, "cannot listen at \"%s\": %s", url->u_rawurl,
                                  nng_strerror(code));
        }
    }
    if (status == GK_OK) {
        status = remember_url(server, listener, url, error);
    }
    if (status != GK_OK) {
        nng_listener_close(listener);
    }
    return status;
}

enum gk_status gk_rpc_server_listen(struct gk_rpc_server *server, const char *url,
                                    const struct gk_rpc_tls *tls, struct gk_error *error)
{
    nng_url *parsed;
    const int code = nng_url_parse(&parsed, url);

    if (code != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "\"%s\" is no URL to listen at", url);
    }
    enum gk_status status = check_url(server, parsed, tls, error);

    if (status == GK_OK) {
        status = listen_at(server, parsed, tls, error);
    }
    nng_url_free(parsed);
    return status;
}

const char *gk_rpc_server_url(const struct gk_rpc_server *server, size_t index)
{
    return index < server->url_count ? server->urls[index] : NULL;
}
