/* The kernels made of sums of products: what products.pyx calls. Data pointers are float or double, as the table says.
 * Functions that return int give 0, or -1 when there is no memory for their scratch. */
#ifndef NUMNET_PRODUCTS_KERNELS_H
#define NUMNET_PRODUCTS_KERNELS_H

#include "family.h"
#include "parts.h"
#include "row_sums_job.h"

/* A convolution as if it had three spatial axes: 1-D and 2-D ones have leading axes of length 1. */
typedef struct {
    ptrdiff_t images, channels, filters, groups;
    ptrdiff_t in[3], kernel[3], stride[3], before[3], dilation[3], out[3];
} conv_shape;

enum sought { FORWARD, DELTA_X, DELTA_W }; /* of a convolution: z, δx or dW, from the other two */

/* c (…, m, n) = a (…, m, k) b (…, k, n), with any strides (in elements), 0 where an axis in front is broadcast. */
struct gemm_batch_job {
    const void *a, *b;
    void *c; /* contiguous */
    ptrdiff_t m, n, k, a_row, a_column, b_row, b_column;
    int axes; /* in front */
    ptrdiff_t sizes[64], a_steps[64], b_steps[64];
    int threads; /* that share each product */
};

typedef struct {
    /* c (m, n) = a (m, k) b (k, n) + bias (n,), of which any strides (in elements) are welcome; bias may be NULL */
    int (*gemm)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const void *a, ptrdiff_t a_row, ptrdiff_t a_column, const void *b,
                ptrdiff_t b_row, ptrdiff_t b_column, const void *bias, void *c, int threads);
    map_kernel gemm_batch;
    /* sums (f,) of x (n, f, p) over n and p */
    void (*channel_sums)(ptrdiff_t n, ptrdiff_t f, ptrdiff_t p, const void *x, void *sums, int threads);
    int (*row_sums)(const struct row_sums_job *job, int threads);
    /* with `winograd`, float ones by Winograd's method where it is faster */
    int (*conv)(const conv_shape *shape, const void *x, const void *weight, const void *bias, void *z, int winograd,
                int threads);
    int (*conv_delta_x)(const conv_shape *shape, const void *weight, const void *delta, void *delta_x, int winograd,
                        int threads);
    int (*conv_delta_w)(const conv_shape *shape, const void *x, const void *delta, void *dw, int winograd, int threads);
} products_kernels;

FAMILY(products)

#endif
