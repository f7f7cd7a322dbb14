/* Convolution and its gradients, on top of slide.h; of upright.h where that is faster, and of winograd.h where it is allowed too. */

/* Is it faster as a product of matrices for each image? */
INLINE int NAME(is_product)(const conv_shape *s, size rows) {
    return is_pointwise(s) && s->groups == 1 && rows >= LONG && s->in[0] * s->in[1] * s->in[2] >= 16 * COLUMNS;
}

/* out (rows, pixels) = A (rows, channels) · source (channels, pixels) + bias, for each image: what a window of one pixel
 * does. */
static int NAME(products)(const conv_shape *s, size rows, size channels, const real *a, size a_row, size a_column,
                          const real *source, const real *bias, real *out, int threads) {
    const size pixels = s->in[0] * s->in[1] * s->in[2];
    NAME(product) image = {.m = rows, .n = pixels, .k = channels, .a = a, .a_row = a_row, .a_column = a_column, .b = source,
                           .b_row = pixels, .b_column = 1, .row_bias = bias, .c = out, .c_row = pixels, .c_column = 1};
    int status = 0;
    for (size n = 0; n < s->images && status == 0; n++) {
        status = NAME(multiply)(image, threads);
        image.b += channels * pixels, image.c += rows * pixels;
    }
    return status;
}

static int NAME(either_slide)(const slide_plan *plan, const real *source, const real *weight, const real *bias, real *out,
                              int threads) {
    return (NAME(is_upright)(plan) ? NAME(slide_upright) : NAME(slide))(plan, source, weight, bias, out, threads);
}

static int NAME(conv)(const conv_shape *shape, const void *x, const void *weight, const void *bias, void *z,
                      int winograd, int threads) {
    const size seen = shape->channels * shape->in[0] * shape->in[1] * shape->in[2];
    if (is_linear(shape))
        return NAME(gemm)(shape->images, shape->filters, seen, x, seen, 1, weight, 1, seen, bias, z, threads);
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd(shape, &tiles)) return NAME(winograd)(&tiles, x, weight, bias, z, threads);
#endif
    (void)winograd;
    if (NAME(is_product)(shape, shape->filters))
        return NAME(products)(shape, shape->filters, shape->channels, weight, shape->channels, 1, x, bias, z, threads);
    slide_plan plan;
    int status = plan_conv(shape, &plan) ? NAME(either_slide)(&plan, x, weight, bias, z, threads) : -1;
    free(plan.memory);
    return status;
}

static int NAME(conv_delta_x)(const conv_shape *shape, const void *weight, const void *delta, void *delta_x,
                              int winograd, int threads) {
    const size seen = shape->channels * shape->in[0] * shape->in[1] * shape->in[2];
    if (is_linear(shape)) /* a slide would spend most of its sums on zeros around δ */
        return NAME(gemm)(shape->images, seen, shape->filters, delta, shape->filters, 1, weight, seen, 1, NULL, delta_x,
                          threads);
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd_delta_x(shape, &tiles))
        return NAME(winograd)(&tiles, delta, weight, NULL, delta_x, threads);
#endif
    (void)winograd;
    if (NAME(is_product)(shape, shape->channels))
        return NAME(products)(shape, shape->channels, shape->filters, weight, 1, shape->channels, delta, NULL, delta_x,
                              threads);
    slide_plan plan;
    int status = plan_delta_x(shape, &plan) ? NAME(either_slide)(&plan, delta, weight, NULL, delta_x, threads) : -1;
    free(plan.memory);
    return status;
}

static int NAME(conv_delta_w)(const conv_shape *shape, const void *x, const void *delta, void *dw, int winograd,
                              int threads) {
    const size seen = shape->channels * shape->in[0] * shape->in[1] * shape->in[2];
    if (is_linear(shape))
        return NAME(gemm)(shape->filters, seen, shape->images, delta, 1, shape->filters, x, seen, 1, NULL, dw, threads);
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd(shape, &tiles)) return NAME(winograd_delta_w)(&tiles, x, delta, dw, threads);
#endif
    (void)winograd;
    return NAME(tap_sums)(shape, x, delta, dw, threads);
}
