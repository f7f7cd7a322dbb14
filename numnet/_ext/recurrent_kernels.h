/* The recurrent kernels: all time steps of one direction of a layer.
 *
 * Data pointers are to float or double, as the table has it that the kernel is taken from. */
#ifndef NUMNET_RECURRENT_KERNELS_H
#define NUMNET_RECURRENT_KERNELS_H

#include "family.h"
#include "row_sums_job.h"

enum { TANH_CELL, RELU_CELL, LSTM_CELL, GRU_CELL };

/* T steps of N rows of H units with G gates, and a state h of P numbers: H, unless it is projected. What is not there is
 * NULL. */
struct recurrent_job {
    ptrdiff_t steps, rows, units, width;
    int cell, reverse;         /* reverse: from the last step to the first */
    int from_zero;             /* is h before the first step 0? W_hh then has no part in it */
    const unsigned char *counts; /* (T, N), 0 where a sequence has ended; or NULL */
    const void *weight, *bias; /* W_hh (G H, P), b_hh (G H,) or NULL */
    const void *projection;    /* W_hr (P, H), or NULL */
    const void *u;             /* (T, N, G H), with these strides of a step and a row */
    ptrdiff_t u_step, u_row;
    void *h, *c;               /* (T + 1, N, P), (T + 1, N, H), the state between the steps */
    void *m;                   /* (T, N, H), what is projected */
    void *gates, *inner;       /* (T, N, G H), (T, N, H): tanh c of an LSTM, v of the candidate of a GRU */
    int keep;                  /* if not, gates, inner and m are one page that is written over, and c and δc two in turn */
    const void *delta_y;       /* (T, N, P) with these strides, or NULL for 0 */
    ptrdiff_t delta_y_step, delta_y_row;
    const void *delta_last;    /* (N, P), ∂J/∂h after the last step */
    void *delta_u, *delta_v;   /* (T, N, G H); the same memory but for a GRU */
    void *delta_h, *delta_c;   /* (T, N, P), all of ∂J/∂h of each step, or NULL without a projection; (T + 1, N, H), ∂J/∂c
                                * from later steps */
    void *delta_first;         /* (N, P), ∂J/∂h before the first step; or NULL: nobody asks */
};

typedef struct {
    int (*forward)(const struct recurrent_job *job, int threads); /* 0, or -1 when there is no memory for their scratch */
    int (*backward)(const struct recurrent_job *job, int threads);
    int (*row_sums)(const struct row_sums_job *job, int threads);
} recurrent_kernels;

FAMILY(recurrent)

#endif
