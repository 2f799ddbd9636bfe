#include "core/configuration.h"

#include "core/memory.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* libconfuse hands its error function no context of the caller's, and no file name within a section. */
static _Thread_local struct {
    struct gk_error *error;
    const char *file;
} parse;

static void on_parse_error(cfg_t *cfg, const char *format, va_list arguments)
{
    char text[160];

    /* libconfuse says this of every key of a channel too, before it takes the key. */
    if ((cfg->flags & CFGF_KEYSTRVAL) != 0 && strncmp(format, "no such option", 14) == 0) {
        return;
    }
    /* The first message is the one that names the cause. */
    if (parse.error == NULL || parse.error->status != GK_OK) {
        return;
    }
    (void)vsnprintf(text, sizeof text, format, arguments);
    (void)gk_error_set(parse.error, GK_INVALID_ARGUMENT, "%s:%d: %s", parse.file, cfg->line, text);
}

static int check_log_level(cfg_t *cfg, cfg_opt_t *option)
{
    const char *value = cfg_opt_getnstr(option, 0);

    if (strcmp(value, "debug") == 0 || strcmp(value, "info") == 0 || strcmp(value, "warning") == 0 ||
        strcmp(value, "error") == 0) {
        return 0;
    }
    cfg_error(cfg, "%s must be debug, info, warning or error, not \"%s\"", option->name, value);
    return -1;
}

static int check_range(cfg_t *cfg, cfg_opt_t *option, long smallest, long largest)
{
    const long value = cfg_opt_getnint(option, 0);

    if (value >= smallest && value <= largest) {
        return 0;
    }
    cfg_error(cfg, "%s must be %ld to %ld, not %ld", option->name, smallest, largest, value);
    return -1;
}

static int check_share(cfg_t *cfg, cfg_opt_t *option, double smallest, double largest)
{
    const double value = cfg_opt_getnfloat(option, 0);

    if (value >= smallest && value <= largest) {
        return 0;
    }
    cfg_error(cfg, "%s must be %g to %g, not %g", option->name, smallest, largest, value);
    return -1;
}

static int check_cache(cfg_t *cfg, cfg_opt_t *option)
{
    return check_range(cfg, option, 8, 65536);
}

static int check_readers(cfg_t *cfg, cfg_opt_t *option)
{
    return check_range(cfg, option, 0, 64);
}

static int check_couriers(cfg_t *cfg, cfg_opt_t *option)
{
    return check_range(cfg, option, 0, 16);
}

static int check_heartbeat(cfg_t *cfg, cfg_opt_t *option)
{
    return check_range(cfg, option, 1, 3600);
}

static int check_alerts_to(cfg_t *cfg, cfg_opt_t *option)
{
    const char *to = cfg_opt_getnstr(option, 0);
    const char *colon = strchr(to, ':');

    if (to[0] == '\0' || (colon != NULL && colon != to && colon[1] != '\0' && strlen(to) < GK_ADDRESS_SIZE)) {
        return 0;
    }
    cfg_error(cfg, "to must be CHANNEL:ADDRESS of at most %d characters, as smtp:operator@library.example",
              GK_ADDRESS_SIZE - 1);
    return -1;
}

static int check_alerts_language(cfg_t *cfg, cfg_opt_t *option)
{
    const char *language = cfg_opt_getnstr(option, 0);

    if (strcmp(language, "en") == 0 || strcmp(language, "zh") == 0) {
        return 0;
    }
    cfg_error(cfg, "language must be en or zh, not %.20s", language);
    return -1;
}

static int check_audit_every(cfg_t *cfg, cfg_opt_t *option)
{
    return check_range(cfg, option, 1, 86400);
}

static int check_threshold(cfg_t *cfg, cfg_opt_t *option)
{
    return check_share(cfg, option, 0.5, 1.0);
}

static int check_registered_share(cfg_t *cfg, cfg_opt_t *option)
{
    return check_share(cfg, option, 0.01, 0.99);
}

static int check_plugin_key(cfg_t *cfg, cfg_opt_t *option)
{
    struct gk_plugin_key key;
    struct gk_error error;

    for (unsigned i = 0; i < cfg_opt_size(option); i++) {
        if (gk_plugin_key_read(cfg_opt_getnstr(option, i), &key, &error) != GK_OK) {
            cfg_error(cfg, "%s: %s", option->name, error.message);
            return -1;
        }
    }
    return 0;
}

