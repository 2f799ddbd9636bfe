/**
 * @file guika/client.h
 * The box maker's library: call the service, and lose nothing while the line is down.
 *
 * It needs NNG, nanopb and libsodium alone. A struct guika_box belongs to one thread at a time.
 * Strict C11 and C++17 compile this header alone.
 */
#ifndef GUIKA_CLIENT_H
#define GUIKA_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if !defined(GUIKA_EXPORT)
#define GUIKA_EXPORT __attribute__((visibility("default")))
#endif

/** gRPC's canonical codes. */
enum guika_code {
    GUIKA_CODE_OK = 0,
    GUIKA_CODE_CANCELLED = 1,
    GUIKA_CODE_UNKNOWN = 2,
    GUIKA_CODE_INVALID_ARGUMENT = 3,
    GUIKA_CODE_DEADLINE_EXCEEDED = 4,
    GUIKA_CODE_NOT_FOUND = 5,
    GUIKA_CODE_ALREADY_EXISTS = 6,
    GUIKA_CODE_PERMISSION_DENIED = 7,
    GUIKA_CODE_RESOURCE_EXHAUSTED = 8,
    GUIKA_CODE_FAILED_PRECONDITION = 9,
    GUIKA_CODE_ABORTED = 10,
    GUIKA_CODE_OUT_OF_RANGE = 11,
    GUIKA_CODE_UNIMPLEMENTED = 12,
    GUIKA_CODE_INTERNAL = 13,
    GUIKA_CODE_UNAVAILABLE = 14,
    GUIKA_CODE_DATA_LOSS = 15,
    GUIKA_CODE_UNAUTHENTICATED = 16,
};

/** A failure in words; one line, never a number or a secret. */
struct guika_failure {
    enum guika_code code;
    char message[256];
};

struct guika_box;

struct guika_box_options {
    const char *url;             /**< "tls+tcp://guika.example:7801" */
    const char *token;           /**< the box's own */
    const char *ca_file;         /**< PEM; for tls+tcp and wss */
    const char *server_name;     /**< for tls+tcp and wss: without it the connection is refused */
    const char *spool_directory; /**< where deposits wait while the line is down; made if missing (0700) */
    uint64_t spool_limit_bytes;  /**< 0: 256 MiB. A full spool refuses: the box then gives cards back */
};

/** Opens the box's side. Does not wait for the line. */
GUIKA_EXPORT enum guika_code guika_box_open(const struct guika_box_options *options,
                                            struct guika_box **ret_box, struct guika_failure *failure);
GUIKA_EXPORT void guika_box_close(struct guika_box *box);

enum guika_side_of_card { GUIKA_FRAME_SIDE_UNKNOWN = 0, GUIKA_FRAME_FRONT = 1, GUIKA_FRAME_BACK = 2 };
enum guika_lamp {
    GUIKA_LAMP_UNKNOWN = 0,
    GUIKA_LAMP_DIFFUSE = 1,
    GUIKA_LAMP_LEFT = 2,
    GUIKA_LAMP_RIGHT = 3,
    GUIKA_LAMP_TOP = 4,
    GUIKA_LAMP_BOTTOM = 5,
};
enum guika_zone { GUIKA_ZONE_NONE = 0, GUIKA_ZONE_NORMAL = 1, GUIKA_ZONE_DIFFICULT = 2 };

/** One picture; borrowed for the call. */
struct guika_frame {
    const uint8_t *picture; /**< JPEG or PNG */
    size_t picture_size;    /**< bytes, at most 8 MiB */
    enum guika_side_of_card side;
    enum guika_lamp lamp;
    uint32_t age_ms;
    bool has_card;    /**< the box knows where the card is */
    float card_px[8]; /**< then: x, y of top left, top right, bottom right, bottom left, pixels of the stored
                         picture */
};

enum guika_decision { GUIKA_KEEP = 1, GUIKA_GIVE_BACK = 2, GUIKA_MORE_FRAMES = 3 };

struct guika_answer {
    enum guika_decision decision;
    enum guika_zone zone; /**< with KEEP */
    char case_id[33];     /**< "" while it waits in the spool */
    bool spooled;         /**< the line is down: kept in the spool, and the zone is the difficult one */
    enum guika_side_of_card wanted_side; /**< with MORE_FRAMES */
    enum guika_lamp wanted_lamp;
    uint32_t sequence;
    bool not_a_card; /**< with GIVE_BACK; else the box is full */
};

