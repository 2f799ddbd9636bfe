#include "clients/c/pickup_journal.h"

#include "clients/c/line.h"
#include "clients/c/spool_file.h"
#include "core/security/pickup_grant.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "pickups"
#define MAGIC "GKPICKUP1"

enum {
    CASE_ID_SIZE = 16,
    DIGEST_SIZE = 32,
    END_SIZE = 4 + 2 * DIGEST_SIZE + 1, /* bytes of the last line: "end ", digest, newline */
    LINE_SIZE = 256,                    /* longer than any line */
    LARGEST = (GK_JOURNAL_MOST + 4) * LINE_SIZE,
};

/* --- reading --- */

static bool read_head(const char *line, struct gk_pickup_journal *journal)
{
    char magic[sizeof MAGIC];

    return gk_line_word(&line, magic, sizeof magic) && strcmp(magic, MAGIC) == 0 &&
           gk_line_hex(&line, journal->id, sizeof journal->id) &&
           gk_line_number(&line, UINT64_MAX, &journal->next_sequence) && journal->next_sequence > 0 &&
           *line == '\0';
}

static void name_event(const struct gk_pickup_journal *journal, guika_v1_OfflinePickup *event)
{
    char id[2 * sizeof journal->id + 1];

    (void)sodium_bin2hex(id, sizeof id, journal->id, sizeof journal->id);
    (void)snprintf(event->entry_id, sizeof event->entry_id, "pickup-%s-%" PRIu64, id, event->sequence);
    memcpy(event->journal_id, journal->id, sizeof event->journal_id);
}

static bool read_event(const char *line, struct gk_pickup_journal *journal)
{
    guika_v1_OfflinePickup event = {0};
    char word[sizeof "event"];
    uint64_t issue = 0, at_ms = 0, wrong_tries = 0, outcome = 0;
    const bool read =
        !journal->has_event && gk_line_word(&line, word, sizeof word) &&
        gk_line_number(&line, UINT64_MAX, &event.sequence) &&
        gk_line_hex(&line, event.case_id, sizeof event.case_id) &&
        gk_line_number(&line, UINT32_MAX, &issue) &&
        gk_line_word(&line, event.compartment, sizeof event.compartment) &&
        gk_line_number(&line, INT64_MAX, &at_ms) && gk_line_number(&line, UINT32_MAX, &wrong_tries) &&
        gk_line_number(&line, guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN, &outcome) && *line == '\0';

    if (!read) {
        return false;
    }
    event.issue = (uint32_t)issue;
    event.at_ms = (int64_t)at_ms;
    event.wrong_tries = (uint32_t)wrong_tries;
    event.outcome = (guika_v1_ConfirmCollectedRequest_Outcome)outcome;
    name_event(journal, &event);
    journal->event = event;
    journal->has_event = true;
    return true;
}

static struct gk_tried *add(struct gk_pickup_journal *journal)
{
    if (journal->count == journal->capacity) {
        const size_t capacity = journal->capacity == 0 ? 16 : 2 * journal->capacity;
        struct gk_tried *tried =
            journal->count == GK_JOURNAL_MOST ? NULL : realloc(journal->tried, capacity * sizeof *tried);

        if (tried == NULL) {
            return NULL;
        }
        journal->tried = tried;
        journal->capacity = capacity;
    }
    struct gk_tried *added = &journal->tried[journal->count++];

    *added = (struct gk_tried){0};
    return added;
}