static int check_days(cfg_t *cfg, cfg_opt_t *option)
{
    return check_range(cfg, option, 1, 3650);
}

static int check_keeping(cfg_t *cfg, cfg_opt_t *option)
{
    if (cfg_opt_size(option) != GK_KEEPING_COUNT) {
        return 0; /* checked once the list is whole, when it is taken */
    }
    for (unsigned i = 0; i < GK_KEEPING_COUNT; i++) {
        const long days = cfg_opt_getnint(option, i);

        if (days < 1 || days > 3650) {
            cfg_error(cfg, "%s must be three numbers of days from 1 to 3650, not %ld", option->name, days);
            return -1;
        }
    }
    return 0;
}

/* By the numbers of guika_v1_CardKind. */
static const char *const kinds[GK_CARD_KINDS] = {"unknown", "payment", "transit", "id",
                                                 "campus",  "parking", "other"};

static cfg_t *make_parser(void)
{
    cfg_opt_t tls[] = {CFG_STR("certificate", "tls.crt", CFGF_NONE),
                       CFG_STR("key", "keys/tls.key", CFGF_NONE), CFG_END()};
    cfg_opt_t readers[] = {CFG_INT("count", 0, CFGF_NONE), CFG_STR("program", NULL, CFGF_NONE),
                           CFG_STR("issuers", NULL, CFGF_NONE), CFG_STR_LIST("trusted_keys", "{}", CFGF_NONE),
                           CFG_END()};
    cfg_opt_t couriers[] = {CFG_INT("count", 1, CFGF_NONE), CFG_STR("program", NULL, CFGF_NONE),
                            CFG_STR("channels", NULL, CFGF_NONE), CFG_END()};
    cfg_opt_t decision[] = {CFG_FLOAT("threshold", 0.999, CFGF_NONE),
                            CFG_FLOAT("registered_share", 0.5, CFGF_NONE), CFG_END()};
    cfg_opt_t audit[] = {CFG_STR("heads", "audit.heads", CFGF_NONE), CFG_INT("every_seconds", 600, CFGF_NONE),
                         CFG_END()};
    cfg_opt_t alerts[] = {CFG_STR("to", "", CFGF_NONE), CFG_STR("language", "en", CFGF_NONE), CFG_END()};
    cfg_opt_t retention[] = {CFG_INT("code_days", 7, CFGF_NONE),
                             CFG_INT("remind_days", 5, CFGF_NONE),
                             CFG_INT("erase_days", 30, CFGF_NONE),
                             CFG_INT_LIST("unknown", "{30, 90, 90}", CFGF_NONE),
                             CFG_INT_LIST("payment", "{14, 30, 60}", CFGF_NONE),
                             CFG_INT_LIST("transit", "{30, 90, 90}", CFGF_NONE),
                             CFG_INT_LIST("id", "{14, 30, 60}", CFGF_NONE),
                             CFG_INT_LIST("campus", "{30, 90, 90}", CFGF_NONE),
                             CFG_INT_LIST("parking", "{30, 90, 90}", CFGF_NONE),
                             CFG_INT_LIST("other", "{30, 90, 90}", CFGF_NONE),
                             CFG_END()};
    cfg_opt_t channel[] = {CFG_END()};
    cfg_opt_t options[] = {
        CFG_STR("data", "data", CFGF_NONE),
        CFG_STR("keys", "keys", CFGF_NONE),
        CFG_STR("log_level", "info", CFGF_NONE),
        CFG_STR_LIST("listen",
                     "{'tcp://127.0.0.1:7800', 'tls+tcp://0.0.0.0:7801', 'ws://127.0.0.1:7802/rpc'}",
                     CFGF_NONE),
        CFG_BOOL("plain_remote", cfg_false, CFGF_NONE),
        CFG_STR("metrics", "", CFGF_NONE),
        CFG_INT("cache_mib", 64, CFGF_NONE),
        CFG_INT("heartbeat_seconds", 30, CFGF_NONE),
        CFG_SEC("tls", tls, CFGF_NONE),
        CFG_SEC("readers", readers, CFGF_NONE),
        CFG_SEC("couriers", couriers, CFGF_NONE),
        CFG_SEC("decision", decision, CFGF_NONE),
        CFG_SEC("audit", audit, CFGF_NONE),
        CFG_SEC("alerts", alerts, CFGF_NONE),
        CFG_SEC("retention", retention, CFGF_NONE),
        CFG_SEC("channel", channel, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES | CFGF_KEYSTRVAL),
        CFG_END()};
    cfg_t *cfg = cfg_init(options, CFGF_NONE);

    if (cfg == NULL) {
        abort();
    }
    (void)cfg_set_error_function(cfg, on_parse_error);
    (void)cfg_set_validate_func(cfg, "log_level", check_log_level);
    (void)cfg_set_validate_func(cfg, "cache_mib", check_cache);
    (void)cfg_set_validate_func(cfg, "heartbeat_seconds", check_heartbeat);
    (void)cfg_set_validate_func(cfg, "readers|count", check_readers);
    (void)cfg_set_validate_func(cfg, "readers|trusted_keys", check_plugin_key);
    (void)cfg_set_validate_func(cfg, "couriers|count", check_couriers);
    (void)cfg_set_validate_func(cfg, "retention|code_days", check_days);
    (void)cfg_set_validate_func(cfg, "retention|remind_days", check_days);
    (void)cfg_set_validate_func(cfg, "retention|erase_days", check_days);
    for (unsigned kind = 0; kind < GK_CARD_KINDS; kind++) {
        char name[32];

        (void)snprintf(name, sizeof name, "retention|%s", kinds[kind]);
        (void)cfg_set_validate_func(cfg, name, check_keeping);
    }
    (void)cfg_set_validate_func(cfg, "decision|threshold", check_threshold);
    (void)cfg_set_validate_func(cfg, "audit|every_seconds", check_audit_every);
    (void)cfg_set_validate_func(cfg, "alerts|to", check_alerts_to);
    (void)cfg_set_validate_func(cfg, "alerts|language", check_alerts_language);
    (void)cfg_set_validate_func(cfg, "decision|registered_share", check_registered_share);
    return cfg;
}