/** A card dropped in. Tries within `deadline_ms` (0: 5000), with the same deposit id on every attempt; where
 * no answer comes, the deposit is sealed into the spool, fsynced, and the answer is KEEP in the difficult
 * zone. `deposit_id`: 1 to 64 characters of [A-Za-z0-9._-], never used twice by this box. An id that already
 * waits in the spool gets the spool's answer again. A refusal by the service is returned and not spooled; so
 * are UNAVAILABLE (no heartbeat was ever answered, so there is no key to seal to) and RESOURCE_EXHAUSTED (the
 * spool is full): the box then gives the card back. */
GUIKA_EXPORT enum guika_code guika_box_deposit(struct guika_box *box, const char *deposit_id,
                                               const struct guika_frame *frames, size_t frame_count,
                                               uint32_t deadline_ms, struct guika_answer *ret_answer,
                                               struct guika_failure *failure);

/** The frames that MORE_FRAMES asked for. Where the line breaks here, the answer is KEEP in the difficult
 * zone, spooled: the service decides with the frames that it has. */
GUIKA_EXPORT enum guika_code guika_box_add_frames(struct guika_box *box, const char *deposit_id,
                                                  uint32_t sequence, const struct guika_frame *frames,
                                                  size_t frame_count, uint32_t deadline_ms,
                                                  struct guika_answer *ret_answer,
                                                  struct guika_failure *failure);

enum guika_stored { GUIKA_STORED = 1, GUIKA_TAKEN_BACK = 2, GUIKA_JAMMED = 3, GUIKA_FULL = 4 };

/** Where the card ended up; spooled behind its deposit while the line is down. */
GUIKA_EXPORT enum guika_code guika_box_confirm_stored(struct guika_box *box, const char *deposit_id,
                                                      enum guika_stored outcome, enum guika_zone zone,
                                                      const char *compartment, uint32_t deadline_ms,
                                                      struct guika_failure *failure);

struct guika_zone_fill {
    enum guika_zone zone;
    uint32_t capacity, used;
};

/** What the box can do and how full it is; also learns the service's spool key, which is kept beside the
 * spool. */
struct guika_heartbeat {
    const struct guika_zone_fill *zones; /**< at most 8 */
    size_t zone_count;
    uint8_t front_lamps,
        back_lamps; /**< bit n: a camera on that side has lamp n (enum guika_lamp); 0: no camera there */
    bool can_give_back;
    const char *software;
};
GUIKA_EXPORT enum guika_code guika_box_heartbeat(struct guika_box *box,
                                                 const struct guika_heartbeat *heartbeat,
                                                 uint32_t deadline_ms, uint32_t *ret_interval_ms,
                                                 struct guika_failure *failure);

/** Entries that wait in the spool, and their bytes. */
GUIKA_EXPORT void guika_box_spooled(const struct guika_box *box, size_t *ret_entries, uint64_t *ret_bytes);

/** Sends the oldest entry of the spool; it is erased only once the service has answered. NOT_FOUND where the
 * spool is empty. `ret_deposit_id` (may be NULL) is set whenever an entry was tried, also on failure;
 * `ret_answer` (may be NULL) tells what the service decided on a deposit and is zeroed for a confirmation. An
 * entry that the service refuses for good, or fails over five times, is set aside (suffix .refused), so that
 * it never blocks those behind it. A refusal of the box itself (UNAUTHENTICATED, PERMISSION_DENIED,
 * UNIMPLEMENTED) and a dead line keep it. */
GUIKA_EXPORT enum guika_code guika_box_replay_one(struct guika_box *box, uint32_t deadline_ms,
                                                  char ret_deposit_id[65], struct guika_answer *ret_answer,
                                                  struct guika_failure *failure);

/** What opens for a holder. */
struct guika_pickup {
    char case_id[33];
    char compartment[33];
    uint64_t fencing_token; /**< greater than that of every opening before: never obey one below the highest
                               seen */
    uint32_t confirm_within_ms; /**< later, the card's place counts as uncertain until the report comes */
};

/** A holder entered case number and code (`telephone_tail` "" where none was asked for). PERMISSION_DENIED:
 * the case number or the code is wrong. RESOURCE_EXHAUSTED: too many wrong codes for this case, which waits;
 * the box does not. FAILED_PRECONDITION: the code has run out. Journal the fencing token before the door
 * opens: a box that lost power in between reports UNCERTAIN, unless it sees more. */
GUIKA_EXPORT enum guika_code guika_box_open_for_pickup(struct guika_box *box, const char *case_number,
                                                       const char *code, const char *telephone_tail,
                                                       uint32_t deadline_ms, struct guika_pickup *ret_pickup,
                                                       struct guika_failure *failure);

