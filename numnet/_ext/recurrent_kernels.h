/* The recurrent kernels: one time step of a batch.
 *
 * Data pointers are to float or double, as the table has it that the kernel is taken from. */
#ifndef NUMNET_RECURRENT_KERNELS_H
#define NUMNET_RECURRENT_KERNELS_H

#include "family.h"
#include "parts.h"

/* What a cell reads and writes; rows of `units` numbers, and of as many gates. What a cell has not is NULL. */
struct cell_job {
    ptrdiff_t units;
    const void *u, *v, *before; /* before: the old c of an LSTM, the old h of a GRU */
    void *gates, *c, *tanh_c, *h;
};

struct cell_delta_job {
    ptrdiff_t units;
    const void *gates, *before, *saved, *delta_h, *delta_c; /* saved: tanh c of an LSTM, v of the candidate of a GRU */
    void *delta_u, *delta_v, *delta_before;
};

typedef struct {
    map_kernel tanh_cell, relu_cell, lstm_cell, lstm_cell_backward, gru_cell, gru_cell_backward; /* parts are rows */
} recurrent_kernels;

FAMILY(recurrent)

#endif
