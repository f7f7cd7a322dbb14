/* The kernels that are neither matrix products, nor elementwise, nor steps of optimisers; they work in parts.
 *
 * Data pointers are to float or double, as the table has it that the kernel is taken from. */
#ifndef NUMNET_MAPS_KERNELS_H
#define NUMNET_MAPS_KERNELS_H

#include "family.h"
#include "parts.h"

typedef struct {
    map_kernel softmax, softmax_backward, masked_softmax, cross_entropy, cross_entropy_backward;
    map_kernel batch_norm, batch_norm_backward, row_norm, row_norm_backward, row_norm_gradients;
    map_kernel gather_rows, scatter_rows, square_sum, absolute_sum, huber_sum;
} maps_kernels;

FAMILY(maps)

/* Columns of C numbers that softmax and cross-entropy do at once: in pieces long enough to be fetched ahead, and within
 * the L2 cache. */
enum { SOFTMAX_COLUMNS = 1024, COLUMN_ENTRIES = 16384 };
static inline size columns_at_once(size C) {
    return max_size(64, min_size(SOFTMAX_COLUMNS, COLUMN_ENTRIES / max_size(C, 1)));
}

struct softmax_job {
    const void *x, *delta; /* (outer, C, inner); x is the activation a in a backward */
    void *y;
    size C, inner;
    int logarithm;
};

struct masked_softmax_job {
    const void *s;             /* (…, C) */
    const unsigned char *seen; /* a mask: 0 where a score is hidden; */
    const void *added;         /* or the numbers to add to the scores. Without a mask both are NULL */
    void *y;
    size C, axes;              /* that the mask has before its last one, which is contiguous */
    size sizes[64], steps[64];
    double scale;
};

struct cross_entropy_job {
    const void *z, *weight, *delta; /* (outer, C, inner), (C,) or NULL, (outer, inner) */
    const int64_t *labels;          /* (outer, inner), each a class or ignore_index */
    void *p, *J, *delta_z;          /* (outer, C, inner), (outer, inner), (outer, C, inner) */
    size C, inner;
    int64_t ignore_index;
    double smoothing;
};

struct norm_job {
    const void *x, *delta, *weight, *bias; /* (N, C, S) twice, (C,) or NULL twice */
    void *y, *mean, *var, *inv_std;        /* y is delta_x in a backward, or NULL where nobody needs it */
    void *d_gamma, *d_beta;
    size N, C, S;
    double eps;
    int constant_statistics; /* evaluation: mean and inv_std are given */
};

struct row_norm_job {
    const void *x, *delta, *weight, *bias; /* (N, C, S) twice, (C,) or NULL twice */
    void *y, *mean, *inv_std;              /* y is delta_x in a backward, or NULL; (N groups,); no mean: 0 */
    void *d_gamma, *d_beta;                /* (C,), or NULL where nobody needs them */
    double *shares;                        /* (parts, 2, C): of the gradients of weight and bias */
    size N, C, S, groups, part;            /* part: of N, in a backward */
    double eps;
};

struct sum_job {
    const void *x;
    double *sums; /* one for each part */
    double width; /* of Huber's parabola */
    size part;
};

struct gather_job {
    const char *x;
    const int64_t *index; /* each a row of x */
    char *y;
    size bytes; /* of a row */
};

struct scatter_job {
    const void *delta;    /* (N, D) */
    const int64_t *index; /* (N,), each a row of y */
    void *y;              /* (rows, D), zeros */
    size N, D;
};

#endif
