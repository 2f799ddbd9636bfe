#include "rig.h"

#include "rpc/descriptor_set.h"
#include "rpc/server_internal.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static bool is_view(const struct gk_rpc_call *call, struct gk_bytes view)
{
    const uint8_t *body = call->message != NULL ? nng_msg_body(call->message) : call->bytes;

    return view.size > 0 && view.data > body;
}

static void echo(struct gk_rpc_call *call, const guika_test_EchoRequest *request, void *context)
{
    struct rig *rig = context;
    guika_test_EchoResponse response = {0};

    memcpy(response.text, request->text, sizeof response.text);
    response.picture = request->picture;
    response.in_place = is_view(call, request->picture);
    atomic_store(&rig->last_client_key, gk_rpc_call_client_key(call));
    guika_test_echo_service_echo_reply(call, &response);
}

static void on_ended(struct gk_rpc_call *call, void *context)
{
    struct rig *rig = context;

    (void)call;
    atomic_fetch_add(&rig->ended, 1);
}

static void hold(struct gk_rpc_call *call, const guika_test_EchoRequest *request, void *context)
{
    struct rig *rig = context;

    (void)request;
    assert_true(rig->held_count < RIG_HELD_MAX);
    rig->held[rig->held_count++] = call;
    gk_rpc_call_on_ended(call, on_ended, rig);
    atomic_store(&rig->held_now, (unsigned)rig->held_count);
    atomic_fetch_add(&rig->begun, 1);
}

static const struct guika_test_echo_service_handlers handlers = {
    .echo = echo,
    .echo_now = echo,
    .hold = hold,
    .wait = hold,
    .missing = NULL,
    .readers_only = echo,
};

static bool authenticate(void *context, const char *token, struct gk_principal *ret_principal)
{
    (void)context;
    if (strcmp(token, RIG_BOX_TOKEN) == 0) {
        *ret_principal = (struct gk_principal){GK_ROLE_BOX, "library-1"};
        return true;
    }
    if (strcmp(token, RIG_READER_TOKEN) == 0) {
        *ret_principal = (struct gk_principal){GK_ROLE_READER, "reader-1"};
        return true;
    }
    return false;
}