static bool read_case(const char *line, struct gk_pickup_journal *journal)
{
    struct gk_tried tried = {0};
    char word[sizeof "case"];
    uint64_t issue = 0, failed = 0, locked_until_ms = 0, used = 0, expires_at_ms = 0;
    const bool read =
        gk_line_word(&line, word, sizeof word) && strcmp(word, "case") == 0 &&
        gk_line_hex(&line, tried.case_id, sizeof tried.case_id) &&
        gk_line_number(&line, UINT32_MAX, &issue) && gk_line_number(&line, UINT64_MAX, &tried.opening) &&
        gk_line_number(&line, UINT32_MAX, &failed) && gk_line_number(&line, INT64_MAX, &locked_until_ms) &&
        gk_line_number(&line, 1, &used) && gk_line_number(&line, INT64_MAX, &expires_at_ms) && *line == '\0';
    struct gk_tried *added = read ? add(journal) : NULL;

    if (added == NULL) {
        return false;
    }
    tried.issue = (uint32_t)issue;
    tried.failed_tries = (uint32_t)failed;
    tried.locked_until_ms = (int64_t)locked_until_ms;
    tried.used = used == 1;
    tried.expires_at_ms = (int64_t)expires_at_ms;
    *added = tried;
    return true;
}

/* The text before the last line is what the last line has the digest of. */
static bool is_whole(const char *text, size_t size)
{
    uint8_t digest[DIGEST_SIZE];
    char end[END_SIZE + 1];

    if (size <= END_SIZE || memchr(text, '\0', size) != NULL) {
        return false;
    }
    (void)crypto_generichash(digest, sizeof digest, (const uint8_t *)text, size - END_SIZE, NULL, 0);
    memcpy(end, "end ", 4);
    (void)sodium_bin2hex(end + 4, sizeof end - 4, digest, sizeof digest);
    end[END_SIZE - 1] = '\n';
    return memcmp(end, text + size - END_SIZE, END_SIZE) == 0;
}

bool gk_pickup_journal_read(const char *text, size_t size, struct gk_pickup_journal *ret_journal)
{
    struct gk_pickup_journal journal = {.directory_fd = -1};
    bool good = is_whole(text, size);
    bool first = true;

    for (size_t at = 0; good && at < size - END_SIZE;) {
        char line[LINE_SIZE];
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end == NULL ? LINE_SIZE : (size_t)(end - (text + at));

        good = length < sizeof line;
        if (good) {
            memcpy(line, text + at, length);
            line[length] = '\0';
            good = first                             ? read_head(line, &journal)
                   : strncmp(line, "event ", 6) == 0 ? read_event(line, &journal)
                                                     : read_case(line, &journal);
            first = false;
            at += length + 1;
        }
    }
    if (!good || first) {
        free(journal.tried);
        return false;
    }
    *ret_journal = journal;
    return true;
}

