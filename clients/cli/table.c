#include "clients/cli/table.h"

#include <stdlib.h>
#include <string.h>

struct gk_table {
    size_t columns, rows;
    char (*cells)[GK_TABLE_CELL_SIZE]; /* rows * columns; the titles first */
};

struct gk_table *gk_table_new(const char *const *titles, size_t columns)
{
    struct gk_table *table = calloc(1, sizeof *table);

    if (table == NULL) {
        abort();
    }
    table->columns = columns;
    gk_table_add(table, titles);
    return table;
}

void gk_table_free(struct gk_table *table)
{
    if (table != NULL) {
        free(table->cells);
        free(table);
    }
}

void gk_table_add(struct gk_table *table, const char *const *cells)
{
    const size_t before = table->rows * table->columns;
    char(*grown)[GK_TABLE_CELL_SIZE] =
        realloc(table->cells, (before + table->columns) * sizeof *table->cells);

    if (grown == NULL) {
        abort();
    }
    table->cells = grown;
    for (size_t i = 0; i < table->columns; i++) {
        (void)snprintf(grown[before + i], GK_TABLE_CELL_SIZE, "%s", cells[i]);
    }
    table->rows++;
}

static int width(const struct gk_table *table, size_t column)
{
    size_t widest = 0;

    for (size_t row = 0; row < table->rows; row++) {
        const size_t length = strlen(table->cells[row * table->columns + column]);

        widest = length > widest ? length : widest;
    }
    return (int)widest;
}

void gk_table_print(const struct gk_table *table, FILE *stream)
{
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t column = 0; column < table->columns; column++) {
            const char *cell = table->cells[row * table->columns + column];

            if (column + 1 == table->columns) {
                (void)fprintf(stream, "%s\n", cell);
            } else {
                (void)fprintf(stream, "%-*s  ", width(table, column), cell);
            }
        }
    }
}