static void on_command(uv_async_t *handle)
{
    struct rig *rig = handle->data;
    void (*work)(struct rig * rig, void *argument);

    pthread_mutex_lock(&rig->lock);
    work = rig->work;
    rig->work = NULL;
    pthread_mutex_unlock(&rig->lock);
    if (work == NULL) {
        return;
    }
    work(rig, rig->argument);
    pthread_mutex_lock(&rig->lock);
    rig->done = true;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void *loop_thread(void *argument)
{
    struct rig *rig = argument;

    uv_run(&rig->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void begin_run(struct rig *rig, void (*work)(struct rig *rig, void *argument), void *argument)
{
    pthread_mutex_lock(&rig->lock);
    rig->work = work;
    rig->argument = argument;
    rig->done = false;
    pthread_mutex_unlock(&rig->lock);
    uv_async_send(&rig->command);
}

void rig_run(struct rig *rig, void (*work)(struct rig *rig, void *argument), void *argument)
{
    begin_run(rig, work, argument);
    pthread_mutex_lock(&rig->lock);
    while (!rig->done) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

void rig_start(struct rig *rig, const struct gk_rpc_server_options *options)
{
    struct gk_rpc_server_options own = {0};
    const struct gk_rpc_binding binding = {&guika_test_echo_service, &handlers, rig};
    struct gk_error error;

    memset(rig, 0, sizeof *rig);
    (void)signal(SIGPIPE, SIG_IGN);
    strcpy(rig->folder, "/tmp/guika-rpc-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->changed, NULL);
    uv_loop_init(&rig->loop);
    uv_async_init(&rig->loop, &rig->command, on_command);
    rig->command.data = rig;
    if (options != NULL) {
        own = *options;
    }
    own.loop = &rig->loop;
    own.bindings = &binding;
    own.binding_count = 1;
    own.authenticate = authenticate;
    own.descriptor_set = guika_v1_descriptor_set;
    own.descriptor_set_size = guika_v1_descriptor_set_size;
    if (gk_rpc_server_open(&own, &rig->server, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(pthread_create(&rig->thread, NULL, loop_thread, rig), 0);
}

static void release(struct rig *rig, void *argument)
{
    (void)argument;
    for (size_t i = 0; i < rig->held_count; i++) {
        guika_test_EchoResponse response = {.text = "released"};

        guika_test_echo_service_hold_reply(rig->held[i], &response);
    }
    rig->held_count = 0;
    atomic_store(&rig->held_now, 0);
}

void rig_release(struct rig *rig)
{
    rig_run(rig, release, NULL);
}

static void on_server_closed(void *context)
{
    struct rig *rig = context;

    pthread_mutex_lock(&rig->lock);
    rig->server = NULL;
    pthread_cond_broadcast(&rig->changed);
    pthread_mutex_unlock(&rig->lock);
}

static void close_server(struct rig *rig, void *argument)
{
    (void)argument;
    gk_rpc_server_close(rig->server, on_server_closed, rig);
}

void rig_close_server(struct rig *rig)
{
    rig_run(rig, close_server, NULL);
    pthread_mutex_lock(&rig->lock);
    while (rig->server != NULL) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

static void close_command(struct rig *rig, void *argument)
{
    (void)argument;
    uv_close((uv_handle_t *)&rig->command, NULL);
}

void rig_stop(struct rig *rig)
{
    if (rig->server != NULL) {
        rig_close_server(rig);
    }
    rig_release(rig);
    rig_run(rig, close_command, NULL);
    pthread_join(rig->thread, NULL);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    pthread_cond_destroy(&rig->changed);
    pthread_mutex_destroy(&rig->lock);
    (void)rmdir(rig->folder);
}

struct listening {
    const char *url;
    const struct gk_rpc_tls *tls;
    enum gk_status status;
    struct gk_error error;
    const char *real_url;
};

static void do_listen(struct rig *rig, void *argument)
{
    struct listening *listening = argument;
    size_t index = 0;

    listening->status = gk_rpc_server_listen(rig->server, listening->url, listening->tls, &listening->error);
    while (gk_rpc_server_url(rig->server, index) != NULL) {
        listening->real_url = gk_rpc_server_url(rig->server, index++);
    }
}

const char *rig_listen(struct rig *rig, const char *url, const struct gk_rpc_tls *tls)
{
    struct listening listening = {.url = url, .tls = tls};

    rig_run(rig, do_listen, &listening);
    if (listening.status != GK_OK) {
        fail_msg("%s", listening.error.message);
    }
    return listening.real_url;
}

void rig_ipc_url(const struct rig *rig, char *ret_url, size_t size)
{
    (void)snprintf(ret_url, size, "ipc://%s/socket", rig->folder);
}

static void block(struct rig *rig, void *argument)
{
    (void)argument;
    pthread_mutex_lock(&rig->lock);
    while (rig->blocked) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

void rig_block(struct rig *rig)
{
    rig->blocked = true;
    begin_run(rig, block, NULL);
    for (;;) {
        pthread_mutex_lock(&rig->lock);
        const bool taken = rig->work == NULL;
        pthread_mutex_unlock(&rig->lock);
        if (taken) {
            return;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

void rig_unblock(struct rig *rig)
{
    pthread_mutex_lock(&rig->lock);
    rig->blocked = false;
    pthread_cond_broadcast(&rig->changed);
    while (!rig->done) {
        pthread_cond_wait(&rig->changed, &rig->lock);
    }
    pthread_mutex_unlock(&rig->lock);
}

bool rig_wait(const atomic_uint *value, unsigned wanted)
{
    for (int i = 0; i < 1000; i++) {
        if (atomic_load(value) >= wanted) {
            return true;
        }
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return false;
}

struct gk_rpc_client *rig_client(const char *url, const char *token)
{
    const struct gk_rpc_client_options options = {.url = url, .token = token, .language = "en"};
    struct gk_rpc_client *client = NULL;
    struct gk_error error;

    if (gk_rpc_client_open(&options, &client, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    return client;
}

enum gk_status rig_call(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                        uint32_t deadline_ms, struct gk_error *error)
{
    const struct gk_rpc_call_options options = {.deadline_ms = deadline_ms};
    const guika_test_EchoRequest request = {.text = "hello"};
    guika_test_EchoResponse response = {0};

    error->message[0] = '\0';
    return gk_rpc_client_call(client, method, &options, &request, &response, error);
}
