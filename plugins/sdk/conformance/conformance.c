#include "plugins/sdk/conformance/conformance.h"

#include "core/recognition/descriptor.h"
#include "plugins/sdk/conformance/steps.h"

#include <assert.h>

#define QUICK_LIMIT_MS 6000   /* of what takes a tenth of a second */
#define READER_LIMIT_MS 20000 /* until a reader is there, on a busy machine */
#define PICTURE_LIMIT_MS 4000 /* minted and read; a reader gives up after 1.7 s */

static const struct {
    const char *name;
    void (*run)(void *options, struct gk_trial *trial);
} steps[GK_CONFORMANCE_STEPS] = {
    [GK_STEP_SYMBOLS] = {"symbols", gk_step_symbols},
    [GK_STEP_DESCRIPTOR] = {"descriptor", gk_step_descriptor},
    [GK_STEP_LAYOUTS] = {"layouts", gk_step_layouts},
    [GK_STEP_RULES] = {"rules", gk_step_rules},
    [GK_STEP_HOOK] = {"hook", gk_step_hook},
    [GK_STEP_CLASHES] = {"clashes", gk_step_clashes},
    [GK_STEP_READING] = {"reading", gk_step_reading},
};

const char *gk_conformance_step_name(enum gk_conformance_step step)
{
    assert(step < GK_CONFORMANCE_STEPS);
    return steps[step].name;
}

const struct guika_issuer *gk_step_open(const struct gk_conformance_options *options, struct gk_trial *trial,
                                        enum gk_status (*check)(const struct gk_plugin_head *head,
                                                                struct gk_error *error))
{
    struct gk_plugin_kind kind = *gk_descriptor_kind();
    struct gk_plugin *plugin = NULL;
    struct gk_error error = {0};
    kind.check = check;
    gk_trial_doing(trial, "it was being loaded");
    if (gk_plugin_open(options->file, &kind, &plugin, &error) != GK_OK) {
        gk_trial_note(trial, true, "%s", error.message);
        return NULL;
    }
    gk_trial_doing(trial, "%s", "");
    return (const struct guika_issuer *)(const void *)gk_plugin_head(plugin);
}

/* Can the step be taken after those before it? What cannot be loaded is not asked, and what crashes when it
 * is asked is not shown pictures. */
static bool has_ground(const struct gk_conformance_report *report, enum gk_conformance_step step)
{
    if (step <= GK_STEP_DESCRIPTOR) {
        return step == GK_STEP_SYMBOLS || report->steps[GK_STEP_SYMBOLS].end == GK_TRIAL_DONE;
    }
    if (step == GK_STEP_LAYOUTS) { /* names the region that the descriptor's check refuses */
        return report->steps[GK_STEP_DESCRIPTOR].end == GK_TRIAL_DONE &&
               report->steps[GK_STEP_DESCRIPTOR].about.id[0] != '\0';
    }
    bool sound = !gk_trial_failed(&report->steps[GK_STEP_DESCRIPTOR]);
    if (step == GK_STEP_READING) {
        sound = sound && !gk_trial_failed(&report->steps[GK_STEP_LAYOUTS]) &&
                !gk_trial_failed(&report->steps[GK_STEP_RULES]) &&
                !gk_trial_failed(&report->steps[GK_STEP_HOOK]);
    }
    return sound;
}

void gk_conformance_run(const struct gk_conformance_options *options,
                        void (*on_step)(void *context, enum gk_conformance_step step,
                                        const struct gk_trial *trial),
                        void *context, struct gk_conformance_report *ret_report)
{
    assert(options != NULL && options->file != NULL && options->issuers != NULL && ret_report != NULL);
    struct gk_conformance_options copy = *options;
    ret_report->verdict = GK_CONFORMANCE_PASSED;
    for (enum gk_conformance_step step = 0; step < GK_CONFORMANCE_STEPS; step++) {
        struct gk_trial *trial = &ret_report->steps[step];
        *trial = (struct gk_trial){.end = GK_TRIAL_NOT_RUN};
        if (has_ground(ret_report, step)) {
            unsigned pictures = options->cards * ret_report->steps[GK_STEP_DESCRIPTOR].about.layouts;
            unsigned limit_ms =
                step == GK_STEP_READING ? READER_LIMIT_MS + pictures * PICTURE_LIMIT_MS : QUICK_LIMIT_MS;
            gk_trial_run(steps[step].run, &copy, limit_ms, trial);
        }
        if (gk_trial_failed(trial)) {
            ret_report->verdict = GK_CONFORMANCE_FAILED;
        } else if (trial->finding_count > 0 && ret_report->verdict == GK_CONFORMANCE_PASSED) {
            ret_report->verdict = GK_CONFORMANCE_WARNED;
        }
        if (on_step != NULL) {
            on_step(context, step, trial);
        }
    }
}