static char *copy(const char *text)
{
    char *result = strdup(text);

    if (result == NULL) {
        abort();
    }
    return result;
}

/* `value` made absolute against `folder`; `fallback` where it is NULL. */
static char *path_of(const char *folder, const char *value, const char *fallback)
{
    const char *path = value == NULL ? fallback : value;
    char text[PATH_MAX];

    if (path[0] == '/') {
        return copy(path);
    }
    (void)snprintf(text, sizeof text, "%s/%s", folder, path);
    return copy(text);
}

/* Beside the programs: `program_directory`/`name`. */
static char *beside(const char *folder, const char *value, const char *program_directory, const char *name)
{
    char fallback[PATH_MAX];

    (void)snprintf(fallback, sizeof fallback, "%s/%s", program_directory, name);
    return path_of(folder, value, fallback);
}

static enum gk_log_level level_of(const char *name)
{
    return name[0] == 'd'   ? GK_LOG_DEBUG
           : name[0] == 'i' ? GK_LOG_INFO
           : name[0] == 'w' ? GK_LOG_WARNING
                            : GK_LOG_ERROR;
}

static uint32_t count_or_cores(long count)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return count > 0 ? (uint32_t)count : cores > 64 ? 64 : cores < 1 ? 1 : (uint32_t)cores;
}

/* A channel's free-form keys name paths too; those whose key says so are made absolute here, where the file's
 * folder is known. */
static char *setting_value(const char *folder, const char *key, const char *value)
{
    const size_t length = strlen(key);
    const bool is_path = strcmp(key, "path") == 0 || (length > 5 && strcmp(key + length - 5, "_file") == 0);

    return is_path ? path_of(folder, value, "") : copy(value);
}

