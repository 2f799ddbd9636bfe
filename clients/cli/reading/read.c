#include "clients/cli/reading/read.h"

#include "clients/cli/cli.h"
#include "clients/cli/reading/explain.h"
#include "clients/cli/reading/local_reader.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: guika read [--json] [--explain DIR] [--issuers DIR] [--no-check] [--config FILE] FILE...\n"
    "\n"
    "Reads pictures of cards on this machine, without a server, and says what number each carries.\n"
    "\n"
    "  --json               one JSON object a line\n"
    "  --explain DIR        write pictures into DIR of how each card was read: the photo with what was\n"
    "                       taken for the card, the card with its lines, the strips with each digit's\n"
    "                       probability. They show full numbers; their files are for their owner alone.\n"
    "  --issuers DIR        issuer plugins (default: ../lib/guika/issuers beside the program)\n"
    "  --no-check           ignore check digits and prefixes: specimen cards have "
    "neither\n" GK_CLI_LOCAL_HELP;

static json_t *candidates_json(const guika_v1_internal_CompleteRecognitionRequest *result)
{
    json_t *list = json_array();
    for (size_t i = 0; i < result->candidates_count; i++) {
        const guika_v1_internal_Candidate *candidate = &result->candidates[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:f}", "issuer", candidate->issuer, "scheme",
                                              candidate->scheme, "number", candidate->number, "probability",
                                              candidate->probability));
    }
    return list;
}

static void print_json(const char *path, const guika_v1_internal_CompleteRecognitionRequest *result,
                       double ms)
{
    bool read = gk_cli_is_read(result);
    const guika_v1_internal_Candidate none = {0}, *best = read ? &result->candidates[0] : &none;
    /* A file name need not be UTF-8. */
    json_t *file = json_string(path);
    json_t *object = json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:s, s:f, s:o, s:f}", "file", file == NULL ? json_string("?") : file,
        "disposition", read ? "read" : "difficult", "reason", gk_cli_reason_word(result->reason), "issuer",
        best->issuer, "scheme", best->scheme, "number", best->number, "probability", best->probability,
        "candidates", candidates_json(result), "ms", ms);
    if (object != NULL && result->invalid_picture) {
        json_object_set_new(object, "problem", json_string(result->problem));
    }
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6));
    puts(text == NULL ? "{}" : text);
    free(text);
    json_decref(object);
}

static void print_words(const char *path, const guika_v1_internal_CompleteRecognitionRequest *result,
                        double ms)
{
    if (result->invalid_picture) {
        printf("%s: no picture: %s\n", path, result->problem);
    } else if (gk_cli_is_read(result)) {
        printf("%s: %s %s (%.4f, %.0f ms)\n", path, result->candidates[0].issuer,
               result->candidates[0].number, result->candidates[0].probability, ms);
    } else if (result->candidates_count > 0) {
        printf("%s: difficult, %s; likeliest %s %s (%.4f, %.0f ms)\n", path,
               gk_cli_reason_word(result->reason), result->candidates[0].issuer, result->candidates[0].number,
               result->candidates[0].probability, ms);
    } else {
        printf("%s: difficult, %s (%.0f ms)\n", path, gk_cli_reason_word(result->reason), ms);
    }
}

/* Reads one picture and prints what it says; false where that failed. */
static bool read_one(struct gk_recogniser *recogniser, struct gk_explainer *explainer, const char *path,
                     bool json)
{
    guika_v1_internal_CompleteRecognitionRequest result;
    struct gk_error error = {0};
    double ms;
    if (explainer != NULL) {
        gk_explainer_begin(explainer, path);
    }
    if (!gk_cli_read_picture(recogniser, path, &result, &ms)) {
        fprintf(stderr, "guika read: %s: %s\n", path, strerror(errno));
        return false;
    }
    (json ? print_json : print_words)(path, &result, ms);
    if (explainer != NULL && gk_explainer_end(explainer, &error) != GK_OK) {
        fprintf(stderr, "guika read: %s\n", error.message);
        return false;
    }
    return true;
}

/* Reads the pictures that `cli` names; the exit status. `explain`: a folder for pictures, or NULL. */
static int read_all(const struct gk_cli *cli, bool json, bool no_check, const char *explain)
{
    struct gk_explainer *explainer = NULL;
    struct gk_error error = {0};
    if (explain != NULL && gk_explainer_open(explain, &explainer, &error) != GK_OK) {
        fprintf(stderr, "guika read: %s\n", error.message);
        return 1;
    }
    struct gk_recogniser *recogniser =
        gk_cli_open_recogniser("guika read", cli->settings.issuers, no_check,
                               explainer == NULL ? NULL : gk_explainer_observer(explainer));
    int exit_status = recogniser == NULL ? 1 : 0;
    for (int i = 0; recogniser != NULL && i < cli->argument_count; i++) {
        exit_status = read_one(recogniser, explainer, cli->arguments[i], json) ? exit_status : 1;
    }
    gk_recogniser_close(recogniser);
    gk_explainer_close(explainer);
    return exit_status;
}

int gk_cli_read(int argc, char **argv)
{
    struct gk_cli cli;
    bool json = false, no_check = false;
    const char *issuers = NULL, *explain = NULL;
    const struct gk_cli_option options[] = {{"json", NULL, &json},
                                            {"issuers", &issuers, NULL},
                                            {"no-check", NULL, &no_check},
                                            {"explain", &explain, NULL}};
    int exit_status =
        gk_cli_begin_local(&cli, "read", usage, argc, argv, options, sizeof options / sizeof options[0]);

    if (exit_status == GK_CLI_GO_ON && issuers != NULL) {
        gk_settings_replace(&cli.settings.issuers, issuers);
    }
    if (exit_status == GK_CLI_GO_ON) {
        exit_status = cli.argument_count == 0 ? gk_cli_usage(&cli, "name at least one picture")
                                              : read_all(&cli, json, no_check, explain);
    }
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
