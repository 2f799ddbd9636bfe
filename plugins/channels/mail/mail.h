/*
 * One RFC 5322 message out of a notice, for every channel that speaks e-mail.
 *
 * The bytes depend on nothing but the notice and the sender, so that a repeated delivery is the same message:
 * Message-ID and Date come from the notice.
 */
#ifndef GUIKA_PLUGINS_CHANNELS_MAIL_MAIL_H
#define GUIKA_PLUGINS_CHANNELS_MAIL_MAIL_H

#include <guika/channel.h>

#include <stdbool.h>
#include <stddef.h>

#define GUIKA_MAIL_ADDRESS_SIZE                                                                              \
    255 /* bytes with the terminator: a path of 256 without its brackets, RFC 5321 4.5.3.1.3 */
#define GUIKA_MAIL_NAME_SIZE 129

/* Who sends: the setting "from", as "Guika <noreply@example.org>" or "noreply@example.org". */
struct guika_mail_sender {
    char name[GUIKA_MAIL_NAME_SIZE]; /* may be empty */
    char address[GUIKA_MAIL_ADDRESS_SIZE];
};

/* Reads the setting. False where it has no address. [any] */
bool guika_mail_read_sender(const char *text, struct guika_mail_sender *ret_sender);

/* True for LOCAL@DOMAIN in ASCII: a dot-atom of at most 64 bytes and host labels, 254 bytes in all. [any] */
bool guika_mail_accepts_address(const char *address);

/* Composes the message, lines ended by `line_end` ("\n" in files, "\r\n" on the wire). Header values cannot
 * add headers: control characters become spaces. Returns NULL where memory is exhausted; else text for
 * free(), terminated, its length in `ret_size`. [any] */
char *guika_mail_compose(const struct guika_mail_sender *sender, const struct guika_notice *notice,
                         const char *line_end, size_t *ret_size);

/* The value of the setting `name`; NULL where it is absent or empty. Borrowed. [any] */
const char *guika_mail_setting(const struct guika_pair *settings, size_t count, const char *name);

#endif
