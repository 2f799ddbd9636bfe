/*
 * guika-reader: loads the issuer plugins, pulls jobs from guikad over the socket that it inherits, and
 * answers them. It has no keys and no store, and it is replaced when it dies.
 */
#include "core/child.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/process.h"
#include "core/recognition/recogniser.h"
#include "guika/v1/internal/reader.rpc.h"
#include "rpc/client.h"
#include "rpc/repeated.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct reader {
    struct gk_log log;
    struct gk_rpc_client *client;
    struct gk_recogniser *recogniser;
    guika_v1_internal_CompleteRecognitionRequest recognised; /* large, so not on the stack */
};

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    const struct reader *reader = context;

    gk_log(&reader->log, GK_LOG_ERROR, "plugin_refused", {"file", path}, {"why", error->message});
}

static enum gk_status announce(struct reader *reader, struct gk_error *error)
{
    guika_v1_internal_AnnounceRequest *shelf = gk_allocate(sizeof *shelf);
    guika_v1_internal_AnnounceResponse response;

    gk_recogniser_shelf(reader->recogniser, shelf);
    shelf->process_id = (uint32_t)getpid();
    const enum gk_status status =
        guika_v1_internal_reader_service_announce(reader->client, NULL, shelf, &response, error);

    free(shelf);
    return status;
}

static enum gk_status recognise(struct reader *reader, uint64_t job_id,
                                const guika_v1_internal_RecogniseJob *job, struct gk_error *error)
{
    guika_v1_internal_CompleteJobResponse response;

    memset(&reader->recognised, 0, sizeof reader->recognised);
    gk_recogniser_read(reader->recogniser, job->frames, job->frames_count, &reader->recognised);
    reader->recognised.job_id = job_id;
    return guika_v1_internal_reader_service_complete_recognition(reader->client, NULL, &reader->recognised,
                                                                 &response, error);
}

static enum gk_status check_numbers(struct reader *reader, uint64_t job_id,
                                    const guika_v1_internal_NumbersJob *job, struct gk_error *error)
{
    guika_v1_internal_CompleteNumbersRequest request = {.job_id = job_id};
    guika_v1_internal_CompleteJobResponse response;
    struct gk_bytes rest = job->questions;
    struct gk_repeated answers = {0};
    guika_v1_internal_NumberQuestion question;

    while (gk_repeated_next(&rest, guika_v1_internal_NumberQuestion_fields, &question) == GK_OK) {
        guika_v1_internal_NumberAnswer answer = {0};

        gk_recogniser_check_number(reader->recogniser, &question, &answer);
        (void)gk_repeated_append(&answers, guika_v1_internal_NumberAnswer_fields, &answer);
    }
    request.answers = gk_repeated_bytes(&answers);
    const enum gk_status status =
        guika_v1_internal_reader_service_complete_numbers(reader->client, NULL, &request, &response, error);

    if (answers.data != NULL) {
        sodium_memzero(answers.data, answers.size);
    }
    gk_repeated_free(&answers);
    return status;
}

/* A lease that ran out meanwhile is no fault of the connection. */
static bool goes_on(enum gk_status status)
{
    return status == GK_OK || status == GK_FAILED_PRECONDITION;
}

static enum gk_status work(struct reader *reader, struct gk_error *error)
{
    const guika_v1_internal_LeaseJobRequest request = {0};
    enum gk_status status;

    do {
        guika_v1_internal_LeaseJobResponse leased = {0};

        status = guika_v1_internal_reader_service_lease_job(reader->client, NULL, &request, &leased, error);
        if (status == GK_OK && leased.job_id != 0) {
            status = leased.which_job == guika_v1_internal_LeaseJobResponse_recognise_tag
                         ? recognise(reader, leased.job_id, &leased.job.recognise, error)
                         : check_numbers(reader, leased.job_id, &leased.job.numbers, error);
        }
    } while (goes_on(status));
    return status;
}

static enum gk_status run(struct reader *reader, const char *issuers, struct gk_error *error)
{
    const struct gk_recogniser_options options = {
        .issuers_directory = issuers, .keep_pictures = true, .on_refused = on_refused, .context = reader};
    enum gk_status status = gk_rpc_client_open_stream(GK_CHILD_FD, &reader->client, error);

    if (status == GK_OK) {
        status = gk_recogniser_open(&options, &reader->recogniser, error);
    }
    if (status == GK_OK) {
        status = announce(reader, error);
    }
    if (status == GK_OK) {
        status = work(reader, error);
    }
    gk_recogniser_close(reader->recogniser);
    gk_rpc_client_close(reader->client);
    return status;
}

static const char *configured(const struct gk_configuration *configuration)
{
    return configuration->issuers_directory;
}

int main(int argc, char **argv)
{
    static const struct gk_child_program program = {.name = "guika-reader",
                                                    .does = "Reads pictures of cards for guikad.",
                                                    .folder_option = "issuers",
                                                    .folder_beside = "../lib/guika/issuers",
                                                    .configured = configured};
    struct reader *reader;
    struct gk_error error = {.status = GK_OK};
    char issuers[PATH_MAX];
    const int parsed = gk_child_parse(&program, argc, argv, issuers);

    if (parsed != 0) {
        return parsed - 1;
    }
    if (!gk_process_begin_child(SIGKILL)) {
        (void)fputs("guika-reader: guikad starts this program and gives it a socket; run guikad\n", stderr);
        return 2;
    }
    reader = gk_allocate(sizeof *reader);
    reader->log = (struct gk_log){GK_LOG_INFO, "guika-reader"};
    const enum gk_status status = run(reader, issuers, &error);

    /* guikad has gone, or wants this process to: the ordinary end. */
    const bool ordinary = status == GK_UNAVAILABLE;

    if (!ordinary) {
        gk_log(&reader->log, GK_LOG_ERROR, "reader_stops", {"why", error.message});
    }
    free(reader);
    return ordinary ? 0 : 1;
}