enum guika_collected {
    GUIKA_COLLECTED = 1,   /**< the compartment was opened and is empty */
    GUIKA_NOT_OPENED = 2,  /**< the door was never opened */
    GUIKA_CARD_INSIDE = 3, /**< opened and closed with the card inside */
    GUIKA_UNCERTAIN = 4,   /**< power was lost in between */
};

/** What came of an opening; say it again until it is answered. NOT_FOUND: a later opening took its place. */
GUIKA_EXPORT enum guika_code guika_box_confirm_collected(struct guika_box *box, uint64_t fencing_token,
                                                         enum guika_collected outcome, uint32_t deadline_ms,
                                                         struct guika_failure *failure);

/* --- with the line or without; since 0.2 --- */

/** What opens for a holder, by the service's word or by a grant that it gave before. */
struct guika_door {
    char case_id[33];
    char compartment[33];
    bool offline;               /**< by a grant: the service could not be reached */
    uint64_t fencing_token;     /**< of the service's word; 0 by a grant */
    uint32_t confirm_within_ms; /**< of the service's word; 0 by a grant */
    char deposit_id[65]; /**< by a grant: the card's deposit, "" where it was another box's. Where your own
                            table has another card there, keep the door shut and confirm NOT_OPENED */
};

/** Fetches the grants where the latest heartbeat named others than the box holds: call it after each. Every
 * grant is checked before it is kept. `ret_count` (may be NULL): those held now. */
GUIKA_EXPORT enum guika_code guika_box_update_grants(struct guika_box *box, uint32_t deadline_ms,
                                                     size_t *ret_count, struct guika_failure *failure);

/** A holder entered case number and code. The service is asked; where it cannot be reached within
 * `deadline_ms` (UNAVAILABLE, DEADLINE_EXCEEDED) and the box holds a grant for the case, that decides. Codes
 * as of guika_box_open_for_pickup; UNAVAILABLE: neither can be asked just now (no grant, run out, used up, or
 * the box does not know the time). A try by a grant is on the disk before this returns, and a grant opens
 * once. By a grant it takes the time of one Argon2id of 19 MiB. FAILED_PRECONDITION, too, while a door opened
 * by a grant was not confirmed. */
GUIKA_EXPORT enum guika_code guika_box_open_door(struct guika_box *box, const char *case_number,
                                                 const char *code, const char *telephone_tail,
                                                 uint32_t deadline_ms, struct guika_door *ret_door,
                                                 struct guika_failure *failure);

/** What came of an opening. Of one by a grant it is durable when this returns, and leaves with the spool,
 * behind what waits there; say it again until it is OK. Of the others as guika_box_confirm_collected. */
GUIKA_EXPORT enum guika_code guika_box_confirm_door(struct guika_box *box, const struct guika_door *door,
                                                    enum guika_collected outcome, uint32_t deadline_ms,
                                                    struct guika_failure *failure);

/** After a start: a door that was opened by a grant when the power went. Look, and confirm what you see, else
 * UNCERTAIN. */
GUIKA_EXPORT bool guika_box_door_left_open(const struct guika_box *box, struct guika_door *ret_door);

/* --- staff --- */

enum guika_take {
    GUIKA_LEAVE = 0,
    GUIKA_TAKE_DIFFICULT = 1,
    GUIKA_TAKE_EXPIRED = 2,
    GUIKA_LOOK = 3, /**< its place is uncertain: look whether it is there */
    GUIKA_TAKE_JAMMED = 4,
    GUIKA_TAKE_MISPLACED = 5, /**< ready for its holder, but lies where no holder reaches */
};

/** One card in the box. */
struct guika_service_item {
    char case_id[33];
    char compartment[33];
    enum guika_zone zone;
    enum guika_take take;
};

/** Staff stand at the box and show their credential; `visit` is called for each card in the box. */
GUIKA_EXPORT enum guika_code
guika_box_open_for_service(struct guika_box *box, const char *credential, uint32_t deadline_ms,
                           void (*visit)(void *context, const struct guika_service_item *item), void *context,
                           struct guika_failure *failure);

/** Staff took a card out, into a bag. Saying it twice is saying it once. */
GUIKA_EXPORT enum guika_code guika_box_confirm_service(struct guika_box *box, const char *credential,
                                                       const char *bag, const char *case_id,
                                                       uint32_t deadline_ms, struct guika_failure *failure);

#ifdef __cplusplus
}
#endif

#endif
