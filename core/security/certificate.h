/* A self-signed server certificate for `guikad --init`, for TLS until the operator brings their own. */
#ifndef GUIKA_CORE_SECURITY_CERTIFICATE_H
#define GUIKA_CORE_SECURITY_CERTIFICATE_H

#include "rpc/status.h"

#include <stddef.h>

/* Writes a P-256 key (0600) and a certificate (0644) valid for `days`, for the DNS names and IP addresses in
 * `names`. Files are never overwritten: ALREADY_EXISTS. [worker] */
enum gk_status gk_certificate_make(const char *certificate_file, const char *key_file,
                                   const char *const *names, size_t name_count, unsigned days,
                                   struct gk_error *error);

#endif
