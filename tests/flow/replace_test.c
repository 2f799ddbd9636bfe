/* A plugin is replaced again and again under load: no deposit is lost or late, and memory is level at the
 * end. GUIKA_REPLACEMENTS says how often; 20 unless told. `./run bench replace` does it 200 times. */
#include "tests/flow/plugin_folder.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if !defined(REPLACEMENTS)
#define REPLACEMENTS 20
#endif

enum {
    BOXES = 2,
    CARDS = 8,
    DEADLINE_MS = 5000,
    LATENCIES = 100000,
    WARM_PART = 5,        /* memory counts from a fifth of the replacements on */
    LEVEL_KIB = 16 << 10, /* what guikad may have more at the end: RocksDB's memtable fills meanwhile */
    PAUSE_MS = 50,
};

struct load {
    struct gk_test_service *service;
    const struct gk_test_picture *pictures;
    char token[GK_TEST_TOKEN_SIZE];
    unsigned box;
    pthread_t thread;
    atomic_bool *stop;
    unsigned made, refused, late, misread;
    char problem[256];
    unsigned *latency_ms;
};

struct memory {
    long core_kib, readers_kib;
    size_t descriptors;
};

static void *run_load(void *context)
{
    struct load *load = context;
    struct gk_rpc_client *client = gk_test_client(load->service, load->token);

    while (!atomic_load(load->stop) && load->made < LATENCIES) {
        char id[32];
        guika_v1_DepositResponse response = {0};
        struct gk_error error = {0};
        const long long began = gk_test_now_ms();

        (void)snprintf(id, sizeof id, "r%u-%u", load->box, load->made);
        const enum gk_status status =
            gk_test_deposit(client, id, &load->pictures[load->made % CARDS], &response, &error);
        const long long took = gk_test_now_ms() - began;

        load->latency_ms[load->made++] = (unsigned)took;
        load->late += took > DEADLINE_MS;
        load->misread += status == GK_OK && response.zone != guika_v1_Zone_ZONE_NORMAL;
        if (status != GK_OK) {
            load->refused++;
            (void)snprintf(load->problem, sizeof load->problem, "%s", error.message);
        }
        gk_test_sleep_ms(PAUSE_MS);
    }
    gk_rpc_client_close(client);
    return NULL;
}

static long resident_kib(pid_t id)
{
    char path[64], line[128];
    long kib = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)id);
    FILE *file = fopen(path, "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return kib;
}

static struct memory look(const struct gk_test_service *service)
{
    struct memory memory = {.core_kib = resident_kib(service->process_id)};
    pid_t ids[8];
    const size_t count = gk_test_children(service, "guika-reader", ids, 8);
    char path[64];

    for (size_t i = 0; i < count; i++) {
        memory.readers_kib += resident_kib(ids[i]);
    }
    (void)snprintf(path, sizeof path, "/proc/%d/fd", (int)service->process_id);
    DIR *descriptors = opendir(path);

    while (descriptors != NULL && readdir(descriptors) != NULL) {
        memory.descriptors++;
    }
    if (descriptors != NULL) {
        (void)closedir(descriptors);
    }
    return memory;
}

static int by_size(const void *one, const void *other)
{
    const unsigned a = *(const unsigned *)one, b = *(const unsigned *)other;

    return (a > b) - (a < b);
}

/* All latencies of all boxes; returns how many deposits there were. */
static unsigned print_load(const struct load *loads)
{
    unsigned *all = calloc((size_t)LATENCIES * BOXES, sizeof *all), count = 0;

    for (unsigned i = 0; i < BOXES; i++) {
        memcpy(all + count, loads[i].latency_ms, loads[i].made * sizeof *all);
        count += loads[i].made;
    }
    qsort(all, count, sizeof *all, by_size);
    if (count > 0) {
        print_message("deposits %u: median %u ms, 99%% %u ms, longest %u ms (deadline %d ms)\n", count,
                      all[count / 2], all[count * 99 / 100], all[count - 1], DEADLINE_MS);
    }
    free(all);
    return count;
}

static void start_load(struct load *load, struct gk_test_service *service, unsigned box,
                       const struct gk_test_picture *pictures, atomic_bool *stop)
{
    char id[16];

    *load = (struct load){.service = service, .pictures = pictures, .box = box, .stop = stop};
    (void)snprintf(id, sizeof id, "box-%u", box);
    gk_test_add_box(service, id, load->token);
    load->latency_ms = calloc(LATENCIES, sizeof *load->latency_ms);
    assert_int_equal(pthread_create(&load->thread, NULL, run_load, load), 0);
}

