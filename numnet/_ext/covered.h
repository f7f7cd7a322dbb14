/* Convolution whose window sees all of some axes at once: as products of matrices, read and written where they lie. */

/* One position only: a linear layer for each group, whose rows are images. */
static int NAME(linear)(const conv_shape *s, enum sought what, real *x, real *w, const real *bias, real *z, int threads) {
    const size channels = s->channels / s->groups, filters = s->filters / s->groups;
    if (s->groups == 1) {
        if (what == FORWARD) return NAME(gemm)(s->images, filters, channels, x, channels, 1, w, 1, channels, bias, z, threads);
        if (what == DELTA_X) return NAME(gemm)(s->images, channels, filters, z, filters, 1, w, channels, 1, NULL, x, threads);
        return NAME(gemm)(filters, channels, s->images, z, 1, filters, x, channels, 1, NULL, w, threads);
    }
    int status = 0;
    for (size g = 0; g < s->groups && status == 0; g++, x += channels, w += filters * channels, z += filters) {
        NAME(product) p = {.m = s->images, .n = filters, .k = channels, .a = x, .a_row = s->channels, .a_column = 1, .b = w,
                           .b_row = 1, .b_column = channels, .column_bias = bias ? bias + g * filters : NULL, .c = z,
                           .c_row = s->filters, .c_column = 1};
        if (what == DELTA_X)
            p = (NAME(product)){.m = s->images, .n = channels, .k = filters, .a = z, .a_row = s->filters, .a_column = 1,
                                .b = w, .b_row = channels, .b_column = 1, .c = x, .c_row = s->channels, .c_column = 1};
        if (what == DELTA_W)
            p = (NAME(product)){.m = filters, .n = channels, .k = s->images, .a = z, .a_row = 1, .a_column = s->filters,
                                .b = x, .b_row = s->channels, .b_column = 1, .c = w, .c_row = channels, .c_column = 1};
        status = NAME(multiply)(p, threads);
    }
    return status;
}

/* A window that slides along one axis and sees all of the axes after it (a text: words by the numbers of a word). What it
 * sees are runs, rows of matrices, and for each channel and tap
 *
 *     z (filters, outputs) += W_tap (filters, run) · x_tap (outputs, run)ᵀ
 *
 * where nothing is copied into a frame, and no sum meets the zeros around δ. */
#define LONG_RUN (4 * LANES)

typedef struct {
    size channels, filters, taps, in, out, stride, dilation, before;
    size run; /* numbers of x that all of them are seen at a step, by each tap */
} NAME(runs);

/* Does it slide so, and along which axis? */
static int NAME(are_runs)(const conv_shape *s, NAME(runs) *r) {
    int axis = 2;
    size run = 1;
    while (axis > 0 && is_covered(s, axis)) run *= s->in[axis--];
    for (int a = 0; a < axis; a++)
        if (s->in[a] != 1 || s->out[a] != 1 || s->kernel[a] != 1 || s->before[a] != 0) return 0;
    *r = (NAME(runs)){s->channels, s->filters, s->kernel[axis], s->in[axis], s->out[axis], s->stride[axis],
                      s->dilation[axis], s->before[axis], run};
    return s->groups == 1 && run >= LONG_RUN;
}

/* The outputs [*first, *last) that see x with this tap; the first of them sees row *at. */
static void NAME(outputs_of)(const NAME(runs) *r, size tap, size *first, size *last, size *at) {
    const size shift = tap * r->dilation - r->before;
    *first = min_size(shift < 0 ? divide_up(-shift, r->stride) : 0, r->out);
    *last = max_size(*first, min_size(shift < r->in ? divide_up(r->in - shift, r->stride) : 0, r->out));
    *at = *first * r->stride + shift;
}

/* Adds the products of all images, channels and taps to what is there. */
static int NAME(add_runs)(const NAME(runs) *r, enum sought what, size images, real *x, real *w, real *z, int threads) {
    const size w_row = r->channels * r->taps * r->run, step = r->stride * r->run;
    int status = 0;
    for (size n = 0; n < images && status == 0; n++)
        for (size c = 0; c < r->channels && status == 0; c++)
            for (size tap = 0; tap < r->taps && status == 0; tap++) {
                size first, last, at;
                NAME(outputs_of)(r, tap, &first, &last, &at);
                real *rows = x + ((n * r->channels + c) * r->in + at) * r->run; /* (last - first, run) */
                real *taps = w + (c * r->taps + tap) * r->run;                  /* (filters, run) */
                real *seen = z + n * r->filters * r->out + first;               /* (filters, last - first) */
                NAME(product) p = {.m = r->filters, .n = last - first, .k = r->run, .a = taps, .a_row = w_row, .a_column = 1,
                                   .b = rows, .b_row = 1, .b_column = step, .c = seen, .c_row = r->out, .c_column = 1};
                if (what == DELTA_X)
                    p = (NAME(product)){.m = last - first, .n = r->run, .k = r->filters, .a = seen, .a_row = 1,
                                        .a_column = r->out, .b = taps, .b_row = w_row, .b_column = 1, .c = rows,
                                        .c_row = step, .c_column = 1};
                if (what == DELTA_W)
                    p = (NAME(product)){.m = r->filters, .n = r->run, .k = last - first, .a = seen, .a_row = r->out,
                                        .a_column = 1, .b = rows, .b_row = step, .b_column = 1, .c = taps, .c_row = w_row,
                                        .c_column = 1};
                p.accumulate = 1;
                if (last > first) status = NAME(multiply_tiles)(p, threads);
            }
    return status;
}
