#include "clients/box/compartments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "compartments"
#define DEPOSIT_ID_SIZE 65
#define PER_LINE 8U

struct compartment {
    char name[8];
    enum guika_zone zone;
    char deposit_id[DEPOSIT_ID_SIZE]; /* "": free */
};

struct gk_compartments {
    int directory_fd;
    struct compartment *items; /* the normal zone's, then the difficult zone's */
    size_t count;
};

static void lay_out(struct compartment *items, unsigned count, enum guika_zone zone)
{
    for (unsigned i = 0; i < count; i++) {
        items[i].zone = zone;
        (void)snprintf(items[i].name, sizeof items[i].name, "%c%02u", zone == GUIKA_ZONE_NORMAL ? 'N' : 'D',
                       (i + 1) % 1000);
    }
}

static enum gk_status load(struct gk_compartments *compartments, struct gk_error *error)
{
    char name[8], zone[16], deposit_id[DEPOSIT_ID_SIZE];
    const int fd = openat(compartments->directory_fd, FILE_NAME, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    enum gk_status status = GK_OK;

    while (file != NULL && status == GK_OK && fscanf(file, "%7s %15s %64s", name, zone, deposit_id) == 3) {
        size_t i = 0;

        while (i < compartments->count && strcmp(compartments->items[i].name, name) != 0) {
            i++;
        }
        if (i == compartments->count) {
            status = gk_error_set(
                error, GK_INVALID_ARGUMENT,
                "compartment %s holds a card, but the box is set up without it: give the box more "
                "compartments",
                name);
        } else {
            memcpy(compartments->items[i].deposit_id, deposit_id, sizeof deposit_id);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return status;
}

enum gk_status gk_compartments_open(const char *directory, unsigned normal, unsigned difficult,
                                    struct gk_compartments **ret_compartments, struct gk_error *error)
{
    struct gk_compartments *compartments = calloc(1, sizeof *compartments);

    if (normal > GK_COMPARTMENTS_MOST || difficult > GK_COMPARTMENTS_MOST || normal + difficult == 0) {
        free(compartments);
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a zone has 0 to %d compartments and a box at least one; asked for %u and %u",
                            GK_COMPARTMENTS_MOST, normal, difficult);
    }
    if (compartments != NULL) {
        compartments->count = normal + difficult;
        compartments->items = calloc(compartments->count, sizeof *compartments->items);
        compartments->directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (compartments == NULL || compartments->items == NULL || compartments->directory_fd < 0) {
        gk_compartments_close(compartments);
        return gk_error_set(error, GK_INTERNAL, "cannot open the box's folder %s", directory);
    }
    lay_out(compartments->items, normal, GUIKA_ZONE_NORMAL);
    lay_out(compartments->items + normal, difficult, GUIKA_ZONE_DIFFICULT);
    const enum gk_status status = load(compartments, error);

    if (status != GK_OK) {
        gk_compartments_close(compartments);
        return status;
    }
    *ret_compartments = compartments;
    return GK_OK;
}

void gk_compartments_close(struct gk_compartments *compartments)
{
    if (compartments != NULL) {
        if (compartments->directory_fd >= 0) {
            (void)close(compartments->directory_fd);
        }
        free(compartments->items);
        free(compartments);
    }
}

static const char *zone_name(enum guika_zone zone)
{
    return zone == GUIKA_ZONE_NORMAL ? "normal" : "difficult";
}

/* Replaces the file, so that a crash leaves the old table or the new one. */
static enum gk_status save(const struct gk_compartments *compartments, struct gk_error *error)
{
    const int fd =
        openat(compartments->directory_fd, FILE_NAME ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    bool good = file != NULL;

    for (size_t i = 0; good && i < compartments->count; i++) {
        const struct compartment *item = &compartments->items[i];

        good = item->deposit_id[0] == '\0' ||
               fprintf(file, "%s %s %s\n", item->name, zone_name(item->zone), item->deposit_id) > 0;
    }
    good = good && fflush(file) == 0 && fsync(fd) == 0;
    if (file != NULL) {
        good = fclose(file) == 0 && good;
    }
    good =
        good &&
        renameat(compartments->directory_fd, FILE_NAME ".new", compartments->directory_fd, FILE_NAME) == 0 &&
        fsync(compartments->directory_fd) == 0;
    return good ? GK_OK
                : gk_error_set(error, GK_INTERNAL, "cannot write the table of compartments: %s",
                               strerror(errno));
}

static struct compartment *find(const struct gk_compartments *compartments, const char *deposit_id)
{
    for (size_t i = 0; i < compartments->count; i++) {
        if (strcmp(compartments->items[i].deposit_id, deposit_id) == 0) {
            return &compartments->items[i];
        }
    }
    return NULL;
}

enum gk_status gk_compartments_take(struct gk_compartments *compartments, const char *deposit_id,
                                    enum guika_zone zone, const char **ret_name, enum guika_zone *ret_zone,
                                    struct gk_error *error)
{
    struct compartment *taken = find(compartments, deposit_id);

    for (size_t i = 0; taken == NULL && i < compartments->count; i++) {
        struct compartment *item = &compartments->items[i];

        if (item->zone == zone && item->deposit_id[0] == '\0') {
            (void)snprintf(item->deposit_id, sizeof item->deposit_id, "%s", deposit_id);
            const enum gk_status status = save(compartments, error);

            if (status != GK_OK) {
                item->deposit_id[0] = '\0';
                return status;
            }
            taken = item;
        }
    }
    if (taken == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "the %s zone is full", zone_name(zone));
    }
    *ret_name = taken->name;
    *ret_zone = taken->zone;
    return GK_OK;
}

enum gk_status gk_compartments_free(struct gk_compartments *compartments, const char *name,
                                    struct gk_error *error)
{
    for (size_t i = 0; i < compartments->count; i++) {
        struct compartment *item = &compartments->items[i];

        if (strcmp(item->name, name) == 0 && item->deposit_id[0] != '\0') {
            char deposit_id[DEPOSIT_ID_SIZE];

            memcpy(deposit_id, item->deposit_id, sizeof deposit_id);
            item->deposit_id[0] = '\0';
            const enum gk_status status = save(compartments, error);

            if (status != GK_OK) {
                memcpy(item->deposit_id, deposit_id, sizeof deposit_id);
            }
            return status;
        }
    }
    return GK_OK;
}

const char *gk_compartments_find(const struct gk_compartments *compartments, const char *deposit_id,
                                 enum guika_zone *ret_zone)
{
    const struct compartment *item = find(compartments, deposit_id);

    if (item == NULL) {
        return NULL;
    }
    *ret_zone = item->zone;
    return item->name;
}

const char *gk_compartments_holds(const struct gk_compartments *compartments, const char *name)
{
    for (size_t i = 0; i < compartments->count; i++) {
        if (strcmp(compartments->items[i].name, name) == 0) {
            return compartments->items[i].deposit_id;
        }
    }
    return "";
}

struct guika_zone_fill gk_compartments_fill(const struct gk_compartments *compartments, enum guika_zone zone)
{
    struct guika_zone_fill fill = {.zone = zone};

    for (size_t i = 0; i < compartments->count; i++) {
        if (compartments->items[i].zone == zone) {
            fill.capacity++;
            fill.used += compartments->items[i].deposit_id[0] != '\0';
        }
    }
    return fill;
}

static void print_zone(const struct gk_compartments *compartments, enum guika_zone zone, FILE *stream)
{
    const struct guika_zone_fill fill = gk_compartments_fill(compartments, zone);
    unsigned shown = 0;

    if (fill.capacity == 0) {
        return;
    }
    (void)fprintf(stream, "  %-9s %2u/%-2u ", zone_name(zone), fill.used, fill.capacity);
    for (size_t i = 0; i < compartments->count; i++) {
        const struct compartment *item = &compartments->items[i];

        if (item->zone == zone) {
            if (shown > 0 && shown % PER_LINE == 0) {
                (void)fprintf(stream, "\n%18s", "");
            }
            (void)fprintf(stream, item->deposit_id[0] != '\0' ? "[%s] " : " %s  ", item->name);
            shown++;
        }
    }
    (void)fputc('\n', stream);
}

void gk_compartments_print(const struct gk_compartments *compartments, FILE *stream)
{
    print_zone(compartments, GUIKA_ZONE_NORMAL, stream);
    print_zone(compartments, GUIKA_ZONE_DIFFICULT, stream);
    (void)fflush(stream);
}