static unsigned replacements(void)
{
    const char *text = getenv("GUIKA_REPLACEMENTS");

    return text == NULL ? REPLACEMENTS : (unsigned)strtoul(text, NULL, 10);
}

/* Every one takes effect before the next. */
static struct memory replace(const struct gk_test_service *service, unsigned count)
{
    struct memory warm = {0};
    const long long began = gk_test_now_ms();

    for (unsigned i = 0; i < count; i++) {
        const size_t before = gk_test_occurrences(service->log, "event=shelf_in_use");

        gk_test_plugins_put(service, GK_TEST_SHELF "iso7812.so", "iso7812.so", 1 + i);
        gk_test_wait_for_log(service, "event=shelf_in_use", before + 1);
        if (i + 1 == (count + WARM_PART - 1) / WARM_PART) {
            warm = look(service);
        }
    }
    print_message("replaced %u times, %.2f s each\n", count,
                  (double)(gk_test_now_ms() - began) / 1000 / (count > 0 ? count : 1));
    return warm;
}

static void import_cards(const struct gk_test_service *service, struct gk_test_picture *pictures)
{
    struct gk_test_holder holders[CARDS];
    char issuer[GK_TEST_TOKEN_SIZE];

    gk_test_add_issuer(service, "bank", "iso7812:4", issuer);
    for (unsigned i = 0; i < CARDS; i++) {
        pictures[i] = gk_test_mint_card(500 + i, holders[i].number);
        holders[i].scheme = "iso7812";
        holders[i].language = "en";
        (void)snprintf(holders[i].holder_id, sizeof holders[i].holder_id, "h%u", i);
        (void)snprintf(holders[i].contact, sizeof holders[i].contact, "smtp:h%u@holders.example", i);
    }
    gk_test_import(service, issuer, "first", holders, CARDS);
}

static void expect_level(const struct memory *warm, const struct memory *after)
{
    print_message(
        "guikad: %ld KiB at a fifth, %ld KiB at the end; readers: %ld and %ld KiB; descriptors: %zu "
        "and %zu\n",
        warm->core_kib, after->core_kib, warm->readers_kib, after->readers_kib, warm->descriptors,
        after->descriptors);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(after->core_kib <= warm->core_kib + LEVEL_KIB);
#endif
    assert_true(after->descriptors <= warm->descriptors + 8);
}

static void test_replacing_a_plugin_under_load_loses_and_delays_no_deposit(void **state)
{
    struct gk_test_service service;
    struct gk_test_picture pictures[CARDS];
    struct load loads[BOXES];
    atomic_bool stop = false;
    unsigned refused = 0, late = 0, misread = 0;
    size_t rows = 0;

    (void)state;
    gk_test_plugins_make(&service, 2, "");
    gk_test_service_start(&service);
    import_cards(&service, pictures);
    for (unsigned i = 0; i < BOXES; i++) {
        start_load(&loads[i], &service, i, pictures, &stop);
    }
    const struct memory warm = replace(&service, replacements());

    atomic_store(&stop, true);
    for (unsigned i = 0; i < BOXES; i++) {
        assert_int_equal(pthread_join(loads[i].thread, NULL), 0);
        refused += loads[i].refused;
        late += loads[i].late;
        misread += loads[i].misread;
        if (loads[i].refused > 0) {
            print_message("box %u: %s\n", i, loads[i].problem);
        }
    }
    gk_test_plugins_settle(&service);
    const struct memory after = look(&service);
    const unsigned made = print_load(loads);

    free(gk_test_found(&service, &rows));
    print_message("not answered %u, past the deadline %u, not identified %u, lost %zu\n", refused, late,
                  misread, made - rows);
    assert_int_equal(refused, 0);
    assert_int_equal(late, 0);
    assert_int_equal(misread, 0);
    assert_int_equal(rows, made);
    expect_level(&warm, &after);
    for (unsigned i = 0; i < BOXES; i++) {
        free(loads[i].latency_ms);
    }
    for (unsigned i = 0; i < CARDS; i++) {
        free(pictures[i].data);
    }
    assert_int_equal(gk_test_service_stop(&service, SIGTERM), 0);
    gk_test_service_remove(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replacing_a_plugin_under_load_loses_and_delays_no_deposit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
