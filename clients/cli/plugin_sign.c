/* guika plugin keygen, guika plugin sign: what a maker of plugins does before shipping one. */
#include "clients/cli/cli.h"
#include "clients/cli/plugin_admin.h"
#include "core/security/plugin_signature.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LARGEST_PLUGIN_BYTES ((off_t)64 << 20)

static const char keygen_help[] =
    "usage: guika plugin keygen --key FILE\n"
    "\n"
    "Makes a pair of keys to sign plugins with. The secret one goes to FILE, which must not be there yet; "
    "the "
    "public one is\nprinted: operators put it into guikad's configuration, readers { trusted_keys = "
    "{\"...\"} }.\n"
    "\n"
    "  --key FILE           where the secret key goes, mode 0600\n" GK_CLI_LOCAL_HELP;

static const char sign_help[] =
    "usage: guika plugin sign FILE.so --key FILE\n"
    "\n"
    "Signs a plugin: writes FILE.so.sig, which goes beside FILE.so into the service's plugin folder.\n"
    "\n"
    "  --key FILE           the secret key, made by guika plugin keygen\n" GK_CLI_LOCAL_HELP;

/* The file's bytes and a terminator; free(data). */
static enum gk_status read_file(const char *path, char **ret_data, size_t *ret_size, struct gk_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;

    if (fd < 0 || fstat(fd, &about) != 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        return gk_error_set(error, GK_NOT_FOUND, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(about.st_mode) || about.st_size == 0 || about.st_size > LARGEST_PLUGIN_BYTES) {
        (void)close(fd);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s: not a file of 1 byte to 64 MiB", path);
    }
    char *data = calloc(1, (size_t)about.st_size + 1);
    size_t size = 0;
    ssize_t got = 1;

    while (data != NULL && size < (size_t)about.st_size && got > 0) {
        got = read(fd, data + size, (size_t)about.st_size - size);
        size += got > 0 ? (size_t)got : 0;
    }
    (void)close(fd);
    if (data == NULL || size < (size_t)about.st_size) {
        free(data);
        return gk_error_set(error, GK_UNAVAILABLE, "%s could not be read", path);
    }
    *ret_data = data;
    *ret_size = size;
    return GK_OK;
}

/* One line into a file that is whole or absent; `flags` say whether one may be there. */
static enum gk_status write_line(const char *path, int flags, mode_t mode, const char *line,
                                 struct gk_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);

    if (fd < 0) {
        return gk_error_set(error, errno == EEXIST ? GK_ALREADY_EXISTS : GK_UNAVAILABLE, "%s: %s", path,
                            strerror(errno));
    }
    const int written = dprintf(fd, "%s\n", line);
    const bool failed = written != (int)strlen(line) + 1 || fsync(fd) != 0;

    if (close(fd) != 0 || failed) {
        (void)unlink(path);
        return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    return GK_OK;
}

int gk_cli_plugin_keygen(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *path = NULL;
    const struct gk_cli_option options[] = {{"key", &path, NULL}};
    char secret[GK_PLUGIN_KEY_TEXT_SIZE], public[GK_PLUGIN_KEY_TEXT_SIZE];
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin_local(&cli, "plugin keygen", keygen_help, argc, argv, options, 1);

    if (exit_status == GK_CLI_GO_ON && (path == NULL || cli.argument_count > 0)) {
        exit_status = gk_cli_usage(&cli, "needs --key FILE, and nothing else");
    }
    const bool go_on = exit_status == GK_CLI_GO_ON && path != NULL;

    if (go_on) {
        gk_plugin_key_make(secret, public);
        status = write_line(path, O_EXCL, 0600, secret, &error);
        explicit_bzero(secret, sizeof secret);
    }
    if (go_on && status == GK_OK) {
        (void)puts(public);
        (void)fputs("This is the public key: whoever shall take your plugins puts it into readers { "
                    "trusted_keys }.\n",
                    stderr);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}

/* Beside and renamed: a service that watches the folder sees it whole. */
static enum gk_status write_signature(const char *plugin, const char *line, struct gk_error *error)
{
    char path[PATH_MAX], beside[PATH_MAX];

    (void)snprintf(path, sizeof path, "%.*s%s", PATH_MAX - 16, plugin, GK_PLUGIN_SIGNATURE_SUFFIX);
    (void)snprintf(beside, sizeof beside, "%.*s.new", PATH_MAX - 8, path);
    const enum gk_status status = write_line(beside, O_TRUNC, 0644, line, error);

    if (status == GK_OK && rename(beside, path) != 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    return status;
}

static enum gk_status sign(const char *plugin, const char *key_path, struct gk_error *error)
{
    char *bytes = NULL, *key = NULL;
    size_t size = 0, key_size = 0;
    char line[GK_PLUGIN_SIGNATURE_SIZE];
    enum gk_status status = read_file(plugin, &bytes, &size, error);

    if (status == GK_OK) {
        status = read_file(key_path, &key, &key_size, error);
    }
    if (status == GK_OK && bytes != NULL && key != NULL) {
        status = gk_plugin_sign(key, (struct gk_bytes){(const uint8_t *)bytes, size}, line, error);
        explicit_bzero(key, key_size);
    }
    if (status == GK_OK) {
        status = write_signature(plugin, line, error);
    }
    free(bytes);
    free(key);
    return status;
}

int gk_cli_plugin_sign(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *key = NULL;
    const struct gk_cli_option options[] = {{"key", &key, NULL}};
    enum gk_status status = GK_OK;
    int exit_status = gk_cli_begin_local(&cli, "plugin sign", sign_help, argc, argv, options, 1);

    if (exit_status == GK_CLI_GO_ON && (key == NULL || cli.argument_count != 1)) {
        exit_status = gk_cli_usage(&cli, "needs FILE.so and --key FILE");
    }
    if (exit_status == GK_CLI_GO_ON && key != NULL) {
        status = sign(cli.arguments[0], key, &error);
    }
    const int ended = gk_cli_end(&cli, status, &error);

    return exit_status == GK_CLI_GO_ON ? ended : exit_status;
}
