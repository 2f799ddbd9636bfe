/*
 * A box that sends rubbish, and strangers who do: the service stays up, and the other box notices nothing.
 *
 * GUIKA_GARBAGE_PICTURES sets how many broken pictures are sent (default 120); the same ones in every run.
 */
#include "guika/v1/health.rpc.h"
#include "tests/flow/service.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    PICTURES_DEFAULT = 120,
    GOOD = 3, /* different cards of the good box */
    GOOD_PAUSE_MS = 50,
    NOISE_BYTES = 8 << 20, /* the largest picture that is allowed */
    MESSAGES = 200,        /* malformed ones */
    OVERSIZED_BYTES = 41 << 20,
    READER_ENDS_MAX = 4, /* a reader may be given up over a picture that takes it too long */
};

struct world {
    struct gk_test_service service;
    char bad_box[GK_TEST_TOKEN_SIZE];
    char good_box[GK_TEST_TOKEN_SIZE];
    struct gk_test_picture good[GOOD];
    unsigned pictures;
    atomic_bool stop;
    unsigned good_deposits;
    unsigned good_failures;
    char good_problem[320];
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct gk_test_holder holders[GOOD];
    const char *wanted = getenv("GUIKA_GARBAGE_PICTURES");
    char issuer[GK_TEST_TOKEN_SIZE];

    world->pictures = wanted == NULL ? PICTURES_DEFAULT : (unsigned)strtoul(wanted, NULL, 10);
    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "bad-box", world->bad_box);
    gk_test_add_box(&world->service, "good-box", world->good_box);
    gk_test_add_issuer(&world->service, "bank", "iso7812", issuer);
    for (unsigned i = 0; i < GOOD; i++) {
        holders[i] = (struct gk_test_holder){.scheme = "iso7812", .language = "en"};
        world->good[i] = gk_test_mint_card(100 + i, holders[i].number);
        (void)snprintf(holders[i].holder_id, sizeof holders[i].holder_id, "h%u", i);
    }
    gk_test_import(&world->service, issuer, "all", holders, GOOD);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < GOOD; i++) {
        free(world->good[i].data);
    }
    free(world);
    return 0;
}

/* --- rubbish --- */

static struct gk_test_picture copy_of(const void *data, size_t size)
{
    struct gk_test_picture picture = {.data = malloc(size + 1), .size = size};

    memcpy(picture.data, data, size);
    return picture;
}

static struct gk_test_picture noise(unsigned *seed, size_t size)
{
    struct gk_test_picture picture = {.data = malloc(size + 1), .size = size};

    for (size_t i = 0; i < size; i++) {
        picture.data[i] = (uint8_t)rand_r(seed);
    }
    return picture;
}

/* A PNG header that promises a million by a million pixels. */
static struct gk_test_picture huge_png(void)
{
    static const uint8_t header[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0,    0,    0,    13,
                                     'I',  'H', 'D', 'R', 0,    0x0f, 0x42, 0x40, 0,    0x0f, 0x42, 0x40,
                                     8,    2,   0,   0,   0,    0x6a, 0x9b, 0x1c, 0x2d, 0,    0,    0,
                                     0,    'I', 'D', 'A', 'T',  0,    0,    0,    0};

    return copy_of(header, sizeof header);
}

/* The good JPEG, but its frame header says 65535 x 65535. */
static struct gk_test_picture huge_jpeg(const struct gk_test_picture *good)
{
    struct gk_test_picture picture = copy_of(good->data, good->size);

    for (size_t i = 0; i + 9 < picture.size; i++) {
        if (picture.data[i] == 0xff && picture.data[i + 1] == 0xc0) {
            memset(picture.data + i + 5, 0xff, 4);
            return picture;
        }
    }
    fail_msg("the picture has no baseline frame header");
    return picture;
}

static struct gk_test_picture flipped(const struct gk_test_picture *good, unsigned *seed)
{
    struct gk_test_picture picture = copy_of(good->data, good->size);
    const unsigned flips = 1 + (unsigned)rand_r(seed) % 64;

