/*
 * Reads a list of cards, tokens or numbers (list_format.h): a CSV file (RFC 4180, UTF-8, a byte order mark is
 * allowed) whose first line is that list's header. Spaces around an unquoted value are dropped.
 *
 * Owns: the open file and one row; both held card numbers and are wiped. No message ever repeats a value.
 */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_LIST_READER_H
#define GUIKA_CLIENTS_CLI_REGISTRY_LIST_READER_H

#include "clients/cli/registry/list_format.h"
#include "rpc/status.h"

#include <stdint.h>
#include <stdio.h>

enum { GK_LIST_ROW_BYTES_MAX = 65536 }; /* a longer row is an unclosed quote */

struct gk_list_reader;

/* Opens a list of cards or tokens and checks its header. INVALID_ARGUMENT names the header found and the one
 * wanted (digits shown as '#': a list without a header begins with a number); UNAVAILABLE where the file
 * cannot be read. */
enum gk_status gk_list_reader_open(const char *path, struct gk_list_reader **ret_reader,
                                   struct gk_error *error);
/* As gk_list_reader_open over an open stream, owned from now on also on failure. */
enum gk_status gk_list_reader_open_stream(FILE *stream, struct gk_list_reader **ret_reader,
                                          struct gk_error *error);
/* The same for a list of numbers, for tokenise. */
enum gk_status gk_list_reader_open_numbers(FILE *stream, struct gk_list_reader **ret_reader,
                                           struct gk_error *error);
void gk_list_reader_close(struct gk_list_reader *reader);

/* Reads the next row; blank lines are skipped. NOT_FOUND at the end (no message); INVALID_ARGUMENT, naming
 * the line, where the file is no CSV from there on. */
enum gk_status gk_list_reader_next(struct gk_list_reader *reader, struct gk_list_row *ret_row,
                                   struct gk_error *error);

enum gk_list_kind gk_list_reader_kind(const struct gk_list_reader *reader);

/* Bytes of the file taken so far. */
uint64_t gk_list_reader_offset(const struct gk_list_reader *reader);

/* Names the file's content: BLAKE2b-256 in hexadecimal, keyed with `token`, because a plain digest of a short
 * list would betray its numbers to whoever reads the service's store. Also gives the size, bytes. */
enum gk_status gk_list_digest(const char *path, const char *token, char ret_digest[65], uint64_t *ret_size,
                              struct gk_error *error);

#endif
