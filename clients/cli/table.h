/* A table for people: columns as wide as their widest cell, two spaces between. Cells are ASCII. */
#ifndef GUIKA_CLIENTS_CLI_TABLE_H
#define GUIKA_CLIENTS_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define GK_TABLE_CELL_SIZE 66 /* bytes with the terminator; longer text is cut */

struct gk_table;

/* `titles`: `columns` texts. Aborts where memory is exhausted, as all of this module. */
struct gk_table *gk_table_new(const char *const *titles, size_t columns);
void gk_table_free(struct gk_table *table);
void gk_table_add(struct gk_table *table, const char *const *cells);
void gk_table_print(const struct gk_table *table, FILE *stream);

#endif
