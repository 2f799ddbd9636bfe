/*
 * The audit chain: every entry carries the hash of the one before it, so that none can be changed, dropped or
 * put in between without breaking all that follow. META's "audit_head" names the newest entry, so that the
 * newest cannot be cut off unseen either.
 */
#ifndef GUIKA_CORE_STORE_AUDIT_H
#define GUIKA_CORE_STORE_AUDIT_H

#include "core/store/audit_chain.h"
#include "core/store/engine.h"
#include "core/store/overlay.h"

/* Reads the head; an empty store has sequence 0. [worker] */
enum gk_status gk_audit_load(struct gk_engine *engine, struct gk_audit_head *ret_head,
                             struct gk_error *error);

/* Appends an entry after `head` and moves it on. Texts and subject are cut to the entry's fields. [committer]
 */
void gk_audit_append(struct gk_overlay *overlay, struct gk_audit_head *head, int64_t now_ms,
                     const char *actor, const char *action, struct gk_bytes subject, const char *detail);

/* Puts the head of a group into META. [committer] */
void gk_audit_save(struct gk_overlay *overlay, const struct gk_audit_head *head);

/* See gk_store_verify_audit. [worker] */
enum gk_status gk_audit_verify(struct gk_engine *engine, uint64_t *ret_entries, struct gk_error *error);

#endif