    for (unsigned i = 0; i < flips; i++) {
        picture.data[(size_t)rand_r(seed) % picture.size] ^= (uint8_t)(1U << (rand_r(seed) % 8));
    }
    return picture;
}

static struct gk_test_picture rubbish(const struct world *world, unsigned index, unsigned *seed)
{
    const struct gk_test_picture *good = &world->good[index % GOOD];

    switch (index) {
    case 0:
        return huge_png();
    case 1:
        return huge_jpeg(good);
    case 2:
        return copy_of("", 0);
    case 3:
        return noise(seed, NOISE_BYTES);
    case 4:
        return copy_of("\xff\xd8\xff", 3);
    case 5:
        return noise(seed, NOISE_BYTES + 1);
    default:
        break;
    }
    switch (index % 3) {
    case 0:
        return copy_of(good->data, (size_t)rand_r(seed) % good->size);
    case 1:
        return flipped(good, seed);
    default:
        return noise(seed, 1 + (size_t)rand_r(seed) % 20000);
    }
}

/* --- the good box --- */

static void *deposit_good_cards(void *context)
{
    struct world *world = context;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->good_box);

    while (!atomic_load(&world->stop)) {
        char id[24];
        guika_v1_DepositResponse response = {0};
        struct gk_error error = {0};
        const unsigned number = world->good_deposits++;

        (void)snprintf(id, sizeof id, "good-%u", number);
        const enum gk_status status =
            gk_test_deposit(client, id, &world->good[number % GOOD], &response, &error);

        if (status != GK_OK || response.zone != guika_v1_Zone_ZONE_NORMAL) {
            world->good_failures++;
            (void)snprintf(world->good_problem, sizeof world->good_problem, "%s: status %d, zone %d, %s", id,
                           status, response.zone, error.message);
        }
        gk_test_sleep_ms(GOOD_PAUSE_MS);
    }
    gk_rpc_client_close(client);
    return NULL;
}

static void start_good_box(struct world *world, pthread_t *ret_thread)
{
    atomic_store(&world->stop, false);
    assert_int_equal(pthread_create(ret_thread, NULL, deposit_good_cards, world), 0);
}

static void stop_good_box(struct world *world, pthread_t thread)
{
    atomic_store(&world->stop, true);
    (void)pthread_join(thread, NULL);
    if (world->good_failures != 0) {
        fail_msg("%u of %u good deposits failed: %s", world->good_failures, world->good_deposits,
                 world->good_problem);
    }
    assert_true(world->good_deposits > 0);
}

/* --- tests --- */

static void assert_answer_is_harmless(const char *id, const struct gk_test_picture *picture,
                                      enum gk_status status, const guika_v1_DepositResponse *response,
                                      const struct gk_error *error)
{
    if (status == GK_INVALID_ARGUMENT) {
        return;
    }
    if (status != GK_OK) {
        fail_msg("%s, %zu bytes: %d, %s", id, picture->size, status, error->message);
    }
    /* A bit-flipped picture may still be a readable one. */
    assert_true(response->decision == guika_v1_DepositResponse_Decision_KEEP ||
                response->decision == guika_v1_DepositResponse_Decision_GIVE_BACK);
}

