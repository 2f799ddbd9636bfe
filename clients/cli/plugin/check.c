/* guika plugin check: the conformance kit's report, for people and for programs. */
#include "plugins/sdk/conformance/conformance.h"

#include "clients/cli/cli.h"
#include "clients/cli/plugin/plugin.h"
#include "clients/cli/reading/local_reader.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CARDS_USUAL 12
#define CARDS_MOST 100

static const char help[] =
    "usage: guika plugin check FILE.so [--json] [--sheet DIR] [--cards N] [--issuers DIR]\n"
    "\n"
    "Is the plugin fit for the shelf? Looks at its symbols, its descriptor, its layouts and its rules, asks "
    "its\n"
    "hook twenty thousand times, looks for clashes with the issuers that are installed, and has minted cards "
    "of\n"
    "its layouts read at various tilts and lights. A crash or a hang is reported as such.\n"
    "\n"
    "  --json               one JSON object\n"
    "  --sheet DIR          write DIR/ID.png: the minted cards and what was read on each\n"
    "  --cards N            to be minted of each layout, 1 to 100 (12)\n"
    "  --issuers DIR        the plugins that it joins (default: ../lib/guika/issuers beside the\n"
    "                       program)\n" GK_CLI_LOCAL_HELP "\n"
    "Exit status: 0 it passes, warnings or not; 1 it fails; 2 wrong usage.\n";

static const char *const verdicts[] = {"passed", "passed with warnings", "failed"};

/* "passed", "warned", "failed", or how it ended. */
static const char *result_word(const struct gk_trial *trial)
{
    switch (trial->end) {
    case GK_TRIAL_NOT_RUN:
        return "not run";
    case GK_TRIAL_CRASHED:
        return "crashed";
    case GK_TRIAL_HUNG:
        return "hung";
    case GK_TRIAL_LEFT:
        return "left";
    case GK_TRIAL_DONE:
        break;
    }
    return gk_trial_failed(trial) ? "failed" : trial->finding_count > 0 ? "warned" : "passed";
}

/* A sentence about a step that did not end as it should; "" for others. */
static void describe_end(const struct gk_trial *trial, char *ret_text, size_t size)
{
    const char *what = trial->end == GK_TRIAL_CRASHED ? strsignal(trial->signal_number)
                       : trial->end == GK_TRIAL_HUNG  ? "it did not come back in time and was killed"
                       : trial->end == GK_TRIAL_LEFT  ? "it ended the process"
                                                      : NULL;
    snprintf(ret_text, size, "%s%s%s", what == NULL ? "" : what,
             what != NULL && trial->doing[0] != '\0' ? " while " : "", what == NULL ? "" : trial->doing);
}

static void print_step(void *context, enum gk_conformance_step step, const struct gk_trial *trial)
{
    char ending[256];
    (void)context;
    describe_end(trial, ending, sizeof ending);
    bool whole = trial->end == GK_TRIAL_DONE && !gk_trial_failed(trial);
    printf("%-10s %-8s %s\n", gk_conformance_step_name(step), result_word(trial),
           whole ? trial->summary : ending);
    for (size_t i = 0; i < trial->finding_count; i++) {
        printf("             %s: %s\n", trial->findings[i].fails ? "wrong" : "warning",
               trial->findings[i].text);
    }
    if (trial->left_out > 0) {
        printf("             and %zu more\n", trial->left_out);
    }
    (void)fflush(stdout);
}

/* Text of a plugin need not be UTF-8. */
static json_t *text_json(const char *text)
{
    json_t *string = json_string(text);
    return string != NULL ? string : json_string("?");
}

static json_t *step_json(enum gk_conformance_step step, const struct gk_trial *trial)
{
    char ending[256];
    json_t *findings = json_array();
    describe_end(trial, ending, sizeof ending);
    for (size_t i = 0; i < trial->finding_count; i++) {
        json_array_append_new(findings, json_pack("{s:b, s:o}", "fails", (int)trial->findings[i].fails,
                                                  "text", text_json(trial->findings[i].text)));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "step", gk_conformance_step_name(step), "result",
                     result_word(trial), "summary", text_json(ending[0] != '\0' ? ending : trial->summary),
                     "findings", findings);
}

static void print_json(const char *file, const struct gk_conformance_report *report)
{
    static const char *const words[] = {"passed", "warned", "failed"};
    const struct gk_trial_about *about = &report->steps[GK_STEP_DESCRIPTOR].about;
    const struct gk_trial_reading *reading = &report->steps[GK_STEP_READING].reading;
    char abi[32];
    json_t *steps = json_array();
    for (enum gk_conformance_step step = 0; step < GK_CONFORMANCE_STEPS; step++) {
        json_array_append_new(steps, step_json(step, &report->steps[step]));
    }
    snprintf(abi, sizeof abi, "%u.%u", about->abi_major, about->abi_minor);
    json_t *object = json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:{s:i, s:i, s:i, s:i}}", "file", text_json(file), "verdict",
        words[report->verdict], "id", text_json(about->id), "version", text_json(about->version), "scheme",
        text_json(about->scheme), "interface", about->abi_major == 0 ? "" : abi, "steps", steps, "reading",
        "pictures", (int)reading->pictures, "likeliest_right", (int)reading->likeliest_right, "read",
        (int)reading->read, "wrong", (int)reading->wrong);
    char *text = json_dumps(object, JSON_COMPACT);
    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(object);
}

static int check(const char *file, const char *issuers, const char *sheet, long cards, bool json)
{
    char beside[4096];
    struct gk_conformance_report *report = malloc(sizeof *report);
    gk_cli_beside("../lib/guika/issuers", beside, sizeof beside);
    const struct gk_conformance_options options = {.file = file,
                                                   .issuers = issuers == NULL ? beside : issuers,
                                                   .sheet = sheet,
                                                   .cards = (unsigned)cards};
    if (report == NULL) {
        fputs("guika plugin check: out of memory\n", stderr);
        return 1;
    }
    gk_conformance_run(&options, json ? NULL : print_step, NULL, report);
    if (json) {
        print_json(file, report);
    } else {
        printf("%s: %s\n", file, verdicts[report->verdict]);
    }
    int exit_status = report->verdict == GK_CONFORMANCE_FAILED;
    free(report);
    return exit_status;
}

int gk_cli_plugin_check(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *sheet = NULL, *issuers = NULL, *cards_text = NULL;
    bool json = false;
    long cards = CARDS_USUAL;
    const struct gk_cli_option options[] = {{"json", NULL, &json},
                                            {"sheet", &sheet, NULL},
                                            {"cards", &cards_text, NULL},
                                            {"issuers", &issuers, NULL}};
    int exit_status = gk_cli_begin_local(&cli, "plugin check", help, argc, argv, options, 4);
    if (exit_status == GK_CLI_GO_ON && cli.argument_count != 1) {
        exit_status = gk_cli_usage(&cli, "takes one file");
    }
    if (exit_status == GK_CLI_GO_ON && cards_text != NULL &&
        gk_settings_number(cards_text, "--cards", 1, CARDS_MOST, &cards, &error) != GK_OK) {
        exit_status = gk_cli_usage(&cli, "%s", error.message);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status =
            check(cli.arguments[0], issuers != NULL ? issuers : cli.settings.issuers, sheet, cards, json);
    }
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
