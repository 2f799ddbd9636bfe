/*
 * The key that signs heads of the audit chain, for a service from before there was one. It is made at the
 * start, unless heads were signed: then it was there, and is lost or misplaced, which a person has to know.
 */
#ifndef GUIKA_CORE_AUDIT_KEY_H
#define GUIKA_CORE_AUDIT_KEY_H

#include "core/configuration.h"
#include "core/log.h"
#include "core/security/keys.h"
#include "core/store/store.h"

/* Makes the key where it is missing and the file of heads holds none; `*ret_made` tells. FAILED_PRECONDITION
 * where heads were signed, or other keys are missing too. Before gk_keys_open. [worker] */
enum gk_status gk_audit_key_settle(const struct gk_configuration *configuration, bool *ret_made,
                                   struct gk_error *error);

/* Says in the log and in the audit chain that it was made; the log has the public key. [worker] */
enum gk_status gk_audit_key_note(struct gk_store *store, const struct gk_keys *keys, const struct gk_log *log,
                                 struct gk_error *error);

#endif
