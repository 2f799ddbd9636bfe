/* What `read` and `corpus` share: the recogniser with its plugins, and files read through it. */
#ifndef GUIKA_CLIENTS_CLI_READING_LOCAL_READER_H
#define GUIKA_CLIENTS_CLI_READING_LOCAL_READER_H

#include "core/recognition/recogniser.h"

#include <stdbool.h>

/* A path relative to the folder of this program, "../lib/guika/issuers". */
void gk_cli_beside(const char *folder, char *ret_path, size_t size);

/* Opens the recogniser with the plugins of `issuers`, or, where NULL, of ../lib/guika/issuers beside the
 * program. Refused plugins and failures are told on stderr, behind `program`. `observer` may be NULL. NULL:
 * failed. */
struct gk_recogniser *gk_cli_open_recogniser(const char *program, const char *issuers, bool no_check,
                                             const struct gk_observer *observer);

/* Reads one picture. false where the file cannot be read (errno is set). `*ret_cpu_ms` is processor time. */
bool gk_cli_read_picture(struct gk_recogniser *recogniser, const char *path,
                         guika_v1_internal_CompleteRecognitionRequest *ret_result, double *ret_cpu_ms);

/* Read with certainty: the best candidate's probability is high enough and no check character forced it. */
bool gk_cli_is_read(const guika_v1_internal_CompleteRecognitionRequest *result);

/* "UNREADABLE" and so on; "" where there is no reason. */
const char *gk_cli_reason_word(guika_v1_Reason reason);

#endif
