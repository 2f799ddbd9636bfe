#include "clients/cli/audit/heads.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct gk_heads {
    struct gk_signed_head *items;
    size_t count;
    size_t checked; /* heads that an entry was held against */
    struct gk_audit_head chain;
};

static int compare(const void *left, const void *right)
{
    const struct gk_signed_head *a = left;
    const struct gk_signed_head *b = right;

    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void add(struct gk_heads *heads, const struct gk_signed_head *head)
{
    if ((heads->count & (heads->count - 1)) == 0) {
        const size_t room = heads->count == 0 ? 1 : 2 * heads->count;
        struct gk_signed_head *items = realloc(heads->items, room * sizeof *items);

        if (items == NULL) {
            abort();
        }
        heads->items = items;
    }
    heads->items[heads->count++] = *head;
}

static enum gk_status read_lines(FILE *file, const uint8_t public_key[GK_AUDIT_PUBLIC_SIZE],
                                 struct gk_heads *heads, struct gk_error *error)
{
    char line[GK_AUDIT_LINE_SIZE + 2];

    for (unsigned long number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        struct gk_signed_head head;
        struct gk_error wrong;
        const enum gk_status status = gk_audit_head_read(line, public_key, &head, &wrong);

        if (status != GK_OK) {
            return gk_error_set(error, status, "line %lu of the signed heads: %s", number, wrong.message);
        }
        add(heads, &head);
    }
    return GK_OK;
}

enum gk_status gk_heads_read(FILE *file, const uint8_t public_key[GK_AUDIT_PUBLIC_SIZE],
                             struct gk_heads **ret_heads, struct gk_error *error)
{
    struct gk_heads *heads = calloc(1, sizeof *heads);

    if (heads == NULL) {
        abort();
    }
    enum gk_status status = read_lines(file, public_key, heads, error);

    if (status == GK_OK && heads->items == NULL) {
        status = gk_error_set(error, GK_NOT_FOUND, "there is no signed head in the file");
    }
    if (status != GK_OK || heads->items == NULL) {
        gk_heads_free(heads);
        return status;
    }
    qsort(heads->items, heads->count, sizeof *heads->items, compare);
    *ret_heads = heads;
    return GK_OK;
}

void gk_heads_free(struct gk_heads *heads)
{
    if (heads == NULL) {
        return;
    }
    free(heads->items);
    free(heads);
}

size_t gk_heads_count(const struct gk_heads *heads)
{
    return heads->count;
}

struct gk_signed_head gk_heads_last(const struct gk_heads *heads)
{
    return heads->items[heads->count - 1];
}

enum gk_status gk_heads_check(struct gk_heads *heads, const guika_v1_internal_AuditEntry *entry,
                              struct gk_error *error)
{
    const uint64_t expected = heads->chain.sequence + 1;
    const char *problem = gk_audit_follow(&heads->chain, entry);

    if (problem != NULL) {
        return gk_error_set(error, GK_DATA_LOSS, "audit entry %" PRIu64 " %s", expected, problem);
    }
    for (; heads->checked < heads->count && heads->items[heads->checked].sequence <= expected;
         heads->checked++) {
        const struct gk_signed_head *head = &heads->items[heads->checked];

        if (head->sequence == expected && memcmp(head->hash, heads->chain.hash, sizeof head->hash) != 0) {
            return gk_error_set(error, GK_DATA_LOSS,
                                "audit entry %" PRIu64
                                " is not the one that a head was signed over: it, or one "
                                "before it, was replaced",
                                expected);
        }
    }
    return GK_OK;
}

enum gk_status gk_heads_end(const struct gk_heads *heads, uint64_t *ret_entries, struct gk_error *error)
{
    const struct gk_signed_head last = gk_heads_last(heads);

    *ret_entries = heads->chain.sequence;
    if (last.sequence > heads->chain.sequence) {
        return gk_error_set(error, GK_DATA_LOSS,
                            "audit entries %" PRIu64 " to %" PRIu64
                            " are missing: a head was signed over them",
                            heads->chain.sequence + 1, last.sequence);
    }
    return GK_OK;
}
