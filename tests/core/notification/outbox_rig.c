#include "outbox_rig.h"

#include "core/notification/messages.h"
#include "core/store/record.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char box_id[] = "library";

static void must(enum gk_status status, const struct gk_error *error)
{
    if (status != GK_OK)
        fail_msg("%s: %s", gk_status_name(status), error->message);
}

static int64_t rig_now(void *context)
{
    return atomic_load(&((struct outbox_rig *)context)->now_ms);
}

static struct gk_bytes notice_key(const uint8_t id[16])
{
    return (struct gk_bytes){id, 16};
}

static void make_id(uint8_t seed, uint8_t first, uint8_t ret_id[16])
{
    memset(ret_id, seed, 16);
    ret_id[0] = first;
}

/* --- what the service would supply --- */

static enum gk_status find_holder(void *context, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    const struct outbox_rig *rig = context;
    if (rig->holder_missing || strcmp(issuer_account, "bank") != 0 || holder_token[0] != 7)
        return gk_error_set(error, GK_NOT_FOUND, "no such holder");
    *ret_contacts = rig->holder;
    return GK_OK;
}

static void name_issuer(void *context, const char *issuer, struct gk_issuer_name *ret_name)
{
    (void)context;
    if (strcmp(issuer, "unionpay") == 0)
        *ret_name = (struct gk_issuer_name){"银联", "UnionPay"};
}

static enum gk_status note_delivered(void *context, struct gk_transaction *transaction,
                                     const guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    (void)error;
    struct outbox_rig *rig = context;
    atomic_fetch_add(&rig->delivered, 1);
    gk_transaction_put(transaction, GK_FAMILY_META, notice_key(notice->notice_id),
                       notice_key(notice->case_id.bytes));
    return GK_OK;
}

/* --- life --- */

static enum gk_status put_box(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    guika_v1_internal_BoxRecord box = guika_v1_internal_BoxRecord_init_zero;
    box.has_described = true;
    snprintf(box.described.box_id, sizeof box.described.box_id, "%s", box_id);
    box.described.has_place = box.described.has_opening_hours = box.described.has_collecting = true;
    snprintf(box.described.place.zh, sizeof box.described.place.zh, "中心图书馆一楼东门");
    snprintf(box.described.place.en, sizeof box.described.place.en, "Central Library, by the east door");
    snprintf(box.described.opening_hours.en, sizeof box.described.opening_hours.en, "daily 9:00-21:00");
    snprintf(box.described.collecting.zh, sizeof box.described.collecting.zh, "凭有效证件到服务台领取");
    snprintf(box.described.map_url, sizeof box.described.map_url, "https://maps.example/library");
    return gk_record_put(transaction, GK_FAMILY_BOXES,
                         (struct gk_bytes){(const uint8_t *)box_id, strlen(box_id)},
                         guika_v1_internal_BoxRecord_fields, &box, error);
}

static void open_store(struct outbox_rig *rig)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/store", rig->folder);
    struct gk_error error = {0};
    const struct gk_store_options options = {.path = path, .now_ms = rig_now, .now_context = rig};
    must(gk_store_open(&options, &rig->store, &error), &error);
}

void rig_make(struct outbox_rig *rig, const char *const *contacts)
{
    memset(rig, 0, sizeof *rig);
    rig->folder = fixture_folder();
    atomic_store(&rig->now_ms, RIG_START_MS);
    snprintf(rig->holder.name, sizeof rig->holder.name, "王小明");
    snprintf(rig->holder.language, sizeof rig->holder.language, "zh");
    for (; *contacts != NULL; contacts++)
        snprintf(rig->holder.contacts[rig->holder.contacts_count++], sizeof rig->holder.contacts[0], "%s",
                 *contacts);
    char path[1024];
    snprintf(path, sizeof path, "%s/keys", rig->folder);
    struct gk_error error = {0};
    must(gk_keys_generate(path, &error), &error);
    must(gk_keys_open(path, &rig->keys, &error), &error);
    open_store(rig);
    must(gk_store_commit_and_wait(rig->store, put_box, rig, &error), &error);
    gk_store_close(rig->store);
    rig->store = NULL;
}

void rig_set(struct outbox_rig *rig, const char *channel, const char *key, const char *value)
{
    assert_true(rig->setting_count < sizeof rig->settings / sizeof rig->settings[0]);
    rig->settings[rig->setting_count++] = (struct gk_channel_setting){channel, key, value};
}

static void on_command(uv_async_t *command)
{
    struct outbox_rig *rig = command->data;
    if (!atomic_exchange(&rig->wanted, false))
        return;
    rig->work(rig, rig->argument);
    sem_post(&rig->done);
}

