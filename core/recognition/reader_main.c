/*
 * guika-reader: loads the issuer plugins, pulls jobs from guikad over the socket that it inherits, and
 * answers them. It has no keys and no store, and it is replaced when it dies.
 */
#include "core/child.h"
#include "core/host/trail.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/process.h"
#include "core/recognition/picture.h"
#include "core/recognition/recogniser.h"
#include "guika/v1/internal/reader.rpc.h"
#include "rpc/client.h"
#include "rpc/repeated.h"

#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A reader has 18 MiB of data at rest, and the largest picture takes some 60 more. One that keeps the first
 * of these after a job leaves; no job gets more than the second. */
#define MEMORY_AT_REST_BYTES ((size_t)256 << 20)
#define MEMORY_AT_MOST_BYTES ((rlim_t)768 << 20)

struct reader {
    struct gk_log log;
    bool only_check; /* says what the plugins are, and ends */
    struct gk_rpc_client *client;
    struct gk_recogniser *recogniser;
    guika_v1_internal_AnnounceRequest announced;
    guika_v1_internal_CompleteRecognitionRequest recognised; /* large, so not on the stack */
};

/* Leaves the folder out of what a refusal says: it is a private one of guikad's. */
static const char *without_folder(const char *message, const char *path, const char *file)
{
    return strncmp(message, path, strlen(path)) == 0 ? message + (file - path) : message;
}

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    struct reader *reader = context;
    guika_v1_internal_AnnounceRequest *announced = &reader->announced;
    const char *slash = strrchr(path, '/');
    const char *file = slash == NULL ? path : slash + 1;
    const char *why = without_folder(error->message, path, file);

    if (announced->refused_count < sizeof announced->refused / sizeof announced->refused[0]) {
        guika_v1_internal_RefusedPlugin *refused = &announced->refused[announced->refused_count++];

        (void)snprintf(refused->file, sizeof refused->file, "%.63s", file);
        (void)snprintf(refused->reason, sizeof refused->reason, "%.192s", why);
    }
    if (!reader->only_check) {
        gk_log(&reader->log, GK_LOG_ERROR, "plugin_refused", {"file", file}, {"why", why});
    }
}

static enum gk_status announce(struct reader *reader, struct gk_error *error)
{
    guika_v1_internal_AnnounceRequest *shelf = gk_allocate(sizeof *shelf);
    guika_v1_internal_AnnounceResponse response;

    gk_recogniser_shelf(reader->recogniser, shelf);
    memcpy(reader->announced.issuers, shelf->issuers, sizeof shelf->issuers);
    reader->announced.issuers_count = shelf->issuers_count;
    reader->announced.process_id = (uint32_t)getpid();
    free(shelf);
    return guika_v1_internal_reader_service_announce(reader->client, NULL, &reader->announced, &response,
                                                     error);
}

/* Damage that a plugin did to the heap shall come to light while its name still stands on the trail. */
static void look_at_heap(void)
{
    if (gk_trail_has_run()) {
        (void)malloc_trim(MEMORY_AT_REST_BYTES);
    }
}

/* A kept picture is the card from edge to edge. */
static void take_whole(guika_v1_Frame *frame)
{
    struct gk_picture picture;

    if (gk_picture_decode(frame->picture.data, frame->picture.size, &picture, NULL) != GK_OK) {
        return;
    }
    const float right = (float)picture.stored_width_px, bottom = (float)picture.stored_height_px;

    gk_picture_clear(&picture);
    frame->has_card = true;
    frame->card = (guika_v1_Quadrilateral){.has_top_left = true,
                                           .has_top_right = true,
                                           .top_right = {right, 0},
                                           .has_bottom_right = true,
                                           .bottom_right = {right, bottom},
                                           .has_bottom_left = true,
                                           .bottom_left = {0, bottom}};
}

static enum gk_status recognise(struct reader *reader, uint64_t job_id, guika_v1_internal_RecogniseJob *job,
                                struct gk_error *error)
{
    guika_v1_internal_CompleteJobResponse response;

