#include "core/recognition/straight.h"

#include <assert.h>
#include <math.h>

#define LEAST_APART 0.3

struct proposal {
    double start, slope;
    int hits;
};

static int count_hits(const double *along, const double *offset, int count, double slack,
                      struct proposal line)
{
    int hits = 0;
    for (int i = 0; i < count; i++) {
        hits += fabs(line.start + line.slope * along[i] - offset[i]) < slack;
    }
    return hits;
}

static struct proposal propose(const double *along, const double *offset, int count, double slack)
{
    struct proposal best = {0, 0, 0};
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            if (along[j] - along[i] < LEAST_APART) {
                continue;
            }
            double slope = (offset[j] - offset[i]) / (along[j] - along[i]);
            struct proposal line = {offset[i] - slope * along[i], slope, 0};
            line.hits = count_hits(along, offset, count, slack, line);
            best = line.hits > best.hits ? line : best;
        }
    }
    return best;
}

int gk_straight_fit(const double *along, const double *offset, int count, double slack, double ret_ends[2])
{
    assert(count <= GK_STRAIGHT_POINTS_MOST);
    struct proposal best = propose(along, offset, count, slack);
    double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
    for (int i = 0; i < count && best.hits > 1; i++) {
        if (fabs(best.start + best.slope * along[i] - offset[i]) < slack) {
            n += 1;
            sx += along[i];
            sy += offset[i];
            sxx += along[i] * along[i];
            sxy += along[i] * offset[i];
        }
    }
    double spread = n * sxx - sx * sx;
    if (spread > 1e-9) {
        best.slope = (n * sxy - sx * sy) / spread;
        best.start = (sy - best.slope * sx) / n;
    }
    ret_ends[0] = best.start;
    ret_ends[1] = best.start + best.slope;
    return best.hits;
}
