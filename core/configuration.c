#include "core/configuration.h"

#include "core/configuration_limits.h"
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
    gk_configuration_limit(cfg);
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
        if (cfg_size(section, gk_configuration_kind(kind)) != GK_KEEPING_COUNT) {
            return gk_error_set(error, GK_INVALID_ARGUMENT,
                                "%s: retention %s must be three numbers of days (in a box, at a desk, in a "
                                "depot), not %u",
                                path, gk_configuration_kind(kind),
                                cfg_size(section, gk_configuration_kind(kind)));
        }
        for (unsigned i = 0; i < GK_KEEPING_COUNT; i++) {
            retention->keep_ms[kind][i] = cfg_getnint(section, gk_configuration_kind(kind), i) * day_ms;
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

/* A message to a channel that nobody set up would wait for ever. */
static enum gk_status check_alerts(const struct gk_configuration *configuration, const char *path,
                                   struct gk_error *error)
{
    const char *to = configuration->alerts_to;
    const size_t length = strcspn(to, ":");

    for (size_t i = 0; i < configuration->setting_count; i++) {
        const char *channel = configuration->settings[i].channel;

        if (strlen(channel) == length && strncmp(channel, to, length) == 0) {
            return GK_OK;
        }
    }
    return to[0] == '\0' ? GK_OK
                         : gk_error_set(error, GK_INVALID_ARGUMENT,
                                        "%.100s: alerts go to channel \"%.*s\", which has no section", path,
                                        (int)(length < 32 ? length : 32), to);
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
    if (status == GK_OK) {
        status = check_alerts(configuration, path, error);
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
