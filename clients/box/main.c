/* guika-box: a simulated recovery box. Options, signals and the loop; the box itself is in box.c. */
#include "clients/box/box.h"
#include "clients/box/compartments.h"

#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define ONCE_LIMIT_MS 30000U /* with --once: for the line and for the spool to drain */

struct options {
    struct gk_settings settings;
    bool once, quiet, asked_for_text;
};

static const char help_text[] =
    "usage: guika-box [--config FILE] --server URL --token-file FILE --camera DIR --spool DIR [options]\n"
    "\n"
    "A simulated recovery box: what appears in the camera folder is a card dropped in.\n"
    "  NAME.jpg or NAME.png   one card, one picture\n"
    "  NAME/                  one card, several pictures (front.jpg, 2-back-left.png, ...), taken once a "
    "file\n"
    "                         called ready is in the folder\n"
    "Pictures are erased as soon as the card's way is decided.\n"
    "\n"
    "  --server URL           the service, as tls+tcp://guika.example:7801\n"
    "  --token-file FILE      the box's token in its first line\n"
    "  --ca-file, --ca FILE   PEM of who signed the server's certificate (tls+tcp, wss)\n"
    "  --server-name NAME     the name that the certificate must carry (tls+tcp, wss)\n"
    "  --camera DIR           the folder to watch\n"
    "  --spool DIR            the spool, and the box's table of compartments; made if missing\n"
    "  --keypad PIPE          a named pipe, made if missing: each line is somebody who stands at the box,\n"
    "                         \"CASE CODE [TELEPHONE-TAIL] [take|leave|away|cut]\" or \"service BAG "
    "CREDENTIAL\"\n"
    "  --compartments N       of the normal zone, 0 to 999 (12)\n"
    "  --difficult N          of the difficult zone, 0 to 999 (6)\n"
    "  --once                 take what is in the folder, empty the spool, exit 0; 1 where that fails\n"
    "  --quiet                do not show the compartments\n"
    "  --config FILE          lines of key = \"value\": server, token_file, ca_file, server_name, camera, "
    "spool,\n"
    "                         keypad, compartments, difficult; options win\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage.\n";

enum option_key {
    KEY_SERVER = 256,
    KEY_TOKEN,
    KEY_CA,
    KEY_NAME,
    KEY_CAMERA,
    KEY_SPOOL,
    KEY_KEYPAD,
    KEY_NORMAL,
    KEY_DIFFICULT,
    KEY_ONCE,
    KEY_QUIET,
    KEY_CONFIG,
    KEY_HELP,
    KEY_VERSION
};

static const struct option long_options[] = {
    {"server", required_argument, NULL, KEY_SERVER},
    {"token-file", required_argument, NULL, KEY_TOKEN},
    {"ca", required_argument, NULL, KEY_CA},
    {"ca-file", required_argument, NULL, KEY_CA},
    {"server-name", required_argument, NULL, KEY_NAME},
    {"camera", required_argument, NULL, KEY_CAMERA},
    {"spool", required_argument, NULL, KEY_SPOOL},
    {"keypad", required_argument, NULL, KEY_KEYPAD},
    {"compartments", required_argument, NULL, KEY_NORMAL},
    {"difficult", required_argument, NULL, KEY_DIFFICULT},
    {"once", no_argument, NULL, KEY_ONCE},
    {"quiet", no_argument, NULL, KEY_QUIET},
    {"config", required_argument, NULL, KEY_CONFIG},
    {"help", no_argument, NULL, KEY_HELP},
    {"version", no_argument, NULL, KEY_VERSION},
    {NULL, 0, NULL, 0},
};

static enum gk_status take_option(int key, const char *value, struct options *options, struct gk_error *error)
{
    struct gk_settings *settings = &options->settings;

    switch (key) {
    case KEY_SERVER:
        gk_settings_replace(&settings->server, value);
        return GK_OK;
    case KEY_TOKEN:
        gk_settings_replace(&settings->token_file, value);
        return GK_OK;
    case KEY_CA:
        gk_settings_replace(&settings->ca_file, value);
        return GK_OK;
    case KEY_NAME:
        gk_settings_replace(&settings->server_name, value);
        return GK_OK;
    case KEY_CAMERA:
        gk_settings_replace(&settings->camera, value);
        return GK_OK;
    case KEY_SPOOL:
        gk_settings_replace(&settings->spool, value);
        return GK_OK;
    case KEY_KEYPAD:
        gk_settings_replace(&settings->keypad, value);
        return GK_OK;
    case KEY_NORMAL:
        return gk_settings_number(value, "--compartments", 0, GK_COMPARTMENTS_MOST, &settings->compartments,
                                  error);
    case KEY_DIFFICULT:
        return gk_settings_number(value, "--difficult", 0, GK_COMPARTMENTS_MOST, &settings->difficult, error);
    case KEY_ONCE:
        options->once = true;
        return GK_OK;
    case KEY_QUIET:
        options->quiet = true;
        return GK_OK;
    case KEY_CONFIG:
        return GK_OK;
    case KEY_HELP:
    case KEY_VERSION:
        (void)fputs(key == KEY_HELP ? help_text : "guika-box " GUIKA_VERSION "\n", stdout);
        options->asked_for_text = true;
        return GK_OK;
    default:
        return gk_error_set(error, GK_INVALID_ARGUMENT, "unknown option, or an option without its value");
    }
}

