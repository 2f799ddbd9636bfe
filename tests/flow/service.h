/*
 * A real guikad in a folder of its own, for flow tests: real readers, a real courier, real sockets. A failure
 * of anything here fails the test that asked for it.
 */
#ifndef GUIKA_TESTS_FLOW_SERVICE_H
#define GUIKA_TESTS_FLOW_SERVICE_H

#include "guika/v1/box.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/client.h"
#include "tests/flow/program.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define GK_TEST_TOKEN_SIZE 128

struct gk_test_service {
    const char *programs; /* folder of guikad, borrowed */
    char directory[64];   /* configuration, keys, data; removed at the end */
    char maildir[96];     /* outside the data */
    char url[48];
    char log[96];
    pid_t process_id; /* of guikad; 0: it does not run */
    char operator_token[GK_TEST_TOKEN_SIZE];
};

/* `guikad --init` and a configuration with `readers` readers; not started. */
void gk_test_service_make(struct gk_test_service *service, unsigned readers);
/* The same with the guikad of another folder, as of an installed prefix. */
void gk_test_service_make_from(struct gk_test_service *service, const char *programs, unsigned readers);

/* Replaces the whole configuration, before the start. Paths in it are relative to <directory>/service. */
__attribute__((format(printf, 2, 3))) void gk_test_service_configure(const struct gk_test_service *service,
                                                                     const char *format, ...);

/* Starts guikad and waits until it serves and a reader has announced the shelf. */
void gk_test_service_start(struct gk_test_service *service);

/* Sends `signal_number` and waits for the end; returns the exit status, or 128 and the signal. */
int gk_test_service_stop(struct gk_test_service *service, int signal_number);

/* Ends it where it runs and removes its folder. */
void gk_test_service_remove(struct gk_test_service *service);

/* A client with `token` (NULL: none). */
struct gk_rpc_client *gk_test_client(const struct gk_test_service *service, const char *token);

/* Registers a box, an issuer's account; the token is theirs. */
void gk_test_add_box(const struct gk_test_service *service, const char *box_id,
                     char ret_token[GK_TEST_TOKEN_SIZE]);
void gk_test_add_issuer(const struct gk_test_service *service, const char *issuer_id, const char *binding,
                        char ret_token[GK_TEST_TOKEN_SIZE]);

/* An operator carries a card into a compartment, where its holder can fetch it. */
void gk_test_move(const struct gk_test_service *service, const char *case_id, const char *box_id,
                  const char *compartment);

/* One card and its holder. */
struct gk_test_holder {
    const char *scheme;
    char number[40];
    char holder_id[24];
    const char *language;
    char contact[64]; /* several: with semicolons between them */
};

/* Imports the list in one import of pages; every row has to be accepted. */
void gk_test_import(const struct gk_test_service *service, const char *issuer_token, const char *import_id,
                    const struct gk_test_holder *holders, size_t count);

/* A picture in memory; free(data). */
struct gk_test_picture {
    uint8_t *data;
    size_t size;
};

/* A flat, easily read Visa card, and its number; the same seed gives the same card. */
struct gk_test_picture gk_test_mint_card(uint64_t seed, char ret_number[40]);
/* The same kind of card, whose check digit does not agree: a picture of it is kept. */
struct gk_test_picture gk_test_mint_misprint(uint64_t seed);
/* The same of a China T-Union transit card. */
struct gk_test_picture gk_test_mint_transit(uint64_t seed, char ret_number[40]);
/* A table without a card on it. */
struct gk_test_picture gk_test_mint_nothing(uint64_t seed);

/* Deposits one frame; answers as the stub does. */
enum gk_status gk_test_deposit(struct gk_rpc_client *client, const char *deposit_id,
                               const struct gk_test_picture *picture, guika_v1_DepositResponse *ret_response,
                               struct gk_error *error);
/* Confirms STORED in the zone; has to succeed. */
void gk_test_confirm_stored(struct gk_rpc_client *client, const char *deposit_id, guika_v1_Zone zone);

/* Messages in the maildir, new and cur. */
size_t gk_test_mail_count(const struct gk_test_service *service);
/* Waits until there are `count`; false where there are not within `wait_ms`. */
bool gk_test_mail_wait(const struct gk_test_service *service, size_t count, unsigned wait_ms);
/* The decoded text of all messages together, each with its To line first; free() it. */
char *gk_test_mail_text(const struct gk_test_service *service);

/* Files below `directory` that hold `bytes`; the first one's name is in `ret_name`. */
size_t gk_test_files_with(const char *directory, const void *bytes, size_t size, char ret_name[PATH_MAX]);

/* Process ids of the children of guikad whose program is `name`; at most `room`; returns how many. */
size_t gk_test_children(const struct gk_test_service *service, const char *name, pid_t *ret_ids, size_t room);

/* Every found card, newest first; free() it. */
guika_v1_FoundCardRow *gk_test_found(const struct gk_test_service *service, size_t *ret_count);
/* A figure of today, and of the day before where the test began before midnight; 0 where there is none. */
uint64_t gk_test_statistic(const struct gk_test_service *service, const char *name);
/* Recomputes the audit chain of a service that has stopped; returns its entries. */
uint64_t gk_test_verify_audit(const struct gk_test_service *service);

#endif
