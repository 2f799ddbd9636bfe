/**
 * @file guika/channel.h
 * A channel plugin: how a notice reaches a holder (e-mail, a folder, an SMS gateway).
 *
 * A plugin is one shared object that exports one constant, `guika_channel`. It is loaded by the couriers
 * (never by the core), with RTLD_NOW | RTLD_LOCAL. A courier delivers one notice at a time and may be killed
 * when its lease runs out, so a delivery must be safe to repeat: the message id is the same on every attempt.
 *
 * Strict C11 and C++17 compile this header alone.
 */
#ifndef GUIKA_CHANNEL_H
#define GUIKA_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GUIKA_CHANNEL_ABI_MAJOR 1
#define GUIKA_CHANNEL_ABI_MINOR 0

/** One key and value: a setting of the channel, or a field of the template. Both UTF-8, terminated. */
struct guika_pair {
    const char *name;
    const char *value;
};

/** One notice. Everything is borrowed for the call; text is UTF-8. */
struct guika_notice {
    const char *message_id; /**< 32 hexadecimal digits, the same on every attempt: the idempotency key */
    const char
        *address;     /**< in the channel's own form, as the issuer gave it after the colon: "a@b.example" */
    const char *name; /**< the holder's; may be empty */
    const char *language; /**< BCP 47: "zh", "en" */
    const char *subject;
    const char *text;                /**< complete by itself; lines end with \n */
    const char *template_id;         /**< for gateways that send templates alone: "card_found" */
    const struct guika_pair *fields; /**< the template's values */
    size_t field_count;
    int64_t created_at_ms; /**< Unix milliseconds; the same on every attempt */
};

/** What became of an attempt. */
enum guika_outcome {
    GUIKA_DELIVERED = 1, /**< the receiver took responsibility */
    GUIKA_TRY_LATER = 2, /**< a passing fault */
    GUIKA_REFUSED = 3,   /**< this address will never take it */
};

struct guika_result {
    enum guika_outcome outcome;
    uint32_t retry_after_ms; /**< with TRY_LATER: the receiver's own wish; 0: none */
    char detail[256];        /**< one line for the operator, terminated; no address, no text, no secret */
};

struct guika_channel {
    uint32_t struct_size; /**< sizeof(struct guika_channel) as the plugin was compiled */
    uint16_t abi_major;
    uint16_t abi_minor;
    const char
        *id; /**< "smtp": serves the channel of this name, and channels whose setting "plugin" names it */
    const char *version;
    /** Makes a channel from its settings; returns NULL on failure, with a line for the operator in `detail`.
     * Called once for each channel that the plugin serves, before anything else is done with it. */
    void *(*open)(const struct guika_pair *settings, size_t setting_count, char *detail, size_t detail_size);
    void (*close)(void *channel);
    /** True where `address` has the channel's form. Pure. */
    bool (*accepts_address)(const char *address);
    /** Delivers; may block up to `deadline_ms`. */
    void (*deliver)(void *channel, const struct guika_notice *notice, uint32_t deadline_ms,
                    struct guika_result *ret_result);
};

#if defined(_WIN32)
#define GUIKA_EXPORT
#elif !defined(GUIKA_EXPORT)
#define GUIKA_EXPORT __attribute__((visibility("default")))
#endif

/** The one symbol that the plugin exports. */
extern GUIKA_EXPORT const struct guika_channel guika_channel;

#ifdef __cplusplus
}
#endif

#endif