static void fill_channels(struct gk_configuration *configuration, cfg_t *cfg, const char *folder)
{
    const unsigned channels = cfg_size(cfg, "channel");
    size_t total = 0;

    for (unsigned i = 0; i < channels; i++) {
        total += cfg_num(cfg_getnsec(cfg, "channel", i));
    }
    configuration->settings = gk_allocate((total + 1) * sizeof *configuration->settings);
    for (unsigned i = 0; i < channels; i++) {
        cfg_t *channel = cfg_getnsec(cfg, "channel", i);

        for (unsigned k = 0; k < cfg_num(channel); k++) {
            cfg_opt_t *option = cfg_getnopt(channel, k);
            const char *value = cfg_opt_getstr(option);

            if (value == NULL) {
                continue;
            }
            configuration->settings[configuration->setting_count++] = (struct gk_channel_setting){
                copy(cfg_title(channel)), copy(option->name), setting_value(folder, option->name, value)};
        }
    }
}

static void fill_plugin_keys(struct gk_configuration *configuration, cfg_t *cfg)
{
    configuration->plugin_key_count = cfg_size(cfg, "readers|trusted_keys");
    configuration->plugin_keys =
        gk_allocate((configuration->plugin_key_count + 1) * sizeof *configuration->plugin_keys);
    for (unsigned i = 0; i < configuration->plugin_key_count; i++) {
        const enum gk_status status = gk_plugin_key_read(cfg_getnstr(cfg, "readers|trusted_keys", i),
                                                         &configuration->plugin_keys[i], NULL);

        assert(status == GK_OK); /* the parser looked */
    }
}

static enum gk_status fill_retention(struct gk_retention *retention, cfg_t *cfg, const char *path,
                                     struct gk_error *error)
{
    static const int64_t day_ms = INT64_C(24) * 3600 * 1000;
    cfg_t *section = cfg_getsec(cfg, "retention");

    retention->code_ms = cfg_getint(section, "code_days") * day_ms;
    retention->remind_ms = cfg_getint(section, "remind_days") * day_ms;
    retention->erase_ms = cfg_getint(section, "erase_days") * day_ms;
    for (unsigned kind = 0; kind < GK_CARD_KINDS; kind++) {
        if (cfg_size(section, kinds[kind]) != GK_KEEPING_COUNT) {
            return gk_error_set(error, GK_INVALID_ARGUMENT,
                                "%s: retention %s must be three numbers of days (in a box, at a desk, in a "
                                "depot), not %u",
                                path, kinds[kind], cfg_size(section, kinds[kind]));
        }
        for (unsigned i = 0; i < GK_KEEPING_COUNT; i++) {
            retention->keep_ms[kind][i] = cfg_getnint(section, kinds[kind], i) * day_ms;
        }
    }
    return GK_OK;
}

static struct gk_configuration *fill(cfg_t *cfg, const char *folder, const char *program_directory)
{
    struct gk_configuration *configuration = gk_allocate(sizeof *configuration);

    configuration->data_directory = path_of(folder, cfg_getstr(cfg, "data"), "data");
    configuration->keys_directory = path_of(folder, cfg_getstr(cfg, "keys"), "keys");
    configuration->log_level = level_of(cfg_getstr(cfg, "log_level"));
    configuration->listen_count = cfg_size(cfg, "listen");
    configuration->listen = gk_allocate((configuration->listen_count + 1) * sizeof *configuration->listen);
    for (unsigned i = 0; i < configuration->listen_count; i++) {
        configuration->listen[i] = copy(cfg_getnstr(cfg, "listen", i));
    }
    configuration->plain_remote = cfg_getbool(cfg, "plain_remote") == cfg_true;
    configuration->metrics = copy(cfg_getstr(cfg, "metrics"));
    configuration->certificate_file = path_of(folder, cfg_getstr(cfg, "tls|certificate"), "");
    configuration->key_file = path_of(folder, cfg_getstr(cfg, "tls|key"), "");
    configuration->cache_bytes = (uint64_t)cfg_getint(cfg, "cache_mib") << 20;
    configuration->heartbeat_ms = (uint32_t)cfg_getint(cfg, "heartbeat_seconds") * 1000;
    configuration->readers = count_or_cores(cfg_getint(cfg, "readers|count"));
    configuration->reader_program =
        beside(folder, cfg_getstr(cfg, "readers|program"), program_directory, "guika-reader");
    configuration->issuers_directory =
        beside(folder, cfg_getstr(cfg, "readers|issuers"), program_directory, "../lib/guika/issuers");
    fill_plugin_keys(configuration, cfg);
    configuration->couriers = (uint32_t)cfg_getint(cfg, "couriers|count");
    configuration->courier_program =
        beside(folder, cfg_getstr(cfg, "couriers|program"), program_directory, "guika-courier");
    configuration->channels_directory =
        beside(folder, cfg_getstr(cfg, "couriers|channels"), program_directory, "../lib/guika/channels");
    configuration->threshold = cfg_getfloat(cfg, "decision|threshold");
    configuration->registered_share = cfg_getfloat(cfg, "decision|registered_share");
    configuration->alerts_to = copy(cfg_getstr(cfg, "alerts|to"));
    configuration->alerts_language = copy(cfg_getstr(cfg, "alerts|language"));
    configuration->audit_heads_file = path_of(folder, cfg_getstr(cfg, "audit|heads"), "");
    configuration->audit_every_ms = (uint32_t)cfg_getint(cfg, "audit|every_seconds") * 1000;
    fill_channels(configuration, cfg, folder);
    return configuration;
}

