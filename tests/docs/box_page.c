#include "tests/docs/box_page.h"

#include "guika/v1/box.pb.h"
#include "guika/v1/envelope.pb.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* --- what the fields are called --- */

/* nanopb has no names, so they stand here; a field without one is an error of this table. */
struct field_name {
    const pb_msgdesc_t *type;
    uint32_t number;
    const char *name;
    const pb_msgdesc_t *inner; /* of a field that is a message */
    bool is_bytes;
};

static const struct field_name names[] = {
    {&guika_v1_RequestHeader_msg, 1, "method", NULL, false},
    {&guika_v1_RequestHeader_msg, 2, "deadline_ms", NULL, false},
    {&guika_v1_RequestHeader_msg, 3, "request_id", NULL, false},
    {&guika_v1_RequestHeader_msg, 4, "authorization", NULL, false},
    {&guika_v1_RequestHeader_msg, 5, "language", NULL, false},
    {&guika_v1_ResponseHeader_msg, 1, "status", NULL, false},
    {&guika_v1_ResponseHeader_msg, 2, "message", NULL, false},
    {&guika_v1_ResponseHeader_msg, 3, "request_id", NULL, false},
    {&guika_v1_ResponseHeader_msg, 4, "retry_after_ms", NULL, false},
    {&guika_v1_DepositRequest_msg, 1, "deposit_id", NULL, false},
    {&guika_v1_DepositRequest_msg, 2, "frames", &guika_v1_Frame_msg, false},
    {&guika_v1_Frame_msg, 1, "picture", NULL, true},
    {&guika_v1_Frame_msg, 2, "side", NULL, false},
    {&guika_v1_Frame_msg, 3, "lamp", NULL, false},
    {&guika_v1_Frame_msg, 4, "age_ms", NULL, false},
    {&guika_v1_DepositResponse_msg, 1, "decision", NULL, false},
    {&guika_v1_DepositResponse_msg, 2, "case_id", NULL, false},
    {&guika_v1_DepositResponse_msg, 3, "zone", NULL, false},
    {&guika_v1_ConfirmStoredRequest_msg, 1, "deposit_id", NULL, false},
    {&guika_v1_ConfirmStoredRequest_msg, 2, "outcome", NULL, false},
    {&guika_v1_ConfirmStoredRequest_msg, 3, "zone", NULL, false},
    {&guika_v1_ConfirmStoredRequest_msg, 4, "compartment", NULL, false},
    {&guika_v1_OpenForPickupRequest_msg, 1, "case_number", NULL, false},
    {&guika_v1_OpenForPickupRequest_msg, 2, "code", NULL, false},
    {&guika_v1_OpenForPickupRequest_msg, 3, "telephone_tail", NULL, false},
    {&guika_v1_OpenForPickupResponse_msg, 1, "case_id", NULL, false},
    {&guika_v1_OpenForPickupResponse_msg, 2, "compartment", NULL, false},
    {&guika_v1_OpenForPickupResponse_msg, 3, "fencing_token", NULL, false},
    {&guika_v1_OpenForPickupResponse_msg, 4, "confirm_within_ms", NULL, false},
    {&guika_v1_ConfirmCollectedRequest_msg, 1, "fencing_token", NULL, false},
    {&guika_v1_ConfirmCollectedRequest_msg, 2, "outcome", NULL, false},
    {&guika_v1_HeartbeatRequest_msg, 1, "zones", &guika_v1_HeartbeatRequest_ZoneFill_msg, false},
    {&guika_v1_HeartbeatRequest_msg, 3, "can_give_back", NULL, false},
    {&guika_v1_HeartbeatRequest_msg, 4, "spooled", NULL, false},
    {&guika_v1_HeartbeatRequest_msg, 5, "software", NULL, false},
    {&guika_v1_HeartbeatRequest_ZoneFill_msg, 1, "zone", NULL, false},
    {&guika_v1_HeartbeatRequest_ZoneFill_msg, 2, "capacity", NULL, false},
    {&guika_v1_HeartbeatRequest_ZoneFill_msg, 3, "used", NULL, false},
    {&guika_v1_HeartbeatResponse_msg, 1, "interval_ms", NULL, false},
    {&guika_v1_HeartbeatResponse_msg, 2, "spool_public_key", NULL, true},
    {&guika_v1_HeartbeatResponse_msg, 3, "time_ms", NULL, false},
    {&guika_v1_HeartbeatResponse_msg, 4, "grant_public_key", NULL, true},
    {&guika_v1_HeartbeatResponse_msg, 5, "grants_version", NULL, false},
    {&guika_v1_HeartbeatResponse_msg, 6, "box_id", NULL, false},
};

