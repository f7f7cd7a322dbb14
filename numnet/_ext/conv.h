/* Convolution and its gradients, on top of slide.h; of covered.h, few_windows.h and upright.h where these are faster, and of
 * winograd.h where it is allowed too. */

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
    const conv_shape s = covered_as_channels(*shape);
    if (is_linear(&s)) return NAME(linear)(&s, FORWARD, (real *)x, (real *)weight, bias, z, threads);
    NAME(runs) runs;
    if (NAME(are_runs)(&s, &runs)) {
        real *out = z;
        for (size row = 0; row < s.images * s.filters; row++)
            for (size i = 0; i < runs.out; i++) *out++ = bias ? ((const real *)bias)[row % s.filters] : 0;
        return NAME(add_runs)(&runs, FORWARD, s.images, (real *)x, (real *)weight, z, threads);
    }
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd(&s, &tiles)) return NAME(winograd)(&tiles, x, weight, bias, z, threads);
#endif
    (void)winograd;
    if (NAME(is_product)(&s, s.filters))
        return NAME(products)(&s, s.filters, s.channels, weight, s.channels, 1, x, bias, z, threads);
    slide_plan plan;
    int status = plan_conv(&s, &plan) ? NAME(either_slide)(&plan, x, weight, bias, z, threads) : -1;
    free(plan.memory);
    return status;
}

static int NAME(conv_delta_x)(const conv_shape *shape, const void *weight, const void *delta, void *delta_x,
                              int winograd, int threads) {
    const conv_shape s = covered_as_channels(*shape);
    if (is_linear(&s)) return NAME(linear)(&s, DELTA_X, delta_x, (real *)weight, NULL, (real *)delta, threads);
    NAME(runs) runs;
    if (NAME(are_runs)(&s, &runs)) {
        memset(delta_x, 0, sizeof(real) * (size_t)(s.images * s.channels * runs.in * runs.run));
        return NAME(add_runs)(&runs, DELTA_X, s.images, delta_x, (real *)weight, (real *)delta, threads);
    }
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd_delta_x(&s, &tiles))
        return NAME(winograd)(&tiles, delta, weight, NULL, delta_x, threads);
#endif
    (void)winograd;
    if (NAME(is_product)(&s, s.channels))
        return NAME(products)(&s, s.channels, s.filters, weight, 1, s.channels, delta, NULL, delta_x, threads);
    if (NAME(are_few_windows)(&s)) return NAME(few_windows_delta_x)(&s, weight, delta, delta_x, threads);
    slide_plan plan;
    int status = plan_delta_x(&s, &plan) ? NAME(either_slide)(&plan, delta, weight, NULL, delta_x, threads) : -1;
    free(plan.memory);
    return status;
}

static int NAME(conv_delta_w)(const conv_shape *shape, const void *x, const void *delta, void *dw, int winograd,
                              int threads) {
    const conv_shape s = covered_as_channels(*shape);
    if (is_linear(&s)) return NAME(linear)(&s, DELTA_W, (real *)x, dw, NULL, (real *)delta, threads);
    NAME(runs) runs;
    if (NAME(are_runs)(&s, &runs)) {
        memset(dw, 0, sizeof(real) * (size_t)(s.filters * s.channels * runs.taps * runs.run));
        return NAME(add_runs)(&runs, DELTA_W, s.images, (real *)x, dw, (real *)delta, threads);
    }
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd(&s, &tiles)) return NAME(winograd_delta_w)(&tiles, x, delta, dw, threads);
#endif
    (void)winograd;
    return NAME(tap_sums)(&s, x, delta, dw, threads);
}