/* Who can change the data could change heads that lie in it as well. */
static enum gk_status check_heads(const struct gk_configuration *configuration, const char *path,
                                  struct gk_error *error)
{
    const size_t length = strlen(configuration->data_directory);
    const char *heads = configuration->audit_heads_file;

    if (strncmp(heads, configuration->data_directory, length) != 0 || heads[length] != '/') {
        return GK_OK;
    }
    return gk_error_set(error, GK_INVALID_ARGUMENT,
                        "%.100s: heads of audit must lie outside the data, not at %.100s", path, heads);
}

enum gk_status gk_configuration_read(const char *path, const char *program_directory,
                                     struct gk_configuration **ret_configuration, struct gk_error *error)
{
    struct gk_error local = {.status = GK_OK};
    char absolute[PATH_MAX];
    struct stat file;

    if (realpath(path, absolute) == NULL) {
        return gk_error_set(error, GK_NOT_FOUND, "%s: %s; `guikad --init --config %s` makes one", path,
                            strerror(errno), path);
    }
    /* The parser ends the process where it cannot read on. */
    if (stat(absolute, &file) == 0 && !S_ISREG(file.st_mode)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s is no file", path);
    }
    cfg_t *cfg = make_parser();

    parse.error = &local;
    parse.file = path;
    const int result = cfg_parse(cfg, absolute);

    parse.error = NULL;
    if (result != CFG_SUCCESS) {
        cfg_free(cfg);
        if (local.status == GK_OK) {
            return gk_error_set(
                error, result == CFG_FILE_ERROR ? GK_NOT_FOUND : GK_INVALID_ARGUMENT, "%s: %s", path,
                result == CFG_FILE_ERROR ? strerror(errno) : "not the syntax of a configuration");
        }
        return gk_error_set(error, local.status, "%s", local.message);
    }
    struct gk_retention retention;
    struct gk_configuration *configuration = NULL;
    enum gk_status status = fill_retention(&retention, cfg, path, error);

    if (status == GK_OK) {
        configuration = fill(cfg, dirname(absolute), program_directory);
        configuration->retention = retention;
        status = check_heads(configuration, path, error);
    }
    cfg_free(cfg);
    if (status == GK_OK) {
        *ret_configuration = configuration;
    } else {
        gk_configuration_free(configuration);
    }
    return status;
}

void gk_configuration_free(struct gk_configuration *configuration)
{
    if (configuration == NULL) {
        return;
    }
    for (size_t i = 0; i < configuration->listen_count; i++) {
        free(configuration->listen[i]);
    }
    for (size_t i = 0; i < configuration->setting_count; i++) {
        free((void *)configuration->settings[i].channel);
        free((void *)configuration->settings[i].key);
        free((void *)configuration->settings[i].value);
    }
    free(configuration->listen);
    free(configuration->settings);
    free(configuration->data_directory);
    free(configuration->keys_directory);
    free(configuration->metrics);
    free(configuration->certificate_file);
    free(configuration->key_file);
    free(configuration->reader_program);
    free(configuration->issuers_directory);
    free(configuration->plugin_keys);
    free(configuration->courier_program);
    free(configuration->channels_directory);
    free(configuration->alerts_to);
    free(configuration->alerts_language);
    free(configuration->audit_heads_file);
    free(configuration);
}
