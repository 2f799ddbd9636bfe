/*
 * guikad's configuration file, read into types. Owns every string in it.
 *
 * The file's syntax is libconfuse's: `key = value`, lists in braces, sections in braces. Relative paths are
 * relative to the file's own folder. core/guikad.conf.example describes every key; `guikad --init` writes one
 * that works.
 */
#ifndef GUIKA_CORE_CONFIGURATION_H
#define GUIKA_CORE_CONFIGURATION_H

#include "core/found_card_clocks.h"
#include "core/log.h"
#include "core/notification/outbox.h"
#include "core/security/contact_seal.h"
#include "core/security/plugin_signature.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gk_configuration {
    char *data_directory;
    char *keys_directory;
    enum gk_log_level log_level;
    char **listen; /* URLs */
    size_t listen_count;
    bool plain_remote;      /* tcp:// and ws:// may listen beyond loopback */
    char *metrics;          /* http://HOST:PORT; "": none */
    char *certificate_file; /* PEM */
    char *key_file;         /* PEM */
    uint64_t cache_bytes;   /* RocksDB's block cache */
    uint32_t readers;       /* processes; 1 to 64 */
    char *reader_program;
    char *issuers_directory;
    struct gk_plugin_key *plugin_keys; /* that may sign issuer plugins; none: nobody has to */
    size_t plugin_key_count;
    uint32_t couriers; /* processes; 0 to 16 */
    char *courier_program;
    char *channels_directory;
    double threshold;        /* posterior that a notice needs; 0.5 to 1 */
    double registered_share; /* prior that a found card is registered; 0.01 to 0.99 */
    uint32_t heartbeat_ms;   /* what boxes are asked for */
    char *alerts_to;         /* CHANNEL:ADDRESS that is told of boxes; "": nobody */
    char *alerts_language;   /* "en" or "zh" */
    char *audit_heads_file;  /* where signed heads of the audit chain are added */
    uint32_t audit_every_ms;
    struct gk_retention retention;
    struct gk_channel_setting *settings;
    size_t setting_count;
};

/* Reads `path`. INVALID_ARGUMENT names file, line and key, and where there is one the range allowed and the
 * value received;
 * NOT_FOUND where the file is missing. `program_directory` is where the other programs and plugins are looked
 * for by default. [worker] */
enum gk_status gk_configuration_read(const char *path, const char *program_directory,
                                     struct gk_configuration **ret_configuration, struct gk_error *error);
void gk_configuration_free(struct gk_configuration *configuration);

#endif
