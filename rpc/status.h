/*
 * Status codes and error messages, shared by every part of Guika.
 *
 * The codes are gRPC's canonical ones, with gRPC's numbers, because they travel in every answer.
 * A function that can fail returns enum gk_status and describes the failure in a struct gk_error
 * that the caller owns and may leave out (NULL).
 */
#ifndef GUIKA_RPC_STATUS_H
#define GUIKA_RPC_STATUS_H

enum gk_status {
    GK_OK = 0,
    GK_CANCELLED = 1,
    GK_UNKNOWN = 2,
    GK_INVALID_ARGUMENT = 3,
    GK_DEADLINE_EXCEEDED = 4,
    GK_NOT_FOUND = 5,
    GK_ALREADY_EXISTS = 6,
    GK_PERMISSION_DENIED = 7,
    GK_RESOURCE_EXHAUSTED = 8,
    GK_FAILED_PRECONDITION = 9,
    GK_ABORTED = 10,
    GK_OUT_OF_RANGE = 11,
    GK_UNIMPLEMENTED = 12,
    GK_INTERNAL = 13,
    GK_UNAVAILABLE = 14,
    GK_DATA_LOSS = 15,
    GK_UNAUTHENTICATED = 16,
};

/* A failure, in words for the person who must do something about it. One line, no newline, never a
 * card number or a secret. `message` is always terminated. */
struct gk_error {
    enum gk_status status;
    char message[256]; /* bytes with the terminator; longer text is cut */
};

/* Stores `status` and the formatted message in `error` (NULL is allowed) and returns `status`, so that a
 * failing function can end with `return gk_error_set(error, GK_NOT_FOUND, "...")`. [any] */
enum gk_status gk_error_set(struct gk_error *error, enum gk_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The canonical name of a code, as "NOT_FOUND"; "UNKNOWN" for a number that is none. Never NULL. [any] */
const char *gk_status_name(enum gk_status status);

#endif