static void run_on_loop(struct outbox_rig *rig, void (*work)(struct outbox_rig *rig, void *argument),
                        void *argument)
{
    rig->argument = argument;
    rig->work = work;
    atomic_store(&rig->wanted, true);
    uv_async_send(&rig->command);
    while (sem_wait(&rig->done) != 0) {
    }
}

static bool authenticate(void *context, const char *token, struct gk_principal *ret_principal)
{
    (void)context;
    (void)token;
    (void)ret_principal;
    return false;
}

static void *run_loop(void *context)
{
    struct outbox_rig *rig = context;
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    return NULL;
}

void rig_start(struct outbox_rig *rig)
{
    struct gk_error error = {0};
    open_store(rig);
    assert_int_equal(uv_loop_init(&rig->loop), 0);
    rig->command.data = rig;
    assert_int_equal(uv_async_init(&rig->loop, &rig->command, on_command), 0);
    assert_int_equal(sem_init(&rig->done, 0, 0), 0);
    const struct gk_outbox_options options = {
        .loop = &rig->loop,
        .store = rig->store,
        .keys = rig->keys,
        .settings = rig->settings,
        .setting_count = rig->setting_count,
        .holder = find_holder,
        .issuer_name = name_issuer,
        .on_delivered = note_delivered,
        .context = rig,
    };
    must(gk_outbox_open(&options, &rig->outbox, &error), &error);
    const struct gk_rpc_binding binding = gk_outbox_binding(rig->outbox);
    const struct gk_rpc_server_options server = {
        .loop = &rig->loop, .bindings = &binding, .binding_count = 1, .authenticate = authenticate};
    (void)signal(SIGPIPE, SIG_IGN); /* as guikad does: a courier may die while it is answered */
    must(gk_rpc_server_open(&server, &rig->server, &error), &error);
    gk_rpc_server_set_serving(rig->server, true);
    assert_int_equal(pthread_create(&rig->thread, NULL, run_loop, rig), 0);
}

static void outbox_closed(void *context)
{
    struct outbox_rig *rig = context;
    uv_close((uv_handle_t *)&rig->command, NULL);
}

static void server_closed(void *context)
{
    struct outbox_rig *rig = context;
    gk_outbox_close(rig->outbox, outbox_closed, rig);
}

static void close_all(struct outbox_rig *rig, void *argument)
{
    (void)argument;
    gk_rpc_server_close(rig->server, server_closed, rig);
}

void rig_stop(struct outbox_rig *rig)
{
    run_on_loop(rig, close_all, NULL);
    pthread_join(rig->thread, NULL);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    sem_destroy(&rig->done);
    gk_store_close(rig->store);
    rig->store = NULL;
}

void rig_remove(struct outbox_rig *rig)
{
    gk_keys_close(rig->keys);
    fixture_remove_folder(rig->folder);
}

/* --- couriers --- */

static void peer_closed(struct gk_rpc_peer *peer, void *context)
{
    struct outbox_rig *rig = context;
    gk_outbox_peer_gone(rig->outbox, peer);
}

static void adopt(struct outbox_rig *rig, void *argument)
{
    const struct gk_principal courier = {.role = GK_ROLE_COURIER, .id = "courier"};
    struct gk_error error = {0};
    struct gk_rpc_peer *peer = NULL;
    must(gk_rpc_server_adopt(rig->server, *(int *)argument, &courier, peer_closed, rig, &peer, &error),
         &error);
}

int rig_connect(struct outbox_rig *rig)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    run_on_loop(rig, adopt, &ends[0]);
    return ends[1];
}

struct gk_rpc_client *rig_client(struct outbox_rig *rig)
{
    struct gk_rpc_client *client = NULL;
    struct gk_error error = {0};
    must(gk_rpc_client_open_stream(rig_connect(rig), &client, &error), &error);
    return client;
}

bool rig_lease(struct gk_rpc_client *client, uint32_t wait_ms,
               guika_v1_internal_LeaseNoticeResponse *ret_notice)
{
    const struct gk_rpc_call_options options = {.deadline_ms = wait_ms};
    const guika_v1_internal_LeaseNoticeRequest request = guika_v1_internal_LeaseNoticeRequest_init_zero;
    struct gk_error error = {0};
    must(guika_v1_internal_courier_service_lease_notice(client, &options, &request, ret_notice, &error),
         &error);
    return ret_notice->lease_id != 0;
}

