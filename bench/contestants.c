#include "bench/contestants.h"

#include "core/recognition/candidates.h"
#include "core/recognition/recogniser.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* --- processes --- */

static double cpu_ms_of(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e3 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) / 1e3;
}

static bool complain(const char *name, const char *what)
{
    (void)fprintf(stderr, "reading: %s: %s: %s\n", name, what, strerror(errno));
    return false;
}

/* Starts `command` with its standard output, and with `both_ways` its standard input too, on a socket. */
static bool start(struct gk_bench_contestant *contestant, char *const command[], bool both_ways)
{
    posix_spawn_file_actions_t actions;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return complain(contestant->name, "socket");
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    if (both_ways) {
        (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    } else {
        (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    errno = posix_spawnp(&contestant->process, command[0], &actions, NULL, command, environ);
    const bool started = errno == 0;

    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    if (!started) {
        (void)close(ends[0]);
        return complain(contestant->name, command[0]);
    }
    contestant->from = fdopen(ends[0], "r");
    contestant->to = both_ways ? fdopen(dup(ends[0]), "w") : NULL;
    return true;
}

/* Ends its input, waits for its end, and returns what it used. */
static struct rusage finish(struct gk_bench_contestant *contestant)
{
    struct rusage usage = {.ru_maxrss = 0};

    if (contestant->to != NULL) {
        (void)shutdown(fileno(contestant->to), SHUT_WR);
        (void)fclose(contestant->to);
    }
    (void)fclose(contestant->from);
    (void)wait4(contestant->process, NULL, 0, &usage);
    if (usage.ru_maxrss > contestant->peak_kb) {
        contestant->peak_kb = usage.ru_maxrss;
    }
    contestant->to = contestant->from = NULL;
    return usage;
}

static void close_process(struct gk_bench_contestant *contestant)
{
    (void)finish(contestant);
}

/* Is `number` in the line, once its spaces are gone? Changes `line`. */
static bool holds(char *line, const char *number)
{
    char *out = line;

    for (const char *in = line; *in != '\0'; in++) {
        if (*in != ' ') {
            *out++ = *in;
        }
    }
    *out = '\0';
    return number[0] != '\0' && strstr(line, number) != NULL;
}

/* --- ours --- */

/* In the child: what one picture came to. */
static void read_one(struct gk_recogniser *recogniser, const struct gk_bench_picture *picture,
                     struct gk_bench_answer *answer)
{
    static guika_v1_internal_CompleteRecognitionRequest result; /* large */
    struct rusage before;
    struct rusage after;
    size_t size = 0;
    uint8_t *data = gk_bench_read_file(picture->path, &size);
    const guika_v1_Frame frame = {.picture = {data, size}};

    (void)getrusage(RUSAGE_SELF, &before);
    gk_recogniser_read(recogniser, &frame, 1, &result);
    (void)getrusage(RUSAGE_SELF, &after);
    answer->cpu_ms = cpu_ms_of(&after) - cpu_ms_of(&before);
    if (result.candidates_count > 0) {
        const guika_v1_internal_Candidate *first = &result.candidates[0];

        answer->read = picture->number[0] != '\0' && strcmp(first->number, picture->number) == 0;
        answer->accepted = first->probability >= GK_CANDIDATE_ACCEPTED && !first->forced;
    }
    free(data);
}

/* The child: pictures come in, answers go out, until there are no more. */
static int serve(bool no_check, int end)
{
    struct gk_bench_answer answer;
    struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers",
                                            .no_check = no_check,
                                            .stages = &answer.stages};
    struct gk_bench_picture picture;
    struct gk_recogniser *recogniser = NULL;
    struct gk_error error = {.status = GK_OK};

    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        (void)fprintf(stderr, "reading: %s\n", error.message);
        return 1;
    }
    while (recv(end, &picture, sizeof picture, MSG_WAITALL) == (ssize_t)sizeof picture) {
        memset(&answer, 0, sizeof answer);
        read_one(recogniser, &picture, &answer);
        if (send(end, &answer, sizeof answer, 0) != (ssize_t)sizeof answer) {
            break;
        }
    }
    gk_recogniser_close(recogniser);
    return 0;
}

static bool open_ours(struct gk_bench_contestant *contestant)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return complain(contestant->name, "socket");
    }
    contestant->process = fork();
    if (contestant->process == 0) {
        (void)close(ends[0]);
        _exit(serve(contestant->no_check, ends[1]));
    }
    (void)close(ends[1]);
    contestant->from = fdopen(ends[0], "r");
    contestant->to = fdopen(dup(ends[0]), "w");
    return contestant->process > 0 || complain(contestant->name, "fork");
}

