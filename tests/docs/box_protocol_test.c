/*
 * docs/box-protocol.md against what goes over the wire. With GUIKA_WRITE_PAGE set, the bytes of the page are
 * written anew instead: GUIKA_WRITE_PAGE=1 build/release/tests/box_protocol_test, from the source root.
 */
#include "guika/v1/box.rpc.h"
#include "rpc/router.h"
#include "tests/docs/box_page.h"

#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE "docs/box-protocol.md"

static char *read_page(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(PAGE, "re");

    assert_non_null(file);
    assert_true(getdelim(&text, &size, '\0', file) > 0);
    (void)fclose(file);
    return text;
}

/* What the page has to have between its marks. */
static char *block_of(const struct box_page_message *message)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);

    assert_non_null(memory);
    (void)fprintf(memory, "\n```\n");
    box_page_write(&message->message, memory);
    (void)fprintf(memory, "```\n");
    (void)fclose(memory);
    return text;
}

/* The marks of a block; fails the test where the page has none. */
static void find_block(const char *page, const char *name, const char **ret_begins, const char **ret_ends)
{
    char mark[64];

    (void)snprintf(mark, sizeof mark, "<!-- %s -->", name);
    const char *begins = strstr(page, mark);

    const char *ends = begins == NULL ? NULL : strstr(begins, "<!-- end -->");

    if (ends == NULL) {
        fail_msg(PAGE " has no %s with an end", mark);
        return;
    }
    *ret_begins = begins + strlen(mark);
    *ret_ends = ends;
}

static void write_page(const struct box_page_message *message)
{
    char *page = read_page();
    char *block = block_of(message);
    const char *begins = NULL;
    const char *ends = NULL;

    find_block(page, message->name, &begins, &ends);
    FILE *file = fopen(PAGE, "we");

    assert_non_null(file);
    (void)fprintf(file, "%.*s%s%s", (int)(begins - page), page, block, ends);
    assert_int_equal(fclose(file), 0);
    free(block);
    free(page);
}

static void test_page_shows_the_bytes_that_are_sent(void **state)
{
    const struct box_page_message *messages = box_page_messages();
    const bool write = getenv("GUIKA_WRITE_PAGE") != NULL;

    (void)state;
    for (size_t i = 0; i < BOX_PAGE_MESSAGES; i++) {
        if (write) {
            write_page(&messages[i]);
        }
        char *page = read_page();
        char *block = block_of(&messages[i]);
        const char *begins = NULL;
        const char *ends = NULL;

        find_block(page, messages[i].name, &begins, &ends);
        if ((size_t)(ends - begins) != strlen(block) || memcmp(begins, block, strlen(block)) != 0) {
            fail_msg(PAGE ", %s: the bytes are\n%s", messages[i].name, block);
        }
        free(block);
        free(page);
    }
}

/* The service reads what the page says that a box sends. */
static void test_service_takes_the_requests_of_the_page(void **state)
{
    static const struct guika_v1_box_service_handlers handlers = {0};
    const struct gk_rpc_binding binding = {&guika_v1_box_service, &handlers, NULL};
    const struct box_page_message *messages = box_page_messages();
    struct gk_rpc_router router = {0};
    size_t requests = 0;

    (void)state;
    assert_int_equal(gk_rpc_router_add(&router, &binding, 1, NULL), GK_OK);
    for (size_t i = 0; i < BOX_PAGE_MESSAGES; i++) {
        struct gk_rpc_incoming incoming;
        void *decoded = NULL;
        size_t size = 0;

        if (messages[i].message.header_type != &guika_v1_RequestHeader_msg) {
            continue;
        }
        uint8_t *bytes = box_page_encode(&messages[i].message, &size);

        assert_int_equal(gk_rpc_router_read(&router, (struct gk_bytes){bytes, size}, &incoming, NULL), GK_OK);
        assert_int_equal(gk_rpc_router_decode(&incoming, &decoded, NULL), GK_OK);
        assert_ptr_equal(incoming.route->method->request, messages[i].message.payload_type);
        requests++;
        free(decoded);
        free(bytes);
    }
    assert_int_equal(requests, 5);
    gk_rpc_router_free(&router);
}

/* --- what the transport adds --- */

/* The service's end of a TCP connection, of which nothing is known but what the page says. */
struct end {
    int listening;
    uint8_t hello[8];
    uint8_t frame[12];
    uint8_t bytes[600];
    size_t size;
};

static void *take_one(void *context)
{
    static const uint8_t hello[8] = {0x00, 0x53, 0x50, 0x00, 0x00, 0x31, 0x00, 0x00};
    struct end *end = context;
    const int fd = accept(end->listening, NULL, NULL);

    if (send(fd, hello, sizeof hello, MSG_NOSIGNAL) == (ssize_t)sizeof hello &&
        recv(fd, end->hello, sizeof end->hello, MSG_WAITALL) == (ssize_t)sizeof end->hello &&
        recv(fd, end->frame, sizeof end->frame, MSG_WAITALL) == (ssize_t)sizeof end->frame &&
        recv(fd, end->bytes, end->size, MSG_WAITALL) != (ssize_t)end->size) {
        end->size = 0;
    }
    (void)close(fd);
    return NULL;
}

static int listen_somewhere(char ret_url[48])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(ret_url, 48, "tcp://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    return fd;
}

/* The page says: 00 53 50 00 00 30 00 00, eight bytes of length, four of number, then the message. */
static void test_tcp_adds_what_the_page_says(void **state)
{
    static const uint8_t hello[8] = {0x00, 0x53, 0x50, 0x00, 0x00, 0x30, 0x00, 0x00};
    const struct gk_rpc_message *message = &box_page_messages()[0].message;
    struct end end = {.size = 0};
    char url[48];
    nng_socket socket;
    pthread_t thread;
    uint64_t length = 0;
    char *page = read_page();

    (void)state;
    assert_non_null(strstr(page, "`00 53 50 00 00 30 00 00`"));
    uint8_t *bytes = box_page_encode(message, &end.size);
    const size_t size = end.size;

    assert_true(size <= sizeof end.bytes);
    end.listening = listen_somewhere(url);
    assert_int_equal(pthread_create(&thread, NULL, take_one, &end), 0);
    assert_int_equal(nng_req0_open(&socket), 0);
    assert_int_equal(nng_dial(socket, url, NULL, 0), 0);
    assert_int_equal(nng_send(socket, bytes, size, 0), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_memory_equal(end.hello, hello, sizeof hello);
    for (size_t i = 0; i < 8; i++) {
        length = length << 8 | end.frame[i];
    }
    assert_int_equal(length, size + 4);
    assert_true((end.frame[8] & 0x80) != 0);
    assert_int_equal(end.size, size);
    assert_memory_equal(end.bytes, bytes, size);
    (void)nng_close(socket);
    (void)close(end.listening);
    free(bytes);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_shows_the_bytes_that_are_sent),
        cmocka_unit_test(test_service_takes_the_requests_of_the_page),
        cmocka_unit_test(test_tcp_adds_what_the_page_says),
    };

    return cmocka_run_group_tests_name("docs/box-protocol.md", tests, NULL, NULL);
}
