/*
 * Is `accepts` pure, total and quick? It is asked about numbers of its rules, spoilt ones and noise, once in
 * order and once backwards from another thread: a hook that keeps state, reads past the string or writes to
 * it gives itself away. The string ends where readable memory does.
 */
#include "core/recognition/descriptor.h"
#include "plugins/sdk/conformance/numbers.h"
#include "plugins/sdk/conformance/steps.h"
#include "tests/mint/mint_internal.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define QUESTIONS 20000
#define MEAN_MOST_US 20.0             /* guika/issuer.h asks for a microsecond or so */
#define LEAK_LEAST_BYTES (256 * 1024) /* left behind by all calls together; the thread's own stay below */
#define LONGEST_MOST_MS 20.0          /* of processor time, one call */

struct questions {
    const struct guika_issuer *issuer;
    char numbers[QUESTIONS][GK_NUMBER_SIZE];
    bool answers[QUESTIONS];
    size_t differing; /* answers of the second round */
    double longest_ms, all_ms;
    char *page;
    size_t page_size;
};

static double thread_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void make_questions(struct questions *questions)
{
    struct gk_random random = gk_random_new(2, 200);
    for (size_t i = 0; i < QUESTIONS; i++) {
        char *number = questions->numbers[i];
        const struct guika_rule *rule = &questions->issuer->rules[i / 4 % questions->issuer->rule_count];
        if (i % 4 < 3) {
            gk_numbers_make(rule, i, number);
        }
        size_t length = strlen(number);
        if (i % 4 == 1 && length > 0) { /* one character is another */
            number[gk_random_next(&random) % length] =
                rule->alphabet[gk_random_next(&random) % strlen(rule->alphabet)];
        } else if (i % 4 == 2 && length > 0) { /* cut short */
            number[gk_random_next(&random) % length] = '\0';
        } else if (i % 4 == 3) { /* noise of any bytes, also none */
            length = gk_random_next(&random) % GK_NUMBER_SIZE;
            for (size_t j = 0; j < length; j++) {
                number[j] = (char)(1 + gk_random_next(&random) % 255);
            }
        }
    }
}

static bool ask(struct questions *questions, size_t index)
{
    size_t size = strlen(questions->numbers[index]) + 1;
    char *number = questions->page + questions->page_size - size;
    (void)mprotect(questions->page, questions->page_size, PROT_READ | PROT_WRITE);
    memcpy(number, questions->numbers[index], size);
    (void)mprotect(questions->page, questions->page_size, PROT_READ);
    double began = thread_ms();
    bool answer = questions->issuer->accepts(number);
    double took = thread_ms() - began;
    questions->all_ms += took;
    questions->longest_ms = took > questions->longest_ms ? took : questions->longest_ms;
    return answer;
}

static void *ask_backwards(void *context)
{
    struct questions *questions = context;
    for (size_t i = QUESTIONS; i-- > 0;) {
        questions->differing += ask(questions, i) != questions->answers[i];
    }
    return NULL;
}

/* A page for strings, and behind it one that nobody may touch. */
static bool make_page(struct questions *questions)
{
    questions->page_size = (size_t)sysconf(_SC_PAGESIZE);
    char *pages =
        mmap(NULL, 2 * questions->page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return false;
    }
    questions->page = pages;
    return mprotect(pages + questions->page_size, questions->page_size, PROT_NONE) == 0;
}

/* Asks all there is to ask, and holds the answers against each other. */
static void question(struct questions *questions, struct gk_trial *trial)
{
    pthread_t thread;
    size_t held_bytes = mallinfo2().uordblks;
    for (size_t i = 0; i < QUESTIONS; i++) {
        gk_trial_doing(trial, "accepts was asked about string %zu, of %zu characters", i,
                       strlen(questions->numbers[i]));
        questions->answers[i] = ask(questions, i);
    }
    gk_trial_doing(trial, "accepts was asked from a second thread");
    if (pthread_create(&thread, NULL, ask_backwards, questions) == 0) {
        (void)pthread_join(thread, NULL);
    }
    size_t left_bytes = mallinfo2().uordblks - held_bytes;
    double mean_us = questions->all_ms * 1e3 / (2.0 * QUESTIONS);
    if (questions->differing > 0) {
        gk_trial_note(trial, true, "accepts is not pure: asked again, it answered %zu of %d differently",
                      questions->differing, QUESTIONS);
    }
    if (left_bytes >= LEAK_LEAST_BYTES && left_bytes <= PTRDIFF_MAX) {
        gk_trial_note(trial, true, "accepts leaks: %zu bytes a call", left_bytes / (2 * (size_t)QUESTIONS));
    }
    if (mean_us > MEAN_MOST_US || questions->longest_ms > LONGEST_MOST_MS) {
        gk_trial_note(
            trial, true,
            "accepts is slow: %.1f us a call, the longest %.1f ms; %.0f us and %.0f ms are the most", mean_us,
            questions->longest_ms, MEAN_MOST_US, LONGEST_MOST_MS);
    }
    gk_trial_sum_up(trial, "accepts answered %d strings twice, %.2f us a call", QUESTIONS, mean_us);
}

void gk_step_hook(void *options, struct gk_trial *trial)
{
    const struct guika_issuer *issuer = gk_step_open(options, trial, gk_rules_check_parts);
    if (issuer == NULL || issuer->accepts == NULL) {
        gk_trial_sum_up(trial, "it has none");
        return;
    }
    struct questions *questions = calloc(1, sizeof *questions);
    if (questions == NULL || !make_page(questions)) {
        gk_trial_note(trial, true, "out of memory");
    } else {
        questions->issuer = issuer;
        make_questions(questions);
        question(questions, trial);
    }
    free(questions);
}
