/* The steps of conformance.h; each takes the struct gk_conformance_options and runs in a child. */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_STEPS_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_STEPS_H

#include "core/host/plugin_loader.h"
#include "guika/issuer.h"
#include "plugins/sdk/conformance/conformance.h"

/* The most strings that any step asks the plugin about. */
#define GK_STEP_NUMBERS 400

void gk_step_symbols(void *options, struct gk_trial *trial);    /* symbols.c */
void gk_step_descriptor(void *options, struct gk_trial *trial); /* data.c */
void gk_step_layouts(void *options, struct gk_trial *trial);    /* data.c */
void gk_step_rules(void *options, struct gk_trial *trial);      /* data.c */
void gk_step_hook(void *options, struct gk_trial *trial);       /* hook.c */
void gk_step_clashes(void *options, struct gk_trial *trial);    /* clashes.c */
void gk_step_reading(void *options, struct gk_trial *trial);    /* reading.c */

/* Opens the plugin; `check` as in struct gk_plugin_kind. NULL: it was refused, which is noted. The plugin
 * stays open for as long as the child lives. */
const struct guika_issuer *gk_step_open(const struct gk_conformance_options *options, struct gk_trial *trial,
                                        enum gk_status (*check)(const struct gk_plugin_head *head,
                                                                struct gk_error *error));

#endif
