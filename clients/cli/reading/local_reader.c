#include "clients/cli/reading/local_reader.h"

#include "core/recognition/candidates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LARGEST_FILE_BYTES                                                                                   \
    (9L * 1024 * 1024) /* more than a picture may have, so that the decoder says so                          \
                        */

static void tell_refused(void *context, const char *path, const struct gk_error *error)
{
    (void)path;
    fprintf(stderr, "%s: plugin refused: %s\n", (const char *)context, error->message);
}

void gk_cli_beside(const char *folder, char *ret_path, size_t size)
{
    char program[3072];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    snprintf(ret_path, size, "%s/%s", program, folder);
}

struct gk_recogniser *gk_cli_open_recogniser(const char *program, const char *issuers, bool no_check,
                                             const struct gk_observer *observer)
{
    char beside[4096];
    gk_cli_beside("../lib/guika/issuers", beside, sizeof beside);
    struct gk_recogniser_options options = {.issuers_directory = issuers == NULL ? beside : issuers,
                                            .no_check = no_check,
                                            .observer = observer,
                                            .on_refused = tell_refused,
                                            .context = (void *)(uintptr_t)program};
    struct gk_recogniser *recogniser = NULL;
    struct gk_error error = {0};
    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        fprintf(stderr, "%s: %s; name another with --issuers DIR\n", program, error.message);
        return NULL;
    }
    return recogniser;
}

static uint8_t *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = file == NULL ? NULL : malloc(LARGEST_FILE_BYTES);
    if (data != NULL) {
        *ret_size = fread(data, 1, LARGEST_FILE_BYTES, file);
        if (ferror(file)) {
            free(data);
            data = NULL;
        }
    }
    int reason = errno;
    if (file != NULL) {
        fclose(file);
    }
    errno = reason;
    return data;
}

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

bool gk_cli_read_picture(struct gk_recogniser *recogniser, const char *path,
                         guika_v1_internal_CompleteRecognitionRequest *ret_result, double *ret_cpu_ms)
{
    size_t size = 0;
    uint8_t *data = read_file(path, &size);
    if (data == NULL) {
        return false;
    }
    guika_v1_Frame frame = {.picture = {data, size}};
    double before = cpu_ms();
    gk_recogniser_read(recogniser, &frame, 1, ret_result);
    *ret_cpu_ms = cpu_ms() - before;
    free(data);
    return true;
}

bool gk_cli_is_read(const guika_v1_internal_CompleteRecognitionRequest *result)
{
    return result->candidates_count > 0 && result->candidates[0].probability >= GK_CANDIDATE_ACCEPTED &&
           !result->candidates[0].forced;
}

const char *gk_cli_reason_word(guika_v1_Reason reason)
{
    static const char *const words[] = {
        "",          "NOT_A_CARD",   "UNREADABLE", "GLARE",        "UNKNOWN_ISSUER", "CHECK_FAILED",
        "AMBIGUOUS", "UNREGISTERED", "CANCELLED",  "SEVERAL_CARDS"};
    return (size_t)reason < sizeof words / sizeof *words ? words[reason] : "";
}
