/* Sums over all rows k: δᵀ left for each left factor, and Σ δ. Data pointers are float or double, as the table says. */
#ifndef NUMNET_ROW_SUMS_JOB_H
#define NUMNET_ROW_SUMS_JOB_H

#include <stddef.h>

struct row_sums_job {
    ptrdiff_t rows, columns;
    const void *delta;   /* (rows, columns) */
    const void *left[2]; /* (rows, width) each; a width of 0: there is none */
    ptrdiff_t width[2];
    void *sum[2];        /* (columns, width) */
    void *bias_sum;      /* (columns,), or NULL */
};

#endif
