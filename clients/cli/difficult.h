/* What the commands of `guika difficult` show. */
#ifndef GUIKA_CLIENTS_CLI_DIFFICULT_H
#define GUIKA_CLIENTS_CLI_DIFFICULT_H

#include "clients/cli/table.h"
#include "guika/v1/operator.pb.h"

#include <jansson.h>

/* One card as a JSON object; the caller's. */
json_t *gk_difficult_json(const guika_v1_DifficultCard *card);

/* The table of a list. */
struct gk_table *gk_difficult_table(void);
void gk_difficult_table_add(struct gk_table *table, const guika_v1_DifficultCard *card);

/* One card with its candidates, in lines for a person. */
void gk_difficult_print(const guika_v1_DifficultCard *card);

#endif