/* Reads the file; NULL and `*ret_absent` where there is none. */
static char *read_file(int directory_fd, size_t *ret_size, bool *ret_absent)
{
    struct stat info;
    char *text = NULL;
    const int fd = openat(directory_fd, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    *ret_absent = fd < 0 && errno == ENOENT;
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size <= LARGEST) {
        *ret_size = (size_t)info.st_size;
        text = malloc(*ret_size + 1);
        if (text != NULL && read(fd, text, *ret_size) != info.st_size) {
            free(text);
            text = NULL;
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return text;
}

void gk_pickup_journal_open(int directory_fd, struct gk_pickup_journal *ret_journal)
{
    struct gk_pickup_journal journal = {.next_sequence = 1};
    size_t size = 0;
    bool absent = false;
    char *text = read_file(directory_fd, &size, &absent);

    if (absent) {
        randombytes_buf(journal.id, sizeof journal.id);
    } else {
        journal.damaged = text == NULL || !gk_pickup_journal_read(text, size, &journal);
    }
    free(text);
    journal.directory_fd = directory_fd;
    *ret_journal = journal;
}

void gk_pickup_journal_close(struct gk_pickup_journal *journal)
{
    free(journal->tried);
    *journal = (struct gk_pickup_journal){.directory_fd = -1};
}

/* --- writing --- */

static size_t write_event(const struct gk_pickup_journal *journal, char *at)
{
    const guika_v1_OfflinePickup *event = &journal->event;
    char case_id[33];

    (void)sodium_bin2hex(case_id, sizeof case_id, event->case_id, sizeof event->case_id);
    return (size_t)snprintf(at, LINE_SIZE, "event %" PRIu64 " %s %" PRIu32 " %s %" PRId64 " %" PRIu32 " %u\n",
                            event->sequence, case_id, event->issue, event->compartment, event->at_ms,
                            event->wrong_tries, (unsigned)event->outcome);
}

static size_t write_case(const struct gk_tried *tried, char *at)
{
    char case_id[33];

    (void)sodium_bin2hex(case_id, sizeof case_id, tried->case_id, sizeof tried->case_id);
    return (size_t)snprintf(at, LINE_SIZE,
                            "case %s %" PRIu32 " %" PRIu64 " %" PRIu32 " %" PRId64 " %u %" PRId64 "\n",
                            case_id, tried->issue, tried->opening, tried->failed_tries,
                            tried->locked_until_ms, (unsigned)tried->used, tried->expires_at_ms);
}

static enum gk_status save(const struct gk_pickup_journal *journal, struct gk_error *error)
{
    char *text = malloc((journal->count + 4) * LINE_SIZE);
    char id[2 * sizeof journal->id + 1];
    uint8_t digest[DIGEST_SIZE];
    char hex[2 * DIGEST_SIZE + 1];

    if (text == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the journal of pickups");
    }
    (void)sodium_bin2hex(id, sizeof id, journal->id, sizeof journal->id);
    size_t size = (size_t)snprintf(text, LINE_SIZE, MAGIC " %s %" PRIu64 "\n", id, journal->next_sequence);

    size += journal->has_event ? write_event(journal, text + size) : 0;
    for (size_t i = 0; i < journal->count; i++) {
        size += write_case(&journal->tried[i], text + size);
    }
    (void)crypto_generichash(digest, sizeof digest, (const uint8_t *)text, size, NULL, 0);
    (void)sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    size += (size_t)snprintf(text + size, LINE_SIZE, "end %s\n", hex);
    const enum gk_status status =
        gk_spool_file_write(journal->directory_fd, FILE_NAME, (const uint8_t *)text, size, error);

    free(text);
    return status;
}

/* --- what happens --- */

static bool is_of(const struct gk_tried *tried, const guika_v1_PickupGrant *grant)
{
    return memcmp(tried->case_id, grant->case_id, CASE_ID_SIZE) == 0 && tried->issue == grant->issue &&
           tried->opening == grant->opening;
}

struct gk_tried gk_pickup_journal_tried(const struct gk_pickup_journal *journal,
                                        const guika_v1_PickupGrant *grant)
{
    struct gk_tried tried = {.issue = grant->issue,
                             .opening = grant->opening,
                             .failed_tries = grant->failed_tries,
                             .locked_until_ms = grant->locked_until_ms,
                             .expires_at_ms = grant->expires_at_ms};

    memcpy(tried.case_id, grant->case_id, CASE_ID_SIZE);
    for (size_t i = 0; i < journal->count; i++) {
        const struct gk_tried *known = &journal->tried[i];

        if (is_of(known, grant)) {
            tried.used = known->used;
            if (known->failed_tries > tried.failed_tries) {
                tried.failed_tries = known->failed_tries;
            }
            if (known->locked_until_ms > tried.locked_until_ms) {
                tried.locked_until_ms = known->locked_until_ms;
            }
        }
    }
    return tried;
}

/* Puts `tried` in place of what is known of that grant, and forgets what ran out before `now_ms`. */
static bool put(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                const struct gk_tried *tried, int64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < journal->count; i++) {
        if (!is_of(&journal->tried[i], grant) && journal->tried[i].expires_at_ms > now_ms) {
            journal->tried[kept++] = journal->tried[i];
        }
    }
    journal->count = kept;
    struct gk_tried *added = add(journal);

    if (added != NULL) {
        *added = *tried;
    }
    return added != NULL;
}

/* Writes the change that `after` is, or leaves `journal` as it was. */
static enum gk_status change(struct gk_pickup_journal *journal, struct gk_pickup_journal *after,
                             struct gk_error *error)
{
    const enum gk_status status = save(after, error);

    if (status == GK_OK) {
        free(journal->tried);
        *journal = *after;
    } else {
        free(after->tried);
    }
    return status;
}

static bool copy(const struct gk_pickup_journal *journal, struct gk_pickup_journal *ret_copy,
                 struct gk_error *error)
{
    *ret_copy = *journal;
    ret_copy->capacity = journal->count + 1;
    ret_copy->tried = calloc(ret_copy->capacity, sizeof *ret_copy->tried);
    if (ret_copy->tried == NULL) {
        (void)gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the journal of pickups");
        return false;
    }
    if (journal->count > 0) {
        memcpy(ret_copy->tried, journal->tried, journal->count * sizeof *ret_copy->tried);
    }
    return true;
}

/* A change of what is known of one grant, with an event where `event` is set. */
static enum gk_status note(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                           const struct gk_tried *tried, int64_t now_ms, uint32_t wrong_tries, bool event,
                           struct gk_error *error)
{
    struct gk_pickup_journal after;

    if (event && journal->has_event) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "what happened before is not in the spool yet");
    }
    if (!copy(journal, &after, error)) {
        return GK_RESOURCE_EXHAUSTED;
    }
    if (!put(&after, grant, tried, now_ms)) {
        free(after.tried);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "the journal of pickups is full");
    }
    if (event) {
        after.has_event = true;
        after.event = (guika_v1_OfflinePickup){.sequence = after.next_sequence++,
                                               .issue = grant->issue,
                                               .at_ms = now_ms,
                                               .wrong_tries = wrong_tries};
        memcpy(after.event.case_id, grant->case_id, CASE_ID_SIZE);
        memcpy(after.event.compartment, grant->compartment, sizeof after.event.compartment);
        name_event(&after, &after.event);
    }
    return change(journal, &after, error);
}

