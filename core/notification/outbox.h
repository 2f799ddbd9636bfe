/*
 * The outbox: notices that wait, leave and come to rest, each at least once and under one message id.
 *
 * Owns: the families outbox and outbox_due, the leases of couriers (in memory), and a timer and an async
 * handle on the loop. A row of outbox_due is the only thing that makes a notice leave; it holds references,
 * and text is made when a courier takes the notice. What a courier had in hand when it died, or when the
 * service did, leaves again with the same message id.
 *
 * A contact is CHANNEL:ADDRESS. A channel is known where the configuration has settings for it ("[channel
 * smtp]"); its setting "plugin" names the plugin that serves it (absent: the plugin of the channel's own
 * name), so that a demo can put what is for smtp into a maildir. The courier opens one instance of the plugin
 * for each channel.
 */
#ifndef GUIKA_CORE_NOTIFICATION_OUTBOX_H
#define GUIKA_CORE_NOTIFICATION_OUTBOX_H

#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"
#include "rpc/server.h"

#include <uv.h>

/* --- within a transition ---
 * These write no
 * audit entry: they are part of a transition that writes its own. After the commit of one that made a notice
 * due, call gk_outbox_poke. */

/* Adds a notice, HELD (waits for gk_outbox_release) or DUE at due_at_ms. INVALID_ARGUMENT for another state.
 * `sealed_mask`, where there is one, is sealed for GK_SEAL_MASK with the case id as context; with the notice
 * id where there is no case. [committer] */
enum gk_status gk_outbox_add(struct gk_transaction *transaction, const guika_v1_internal_NoticeRecord *notice,
                             struct gk_error *error);

/* Lets a HELD notice leave from `now_ms` (Unix milliseconds) on. Any other state is left as it is. NOT_FOUND.
 * [committer] */
enum gk_status gk_outbox_release(struct gk_transaction *transaction, const uint8_t notice_id[16],
                                 int64_t now_ms, struct gk_error *error);

/* A HELD or DUE notice will not leave (any more); one that has left is left as it is. NOT_FOUND. [committer]
 */
enum gk_status gk_outbox_cancel(struct gk_transaction *transaction, const uint8_t notice_id[16],
                                struct gk_error *error);

/* --- on the loop --- */

struct gk_channel_setting {
    const char *channel; /* at most 32 bytes */
    const char *key;     /* at most 32 bytes */
    const char *value;   /* at most 512 bytes */
};

/* An issuer's name in both languages, as its plugin has it; empty where it is not known. */
struct gk_issuer_name {
    char zh[65];
    char en[65];
};

/* How the holder gets the card of a notice. */
struct gk_outbox_pickup {
    char place_id[33];     /* box or desk, whose place and hours the text has */
    char code[9];          /* 6 or 8 digits */
    unsigned tail_digits;  /* of the holder's telephone number that the code needs with it; 0: none */
    int64_t expires_at_ms; /* of the code; Unix milliseconds */
};

struct gk_outbox_options {
    uv_loop_t *loop;
    struct gk_store *store;                    /* outlives the outbox */
    const struct gk_keys *keys;                /* outlives the outbox */
    const struct gk_channel_setting *settings; /* borrowed until closed; at most 64 */
    size_t setting_count;
    uint32_t lease_ms; /* 0: 30000 */

    /* Name, language and contacts of a holder, as gk_registry_holder has them. NOT_FOUND where there is no
     * such holder any more. [worker] */
    enum gk_status (*holder)(void *context, const char *issuer_account,
                             const uint8_t holder_token[GK_TOKEN_SIZE],
                             guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error);
    /* The name of the issuer with that plugin id; `ret_name` is zeroed before. [worker] */
    void (*issuer_name)(void *context, const char *issuer, struct gk_issuer_name *ret_name);
    /* The code in force for a contact. NOT_FOUND where it has run out. [worker] */
    enum gk_status (*contact_code)(void *context, const uint8_t contact_token[GK_TOKEN_SIZE],
                                   char ret_code[GK_CONTACT_CODE_SIZE], struct gk_error *error);
    /* The code that a notice about a card at hand carries. NOT_FOUND where the case is over, and
     * FAILED_PRECONDITION where its holder cannot collect the card where it is: the notice does not leave,
     * but for the answer to an enquiry, which with FAILED_PRECONDITION leaves without a code. NULL: notices
     * carry no code. [worker] */
    enum gk_status (*pickup)(void *context, const guika_v1_internal_NoticeRecord *notice,
                             const guika_v1_internal_HolderContacts *holder,
                             struct gk_outbox_pickup *ret_pickup, struct gk_error *error);
    /* A notice that tells a holder of a card (any but the answer to an enquiry) was delivered: moves its card
     * on, in the same batch. The outbox writes the transition's audit entry (notice.deliver, the case id as
     * subject): this must not. Any other status than GK_OK undoes the transition. [committer] */
    enum gk_status (*on_delivered)(void *context, struct gk_transaction *transaction,
                                   const guika_v1_internal_NoticeRecord *notice, struct gk_error *error);
    void *context;
};

struct gk_outbox;

/* INVALID_ARGUMENT for settings that are too many or too long. [loop] */
enum gk_status gk_outbox_open(const struct gk_outbox_options *options, struct gk_outbox **ret_outbox,
                              struct gk_error *error);

/* The CourierService, served by this outbox. */
struct gk_rpc_binding gk_outbox_binding(struct gk_outbox *outbox);

/* Says that a notice may have become due, or that the clock was moved. [any] */
void gk_outbox_poke(struct gk_outbox *outbox);

/* A courier has gone: what it had in hand is tried again at once, not when its lease ends. [loop] */
void gk_outbox_peer_gone(struct gk_outbox *outbox, const struct gk_rpc_peer *peer);

/* Answers what waits and frees the outbox once its last commit is durable; then calls `on_closed` [loop]. No
 * call may reach it from here on: stop serving first. [loop] */
void gk_outbox_close(struct gk_outbox *outbox, void (*on_closed)(void *context), void *context);

#endif
