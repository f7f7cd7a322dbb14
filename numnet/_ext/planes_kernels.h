/* The kernels that work on planes (D, H, W), as many as batch and channels make; they work in parts.
 *
 * One and two dimensions have D = 1, or D = H = 1. Data pointers are to float or double, as the table has it that the
 * kernel is taken from. */
#ifndef NUMNET_PLANES_KERNELS_H
#define NUMNET_PLANES_KERNELS_H

#include "family.h"
#include "parts.h"

typedef struct {
    map_kernel max_pool, max_pool_backward, avg_pool, avg_pool_backward, max_regions;
    map_kernel unfold, fold, resample;
} planes_kernels;

FAMILY(planes)

/* A window that slides over planes. */
struct window_job {
    const void *x; /* delta in a backward, and what is folded */
    void *y;       /* delta_x in a backward */
    int64_t *index;
    size planes, in[3], out[3], kernel[3], stride[3], before[3], after[3], dilation[3];
    int count_include_pad;
    double divisor; /* 0 for the number of taps */
    double fill;    /* of what unfold sees outside of x */
};

struct regions_job {
    const void *x;
    void *y;
    int64_t *index;
    const int64_t *start[3]; /* along each axis (out,), or (planes, out) where every plane has its own; or NULL */
    const int64_t *end[3];
    size planes, in[3], out[3];
    int own[3];
};

struct taps { /* of one axis, as in numnet/taps.py */
    const int64_t *start, *place; /* no start: an axis that is missing */
    const double *weight;
    size in, out;
    size moved, moved_end, shift; /* the longest stretch of outputs o that are x[o + shift] */
};

struct resample_job {
    const void *x;
    void *y;
    struct taps axes[3];
    double value; /* of outputs without taps */
};

#endif