static void test_rubbish_from_one_box_does_not_touch_another(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->bad_box);
    unsigned seed = 20261123;
    unsigned refused = 0;
    long long longest_ms = 0;
    pthread_t good_box;

    start_good_box(world, &good_box);
    for (unsigned i = 0; i < world->pictures; i++) {
        char id[24];
        struct gk_test_picture picture = rubbish(world, i, &seed);
        guika_v1_DepositResponse response = {0};
        struct gk_error error = {0};
        const long long began_ms = gk_test_now_ms();

        (void)snprintf(id, sizeof id, "bad-%u", i);
        const enum gk_status status = gk_test_deposit(client, id, &picture, &response, &error);
        const long long took_ms = gk_test_now_ms() - began_ms;

        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
        assert_answer_is_harmless(id, &picture, status, &response, &error);
        refused += status == GK_INVALID_ARGUMENT;
        free(picture.data);
    }
    stop_good_box(world, good_box);
    const size_t ends = gk_test_occurrences(world->service.log, "event=child_ended");

    print_message(
        "%u broken pictures, %u refused, the longest took %lld ms; %u good deposits; %zu readers ended\n",
        world->pictures, refused, longest_ms, world->good_deposits, ends);
    assert_true(ends <= READER_ENDS_MAX);
    gk_rpc_client_close(client);
}

static nng_socket open_raw(const struct world *world)
{
    nng_socket socket;

    assert_int_equal(nng_req0_open(&socket), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, 200), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, 2000), 0);
    assert_int_equal(nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0), 0);
    assert_int_equal(nng_dial(socket, world->service.url, NULL, 0), 0);
    return socket;
}

/* A whole header, and what follows it is random: the server has to tell the one from the other. */
static size_t malformed(uint8_t *message, size_t capacity, unsigned index, unsigned *seed)
{
    static const char method[] = "guika.v1.BoxService/Deposit";
    size_t size = 0;

    if (index % 2 == 0) {
        message[size++] = (uint8_t)(sizeof method - 1 + 2);
        message[size++] = 0x0a;
        message[size++] = (uint8_t)(sizeof method - 1);
        memcpy(message + size, method, sizeof method - 1);
        size += sizeof method - 1;
    }
    const size_t end = size + (size_t)rand_r(seed) % (capacity - size);

    while (size < end) {
        message[size++] = (uint8_t)rand_r(seed);
    }
    return size;
}

static void assert_serving(const struct world *world)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, NULL);
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response = {0};

    assert_int_equal(guika_v1_health_check(client, NULL, &request, &response, NULL), GK_OK);
    assert_int_equal(response.serving, guika_v1_HealthCheckResponse_Serving_SERVING);
    gk_rpc_client_close(client);
}

static void test_malformed_messages_are_answered_or_dropped(void **state)
{
    struct world *world = *state;
    nng_socket socket = open_raw(world);
    unsigned seed = 4711;
    unsigned answered = 0;
    pthread_t good_box;

    start_good_box(world, &good_box);
    for (unsigned i = 0; i < MESSAGES; i++) {
        uint8_t message[600];
        uint8_t *answer = NULL;
        size_t answer_size;
        const size_t size = malformed(message, sizeof message, i, &seed);

        assert_int_equal(nng_send(socket, message, size, 0), 0);
        if (nng_recv(socket, &answer, &answer_size, NNG_FLAG_ALLOC) == 0) {
            answered++;
            nng_free(answer, answer_size);
        }
    }
    print_message("%u of %d malformed messages were answered\n", answered, MESSAGES);
    assert_serving(world);
    stop_good_box(world, good_box);
    (void)nng_close(socket);
    assert_true(answered > 0);
}

static void test_oversized_message_harms_nobody(void **state)
{
    struct world *world = *state;
    nng_socket socket = open_raw(world);
    uint8_t *message = calloc(1, OVERSIZED_BYTES);
    uint8_t *answer = NULL;
    size_t answer_size;
    pthread_t good_box;

    start_good_box(world, &good_box);
    (void)nng_send(socket, message, OVERSIZED_BYTES, 0);
    assert_int_not_equal(nng_recv(socket, &answer, &answer_size, NNG_FLAG_ALLOC), 0);
    gk_test_sleep_ms(1000);
    assert_serving(world);
    stop_good_box(world, good_box);
    (void)nng_close(socket);
    free(message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rubbish_from_one_box_does_not_touch_another),
        cmocka_unit_test(test_malformed_messages_are_answered_or_dropped),
        cmocka_unit_test(test_oversized_message_harms_nobody),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
