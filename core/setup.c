#include "core/setup.h"

#include "core/clock.h"
#include "core/configuration.h"
#include "core/memory.h"
#include "core/security/audit_head.h"
#include "core/security/certificate.h"
#include "core/security/credentials.h"
#include "core/security/keys.h"
#include "core/store/record.h"
#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CERTIFICATE_DAYS = 825 /* the longest that browsers take for a certificate of one's own */ };

/* core/guikad.conf.example, as it stands. */
__asm__(".section .rodata\n"
        "gk_example:\n"
        ".incbin \"" GUIKA_EXAMPLE_CONFIGURATION "\"\n"
        "gk_example_end:\n"
        ".previous\n");
extern const char gk_example[];
extern const char gk_example_end[];

static enum gk_status write_file(const char *path, const char *text, size_t size, struct gk_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0 && errno == EEXIST) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already, and nothing is overwritten",
                            path);
    }
    if (fd < 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    const ssize_t written = write(fd, text, size);
    const int failed = written != (ssize_t)size || fsync(fd) != 0;

    (void)close(fd);
    return failed ? gk_error_set(error, GK_UNAVAILABLE, "%s: %s", path, strerror(errno)) : GK_OK;
}

static enum gk_status make_folder(const char *path, struct gk_error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    return GK_OK;
}

struct first_operator {
    uint8_t hash[GK_TOKEN_SIZE];
};

static enum gk_status apply_operator(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    const struct first_operator *first = context;
    guika_v1_internal_CredentialRecord record = {0};

    record.role = GK_ROLE_OPERATOR;
    record.issued_at_ms = gk_transaction_now_ms(transaction);
    (void)snprintf(record.id, sizeof record.id, "first");
    gk_transaction_audit(transaction, "core", "operator.add", (struct gk_bytes){(const uint8_t *)"first", 5},
                         "--init");
    return gk_record_put(transaction, GK_FAMILY_CREDENTIALS,
                         (struct gk_bytes){first->hash, sizeof first->hash},
                         guika_v1_internal_CredentialRecord_fields, &record, error);
}

static enum gk_status add_operator(const struct gk_configuration *configuration, const struct gk_keys *keys,
                                   const char *token, struct gk_error *error)
{
    struct gk_clock clock = gk_clock_system();
    const struct gk_store_options options = {
        .path = configuration->data_directory, .now_ms = clock.now_ms, .now_context = clock.context};
    struct first_operator first;
    struct gk_store *store;
    enum gk_status status = gk_store_open(&options, &store, error);

    if (status != GK_OK) {
        return status;
    }
    gk_keys_credential_hash(keys, token, first.hash);
    status = gk_store_commit_and_wait(store, apply_operator, &first, error);
    gk_store_close(store);
    return status;
}

static enum gk_status make_operator(const struct gk_configuration *configuration, const char *folder,
                                    struct gk_error *error)
{
    char token[GK_CREDENTIAL_SIZE];
    char line[GK_CREDENTIAL_SIZE + 1];
    char audit_key[GK_AUDIT_LINE_SIZE];
    char path[PATH_MAX];
    struct gk_keys *keys;
    enum gk_status status = gk_keys_open(configuration->keys_directory, &keys, error);

    if (status != GK_OK) {
        return status;
    }
    gk_audit_public_write(keys, audit_key);
    gk_credential_make("operator", token);
    status = add_operator(configuration, keys, token, error);
    gk_keys_close(keys);
    if (status != GK_OK) {
        return status;
    }
    (void)snprintf(path, sizeof path, "%s/operator.token", folder);
    (void)snprintf(line, sizeof line, "%s\n", token);
    status = write_file(path, line, strlen(line), error);
    if (status != GK_OK) {
        return status;
    }
    (void)snprintf(path, sizeof path, "%s/audit.pub", folder);
    return write_file(path, audit_key, strlen(audit_key), error);
}

/* What would be found in the way half-way is looked for first. */
static enum gk_status check_absent(const struct gk_configuration *configuration, const char *folder,
                                   struct gk_error *error)
{
    char token[PATH_MAX];
    char audit_key[PATH_MAX];
    const char *paths[] = {configuration->certificate_file, configuration->key_file, token, audit_key};

    (void)snprintf(token, sizeof token, "%s/operator.token", folder);
    (void)snprintf(audit_key, sizeof audit_key, "%s/audit.pub", folder);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        if (access(paths[i], F_OK) == 0) {
            return gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already, and nothing is overwritten",
                                paths[i]);
        }
    }
    return GK_OK;
}

static enum gk_status make_certificate(const struct gk_configuration *configuration, struct gk_error *error)
{
    char host[HOST_NAME_MAX + 1] = "localhost";
    const char *names[] = {"localhost", "127.0.0.1", host};

    (void)gethostname(host, sizeof host - 1);
    return gk_certificate_make(configuration->certificate_file, configuration->key_file, names,
                               strcmp(host, "localhost") == 0 ? 2 : 3, CERTIFICATE_DAYS, error);
}

enum gk_status gk_setup_run(const char *path, const char *program_directory, struct gk_error *error)
{
    char folder_buffer[PATH_MAX];
    struct gk_configuration *configuration = NULL;

    (void)snprintf(folder_buffer, sizeof folder_buffer, "%s", path);
    const char *folder = dirname(folder_buffer);
    enum gk_status status = make_folder(folder, error);

    if (status == GK_OK) {
        status = write_file(path, gk_example, (size_t)(gk_example_end - gk_example), error);
    }
    if (status != GK_OK) {
        return status;
    }
    status = gk_configuration_read(path, program_directory, &configuration, error);
    if (status == GK_OK) {
        status = check_absent(configuration, folder, error);
    }
    if (status == GK_OK) {
        status = gk_keys_generate(configuration->keys_directory, error);
    }
    if (status != GK_OK) {
        (void)unlink(path); /* nothing else was made yet: the next try begins anew */
    }
    if (status == GK_OK) {
        status = make_certificate(configuration, error);
    }
    if (status == GK_OK) {
        status = make_operator(configuration, folder, error);
    }
    gk_configuration_free(configuration);
    return status;
}
