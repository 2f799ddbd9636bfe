#include "core/configuration_limits.h"

#include "core/security/contact_seal.h"
#include "core/security/plugin_signature.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const char *gk_configuration_kind(unsigned kind)
{
    /* By the numbers of guika_v1_CardKind. */
    static const char *const kinds[GK_CARD_KINDS] = {"unknown", "payment", "transit", "id",
                                                     "campus",  "parking", "other"};

    assert(kind < GK_CARD_KINDS);
    return kinds[kind];
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

void gk_configuration_limit(cfg_t *cfg)
{
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

        (void)snprintf(name, sizeof name, "retention|%s", gk_configuration_kind(kind));
        (void)cfg_set_validate_func(cfg, name, check_keeping);
    }
    (void)cfg_set_validate_func(cfg, "decision|threshold", check_threshold);
    (void)cfg_set_validate_func(cfg, "audit|every_seconds", check_audit_every);
    (void)cfg_set_validate_func(cfg, "alerts|to", check_alerts_to);
    (void)cfg_set_validate_func(cfg, "alerts|language", check_alerts_language);
    (void)cfg_set_validate_func(cfg, "decision|registered_share", check_registered_share);
}
