/*
 * The box's own name of a deposit: PREFIX-STEM-HASH. The prefix (8 hexadecimal digits) is drawn once for a
 * box and kept in its folder; the stem is the picture's file name, at most 32 characters; the hash covers the
 * first frames. So the same file is the same deposit, whenever it is tried again. The stem is readable in the
 * spool and in logs, so digits of a stem that could hold a card number (8 or more digits) are masked up to
 * the last four.
 */
#ifndef GUIKA_CLIENTS_BOX_DEPOSIT_ID_H
#define GUIKA_CLIENTS_BOX_DEPOSIT_ID_H

#include "clients/box/camera.h"
#include "rpc/status.h"

#define GK_DEPOSIT_ID_SIZE 65 /* bytes with the terminator */
#define GK_BOX_PREFIX_SIZE 9
#define GK_STEM_SIZE 33

enum gk_status gk_box_prefix(const char *directory, char ret_prefix[GK_BOX_PREFIX_SIZE],
                             struct gk_error *error);
void gk_card_stem(const char *name, char ret_stem[GK_STEM_SIZE]);
void gk_deposit_id(const char *prefix, const struct gk_card_seen *card, char ret_id[GK_DEPOSIT_ID_SIZE]);

#endif