static bool read_ours(struct gk_bench_contestant *contestant, const struct gk_bench_picture *picture,
                      struct gk_bench_answer *ret_answer)
{
    return fwrite(picture, sizeof *picture, 1, contestant->to) == 1 && fflush(contestant->to) == 0 &&
           fread(ret_answer, sizeof *ret_answer, 1, contestant->from) == 1;
}

struct gk_bench_contestant gk_bench_ours(const char *name, bool no_check)
{
    return (struct gk_bench_contestant){.name = name,
                                        .open = open_ours,
                                        .read = read_ours,
                                        .close = close_process,
                                        .accepts = true,
                                        .no_check = no_check};
}

/* --- Tesseract --- */

static bool open_tesseract(struct gk_bench_contestant *contestant)
{
    char *const command[] = {(char[]){"tesseract"}, (char[]){"--version"}, NULL};

    (void)setenv("OMP_THREAD_LIMIT", "1", 1);
    if (!start(contestant, command, false)) {
        return false;
    }
    (void)finish(contestant);
    contestant->peak_kb = 0;
    return true;
}

static bool read_tesseract(struct gk_bench_contestant *contestant, const struct gk_bench_picture *picture,
                           struct gk_bench_answer *ret_answer)
{
    char path[sizeof picture->path];
    /* Page segmentation 3, the command's default; 6, 11 and 12 read no more of the specimens. */
    char *const command[] = {
        (char[]){"tesseract"}, path, (char[]){"stdout"}, (char[]){"-l"}, (char[]){"eng"}, (char[]){"--psm"},
        (char[]){"3"},         NULL};
    struct gk_bench_answer answer = {.read = false};
    char line[1024];

    memcpy(path, picture->path, sizeof path);
    if (!start(contestant, command, false)) {
        return false;
    }
    while (fgets(line, sizeof line, contestant->from) != NULL) {
        answer.read = holds(line, picture->number) || answer.read;
    }
    const struct rusage usage = finish(contestant);

    answer.cpu_ms = cpu_ms_of(&usage);
    *ret_answer = answer;
    return true;
}

static void close_tesseract(struct gk_bench_contestant *contestant)
{
    (void)contestant; /* one process a picture */
}

struct gk_bench_contestant gk_bench_tesseract(void)
{
    return (struct gk_bench_contestant){
        .name = "Tesseract", .open = open_tesseract, .read = read_tesseract, .close = close_tesseract};
}

/* --- PaddleOCR --- */

static bool open_paddle(struct gk_bench_contestant *contestant)
{
    static const char modules[] = GUIKA_SOURCE_DIR "/build/bench-node";
    char *const command[] = {(char[]){"node"}, (char[]){GUIKA_SOURCE_DIR "/bench/paddle.mjs"},
                             (char[]){GUIKA_SOURCE_DIR "/build/bench-node"}, NULL};

    if (access(GUIKA_SOURCE_DIR "/build/bench-node/node_modules/@gutenye/ocr-node", R_OK) != 0) {
        return complain(contestant->name, modules);
    }
    return start(contestant, command, true);
}

static bool read_paddle(struct gk_bench_contestant *contestant, const struct gk_bench_picture *picture,
                        struct gk_bench_answer *ret_answer)
{
    struct gk_bench_answer answer = {.read = false};
    char *line = NULL;
    size_t capacity = 0;
    char *path = realpath(picture->path, NULL);

    if (path == NULL || fprintf(contestant->to, "%s\n", path) < 0 || fflush(contestant->to) != 0 ||
        getline(&line, &capacity, contestant->from) <= 0) {
        free(path);
        free(line);
        return complain(contestant->name, picture->path);
    }
    json_t *object = json_loads(line, 0, NULL);
    size_t index;
    const json_t *text;

    answer.cpu_ms = json_number_value(json_object_get(object, "cpu_ms"));
    json_array_foreach(json_object_get(object, "lines"), index, text)
    {
        char *copy = strdup(json_string_value(text));

        answer.read = (copy != NULL && holds(copy, picture->number)) || answer.read;
        free(copy);
    }
    json_decref(object);
    free(path);
    free(line);
    *ret_answer = answer;
    return true;
}

struct gk_bench_contestant gk_bench_paddle(void)
{
    return (struct gk_bench_contestant){
        .name = "PaddleOCR", .open = open_paddle, .read = read_paddle, .close = close_process};
}
