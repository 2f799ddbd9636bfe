/*
 * Callers that are not our client: they send what they like and need not wait for answers.
 */
#ifndef GUIKA_TESTS_RPC_RAW_H
#define GUIKA_TESTS_RPC_RAW_H

#include "guika/v1/envelope.pb.h"
#include "rpc/bytes.h"

#include <nng/nng.h>

nng_socket raw_open(const char *url);

/* Sends bytes as one message. */
void raw_send(nng_socket socket, const void *bytes, size_t size);

/* Sends a request with this header and payload. */
void raw_call(nng_socket socket, const guika_v1_RequestHeader *header, struct gk_bytes payload);

/* Waits for an answer, 10 s at most, and returns its header. */
guika_v1_ResponseHeader raw_answer(nng_socket socket);

/* The header of an answer; frees the message. */
guika_v1_ResponseHeader raw_read(nng_msg *message);

/* A plain TCP connection to "tcp://127.0.0.1:PORT" that has done NNG's handshake as a REQ peer. */
int raw_connect(const char *url);

/* Writes one NNG frame with a request to `fd`; returns false where it does not fit without waiting. */
bool raw_write(int fd, const guika_v1_RequestHeader *header, struct gk_bytes payload);

/* Writes a request as our stream sockets carry it. */
void raw_write_stream(int fd, const guika_v1_RequestHeader *header, struct gk_bytes payload);

/* Reads a short answer from such a socket and returns its header. */
guika_v1_ResponseHeader raw_read_stream(int fd);

#endif
