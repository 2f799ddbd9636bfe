/*
 * guika-courier: delivers notices through channel plugins. guikad starts it and speaks to it over the socket
 * that it inherits; a channel that hangs or breaks takes a courier with it, never the service.
 */
#include "core/child.h"
#include "core/notification/courier.h"
#include "core/process.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_US 250000
#define MOST_FAILURES 40 /* in a row, ten seconds of pauses; then the supervisor starts another courier */

static volatile sig_atomic_t delivering;
static volatile sig_atomic_t stopping;

static void on_terminate(int number)
{
    (void)number;
    if (!delivering)
        _exit(0);
    stopping = 1;
}

static bool is_hung_up(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLRDHUP};
    return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    const struct gk_log *log = context;

    gk_log(log, GK_LOG_ERROR, "plugin_refused", {"file", path}, {"why", error->message});
}

/* Announces, as soon as the core serves. NULL where it has gone. */
static struct gk_courier *open_courier(struct gk_rpc_client *client, const struct gk_log *log, int socket,
                                       struct gk_plugin *const *plugins, size_t plugin_count)
{
    struct gk_courier *courier = NULL;
    struct gk_error error = {0};
    for (int failures = 0; failures < MOST_FAILURES && !is_hung_up(socket); failures++) {
        if (gk_courier_open(client, log, plugins, plugin_count, &courier, &error) == GK_OK)
            return courier;
        usleep(PAUSE_US);
    }
    if (!is_hung_up(socket))
        gk_log(log, GK_LOG_ERROR, "courier_not_taken", {"why", error.message});
    return NULL;
}

/* Delivers until the core goes (0) or does not answer any more (1). */
static int run(struct gk_rpc_client *client, const struct gk_log *log, int socket,
               struct gk_plugin *const *plugins, size_t plugin_count)
{
    struct gk_courier *courier = open_courier(client, log, socket, plugins, plugin_count);
    if (courier == NULL)
        return is_hung_up(socket) ? 0 : 1;
    struct gk_error error = {0};
    int failures = 0;
    while (!stopping && failures < MOST_FAILURES) {
        if (gk_courier_step(courier, &delivering, &error) == GK_OK) {
            failures = 0;
            continue;
        }
        if (is_hung_up(socket))
            break;
        failures++;
        usleep(PAUSE_US);
    }
    if (failures == MOST_FAILURES)
        gk_log(log, GK_LOG_ERROR, "core_does_not_answer", {"why", error.message});
    gk_courier_close(courier);
    return failures == MOST_FAILURES ? 1 : 0;
}

static int serve(const struct gk_log *log, const char *channels)
{
    struct gk_error error = {0};
    struct gk_plugin **plugins = NULL;
    size_t plugin_count = 0;
    if (gk_plugin_open_all(channels, gk_courier_plugin_kind(), on_refused, (void *)(uintptr_t)log, &plugins,
                           &plugin_count, &error) != GK_OK) {
        gk_log(log, GK_LOG_ERROR, "no_channels", {"why", error.message});
        return 1;
    }
    int result = 1;
    int socket = dup(GK_CHILD_FD);
    struct gk_rpc_client *client = NULL;
    if (socket < 0 || gk_rpc_client_open_stream(GK_CHILD_FD, &client, &error) != GK_OK)
        gk_log(log, GK_LOG_ERROR, "socket_unusable", {"why", socket < 0 ? strerror(errno) : error.message});
    else
        result = run(client, log, socket, plugins, plugin_count);
    gk_rpc_client_close(client);
    if (socket >= 0)
        close(socket);
    for (size_t i = 0; i < plugin_count; i++)
        gk_plugin_close(plugins[i]);
    free(plugins);
    return result;
}

static const char *configured(const struct gk_configuration *configuration)
{
    return configuration->channels_directory;
}

int main(int argc, char **argv)
{
    static const struct gk_child_program program = {.name = "guika-courier",
                                                    .does = "Delivers notices for guikad.",
                                                    .folder_option = "channels",
                                                    .folder_beside = "../lib/guika/channels",
                                                    .configured = configured};
    const struct sigaction terminate = {.sa_handler = on_terminate};
    const struct gk_log log = {GK_LOG_INFO, "guika-courier"};
    char channels[PATH_MAX];
    const int parsed = gk_child_parse(&program, argc, argv, channels, NULL);

    if (parsed != 0) {
        return parsed - 1;
    }
    /* A delivery in hand is finished first. */
    (void)sigaction(SIGTERM, &terminate, NULL);
    if (!gk_process_begin_child(SIGTERM)) {
        (void)fputs("guika-courier: guikad starts this program and gives it a socket; run guikad\n", stderr);
        return 2;
    }
    return serve(&log, channels);
}
