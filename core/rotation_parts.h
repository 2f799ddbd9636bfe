/* What the converters of stage 3 of a rotation share; for core/rotation_*.c alone. */
#ifndef GUIKA_CORE_ROTATION_PARTS_H
#define GUIKA_CORE_ROTATION_PARTS_H

#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"

/* From which epoch into which. */
struct gk_rotation_round {
    const struct gk_keys *keys;
    uint32_t from;
    guika_v1_internal_RotationRecord *progress;
};

/* Wraps a token, in place; anything else than GK_TOKEN_SIZE bytes is none. */
void gk_rotation_wrap(const struct gk_rotation_round *round, uint8_t *token, size_t size);

/* Seals anew, in place, what was sealed for `use` with `context`. What does not open stays as it is: it is
 * nobody's to read, whatever the keys. */
void gk_rotation_reseal(const struct gk_rotation_round *round, enum gk_seal use, struct gk_bytes context,
                        uint8_t *sealed, size_t size);

/* Wraps a contact's token, and seals anew the contact that was sealed with it; either may be empty. */
void gk_rotation_contact(const struct gk_rotation_round *round, uint8_t *token, size_t token_size,
                         uint8_t *sealed, size_t size);

/* Converters of records whose keys are tokens: each comes to rest under another key, where it may be met
 * again, and is then left as it is. [committer] */
enum gk_status gk_rotation_watch(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                 struct gk_bytes key, struct gk_error *error);
enum gk_status gk_rotation_claims(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                  struct gk_bytes key, struct gk_error *error);
/* One-time codes live ten minutes: they are dropped. [committer] */
enum gk_status gk_rotation_code(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                struct gk_bytes key, struct gk_error *error);

#endif
