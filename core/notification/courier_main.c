/*
 * guika-courier: delivers notices through channel plugins. guikad starts it and speaks to it over the socket
 * that it inherits; a channel that hangs or breaks takes a courier with it, never the service.
 */
#include "core/notification/courier.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define INHERITED_FD 3
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

static void print_help(void)
{
    printf("usage: guika-courier [--channels DIR]\n"
           "\n"
           "Delivers notices for guikad, which starts it; it is not started by hand.\n"
           "\n"
           "  --channels DIR  channel plugins (default: ../lib/guika/channels beside the program's folder)\n"
           "  --help          this text\n"
           "  --version       the version\n");
}

/* Makes the default folder of plugins: ../lib/guika/channels, seen from the program. */
static const char *default_channels(char *buffer, size_t size)
{
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length < 0)
        return "lib/guika/channels";
    program[length] = '\0';
    snprintf(buffer, size, "%s/../lib/guika/channels", dirname(program));
    return buffer;
}

/* Ends with guikad, catches SIGTERM, leaves no core file with addresses in it. */
static void settle_process(void)
{
    const struct rlimit none = {0, 0};
    struct sigaction terminate = {.sa_handler = on_terminate};
    sigaction(SIGTERM, &terminate, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN); /* Ctrl-C at the terminal is guikad's to handle */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool is_stream_socket(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

static bool is_hung_up(int fd)
{
    struct pollfd watched = {.fd = fd, .events = POLLRDHUP};
    return poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    (void)context;
    fprintf(stderr, "event=plugin_refused path=%s reason=\"%s\"\n", path, error->message);
}

/* Announces, as soon as the core serves. NULL where it has gone. */
static struct gk_courier *open_courier(struct gk_rpc_client *client, int socket,
                                       struct gk_plugin *const *plugins, size_t plugin_count)
{
    struct gk_courier *courier = NULL;
    struct gk_error error = {0};
    for (int failures = 0; failures < MOST_FAILURES && !is_hung_up(socket); failures++) {
        if (gk_courier_open(client, plugins, plugin_count, &courier, &error) == GK_OK)
            return courier;
        usleep(PAUSE_US);
    }
    if (!is_hung_up(socket))
        fprintf(stderr, "guika-courier: guikad does not take this courier: %s\n", error.message);
    return NULL;
}

/* Delivers until the core goes (0) or does not answer any more (1). */
static int run(struct gk_rpc_client *client, int socket, struct gk_plugin *const *plugins,
               size_t plugin_count)
{
    struct gk_courier *courier = open_courier(client, socket, plugins, plugin_count);
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
        fprintf(stderr, "guika-courier: guikad does not answer: %s\n", error.message);
    gk_courier_close(courier);
    return failures == MOST_FAILURES ? 1 : 0;
}

static int serve(const char *channels)
{
    struct gk_error error = {0};
    struct gk_plugin **plugins = NULL;
    size_t plugin_count = 0;
    if (gk_plugin_open_all(channels, gk_courier_plugin_kind(), on_refused, NULL, &plugins, &plugin_count,
                           &error) != GK_OK) {
        fprintf(stderr, "guika-courier: %s; name the folder of channel plugins with --channels\n",
                error.message);
        return 1;
    }
    int result = 1;
    int socket = dup(INHERITED_FD);
    struct gk_rpc_client *client = NULL;
    if (socket < 0 || gk_rpc_client_open_stream(INHERITED_FD, &client, &error) != GK_OK)
        fprintf(stderr, "guika-courier: cannot use the inherited socket: %s\n",
                socket < 0 ? strerror(errno) : error.message);
    else
        result = run(client, socket, plugins, plugin_count);
    gk_rpc_client_close(client);
    if (socket >= 0)
        close(socket);
    for (size_t i = 0; i < plugin_count; i++)
        gk_plugin_close(plugins[i]);
    free(plugins);
    return result;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"channels", required_argument, NULL, 'c'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"version", no_argument, NULL, 'v'},
                                            {NULL, 0, NULL, 0}};
    char buffer[PATH_MAX + 32];
    const char *channels = default_channels(buffer, sizeof buffer);
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            channels = optarg;
            break;
        case 'h':
            print_help();
            return 0;
        case 'v':
            printf("guika-courier %s\n", GUIKA_VERSION);
            return 0;
        default:
            fprintf(stderr,
                    "guika-courier: unknown option, or an option without its value: %.60s; see guika-courier "
                    "--help\n",
                    argv[optind - 1]);
            return 2;
        }
    }
    if (optind < argc || !is_stream_socket(INHERITED_FD)) {
        fprintf(stderr,
                optind < argc
                    ? "guika-courier: unexpected argument; see --help\n"
                    : "guika-courier: guikad starts this program and gives it a socket; run guikad\n");
        return 2;
    }
    settle_process();
    return serve(channels);
}
