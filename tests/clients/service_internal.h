/* The inside of the clients' test service, for its files. */
#ifndef GUIKA_TESTS_CLIENTS_SERVICE_INTERNAL_H
#define GUIKA_TESTS_CLIENTS_SERVICE_INTERNAL_H

#include "guika/v1/box.rpc.h"
#include "rpc/server.h"
#include "tests/clients/service.h"

#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <uv.h>

#define MAX_ENTRIES 64U
#define ENTRY_SIZE 192

struct gk_test_service {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t stop;
    struct gk_rpc_server *server;
    sem_t started;
    bool running;
    char url[64];
    uint8_t public_key[crypto_box_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_box_SECRETKEYBYTES];
    pthread_mutex_t mutex; /* what follows */
    char entries[MAX_ENTRIES][ENTRY_SIZE];
    size_t entry_count;
    enum gk_status failure;
    unsigned failures_left, calls;
    int decision, zone;
    uint8_t grant_key[32];
    uint64_t grants_version;
    guika_v1_ListGrantsResponse grants; /* all of them, one a page */
};

/* One entry of the diary. */
void gk_test_service_note(struct gk_test_service *service, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Answers by the script where it says that calls fail; true where it did. */
bool gk_test_service_fails(struct gk_test_service *service, struct gk_rpc_call *call);

/* service_door.c */
void gk_test_service_on_list_grants(struct gk_rpc_call *call, const guika_v1_ListGrantsRequest *request,
                                    void *context);
void gk_test_service_on_open_for_pickup(struct gk_rpc_call *call,
                                        const guika_v1_OpenForPickupRequest *request, void *context);
void gk_test_service_on_confirm_collected(struct gk_rpc_call *call,
                                          const guika_v1_ConfirmCollectedRequest *request, void *context);

#endif
