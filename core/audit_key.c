#include "core/audit_key.h"

#include "core/security/audit_head.h"

#include <stdio.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 /* bytes with the terminator, PATH_MAX */ };

enum gk_status gk_audit_key_settle(const struct gk_configuration *configuration, bool *ret_made,
                                   struct gk_error *error)
{
    char path[PATH_SIZE];
    struct stat key;
    struct stat heads;

    *ret_made = false;
    (void)snprintf(path, sizeof path, "%.*s/audit.key", PATH_SIZE - 16, configuration->keys_directory);
    if (lstat(path, &key) == 0) {
        return GK_OK;
    }
    if (stat(configuration->audit_heads_file, &heads) == 0 && heads.st_size > 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "keys/audit.key is missing and signed the heads in %.120s: put it back from a "
                            "backup of the keys, or, if "
                            "it is lost, move that file away",
                            configuration->audit_heads_file);
    }
    return gk_keys_add_audit(configuration->keys_directory, ret_made, error);
}

static enum gk_status apply_made(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    (void)error;
    gk_transaction_audit(transaction, "core", "keys.make_audit_key", (struct gk_bytes){NULL, 0},
                         "heads are signed from here on");
    return GK_OK;
}

enum gk_status gk_audit_key_note(struct gk_store *store, const struct gk_keys *keys, const struct gk_log *log,
                                 struct gk_error *error)
{
    char line[GK_AUDIT_LINE_SIZE];

    gk_audit_public_write(keys, line);
    gk_log(log, GK_LOG_WARNING, "audit_key_made", {"public", line},
           {"next", "back up the keys; put the public key into audit.pub and keep a copy elsewhere"});
    return gk_store_commit_and_wait(store, apply_made, NULL, error);
}
