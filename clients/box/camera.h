/*
 * The simulated box's camera: a folder. What appears in it is a card dropped in.
 *
 *   NAME.jpg, NAME.jpeg, NAME.png   one card, one picture; taken once no program has it open for writing
 *   NAME/                           one card, several pictures, once a file `ready` is in it. The words of a
 * picture's name, between dashes, say its side (front, back) and lamp (diffuse, left, right, top, bottom):
 * front.jpg, 1-front-left.jpg, 2-back.png. In name order; at most 8. Names that begin with a dot are left
 * alone. The deposit shows the first picture of each side; the others wait until the service asks for more.
 * Pictures are erased as soon as the card's way is decided.
 */
#ifndef GUIKA_CLIENTS_BOX_CAMERA_H
#define GUIKA_CLIENTS_BOX_CAMERA_H

#include "guika/client.h"
#include "rpc/status.h"

#define GK_CAMERA_FRAMES 8
#define GK_CAMERA_NAME_SIZE 256 /* bytes: NAME_MAX and the terminator */

/* A card as the camera saw it. */
struct gk_card_seen {
    char name[GK_CAMERA_NAME_SIZE]; /* the file or the folder */
    struct guika_frame frames[GK_CAMERA_FRAMES];
    uint8_t *pictures[GK_CAMERA_FRAMES]; /* owned; what the frames point to */
    size_t frame_count;
    size_t first_count; /* the frames that the deposit begins with stand first */
};

struct gk_camera;

/* Watches `directory`, which must exist. */
enum gk_status gk_camera_open(const char *directory, struct gk_camera **ret_camera, struct gk_error *error);
void gk_camera_close(struct gk_camera *camera);

/* Becomes readable when something has changed in the folder; gk_camera_settle empties it. */
int gk_camera_fd(const struct gk_camera *camera);
void gk_camera_settle(struct gk_camera *camera);

/* The next card in name order. NOT_FOUND: none. INVALID_ARGUMENT: `ret_card` has its name, but its pictures
 * cannot be used (none, more than 8, or not of 1 byte to 8 MiB). `ret_card` is cleared with
 * gk_card_seen_clear whatever is returned. */
enum gk_status gk_camera_next(struct gk_camera *camera, struct gk_card_seen *ret_card,
                              struct gk_error *error);
void gk_card_seen_clear(struct gk_card_seen *card);

/* Erases the card's pictures. */
enum gk_status gk_camera_erase(struct gk_camera *camera, const char *name, struct gk_error *error);

#endif
