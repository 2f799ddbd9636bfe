/*
 * Sealed pictures beside the store: files that can be unlinked, where deletes in an LSM tree linger.
 * Owns: the directory of pictures. A file is <case id in hex>.<index>, mode 0600, written whole (temporary
 * name, fsync, rename, fsync of the directory), sealed under the picture key with case id and index as
 * associated data.
 */
#ifndef GUIKA_CORE_STORE_PICTURE_VAULT_H
#define GUIKA_CORE_STORE_PICTURE_VAULT_H

#include "core/security/keys.h"
#include "core/store/store.h"

struct gk_picture_vault;

enum gk_status gk_picture_vault_open(const char *directory, const struct gk_keys *keys,
                                     struct gk_picture_vault **ret_vault, struct gk_error *error);
void gk_picture_vault_close(struct gk_picture_vault *vault);

/* [worker] Each blocks on the disk. `index` 0 to 15. */
enum gk_status gk_picture_vault_put(struct gk_picture_vault *vault, const uint8_t case_id[16], unsigned index,
                                    struct gk_bytes picture, struct gk_error *error);
enum gk_status gk_picture_vault_get(struct gk_picture_vault *vault, const uint8_t case_id[16], unsigned index,
                                    struct gk_value *ret_picture, struct gk_error *error);
/* Unlinks every picture of the case; none is no error. */
enum gk_status gk_picture_vault_erase(struct gk_picture_vault *vault, const uint8_t case_id[16],
                                      struct gk_error *error);
/* Calls `visit` once for every case that has pictures (a start-up sweep erases those that no record wants).
 */
enum gk_status gk_picture_vault_each(struct gk_picture_vault *vault,
                                     bool (*visit)(void *context, const uint8_t case_id[16]), void *context,
                                     struct gk_error *error);

#endif
