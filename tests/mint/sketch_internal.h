/* What the files of sketched scenes share. */
#ifndef GUIKA_TESTS_MINT_SKETCH_INTERNAL_H
#define GUIKA_TESTS_MINT_SKETCH_INTERNAL_H

#include "tests/mint/sketch.h"

/* Millimetres of a face to pixels of the scene, and back; 3 x 3 by rows. */
struct gk_sketch_camera {
    double to_picture[9], to_face[9];
};

struct gk_mint_point gk_sketch_project(const double m[9], double x, double y);

/* What lies around the cards, or, `bare`, without one. `surface` is RGB24 of the scene's size. */
void gk_sketch_ground(cairo_surface_t *surface, struct gk_random *random, bool bare);
/* A finger that comes in from outside and ends on the card. */
void gk_sketch_finger(cairo_t *cr, struct gk_random *random, const struct gk_sketch_face *face,
                      const struct gk_sketch_camera *camera);

/* Clears the maps: no card, no number. */
void gk_sketch_label_clear(struct gk_sketch_scene *scene);
/* Marks a card that lies over everything marked before. */
void gk_sketch_label_card(struct gk_sketch_scene *scene, const struct gk_sketch_face *face,
                          const struct gk_sketch_camera *camera, double radius_mm);

/* Distance in millimetres to a rounded rectangle's edge, negative inside. */
double gk_sketch_edge_distance(double x, double y, double width, double height, double radius);

#endif
