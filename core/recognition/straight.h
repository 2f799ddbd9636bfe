/*
 * The straight line that most of some points lie near, whatever the others do.
 */
#ifndef GUIKA_CORE_RECOGNITION_STRAIGHT_H
#define GUIKA_CORE_RECOGNITION_STRAIGHT_H

#define GK_STRAIGHT_POINTS_MOST 64

/* Points lie `offset` off a side at the share `along` (0 to 1) of its length. Every pair that is at least 0.3
 * of the side apart proposes a line; the one with most points within `slack` is fitted to them by least
 * squares. `ret_ends` are its offsets at 0 and 1. Returns how many points it has; below 2 there is no line.
 * [any] */
int gk_straight_fit(const double *along, const double *offset, int count, double slack, double ret_ends[2]);

#endif
