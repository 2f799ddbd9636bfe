/*
 * Case numbers as people say them: "A1B2-C3D4", the first eight hexadecimal digits of the case id. No two
 * cases have the same (gk_case_number_draw sees to it).
 */
#ifndef GUIKA_CORE_CASE_NUMBER_H
#define GUIKA_CORE_CASE_NUMBER_H

#include "core/found_card.h"

/* Reads a case number or a whole case id: 8 or 32 hexadecimal digits of either case; spaces and dashes do not
 * matter. Returns the bytes read, 4 or GK_CASE_ID_SIZE; 0 for anything else. [any] */
size_t gk_case_number_read(const char *text, uint8_t ret_id[GK_CASE_ID_SIZE]);

/* The case that `text` names. INVALID_ARGUMENT where it is no case number, NOT_FOUND where there is no such
 * case. [worker] */
enum gk_status gk_case_number_find(struct gk_store *store, const char *text,
                                   uint8_t ret_case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* Draws a case id whose case number no case has. [worker] */
enum gk_status gk_case_number_draw(struct gk_store *store, uint8_t ret_case_id[GK_CASE_ID_SIZE],
                                   struct gk_error *error);

#endif
