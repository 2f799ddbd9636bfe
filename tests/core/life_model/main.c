/*
 * The long form of the model test: `./run model [--operations N] [--seed S] [--length L]`. Sequences of L
 * operations, of the seeds S, S + 1, ..., until N operations were done. A sequence in which model and parts
 * do not agree is shrunk and printed with the command that runs the rest of it again (--only).
 */
#include "tests/core/life_model/sequence.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHECK_EVERY = 250 };

struct wish {
    uint64_t operations;
    uint64_t seed;
    size_t length;
    const char *only;
};

static const char usage[] =
    "usage: ./run model [--operations N] [--seed S] [--length L] [--only ID,ID,...]\n";

static bool read_wish(int argc, char **argv, struct wish *ret_wish)
{
    static const struct option options[] = {{"operations", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"length", required_argument, NULL, 'l'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'n':
            ret_wish->operations = strtoull(optarg, NULL, 10);
            break;
        case 's':
            ret_wish->seed = strtoull(optarg, NULL, 10);
            break;
        case 'l':
            ret_wish->length = strtoul(optarg, NULL, 10);
            break;
        case 'o':
            ret_wish->only = optarg;
            break;
        default:
            return false;
        }
    }
    return optind == argc && ret_wish->length > 0 && ret_wish->length < CARDS_MAX;
}

static void report(const struct wish *wish, struct sequence *sequence, struct verdict *verdict)
{
    (void)printf("model: seed %llu, operation %u: %s\n", (unsigned long long)wish->seed,
                 sequence->operations[verdict->at].id, verdict->difference);
    const size_t before = verdict->at + 1;

    (void)fflush(stdout);
    if (wish->only == NULL) {
        sequence_shrink(sequence, FAULT_NONE, verdict, stderr);
    } else {
        sequence->count = before;
    }
    (void)printf("model: %zu of %zu operations show it:\n", sequence->count, before);
    sequence_print(sequence, stdout);
    (void)printf("model: %s\nmodel: again: ./run model --seed %llu --length %zu --only ", verdict->difference,
                 (unsigned long long)wish->seed, wish->length);
    for (size_t i = 0; i < sequence->count; i++) {
        (void)printf("%s%u", i == 0 ? "" : ",", sequence->operations[i].id);
    }
    (void)printf("\n");
}

static bool run_one(const struct wish *wish)
{
    struct sequence sequence = sequence_generate(wish->seed, wish->length);

    if (wish->only != NULL) {
        sequence_keep(&sequence, wish->only);
    }
    struct verdict verdict = sequence_run(&sequence, FAULT_NONE, CHECK_EVERY);

    if (!verdict.agrees) {
        report(wish, &sequence, &verdict);
    }
    sequence_free(&sequence);
    return verdict.agrees;
}

static double now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct wish wish = {.operations = 100000, .seed = 1, .length = 2500};
    const double began_s = now_s();
    uint64_t done = 0;

    if (!read_wish(argc, argv, &wish)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    while (done < wish.operations) {
        if (!run_one(&wish)) {
            return 1;
        }
        done += wish.length;
        (void)printf("model: seed %llu agrees; %llu operations in %.0f s\n", (unsigned long long)wish.seed,
                     (unsigned long long)done, now_s() - began_s);
        (void)fflush(stdout);
        wish.seed++;
        done = wish.only != NULL ? wish.operations : done;
    }
    return 0;
}