/* The configuration file comes first, so that options win wherever they stand. */
static enum gk_status read_options(int argc, char **argv, struct options *options, struct gk_error *error)
{
    enum gk_status status = GK_OK;

    opterr = 0;
    for (int key; status == GK_OK && (key = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (key == KEY_CONFIG) {
            status = gk_settings_load(&options->settings, optarg, error);
        }
    }
    optind = 1;
    for (int key; status == GK_OK && (key = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        status = take_option(key, optarg, options, error);
    }
    if (status != GK_OK || options->asked_for_text) {
        return status;
    }
    const struct gk_settings *settings = &options->settings;

    if (optind < argc) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "unexpected argument \"%.60s\"", argv[optind]);
    }
    if (settings->server == NULL || settings->token_file == NULL || settings->camera == NULL ||
        settings->spool == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "--server, --token-file, --camera and --spool are needed");
    }
    return GK_OK;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

/* Waits for the camera, a signal or `until_ms`; returns whether a signal asks to stop. */
static bool wait_for(const struct gk_box *box, int signal_fd, uint64_t until_ms, bool *ret_seen)
{
    struct pollfd files[] = {{.fd = signal_fd, .events = POLLIN},
                             {.fd = gk_box_camera_fd(box), .events = POLLIN},
                             {.fd = gk_box_keypad_fd(box), .events = POLLIN}};
    const uint64_t now = now_ms();
    const uint64_t left_ms = until_ms > now ? until_ms - now : 0;

    (void)poll(files, 3, (int)(left_ms < 60000 ? left_ms : 60000));
    *ret_seen = (files[1].revents & POLLIN) != 0;
    return (files[0].revents & POLLIN) != 0;
}

/* A finder who stands there comes first, then the heartbeat, then the spool. */
static enum gk_status run(struct gk_box *box, int signal_fd, bool once, struct gk_error *error)
{
    const uint64_t give_up_ms = now_ms() + ONCE_LIMIT_MS;
    uint64_t beat_ms = 0;
    bool look = true;
    bool blocked = false;
    bool replay = false;

    for (bool stop = false; !stop;) {
        if (now_ms() >= beat_ms) {
            unsigned interval_ms = 0;

            replay = gk_box_beat(box, &interval_ms);
            beat_ms = now_ms() + interval_ms;
            look = true;
        }
        if (look) {
            gk_box_camera_settle(box);
            const enum gk_status status = gk_box_take_card(box, error);

            if (status == GK_INTERNAL) {
                return status;
            }
            look = status == GK_OK;
            blocked = status == GK_UNAVAILABLE;
        } else if (replay) {
            replay = gk_box_replay(box);
        }
        const bool busy = look || replay;

        if (once && !busy && !blocked && gk_box_spooled(box) == 0) {
            return GK_OK;
        }
        if (once && now_ms() >= give_up_ms) {
            return gk_error_set(error, GK_UNAVAILABLE,
                                "%zu entries still wait in the spool: start the service",
                                gk_box_spooled(box));
        }
        const enum gk_status served = gk_box_serve_keypad(box, error);

        if (served != GK_OK) {
            return served;
        }
        bool seen = false;

        stop = wait_for(box, signal_fd, busy ? 0 : beat_ms, &seen);
        look = look || seen;
    }
    return GK_OK;
}

/* With --once the first cards need the service's key: waits for its first answer, or for a signal. */
static bool wait_for_service(struct gk_box *box, int signal_fd)
{
    const uint64_t give_up_ms = now_ms() + ONCE_LIMIT_MS;
    struct pollfd signals = {.fd = signal_fd, .events = POLLIN};
    unsigned interval_ms = 0;

    while (!gk_box_beat(box, &interval_ms)) {
        if (now_ms() >= give_up_ms || poll(&signals, 1, 200) > 0) {
            return false;
        }
    }
    return true;
}

static enum gk_status open_and_run(const struct options *options, struct gk_error *error)
{
    struct gk_box *box = NULL;
    sigset_t signals;

    /* Before the first NNG thread, so that every thread inherits the mask. */
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    const int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    enum gk_status status = gk_box_open(&options->settings, options->quiet, &box, error);

    if (status == GK_OK && options->once && !wait_for_service(box, signal_fd)) {
        status = gk_error_set(error, GK_UNAVAILABLE,
                              "the service at %s does not answer: start it, or look at the "
                              "token and the certificate",
                              options->settings.server);
    }
    if (status == GK_OK) {
        status = run(box, signal_fd, options->once, error);
    }
    if (status == GK_OK && options->once && gk_box_troubles(box) > 0) {
        status = gk_error_set(error, GK_FAILED_PRECONDITION, "%zu events need a look; see above",
                              gk_box_troubles(box));
    }
    gk_box_close(box);
    if (signal_fd >= 0) {
        (void)close(signal_fd);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct options options = {.settings = gk_settings_default()};
    struct gk_error error = {0};
    int exit_status = 0;

    if (read_options(argc, argv, &options, &error) != GK_OK) {
        (void)fprintf(stderr, "guika-box: %s; see guika-box --help\n", error.message);
        exit_status = 2;
    } else if (!options.asked_for_text && open_and_run(&options, &error) != GK_OK) {
        (void)fprintf(stderr, "guika-box: %s\n", error.message);
        exit_status = 1;
    }
    gk_settings_clear(&options.settings);
    return exit_status;
}
