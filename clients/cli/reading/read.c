#include "clients/cli/reading/read.h"

#include "clients/cli/reading/local_reader.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: guika read [--json] [--issuers DIR] [--no-check] FILE...\n"
    "\n"
    "Reads pictures of cards on this machine, without a server, and says what number each carries.\n"
    "\n"
    "  --json         one JSON object a line\n"
    "  --issuers DIR  issuer plugins (default: ../lib/guika/issuers beside the program)\n"
    "  --no-check     ignore check digits and prefixes: specimen cards have neither\n"
    "  --help\n";

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

int gk_cli_read(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"issuers", required_argument, NULL, 'i'},
                                            {"no-check", no_argument, NULL, 'n'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    bool json = false, no_check = false;
    const char *issuers = NULL;
    optind = 0; /* the caller may have used getopt already */
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 'j':
            json = true;
            break;
        case 'i':
            issuers = optarg;
            break;
        case 'n':
            no_check = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        default:
            fprintf(
                stderr,
                "guika read: unknown option, or an option without its value: %.60s; see guika read --help\n",
                argv[optind - 1]);
            return 2;
        }
    }
    if (optind == argc) {
        fputs("guika read: name at least one picture; see guika read --help\n", stderr);
        return 2;
    }
    struct gk_recogniser *recogniser = gk_cli_open_recogniser("guika read", issuers, no_check);
    int status = recogniser == NULL ? 1 : 0;
    for (int i = optind; recogniser != NULL && i < argc; i++) {
        guika_v1_internal_CompleteRecognitionRequest result;
        double ms;
        if (!gk_cli_read_picture(recogniser, argv[i], &result, &ms)) {
            fprintf(stderr, "guika read: %s: %s\n", argv[i], strerror(errno));
            status = 1;
            continue;
        }
        (json ? print_json : print_words)(argv[i], &result, ms);
    }
    gk_recogniser_close(recogniser);
    return status;
}
