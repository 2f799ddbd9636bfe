#include "tests/core/rotation_fixture.h"

#include "core/registry/rewrap.h"
#include "core/rotation.h"
#include "core/rotation_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void rotation_keys_path(const struct registry_fixture *fixture, const char *name, char ret_path[128])
{
    (void)snprintf(ret_path, 128, "%s/keys%s%s", fixture->directory, name[0] == '\0' ? "" : "/", name);
}

static enum gk_status apply_copied(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const guika_v1_internal_RotationRecord progress = {.to = *(const uint32_t *)context, .lists_done = true};

    return gk_rotation_put(transaction, &progress, error);
}

void rotation_run(struct registry_fixture *fixture)
{
    const uint32_t from = gk_keys_epoch(fixture->keys);
    struct gk_picture_vault *vault;
    char path[128];
    uint32_t to = 0;
    bool done = false;

    rotation_keys_path(fixture, "", path);
    assert_int_equal(gk_keys_add_epoch(path, &to, &fixture->error), GK_OK);
    registry_reopen(fixture);
    assert_int_equal(gk_keys_use(fixture->keys, from, NULL), GK_OK);
    while (!done) {
        assert_int_equal(gk_rewrap_step(fixture->store, fixture->keys, from, to, &done, NULL), GK_OK);
    }
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_copied, &to, NULL), GK_OK);
    (void)snprintf(path, sizeof path, "%s/pictures", fixture->directory);
    assert_int_equal(gk_picture_vault_open(path, fixture->keys, &vault, NULL), GK_OK);
    assert_int_equal(gk_rotation_settle(fixture->store, fixture->keys, vault, &fixture->error), GK_OK);
    gk_picture_vault_close(vault);
    registry_reopen(fixture);
    assert_int_equal(gk_keys_epoch(fixture->keys), to);
}
