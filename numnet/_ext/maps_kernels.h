/* The kernels that are not matrix products: each handles the part [begin, end) of its job, and jobs are cut here.
 *
 * What is counted (elements, rows, channels, planes) is up to the kernel. Parts are of a fixed size, so the bits of a
 * result do not depend on the number of threads. Data pointers are to float or double, as the table has it that the
 * kernel is taken from. */
#ifndef NUMNET_MAPS_KERNELS_H
#define NUMNET_MAPS_KERNELS_H

#include "family.h"
#include "isa.h"

typedef int (*map_kernel)(const void *job, size begin, size end); /* 0, or a negative number for failure */

enum { NO_MEMORY = -1, BAD_INDEX = -2 };

typedef struct {
    map_kernel relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward;
    map_kernel softmax, softmax_backward, cross_entropy, cross_entropy_backward;
    map_kernel batch_norm, batch_norm_backward;
    map_kernel max_pool, max_pool_backward, avg_pool, avg_pool_backward;
    map_kernel sgd_step, adam_step;
} maps_kernels;

FAMILY(maps)

struct map_job {
    const void *x, *delta; /* x is the activation a in a backward */
    void *y;
};

struct softmax_job {
    const void *x, *delta; /* (outer, C, inner); x is the activation a in a backward */
    void *y;
    size C, inner;
    int logarithm;
};

struct cross_entropy_job {
    const void *z, *weight, *delta; /* (M, C), (C,) or NULL, (M,) */
    const int64_t *labels;          /* (M,), each a class or ignore_index */
    void *p, *J, *delta_z;          /* (M, C), (M,), (M, C) */
    size C;
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

struct pool_job {
    const void *x; /* delta in a backward */
    void *y;       /* delta_x in a backward */
    int64_t *index;
    size planes, in[3], out[3], kernel[3], stride[3], before[3], after[3], dilation[3];
    int count_include_pad;
    double divisor; /* 0 for the number of taps */
};

struct sgd_job {
    void *p, *buffer;
    const void *g;
    double lr, momentum, dampening, weight_decay;
    int nesterov, maximize, first;
};

struct adam_job {
    void *p, *m, *v, *v_max; /* v_max is NULL without amsgrad */
    const void *g;
    double step_size, root_c2, beta1, beta2, eps, shrink, weight_decay;
    int maximize;
};

static inline int lower(int a, int b) { return a < b ? a : b; }

static inline int run_in_parts(map_kernel kernel, const void *job, size count, size part, int threads) {
    int worst = 0;
    const size parts = divide_up(count, part);
    if (threads == 1 || parts == 1) { /* without the cost of a parallel region of one */
        for (size i = 0; i < parts; i++) worst = lower(worst, kernel(job, i * part, min_size(count, (i + 1) * part)));
        return worst;
    }
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(threads) reduction(min : worst)
#endif
    for (size i = 0; i < parts; i++) worst = lower(worst, kernel(job, i * part, min_size(count, (i + 1) * part)));
    return worst;
}

#endif
