/*
 * The real parts: what an operation means to boxes, readers, couriers, people and issuers. Calls go through
 * the services that the daemon has, on a real store; the courier's part is the outbox's own two steps.
 *
 * Owns: the rig and its directory, connections of everybody who calls, a thread that is the reader, and what
 * holders were told.
 */
#ifndef GUIKA_TESTS_CORE_LIFE_MODEL_DRIVER_H
#define GUIKA_TESTS_CORE_LIFE_MODEL_DRIVER_H

#include "core/notification/outbox_internal.h"
#include "tests/core/core_rig.h"
#include "tests/core/life_model/model.h"

/* Faults that a test plants between the model and the parts, to see that they are found. */
enum driver_fault {
    FAULT_NONE,
    FAULT_DROPS_MOVED_NOTICE, /* the outbox loses the notices of moves */
    FAULT_FORGETS_RECOVERY,   /* nothing is put in order after a crash */
};

enum { MESSAGES_MAX = 64 };

struct driver_card {
    uint32_t name;
    uint32_t box;
    uint8_t case_id[GK_CASE_ID_SIZE];
    char code[9]; /* that its holder was told last; "": none */
    char tail[5];
    uint64_t fencing_token;
    uint32_t opening_box;
    uint8_t messages[MESSAGES_MAX][16]; /* that reached the holder, by id: a channel drops the second */
    uint32_t message_count;
};

struct driver {
    struct core_rig rig;
    enum driver_fault fault;
    struct gk_rpc_client *boxes[BOXES];
    struct gk_rpc_client *operators[OPERATORS];
    struct gk_rpc_client *viewer;
    struct gk_rpc_client *issuers[ACCOUNTS];
    struct gk_rpc_client *reader_line;
    pthread_t reader;
    _Atomic uint32_t reading; /* what the reader makes of a picture */
    atomic_bool may_ask;
    atomic_bool no_picture;
    char staff[GK_CREDENTIAL_SIZE];
    struct driver_card *cards;
    uint32_t card_count;
    struct gk_outbox_options outbox;
    guika_v1_internal_LeaseNoticeResponse *notice; /* as a courier gets it */
    uint32_t imports;
    struct gk_error error;
};

/* On a new directory; the lists are those of the world's first day. */
struct driver *driver_open(enum driver_fault fault);
void driver_close(struct driver *driver);

struct driver_card *driver_find(struct driver *driver, uint32_t name);
struct driver_card *driver_add(struct driver *driver, uint32_t name, uint32_t box);

/* Does the operation on the real parts; returns how it was answered. `ret_did` is false where there was
 * nothing to do. */
enum gk_status driver_apply(struct driver *driver, const struct operation *operation, bool *ret_did);

/* Waits until nothing runs by itself any more. */
void driver_settle(struct driver *driver);

/* Fails in words: something that no operation may do happened. */
#define DRIVER_ODD GK_INTERNAL

/* --- for the driver's own files --- */

void driver_must(const struct driver *driver, bool good, const char *what);
void driver_connect(struct driver *driver);
void driver_leave(struct driver *driver);
enum gk_status driver_do(struct driver *driver, const struct operation *operation, bool *ret_did);
enum gk_status driver_lose(struct driver *driver, const struct operation *operation);
enum gk_status driver_crash(struct driver *driver, bool checkpoint);
enum gk_status driver_rotate(struct driver *driver);
enum gk_status driver_pass(struct driver *driver, int64_t pass_ms);
enum gk_status driver_read_all(struct driver *driver);
enum gk_status driver_box(struct driver *driver, const struct operation *operation);
enum gk_status driver_pickup(struct driver *driver, const struct operation *operation);
enum gk_status driver_courier(struct driver *driver, const struct operation *operation, bool *ret_did);
enum gk_status driver_people(struct driver *driver, const struct operation *operation);
enum gk_status driver_issuer(struct driver *driver, const struct operation *operation);
enum gk_status driver_import(struct driver *driver, uint32_t account, uint32_t numbers);
void driver_case_number(const struct driver_card *card, char ret_text[33]);
void driver_contact(uint32_t contact, char ret_text[64]);

/* Every call waits long: the machine may be loaded. */
extern const struct gk_rpc_call_options driver_patience;

#endif
