/*
 * The spool: what the box could not tell the service yet, on disk, readable by the service alone.
 *
 * Owns its directory (0700), which holds
 *   <sequence, 20 digits>.deposit|confirm|pickup   one sealed SpoolEntry each, oldest first
 *   <the same name>.refused                 set aside: the service refused it for good, or the file is
 * corrupt service.key                             the service's X25519 public key, 32 bytes: entries are
 * sealed to it lock                                    held while a program has the spool open Files of other
 * names are left alone. An entry's file is 8 bytes "GKSPOOL1", 1 byte kind, 1 byte length of the deposit id,
 * 2 zero bytes, 4 bytes size of the sealed part (big-endian), the deposit id, the sealed part
 * (crypto_box_seal: X25519, XSalsa20-Poly1305, 48 bytes longer than its content), 32 bytes BLAKE2b of all
 * before. It is written beside, fsynced, renamed and the directory fsynced before gk_spool_append returns.
 *
 * One thread at a time. Functions block on the disk.
 */
#ifndef GUIKA_CLIENTS_C_SPOOL_H
#define GUIKA_CLIENTS_C_SPOOL_H

#include "guika/v1/box.pb.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_SPOOL_KEY_SIZE 32        /* bytes: X25519, RFC 7748 */
#define GK_SPOOL_DEPOSIT_ID_SIZE 65 /* bytes with the terminator */

enum gk_spool_kind { GK_SPOOL_DEPOSIT = 1, GK_SPOOL_CONFIRM = 2, GK_SPOOL_PICKUP = 3 };

struct gk_spool;

/* Opens the spool in `directory`, made if missing; removes what a crash left half written. `limit_bytes`
 * counts files in whole blocks of 4096 bytes, those set aside included. Errors: FAILED_PRECONDITION where
 * another program has it open; INVALID_ARGUMENT, INTERNAL for a directory that cannot be used. */
enum gk_status gk_spool_open(const char *directory, uint64_t limit_bytes, struct gk_spool **ret_spool,
                             struct gk_error *error);
void gk_spool_close(struct gk_spool *spool);

/* Keeps the service's key, durably. Entries sealed to an older key stay as they are. */
enum gk_status gk_spool_learn_key(struct gk_spool *spool, const uint8_t key[GK_SPOOL_KEY_SIZE],
                                  struct gk_error *error);

/* Seals `entry` and makes it durable as the newest. Errors: UNAVAILABLE where the service's key is not known
 * yet, RESOURCE_EXHAUSTED where it does not fit (entries set aside are erased first, oldest first, to make
 * room), INTERNAL where the disk fails. On failure nothing was added. */
enum gk_status gk_spool_append(struct gk_spool *spool, const guika_v1_SpoolEntry *entry,
                               struct gk_error *error);

struct gk_spool_item {
    enum gk_spool_kind kind;
    char deposit_id[GK_SPOOL_DEPOSIT_ID_SIZE];
    const uint8_t *sealed; /* inside `file` */
    size_t sealed_size;    /* bytes */
    uint8_t *file;         /* owned; freed by gk_spool_item_clear */
};

/* Reads the oldest entry; corrupt ones before it are set aside. NOT_FOUND where the spool is empty; INTERNAL
 * where the disk fails. */
enum gk_status gk_spool_oldest(struct gk_spool *spool, struct gk_spool_item *ret_item,
                               struct gk_error *error);
void gk_spool_item_clear(struct gk_spool_item *item);

/* Erases the oldest entry, or sets it aside. */
enum gk_status gk_spool_erase_oldest(struct gk_spool *spool, struct gk_error *error);
enum gk_status gk_spool_refuse_oldest(struct gk_spool *spool, struct gk_error *error);

/* The spool's folder, borrowed: what else the box keeps lies there too. */
int gk_spool_directory(const struct gk_spool *spool);

/* Does an entry for this deposit wait? */
bool gk_spool_holds(const struct gk_spool *spool, const char *deposit_id);
size_t gk_spool_count(const struct gk_spool *spool);   /* entries that wait */
uint64_t gk_spool_bytes(const struct gk_spool *spool); /* their size on disk, in whole blocks */

#endif