    for (size_t i = 0; job->kept && i < job->frames_count; i++) {
        take_whole(&job->frames[i]);
    }
    memset(&reader->recognised, 0, sizeof reader->recognised);
    gk_recogniser_read(reader->recogniser, job->frames, job->frames_count, &reader->recognised);
    look_at_heap();
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
    look_at_heap();
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

static enum gk_status do_job(struct reader *reader, guika_v1_internal_LeaseJobResponse *leased,
                             struct gk_error *error)
{
    gk_trail_begin_job();
    const enum gk_status status = leased->which_job == guika_v1_internal_LeaseJobResponse_recognise_tag
                                      ? recognise(reader, leased->job_id, &leased->job.recognise, error)
                                      : check_numbers(reader, leased->job_id, &leased->job.numbers, error);

    if (goes_on(status)) {
        gk_trail_end_job();
    }
    return status;
}

static bool is_too_large(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd > MEMORY_AT_REST_BYTES;
}

/* Until guikad goes (UNAVAILABLE), lets this reader leave (OK), or memory that a job took does not come back
 * (RESOURCE_EXHAUSTED). */
static enum gk_status work(struct reader *reader, struct gk_error *error)
{
    const guika_v1_internal_LeaseJobRequest request = {0};
    enum gk_status status;
    bool leave = false;

    do {
        guika_v1_internal_LeaseJobResponse leased = {0};

        status = guika_v1_internal_reader_service_lease_job(reader->client, NULL, &request, &leased, error);
        leave = leased.leave;
        if (status == GK_OK && leased.job_id != 0) {
            status = do_job(reader, &leased, error);
        }
        if (goes_on(status) && is_too_large()) {
            status =
                gk_error_set(error, GK_RESOURCE_EXHAUSTED,
                             "more than %zu MiB did not come back after a job: another reader takes over",
                             MEMORY_AT_REST_BYTES >> 20);
        }
    } while (goes_on(status) && !leave);
    return status;
}

static enum gk_status run(struct reader *reader, const char *issuers, struct gk_error *error)
{
    const struct gk_recogniser_options options = {.issuers_directory = issuers,
                                                  .keep_pictures = true,
                                                  .plugins_only = reader->only_check,
                                                  .on_refused = on_refused,
                                                  .context = reader};
    enum gk_status status = gk_rpc_client_open_stream(GK_CHILD_FD, &reader->client, error);

    if (status == GK_OK) {
        status = gk_recogniser_open(&options, &reader->recogniser, error);
    }
    if (status == GK_OK) {
        status = announce(reader, error);
    }
    if (status == GK_OK && !reader->only_check) {
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

/* The address sanitizers' own maps are larger than any limit. */
static void limit_memory(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const struct rlimit limit = {MEMORY_AT_MOST_BYTES, MEMORY_AT_MOST_BYTES};

    (void)setrlimit(RLIMIT_DATA, &limit);
#endif
}

int main(int argc, char **argv)
{
    static const struct gk_child_program program = {.name = "guika-reader",
                                                    .does = "Reads pictures of cards for guikad.",
                                                    .folder_option = "issuers",
                                                    .folder_beside = "../lib/guika/issuers",
                                                    .flag = "check",
                                                    .flag_does = "tell guikad what the plugins are, and end",
                                                    .configured = configured};
    struct reader *reader;
    struct gk_error error = {.status = GK_OK};
    char issuers[PATH_MAX];
    bool only_check = false;
    const int parsed = gk_child_parse(&program, argc, argv, issuers, &only_check);

    if (parsed != 0) {
        return parsed - 1;
    }
    if (!gk_process_begin_child(SIGKILL)) {
        (void)fputs("guika-reader: guikad starts this program and gives it a socket; run guikad\n", stderr);
        return 2;
    }
    limit_memory();
    (void)gk_trail_attach(GK_TRAIL_FD);
    reader = gk_allocate(sizeof *reader);
    reader->only_check = only_check;
    reader->log = (struct gk_log){GK_LOG_INFO, "guika-reader"};
    const enum gk_status status = run(reader, issuers, &error);

    /* guikad has gone, or wants this process to: the ordinary end. */
    const bool ordinary = status == GK_UNAVAILABLE || status == GK_OK;

    if (!ordinary) {
        gk_log(&reader->log, GK_LOG_ERROR, "reader_stops", {"why", error.message});
    }
    free(reader);
    return ordinary ? 0 : 1;
}
