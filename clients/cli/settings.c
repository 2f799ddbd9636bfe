#include "clients/cli/settings.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_COMPARTMENTS 12
#define DEFAULT_DIFFICULT 6

struct gk_settings gk_settings_default(void)
{
    return (struct gk_settings){.compartments = DEFAULT_COMPARTMENTS, .difficult = DEFAULT_DIFFICULT};
}

void gk_settings_clear(struct gk_settings *settings)
{
    free(settings->server);
    free(settings->token_file);
    free(settings->ca_file);
    free(settings->server_name);
    free(settings->issuers);
    free(settings->camera);
    free(settings->spool);
    free(settings->keypad);
    *settings = (struct gk_settings){0};
}

void gk_settings_replace(char **field, const char *value)
{
    char *copy = strdup(value);

    if (copy != NULL) {
        free(*field);
        *field = copy;
    }
}

/* libconfuse prints by itself; the caller tells file and line instead. */
static void say_nothing(cfg_t *cfg, const char *format, va_list arguments)
{
    (void)cfg;
    (void)format;
    (void)arguments;
}

static void take(cfg_t *cfg, const char *key, char **field)
{
    const char *value = cfg_getstr(cfg, key);

    if (value != NULL) {
        gk_settings_replace(field, value);
    }
}

enum gk_status gk_settings_load(struct gk_settings *settings, const char *path, struct gk_error *error)
{
    cfg_opt_t options[] = {
        CFG_STR("server", NULL, CFGF_NODEFAULT),
        CFG_STR("token_file", NULL, CFGF_NODEFAULT),
        CFG_STR("ca_file", NULL, CFGF_NODEFAULT),
        CFG_STR("server_name", NULL, CFGF_NODEFAULT),
        CFG_STR("issuers", NULL, CFGF_NODEFAULT),
        CFG_STR("camera", NULL, CFGF_NODEFAULT),
        CFG_STR("spool", NULL, CFGF_NODEFAULT),
        CFG_STR("keypad", NULL, CFGF_NODEFAULT),
        CFG_INT("compartments", settings->compartments, CFGF_NONE),
        CFG_INT("difficult", settings->difficult, CFGF_NONE),
        CFG_END(),
    };
    enum gk_status status = GK_OK;

    if (access(path, R_OK) != 0) {
        return gk_error_set(error, errno == ENOENT ? GK_NOT_FOUND : GK_INVALID_ARGUMENT,
                            "cannot read the configuration file %s: %s", path, strerror(errno));
    }
    cfg_t *cfg = cfg_init(options, CFGF_NONE);

    (void)cfg_set_error_function(cfg, say_nothing);
    if (cfg_parse(cfg, path) != CFG_SUCCESS) {
        status = gk_error_set(
            error, GK_INVALID_ARGUMENT,
            "%s:%d: not understood; write lines such as server = \"tcp://127.0.0.1:7801\" with the keys "
            "server, token_file, ca_file, server_name, issuers, camera, spool, keypad, compartments, "
            "difficult",
            path, cfg->line);
    } else {
        take(cfg, "server", &settings->server);
        take(cfg, "token_file", &settings->token_file);
        take(cfg, "ca_file", &settings->ca_file);
        take(cfg, "server_name", &settings->server_name);
        take(cfg, "issuers", &settings->issuers);
        take(cfg, "camera", &settings->camera);
        take(cfg, "spool", &settings->spool);
        take(cfg, "keypad", &settings->keypad);
        settings->compartments = cfg_getint(cfg, "compartments");
        settings->difficult = cfg_getint(cfg, "difficult");
    }
    (void)cfg_free(cfg);
    return status;
}

enum gk_status gk_settings_number(const char *text, const char *what, long least, long most, long *ret_number,
                                  struct gk_error *error)
{
    char *end = NULL;

    errno = 0;
    const long number = strtol(text, &end, 10);

    if (errno != 0 || end == text || *end != '\0' || number < least || number > most) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s is a number from %ld to %ld, not \"%.40s\"", what,
                            least, most, text);
    }
    *ret_number = number;
    return GK_OK;
}

enum gk_status gk_settings_read_token(const char *path, char ret_token[GK_TOKEN_SIZE], struct gk_error *error)
{
    char line[GK_TOKEN_SIZE + 2] = "";
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "cannot read the token file %s: %s", path,
                            strerror(errno));
    }
    const bool got = fgets(line, sizeof line, file) != NULL;

    (void)fclose(file);
    const size_t length = strcspn(line, " \t\r\n");

    line[length] = '\0';
    if (!got || length == 0 || length >= GK_TOKEN_SIZE) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "the token file %s holds no token of 1 to %d characters in its first line", path,
                            GK_TOKEN_SIZE - 1);
    }
    memcpy(ret_token, line, length + 1);
    return GK_OK;
}