enum gk_status gk_pickup_journal_wrong(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                                       int64_t now_ms, struct gk_error *error)
{
    struct gk_tried tried = gk_pickup_journal_tried(journal, grant);
    const int64_t wait_ms = gk_pickup_wait_after(++tried.failed_tries);

    if (wait_ms > 0) {
        tried.locked_until_ms = now_ms + wait_ms;
    }
    return note(journal, grant, &tried, now_ms, 1, true, error);
}

enum gk_status gk_pickup_journal_opened(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                                        int64_t now_ms, struct gk_error *error)
{
    struct gk_tried tried = gk_pickup_journal_tried(journal, grant);

    tried.used = true;
    return note(journal, grant, &tried, now_ms, 0, true, error);
}

enum gk_status gk_pickup_journal_void(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                                      struct gk_error *error)
{
    struct gk_tried tried = gk_pickup_journal_tried(journal, grant);

    tried.used = true;
    return note(journal, grant, &tried, 0, 0, false, error);
}

bool gk_pickup_journal_is_open(const struct gk_pickup_journal *journal)
{
    return journal->has_event && journal->event.wrong_tries == 0 &&
           journal->event.outcome == guika_v1_ConfirmCollectedRequest_Outcome_OUTCOME_UNSPECIFIED;
}

enum gk_status gk_pickup_journal_outcome(struct gk_pickup_journal *journal,
                                         guika_v1_ConfirmCollectedRequest_Outcome outcome,
                                         struct gk_error *error)
{
    struct gk_pickup_journal after;

    if (!gk_pickup_journal_is_open(journal)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "no door was opened by a grant");
    }
    if (!copy(journal, &after, error)) {
        return GK_RESOURCE_EXHAUSTED;
    }
    after.event.outcome = outcome;
    return change(journal, &after, error);
}

enum gk_status gk_pickup_journal_spooled(struct gk_pickup_journal *journal, struct gk_error *error)
{
    struct gk_pickup_journal after;

    if (!copy(journal, &after, error)) {
        return GK_RESOURCE_EXHAUSTED;
    }
    after.has_event = false;
    return change(journal, &after, error);
}
