/* ∂J/∂x of a convolution whose windows are few beside the pixels that they see: u = δᵀ W, all that they send back, and then
 * each number of it is added to its pixel. slide.h asks for every pixel what each tap of a filter sent, and here it mostly
 * sent nothing: of a window of 6 × 6 on 7 × 7 pixels eleven times out of twelve. */

/* Multiply-adds that take as long as adding numbers of u to their pixels does: for a row of a window, and for each number of
 * it. Of fewer channels than FULL, rows of a tile, slide.h does half as many in that time. */
#define FOLDING_ROW 800
#define FOLDING 16
#define FULL 4
#define SENT ((size)65536) /* numbers of u at once, that stay in the second-level cache */

/* Does it take fewer of them than what slide.h would do? */
INLINE int NAME(are_few_windows)(const conv_shape *s) {
    const double sent = (double)s->out[0] * (double)s->out[1] * (double)s->out[2] * (double)s->kernel[0] *
                        (double)s->kernel[1] * (double)s->kernel[2]; /* by each filter, to each channel */
    const double asked = work_of_delta_x(s, LANES) * (double)(s->filters / s->groups); /* of all filters, for each channel */
    const double folding = FOLDING + FOLDING_ROW / (double)s->kernel[2];
    return sent * ((double)(s->filters / s->groups) + folding) < asked * (s->channels / s->groups < FULL ? 2 : 1);
}

typedef struct {
    const conv_shape *s;
    const real *weight, *delta;
    real *delta_x;
    int threads; /* that share an image */
} NAME(few_windows);

/* Adds what the windows from `begin` to `end` sent to the pixels of all channels. */
static void NAME(fold_windows)(const conv_shape *s, size begin, size end, const real *u, real *x) {
    const size window = s->kernel[0] * s->kernel[1] * s->kernel[2], volume = s->in[0] * s->in[1] * s->in[2];
    for (size position = begin; position < end; position++, u += s->channels / s->groups * window) {
        const size at[3] = {position / s->out[2] / s->out[1], position / s->out[2] % s->out[1], position % s->out[2]};
        size start[3], first[3], last[3]; /* of the taps that see pixels */
        for (int a = 0; a < 3; a++) {
            start[a] = at[a] * s->stride[a] - s->before[a];
            first[a] = start[a] < 0 ? divide_up(-start[a], s->dilation[a]) : 0;
            last[a] = min_size(s->kernel[a], start[a] < s->in[a] ? divide_up(s->in[a] - start[a], s->dilation[a]) : 0);
        }
        for (size c = 0; c < s->channels / s->groups; c++)
            for (size d = first[0]; d < last[0]; d++)
                for (size h = first[1]; h < last[1]; h++) {
                    const size row = (start[0] + d * s->dilation[0]) * s->in[1] + start[1] + h * s->dilation[1];
                    const real *restrict from = u + c * window + (d * s->kernel[1] + h) * s->kernel[2];
                    real *restrict to = x + c * volume + row * s->in[2] + start[2];
                    for (size w = first[2]; w < last[2]; w++) to[w * s->dilation[2]] += from[w];
                }
    }
}

/* Groups of images, from `begin` to `end`. */
static int NAME(send_back)(const void *job_, size begin, size end) {
    const NAME(few_windows) *job = job_;
    const conv_shape *s = job->s;
    const size channels = s->channels / s->groups, filters = s->filters / s->groups;
    const size columns = channels * s->kernel[0] * s->kernel[1] * s->kernel[2];
    const size positions = s->out[0] * s->out[1] * s->out[2], volume = s->in[0] * s->in[1] * s->in[2];
    const size together = min_size(positions, max_size(ROWS, SENT / max_size(columns, 1)));
    real *u = scratch((size)sizeof(real) * together * columns);
    int status = u ? 0 : NO_MEMORY;
    for (size item = begin; item < end && status == 0; item++) {
        real *x = job->delta_x + item * channels * volume;
        memset(x, 0, sizeof(real) * (size_t)(channels * volume));
        for (size p = 0; p < positions && status == 0; p += together) {
            const size count = min_size(together, positions - p);
            const NAME(product) sent = {.m = count, .n = columns, .k = filters, .a = job->delta + item * filters * positions + p,
                                        .a_row = 1, .a_column = positions, .b_row = columns, .b_column = 1,
                                        .b = job->weight + item % s->groups * filters * columns, .c = u, .c_row = columns,
                                        .c_column = 1};
            status = NAME(multiply)(sent, job->threads);
            if (status == 0) NAME(fold_windows)(s, p, p + count, u, x);
        }
    }
    free(u);
    return status;
}

static int NAME(few_windows_delta_x)(const conv_shape *s, const real *weight, const real *delta, real *delta_x, int threads) {
    const size items = s->images * s->groups;
    const int few = items < threads;
    const NAME(few_windows) job = {s, weight, delta, delta_x, few ? threads : 1};
    return run_in_parts(NAME(send_back), &job, items, few ? max_size(items, 1) : divide_up(items, threads), few ? 1 : threads);
}

#undef FOLDING_ROW
#undef FOLDING
#undef FULL
#undef SENT
