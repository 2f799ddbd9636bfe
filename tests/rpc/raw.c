#include "raw.h"

#include "rpc/message.h"

#include <arpa/inet.h>
#include <nng/protocol/reqrep0/req.h>
#include <pb_encode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ANSWER_MAX_MS = 10000 };

nng_socket raw_open(const char *url)
{
    nng_socket socket;

    assert_int_equal(nng_req0_open(&socket), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, ANSWER_MAX_MS), 0);
    assert_int_equal(nng_dial(socket, url, NULL, 0), 0);
    return socket;
}

void raw_send(nng_socket socket, const void *bytes, size_t size)
{
    uint8_t copy[4096];

    assert_true(size <= sizeof copy);
    memcpy(copy, bytes, size);
    assert_int_equal(nng_send(socket, copy, size, 0), 0);
}

/* The message in memory of its own; the caller's to free. */
static uint8_t *make_message(const guika_v1_RequestHeader *header, struct gk_bytes payload, size_t *ret_size)
{
    uint8_t *bytes = malloc(guika_v1_RequestHeader_size + 16 + payload.size);
    pb_ostream_t stream = pb_ostream_from_buffer(bytes, guika_v1_RequestHeader_size + 16);

    assert_true(pb_encode_ex(&stream, &guika_v1_RequestHeader_msg, header, PB_ENCODE_DELIMITED));
    if (payload.size > 0) {
        memcpy(bytes + stream.bytes_written, payload.data, payload.size);
    }
    *ret_size = stream.bytes_written + payload.size;
    return bytes;
}

void raw_call(nng_socket socket, const guika_v1_RequestHeader *header, struct gk_bytes payload)
{
    size_t size;
    uint8_t *bytes = make_message(header, payload, &size);

    assert_int_equal(nng_send(socket, bytes, size, 0), 0);
    free(bytes);
}

guika_v1_ResponseHeader raw_answer(nng_socket socket)
{
    nng_msg *message = NULL;

    assert_int_equal(nng_recvmsg(socket, &message, 0), 0);
    return raw_read(message);
}

guika_v1_ResponseHeader raw_read(nng_msg *message)
{
    guika_v1_ResponseHeader header = guika_v1_ResponseHeader_init_zero;
    struct gk_bytes payload;

    assert_true(gk_rpc_message_split((struct gk_bytes){nng_msg_body(message), nng_msg_len(message)},
                                     &guika_v1_ResponseHeader_msg, &header, &payload));
    nng_msg_free(message);
    return header;
}

int raw_connect(const char *url)
{
    /* NNG's SP handshake over TCP: 0, "SP", version 0, protocol (REQ is 0x30), reserved. */
    static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    uint8_t theirs[sizeof hello];
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    address.sin_port = htons((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10));
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, hello, sizeof hello, MSG_NOSIGNAL), sizeof hello);
    assert_int_equal(recv(fd, theirs, sizeof theirs, MSG_WAITALL), sizeof theirs);
    return fd;
}

bool raw_write(int fd, const guika_v1_RequestHeader *header, struct gk_bytes payload)
{
    size_t size;
    uint8_t *bytes = make_message(header, payload, &size);
    uint8_t *frame = malloc(12 + size);
    const struct timeval patience = {.tv_usec = 200000};

    memset(frame, 0, 12);
    gk_rpc_frame_head_write(frame + 4, size + 4);
    frame[8] = 0x80; /* the request id's high bit ends NNG's header */
    frame[11] = 1;
    memcpy(frame + 12, bytes, size);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const ssize_t sent = send(fd, frame, 12 + size, MSG_NOSIGNAL);

    free(frame);
    free(bytes);
    return sent == (ssize_t)(12 + size);
}

void raw_write_stream(int fd, const guika_v1_RequestHeader *header, struct gk_bytes payload)
{
    size_t size;
    uint8_t *bytes = make_message(header, payload, &size);
    uint8_t *frame = malloc(GK_RPC_FRAME_HEAD_SIZE + size);

    gk_rpc_frame_head_write(frame, size);
    memcpy(frame + GK_RPC_FRAME_HEAD_SIZE, bytes, size);
    assert_int_equal(send(fd, frame, GK_RPC_FRAME_HEAD_SIZE + size, MSG_NOSIGNAL),
                     GK_RPC_FRAME_HEAD_SIZE + size);
    free(frame);
    free(bytes);
}

guika_v1_ResponseHeader raw_read_stream(int fd)
{
    guika_v1_ResponseHeader header = guika_v1_ResponseHeader_init_zero;
    uint8_t head[GK_RPC_FRAME_HEAD_SIZE];
    uint8_t bytes[1024];
    struct gk_bytes payload;

    assert_int_equal(recv(fd, head, sizeof head, MSG_WAITALL), sizeof head);
    const size_t size = gk_rpc_frame_head_read(head);

    assert_in_range(size, 1, sizeof bytes);
    assert_int_equal(recv(fd, bytes, size, MSG_WAITALL), size);
    assert_true(gk_rpc_message_split((struct gk_bytes){bytes, size}, &guika_v1_ResponseHeader_msg, &header,
                                     &payload));
    return header;
}
