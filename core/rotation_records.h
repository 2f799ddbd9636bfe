/* The records of stage 3 of a rotation; see rotation.h. */
#ifndef GUIKA_CORE_ROTATION_RECORDS_H
#define GUIKA_CORE_ROTATION_RECORDS_H

#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"

enum { GK_ROTATION_FAMILIES = 6 };

/* Puts the next records of family number `progress->step` (below GK_ROTATION_FAMILIES) from epoch `from` into
 * `progress->to` and moves `progress` on, as it rests in meta "rotation" too. [worker] */
enum gk_status gk_rotation_records_step(struct gk_store *store, const struct gk_keys *keys, uint32_t from,
                                        guika_v1_internal_RotationRecord *progress, struct gk_error *error);

/* Writes the progress. [committer] */
enum gk_status gk_rotation_put(struct gk_transaction *transaction,
                               const guika_v1_internal_RotationRecord *progress, struct gk_error *error);

#endif
