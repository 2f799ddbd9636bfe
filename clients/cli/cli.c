#include "clients/cli/cli.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 16U
#define LOCAL_COUNT 2U  /* --config and --help: every command has them */
#define COMMON_COUNT 7U /* and those of the connection; --ca is another name of --ca-file */

enum common_key { KEY_CONFIG, KEY_HELP, KEY_SERVER, KEY_TOKEN, KEY_CA_FILE, KEY_CA, KEY_NAME };

/* The first `common_count` of the common options, then the command's own. */
static void list_options(size_t common_count, const struct gk_cli_option *options, size_t option_count,
                         struct option ret_options[COMMON_COUNT + MAX_OPTIONS + 1])
{
    static const struct option common[COMMON_COUNT] = {
        {"config", required_argument, NULL, 0},      {"help", no_argument, NULL, 0},
        {"server", required_argument, NULL, 0},      {"token-file", required_argument, NULL, 0},
        {"ca-file", required_argument, NULL, 0},     {"ca", required_argument, NULL, 0},
        {"server-name", required_argument, NULL, 0},
    };

    memcpy(ret_options, common, common_count * sizeof common[0]);
    for (size_t i = 0; i < option_count && i < MAX_OPTIONS; i++) {
        ret_options[common_count + i] = (struct option){
            .name = options[i].name,
            .has_arg = options[i].ret_text != NULL ? required_argument : no_argument,
        };
    }
}

/* The file that --config names, else the one in the home folder where it exists; none where --help is asked.
 */
static enum gk_status load_file(struct gk_cli *cli, int argc, char **argv, const struct option *options,
                                struct gk_error *error)
{
    const char *home = getenv("HOME");
    const char *named = NULL;
    char path[4096];
    int index = 0;

    optind = 0; /* glibc: start afresh, whatever an earlier scan left */
    for (int key; (key = getopt_long(argc, argv, "", options, &index)) != -1;) {
        if (key == 0 && index == KEY_HELP) {
            return GK_OK;
        }
        if (key == 0 && index == KEY_CONFIG) {
            named = optarg;
        }
    }
    if (named != NULL) {
        return gk_settings_load(&cli->settings, named, error);
    }
    if (home == NULL ||
        (size_t)snprintf(path, sizeof path, "%s/.config/guika/guika.conf", home) >= sizeof path) {
        return GK_OK;
    }
    const enum gk_status status = gk_settings_load(&cli->settings, path, error);

    return status == GK_NOT_FOUND ? GK_OK : status;
}

static void take_common(struct gk_cli *cli, int index, const char *value)
{
    switch (index) {
    case KEY_SERVER:
        gk_settings_replace(&cli->settings.server, value);
        break;
    case KEY_TOKEN:
        gk_settings_replace(&cli->settings.token_file, value);
        break;
    case KEY_CA_FILE:
    case KEY_CA:
        gk_settings_replace(&cli->settings.ca_file, value);
        break;
    case KEY_NAME:
        gk_settings_replace(&cli->settings.server_name, value);
        break;
    default:
        break;
    }
}

static int begin(struct gk_cli *cli, size_t common_count, const char *command, const char *help, int argc,
                 char **argv, const struct gk_cli_option *options, size_t option_count)
{
    struct option all[COMMON_COUNT + MAX_OPTIONS + 1] = {0};
    struct gk_error error = {0};
    int index = 0;

    *cli = (struct gk_cli){.command = command, .settings = gk_settings_default()};
    list_options(common_count, options, option_count, all);
    opterr = 0;
    if (load_file(cli, argc, argv, all, &error) != GK_OK) {
        return gk_cli_usage(cli, "%s", error.message);
    }
    optind = 0;
    for (int key; (key = getopt_long(argc, argv, "", all, &index)) != -1;) {
        if (key != 0) {
            return gk_cli_usage(cli, "unknown option, or an option without its value: %.60s",
                                argv[optind - 1]);
        }
        if (index == KEY_HELP) {
            (void)fputs(help, stdout);
            return 0;
        }
        if (index < (int)common_count) {
            take_common(cli, index, optarg);
        } else if (options[(size_t)index - common_count].ret_text != NULL) {
            *options[(size_t)index - common_count].ret_text = optarg;
        } else {
            *options[(size_t)index - common_count].ret_flag = true;
        }
    }
    cli->arguments = argv + optind;
    cli->argument_count = argc - optind;
    return GK_CLI_GO_ON;
}

