/* Where the model and the parts say different things. */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_COMPARE_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_COMPARE_H

#include "tests/core/life_model/driver.h"

#define DIFFERENCE_SIZE 256

/* The cards that the last operation touched. False: `ret_difference` is one line. */
bool compare_touched(struct driver *driver, const struct model *model, char ret_difference[DIFFERENCE_SIZE]);

/* Everything: cards, notices, indexes, pictures, audit chain, statistics. */
bool compare_all(struct driver *driver, const struct model *model, char ret_difference[DIFFERENCE_SIZE]);

/* For the files of this part: one card's record. */
bool compare_card(struct driver *driver, const struct model_card *card, const struct driver_card *real,
                  char ret_difference[DIFFERENCE_SIZE]);

#endif
