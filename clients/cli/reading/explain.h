/*
 * `guika read --explain`: pictures of how a card was read. For each file that is read, with <stem> its name
 * without folder and ending:
 *
 *   <stem>-1-photo.png     the photograph with every quadrilateral that was found
 *   <stem>-2-card-<n>.png  each rectified card with the layouts' regions and the lines that may be numbers
 *   <stem>-3-strips.png    the strips as the net saw them, what it read and how surely, and the verdict
 *
 * They hold full numbers; the files are readable by their owner alone.
 */
#ifndef GUIKA_CLIENTS_CLI_READING_EXPLAIN_H
#define GUIKA_CLIENTS_CLI_READING_EXPLAIN_H

#include "core/recognition/observer.h"
#include "rpc/status.h"

struct gk_explainer;

/* Makes `directory` (mode 0700) where it is missing. */
enum gk_status gk_explainer_open(const char *directory, struct gk_explainer **ret_explainer,
                                 struct gk_error *error);
void gk_explainer_close(struct gk_explainer *explainer); /* accepts NULL */

/* For gk_recogniser_options.observer; lives as long as the explainer. */
const struct gk_observer *gk_explainer_observer(struct gk_explainer *explainer);

/* Before and after a file is read. Ending writes the strips and tells the first failure since the beginning.
 */
void gk_explainer_begin(struct gk_explainer *explainer, const char *path);
enum gk_status gk_explainer_end(struct gk_explainer *explainer, struct gk_error *error);

#endif