int gk_cli_begin(struct gk_cli *cli, const char *command, const char *help, int argc, char **argv,
                 const struct gk_cli_option *options, size_t option_count, int least, int most)
{
    const int exit_status = begin(cli, COMMON_COUNT, command, help, argc, argv, options, option_count);

    if (exit_status == GK_CLI_GO_ON && (cli->argument_count < least || cli->argument_count > most)) {
        return gk_cli_usage(cli, "takes %d to %d arguments; got %d", least, most, cli->argument_count);
    }
    return exit_status;
}

int gk_cli_begin_local(struct gk_cli *cli, const char *command, const char *help, int argc, char **argv,
                       const struct gk_cli_option *options, size_t option_count)
{
    return begin(cli, LOCAL_COUNT, command, help, argc, argv, options, option_count);
}

/* In which the service should write to somebody whose language it does not know. */
static const char *language(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && value[0] != '\0') {
            return strncmp(value, "zh", 2) == 0 ? "zh" : "en";
        }
    }
    return "en";
}

int gk_cli_connect(struct gk_cli *cli, bool needs_token)
{
    struct gk_error error = {0};
    const struct gk_settings *settings = &cli->settings;

    if (settings->server == NULL) {
        return gk_cli_usage(
            cli, "no service named: give --server URL, or write server = \"URL\" in the configuration file");
    }
    if (needs_token && settings->token_file == NULL) {
        return gk_cli_usage(cli, "no token: give --token-file FILE, or write token_file = \"FILE\" in the "
                                 "configuration file");
    }
    if (needs_token && gk_settings_read_token(settings->token_file, cli->token, &error) != GK_OK) {
        return gk_cli_usage(cli, "%s", error.message);
    }
    const struct gk_rpc_client_options options = {
        .url = settings->server,
        .token = needs_token ? cli->token : NULL,
        .language = language(),
        .ca_file = settings->ca_file,
        .server_name = settings->server_name,
    };

    if (gk_rpc_client_open(&options, &cli->client, &error) != GK_OK) {
        return gk_cli_usage(cli, "%s", error.message);
    }
    return GK_CLI_GO_ON;
}

/* What the person can do about it; "" where the message says it all. */
static const char *advice(enum gk_status status)
{
    switch (status) {
    case GK_UNAUTHENTICATED:
        return "; look at --token-file";
    case GK_PERMISSION_DENIED:
        return "; use a token with the right role";
    case GK_RESOURCE_EXHAUSTED:
        return "; try again later";
    default:
        return "";
    }
}

static bool is_encrypted(const char *url)
{
    return strncmp(url, "tls+", 4) == 0 || strncmp(url, "wss:", 4) == 0;
}

void gk_cli_complain(const struct gk_cli *cli, const struct gk_error *error)
{
    const char *url = cli->settings.server;

    if (url != NULL && (error->status == GK_UNAVAILABLE || error->status == GK_DEADLINE_EXCEEDED)) {
        (void)fprintf(stderr, "guika %s: %s; is the service running at %s? Start it, or give the right %s\n",
                      cli->command, error->message, url,
                      is_encrypted(url) ? "--server, --ca-file and --server-name" : "--server");
    } else {
        const bool is_about_token = error->status != GK_UNAUTHENTICATED || cli->token[0] != '\0';

        (void)fprintf(stderr, "guika %s: %s%s\n", cli->command, error->message,
                      is_about_token ? advice(error->status) : "");
    }
}

int gk_cli_end(struct gk_cli *cli, enum gk_status status, const struct gk_error *error)
{
    if (status != GK_OK) {
        gk_cli_complain(cli, error);
    }
    explicit_bzero(cli->token, sizeof cli->token);
    gk_rpc_client_close(cli->client);
    gk_settings_clear(&cli->settings);
    return status == GK_OK ? 0 : 1;
}

int gk_cli_usage(const struct gk_cli *cli, const char *format, ...)
{
    va_list arguments;

    (void)fprintf(stderr, "guika %s: ", cli->command);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "; see guika %s --help\n", cli->command);
    return 2;
}

bool gk_cli_copy(const struct gk_cli *cli, const char *what, const char *text, char *ret_field, size_t size)
{
    const size_t length = text == NULL ? 0 : strlen(text);

    if (length >= size) {
        (void)gk_cli_usage(cli, "%s has at most %zu bytes; this one has %zu", what, size - 1, length);
        return false;
    }
    memcpy(ret_field, text == NULL ? "" : text, length + 1);
    return true;
}