enum gk_status rig_complete(struct gk_rpc_client *client, uint64_t lease_id,
                            guika_v1_internal_CompleteNoticeRequest_Outcome outcome, const char *detail,
                            uint32_t retry_after_ms)
{
    guika_v1_internal_CompleteNoticeRequest request = guika_v1_internal_CompleteNoticeRequest_init_zero;
    guika_v1_internal_CompleteNoticeResponse response;
    request.lease_id = lease_id;
    request.outcome = outcome;
    request.retry_after_ms = retry_after_ms;
    snprintf(request.detail, sizeof request.detail, "%s", detail);
    return guika_v1_internal_courier_service_complete_notice(client, NULL, &request, &response, NULL);
}

/* --- notices --- */

struct transition {
    struct outbox_rig *rig;
    uint8_t seed;
    guika_v1_internal_NoticeRecord_State state;
};

static enum gk_status add(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct transition *adding = context;
    guika_v1_internal_NoticeRecord notice = guika_v1_internal_NoticeRecord_init_zero;
    make_id(adding->seed, 0xAA, notice.notice_id);
    notice.state = adding->state;
    snprintf(notice.template_id, sizeof notice.template_id, GK_MESSAGE_CARD_FOUND);
    make_id(adding->seed, 0xCC, notice.case_id.bytes);
    notice.case_id.size = 16;
    snprintf(notice.issuer_account, sizeof notice.issuer_account, "bank");
    notice.holder_token.size = GK_TOKEN_SIZE;
    notice.holder_token.bytes[0] = 7;
    snprintf(notice.box_id, sizeof notice.box_id, "%s", box_id);
    snprintf(notice.issuer, sizeof notice.issuer, "unionpay");
    static const char mask[] = "************1234";
    gk_keys_seal(adding->rig->keys, GK_SEAL_MASK, notice_key(notice.case_id.bytes),
                 (struct gk_bytes){(const uint8_t *)mask, strlen(mask)}, notice.sealed_mask.bytes);
    notice.sealed_mask.size = (pb_size_t)(strlen(mask) + GK_SEAL_OVERHEAD);
    notice.created_at_ms = notice.due_at_ms = rig_now(adding->rig);
    return gk_outbox_add(transaction, &notice, error);
}

static enum gk_status release(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct transition *releasing = context;
    uint8_t id[16];
    make_id(releasing->seed, 0xAA, id);
    return gk_outbox_release(transaction, id, rig_now(releasing->rig), error);
}

static enum gk_status cancel(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct transition *cancelling = context;
    uint8_t id[16];
    make_id(cancelling->seed, 0xAA, id);
    return gk_outbox_cancel(transaction, id, error);
}

static void commit(struct outbox_rig *rig, uint8_t seed, guika_v1_internal_NoticeRecord_State state,
                   enum gk_status (*apply)(void *, struct gk_transaction *, struct gk_error *))
{
    struct transition transition = {rig, seed, state};
    struct gk_error error = {0};
    must(gk_store_commit_and_wait(rig->store, apply, &transition, &error), &error);
    gk_outbox_poke(rig->outbox);
}

void rig_add(struct outbox_rig *rig, uint8_t seed, guika_v1_internal_NoticeRecord_State state)
{
    commit(rig, seed, state, add);
}

void rig_release(struct outbox_rig *rig, uint8_t seed)
{
    commit(rig, seed, 0, release);
}

void rig_cancel(struct outbox_rig *rig, uint8_t seed)
{
    commit(rig, seed, 0, cancel);
}

guika_v1_internal_NoticeRecord rig_notice(struct outbox_rig *rig, uint8_t seed)
{
    guika_v1_internal_NoticeRecord notice = guika_v1_internal_NoticeRecord_init_zero;
    uint8_t id[16];
    struct gk_error error = {0};
    make_id(seed, 0xAA, id);
    must(gk_record_read(rig->store, GK_FAMILY_OUTBOX, notice_key(id), guika_v1_internal_NoticeRecord_fields,
                        &notice, &error),
         &error);
    return notice;
}

static bool count_row(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

size_t rig_due_rows(struct outbox_rig *rig)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;
    struct gk_error error = {0};
    must(gk_store_scan(rig->store, GK_FAMILY_OUTBOX_DUE, all, all, false, count_row, &count, &error), &error);
    return count;
}

struct counting {
    const char *name;
    uint64_t value;
};

static void see_counter(void *context, const char *name, uint64_t value)
{
    struct counting *counting = context;
    if (strcmp(name, counting->name) == 0)
        counting->value = value;
}

uint64_t rig_counter(struct outbox_rig *rig, const char *name)
{
    struct counting counting = {name, 0};
    struct gk_error error = {0};
    must(gk_store_counters(rig->store, "", 7, see_counter, &counting, &error), &error);
    return counting.value;
}

void rig_advance(struct outbox_rig *rig, int64_t by_ms)
{
    atomic_fetch_add(&rig->now_ms, by_ms);
    gk_outbox_poke(rig->outbox);
}