static const struct field_name *find_name(const pb_msgdesc_t *type, uint64_t number)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].type == type && names[i].number == number) {
            return &names[i];
        }
    }
    (void)fprintf(stderr, "field %" PRIu64 " of a message has no name in box_page.c\n", number);
    abort();
}

/* --- lines --- */

enum { BYTES_A_LINE = 16, WIDTH = 3 * BYTES_A_LINE };

/* Bytes, and beside the first line what they are. */
static void write_line(FILE *to, struct gk_bytes bytes, unsigned depth, const char *what)
{
    for (size_t i = 0; i < bytes.size; i += BYTES_A_LINE) {
        const size_t count = bytes.size - i < BYTES_A_LINE ? bytes.size - i : BYTES_A_LINE;

        for (size_t k = 0; k < count; k++) {
            (void)fprintf(to, "%s%02x", k == 0 ? "" : " ", bytes.data[i + k]);
        }
        if (i == 0) {
            (void)fprintf(to, "%*s %*s%s", (int)(WIDTH - (3 * count - 1)), "", (int)(2 * depth), "", what);
        }
        (void)fputc('\n', to);
    }
}

static uint64_t read_number(struct gk_bytes bytes, size_t *at)
{
    uint64_t value = 0;

    for (unsigned shift = 0; *at < bytes.size; shift += 7) {
        const uint8_t byte = bytes.data[(*at)++];

        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    return value;
}

static void write_fields(FILE *to, struct gk_bytes bytes, const pb_msgdesc_t *type, unsigned depth);

/* A field with a length before it: text, bytes or a message. */
static void write_long(FILE *to, struct gk_bytes bytes, size_t begins, size_t *at,
                       const struct field_name *name, unsigned depth)
{
    const size_t size = read_number(bytes, at);
    const struct gk_bytes content = {bytes.data + *at, size};
    char what[200];

    if (name->inner != NULL) {
        (void)snprintf(what, sizeof what, "%s: %zu bytes", name->name, size);
        write_line(to, (struct gk_bytes){bytes.data + begins, *at - begins}, depth, what);
        write_fields(to, content, name->inner, depth + 1);
    } else {
        if (!name->is_bytes) {
            (void)snprintf(what, sizeof what, "%s: \"%.*s\"", name->name, (int)size,
                           (const char *)content.data);
        } else {
            (void)snprintf(what, sizeof what, "%s: %zu bytes", name->name, size);
        }
        write_line(to, (struct gk_bytes){bytes.data + begins, *at - begins + size}, depth, what);
    }
    *at += size;
}

static void write_fields(FILE *to, struct gk_bytes bytes, const pb_msgdesc_t *type, unsigned depth)
{
    size_t at = 0;

    while (at < bytes.size) {
        const size_t begins = at;
        const uint64_t tag = read_number(bytes, &at);
        const struct field_name *name = find_name(type, tag >> 3);

        if ((tag & 7) == 2) {
            write_long(to, bytes, begins, &at, name, depth);
        } else {
            const uint64_t value = read_number(bytes, &at);
            char what[100];

            (void)snprintf(what, sizeof what, "%s: %" PRIu64, name->name, value);
            write_line(to, (struct gk_bytes){bytes.data + begins, at - begins}, depth, what);
        }
    }
}

uint8_t *box_page_encode(const struct gk_rpc_message *message, size_t *ret_size)
{
    size_t payload_size = 0;

    if (!gk_rpc_message_size(message, ret_size, &payload_size)) {
        abort();
    }
    uint8_t *bytes = calloc(1, *ret_size);

    if (bytes == NULL || !gk_rpc_message_write(message, bytes, *ret_size)) {
        abort();
    }
    return bytes;
}

void box_page_write(const struct gk_rpc_message *message, FILE *to)
{
    size_t size = 0;
    size_t at = 0;
    char what[80];
    uint8_t *bytes = box_page_encode(message, &size);
    const size_t header = read_number((struct gk_bytes){bytes, size}, &at);
    const struct gk_bytes payload = {bytes + at + header, size - at - header};

    (void)snprintf(what, sizeof what, "header: %zu bytes", header);
    write_line(to, (struct gk_bytes){bytes, at}, 0, what);
    write_fields(to, (struct gk_bytes){bytes + at, header}, message->header_type, 1);
    (void)fprintf(to, "%*s payload: %zu bytes, up to the end of the message\n", WIDTH, "", payload.size);
    write_fields(to, payload, message->payload_type, 1);
    free(bytes);
}

/* --- the messages --- */

/* A box's token, as `guika box add` prints one. */
#define TOKEN "gk_box_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define CASE_ID "59ef4ed966845621dfaae11295dc9663"

/* The first and the last bytes of a JPEG file, in place of the 60 to 300 KB of a picture. */
static const uint8_t picture[] = {0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a,
                                  0x46, 0x49, 0x46, 0x00, 0x01, 0xff, 0xd9};

static const guika_v1_RequestHeader deposit_header = {.method = "guika.v1.BoxService/Deposit",
                                                      .deadline_ms = 3000,
                                                      .request_id = "box-7.1",
                                                      .authorization = TOKEN};
static const guika_v1_DepositRequest deposit = {.deposit_id = "2026-05-01-0001",
                                                .frames_count = 1,
                                                .frames = {{.picture = {picture, sizeof picture},
                                                            .side = guika_v1_Side_SIDE_FRONT,
                                                            .lamp = guika_v1_Lamp_LAMP_DIFFUSE,
                                                            .age_ms = 120}}};
static const guika_v1_ResponseHeader deposit_answer_header = {.request_id = "box-7.1"};
static const guika_v1_DepositResponse deposit_answer = {.decision = guika_v1_DepositResponse_Decision_KEEP,
                                                        .case_id = CASE_ID,
                                                        .zone = guika_v1_Zone_ZONE_NORMAL};
static const guika_v1_RequestHeader stored_header = {.method = "guika.v1.BoxService/ConfirmStored",
                                                     .deadline_ms = 5000,
                                                     .request_id = "box-7.2",
                                                     .authorization = TOKEN};
static const guika_v1_ConfirmStoredRequest stored = {.deposit_id = "2026-05-01-0001",
                                                     .outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED,
                                                     .zone = guika_v1_Zone_ZONE_NORMAL,
                                                     .compartment = "N01"};
static const guika_v1_ResponseHeader stored_answer_header = {.request_id = "box-7.2"};
static const guika_v1_ConfirmStoredResponse stored_answer = guika_v1_ConfirmStoredResponse_init_zero;
static const guika_v1_RequestHeader open_header = {.method = "guika.v1.BoxService/OpenForPickup",
                                                   .deadline_ms = 5000,
                                                   .request_id = "box-7.3",
                                                   .authorization = TOKEN};
static const guika_v1_OpenForPickupRequest open_request = {
    .case_number = "59EF-4ED9", .code = "607854", .telephone_tail = "0958"};
static const guika_v1_ResponseHeader open_answer_header = {.request_id = "box-7.3"};
static const guika_v1_OpenForPickupResponse open_answer = {
    .case_id = CASE_ID, .compartment = "N01", .fencing_token = 1, .confirm_within_ms = 600000};
static const guika_v1_ResponseHeader refusal_header = {
    .status = 8,
    .message = "too many wrong codes for this case; wait, or ask for another code",
    .request_id = "box-7.3",
    .retry_after_ms = 60000};
static const guika_v1_RequestHeader collected_header = {.method = "guika.v1.BoxService/ConfirmCollected",
                                                        .deadline_ms = 5000,
                                                        .request_id = "box-7.4",
                                                        .authorization = TOKEN};
static const guika_v1_ConfirmCollectedRequest collected = {
    .fencing_token = 1, .outcome = guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED};
static const guika_v1_RequestHeader heartbeat_header = {.method = "guika.v1.BoxService/Heartbeat",
                                                        .deadline_ms = 5000,
                                                        .request_id = "box-7.5",
                                                        .authorization = TOKEN};
static const guika_v1_HeartbeatRequest heartbeat = {
    .zones_count = 2,
    .zones = {{.zone = guika_v1_Zone_ZONE_NORMAL, .capacity = 40, .used = 3},
              {.zone = guika_v1_Zone_ZONE_DIFFICULT, .capacity = 100}},
    .can_give_back = true,
    .software = "box-7 1.0"};
static const guika_v1_ResponseHeader heartbeat_answer_header = {.request_id = "box-7.5"};
static const guika_v1_HeartbeatResponse heartbeat_answer = {
    .interval_ms = 30000,
    .spool_public_key = {0x2f, 0xe5, 0x7d, 0xa3, 0x47, 0xcd, 0x62, 0x43, 0x15, 0x28, 0xda,
                         0xac, 0x5f, 0xbb, 0x29, 0x07, 0x30, 0xff, 0xf6, 0x84, 0xaf, 0xc4,
                         0xcf, 0xc2, 0xed, 0x90, 0x99, 0x5f, 0x58, 0xcb, 0x3b, 0x74},
    .time_ms = 1777600000000,
    .grant_public_key = {0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd,
                         0x18, 0xe7, 0x4b, 0xc0, 0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5,
                         0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, 0x31, 0xb8},
    .grants_version = 60117,
    .box_id = "box-7"};

#define MESSAGE(header, payload, header_name, payload_name)                                                  \
    {                                                                                                        \
        &guika_v1_##header_name##_msg, &(header), &guika_v1_##payload_name##_msg, &(payload)                 \
    }

static const struct box_page_message messages[BOX_PAGE_MESSAGES] = {
    {"heartbeat", MESSAGE(heartbeat_header, heartbeat, RequestHeader, HeartbeatRequest)},
    {"heartbeat answer",
     MESSAGE(heartbeat_answer_header, heartbeat_answer, ResponseHeader, HeartbeatResponse)},
    {"deposit", MESSAGE(deposit_header, deposit, RequestHeader, DepositRequest)},
    {"deposit answer", MESSAGE(deposit_answer_header, deposit_answer, ResponseHeader, DepositResponse)},
    {"confirm stored", MESSAGE(stored_header, stored, RequestHeader, ConfirmStoredRequest)},
    {"confirm stored answer",
     MESSAGE(stored_answer_header, stored_answer, ResponseHeader, ConfirmStoredResponse)},
    {"open for pickup", MESSAGE(open_header, open_request, RequestHeader, OpenForPickupRequest)},
    {"open for pickup answer",
     MESSAGE(open_answer_header, open_answer, ResponseHeader, OpenForPickupResponse)},
    {"open for pickup refused",
     MESSAGE(refusal_header, stored_answer, ResponseHeader, ConfirmStoredResponse)},
    {"confirm collected", MESSAGE(collected_header, collected, RequestHeader, ConfirmCollectedRequest)},
};

const struct box_page_message *box_page_messages(void)
{
    return messages;
}
