/* Average pooling; begin and end count planes. */

/* line = the sum of rows of x, element by element. The last vector may do some elements again. Rows shorter than a vector
 * become a whole one, zeros behind their end, if x is `readable` there. */
INLINE void NAME(sum_across)(const real *x, size W, int readable, const size *rows, size count, real *line) {
    if (W < LANES && !readable) {
        for (size w = 0; w < W; w++) {
            real sum = 0;
            for (size i = 0; i < count; i++) sum += x[rows[i] + w];
            line[w] = sum;
        }
        return;
    }
    for (size w = 0; w < W; w += LANES) {
        const size at = max_size(min_size(w, W - LANES), 0);
        vec sum = {0};
        for (size i = 0; i < count; i++) sum += load(x + rows[i] + at);
        store(line + at, W < LANES ? NAME(select)(LANE_NUMBERS < (spot)W, sum, (vec){0}) : sum);
    }
}

/* sums[o] = sum of taps x[o stride + k dilation] */
INLINE void NAME(sum_along)(const real *restrict x, size n, size kernel, size stride, size dilation,
                            real *restrict sums) {
    for (size o = 0; o < n; o++) sums[o] = x[o * stride] + (kernel > 1 ? x[o * stride + dilation] : 0);
    for (size k = 2; k < kernel; k++)
        for (size o = 0; o < n; o++) sums[o] += x[o * stride + k * dilation];
}

static void NAME(sum_of_row)(const struct window_job *job, const real *x, size n, real *sums) {
    const size kernel = job->kernel[2], stride = job->stride[2], dilation = job->dilation[2];
    if (NAME(is_wide)(job))
        for (size o = 0; o < n; o++) sums[o] = (real)NAME(long_sum)(x + o * stride, kernel);
    else if (stride == 2 && dilation == 1 && kernel > 1)
        NAME(sum_along)(x, n, max_size(kernel, 2), 2, 1, sums);
    else if (stride == 1)
        NAME(sum_along)(x, n, kernel, 1, dilation, sums);
    else
        NAME(sum_along)(x, n, kernel, stride, dilation, sums);
}

/* The adjoint of sum_of_row: x[o stride + k dilation] += shares[o], on a row of zeros of this width. */
static void NAME(spread_row)(const struct window_job *job, const real *restrict shares, size n, size width,
                             real *restrict x) {
    const size kernel = job->kernel[2], stride = job->stride[2], dilation = job->dilation[2];
    if (dilation == 1 && kernel == stride) { /* no two windows meet */
        if (kernel == 2)
            for (size o = 0; o < n; o++) x[2 * o] = x[2 * o + 1] = shares[o];
        else
            for (size o = 0; o < n; o++)
                for (size k = 0; k < kernel; k++) x[o * kernel + k] = shares[o];
        return;
    }
    for (size i = 0; i < width; i++) x[i] = 0;
    for (size k = 0; k < kernel; k++)
        if (stride == 1)
            for (size o = 0; o < n; o++) x[o + k * dilation] += shares[o];
        else
            for (size o = 0; o < n; o++) x[o * stride + k * dilation] += shares[o];
}

/* How many taps of window o count along an axis: those in x, or those in x and its padding. At least 1. */
INLINE size NAME(taps_counted)(const struct window_job *job, int axis, size o) {
    if (job->divisor != 0) return 1;
    const size low = job->count_include_pad ? -job->before[axis] : 0;
    const size high = job->in[axis] + (job->count_include_pad ? job->after[axis] : 0);
    size count = 0;
    for (size k = 0; k < job->kernel[axis]; k++) {
        const size at = o * job->stride[axis] - job->before[axis] + k * job->dilation[axis];
        count += at >= low && at < high;
    }
    return max_size(count, 1);
}

/* A mean is the sum of a window, from line `first` on, times shares[o] line_shares[first]; behind the last output the shares
 * are 1. Where there are several lines, `shares` hold all of it. */
static void NAME(shares_of)(const struct window_job *job, size lines, size n, real *shares, real *line_shares) {
    for (size o = 0; o < n; o++) shares[o] = 1;
    for (size q = 0; q < job->out[0] * job->out[1]; q++) {
        const size count = NAME(taps_counted)(job, 0, q / job->out[1]) * NAME(taps_counted)(job, 1, q % job->out[1]);
        line_shares[q] = 1 / (job->divisor != 0 ? (real)job->divisor : (real)count);
    }
    for (size o = 0; o < lines * job->out[2]; o++)
        shares[o] = (lines > 1 ? line_shares[o / job->out[2]] : 1) / (real)NAME(taps_counted)(job, 2, o % job->out[2]);
    if (lines > 1) line_shares[0] = 1;
}

/* How many rows of outputs are made at once. Where windows side by side fill a row exactly, the rows of a small plane are one
 * long row: a loop over five outputs takes as long as one over fifty. */
INLINE size NAME(rows_at_once)(const struct window_job *job) {
    const size stride = job->stride[2], reach = (job->kernel[2] - 1) * job->dilation[2];
    const size rows = job->out[0] * job->out[1];
    const int filled = job->before[2] == 0 && job->out[2] * stride == job->in[2] && reach < stride;
    return filled && rows * job->in[2] <= 4096 ? rows : 1;
}

/* What a number of a plane has in its mean, where one window sees all of it. */
INLINE real NAME(share_of_plane)(const struct window_job *job) {
    return 1 / (job->divisor != 0 ? (real)job->divisor : (real)(job->in[0] * job->in[1] * job->in[2]));
}

static void NAME(mean_of_planes)(const struct window_job *job, size begin, size end) {
    const size plane = job->in[0] * job->in[1] * job->in[2];
    const real share = NAME(share_of_plane)(job);
    real *y = (real *)job->y;
    for (size p = begin; p < end; p += LANES) { /* a vector of means */
        const size count = min_size(LANES, end - p);
        vec sums[VECTOR_BYTES / sizeof(real)] = {{0}};
        for (size i = 0; i < count && plane <= SHORT; i++) {
            const real *x = (const real *)job->x + (p + i) * plane;
            const int readable = (job->planes - p - i - 1) * plane >= LANES;
            vec even = {0}, odd = {0};
            size w = 0;
            for (; w + 2 * LANES <= plane; w += 2 * LANES) even += load(x + w), odd += load(x + w + LANES);
            if (w + LANES <= plane) even += load(x + w), w += LANES;
            if (w < plane && readable) {
                odd += NAME(select)(LANE_NUMBERS < (spot)(plane - w), load(x + w), (vec){0});
            } else if (w < plane) { /* the same sum, wherever the plane stands in x */
                real rest[LANES] = {0};
                memcpy(rest, x + w, sizeof(real) * (size_t)(plane - w));
                odd += load(rest);
            }
            sums[i] = even + odd;
        }
        transpose(sums);
        for (int i = 1; i < LANES; i++) sums[0] += sums[i];
        for (size i = 0; i < count && plane > SHORT; i++)
            sums[0][i] = (real)NAME(long_sum)((const real *)job->x + (p + i) * plane, plane);
        NAME(store_before)(y + p, sums[0] * share, count, y + end);
    }
}

static int NAME(avg_pool)(const void *job_, size begin, size end) {
    const struct window_job *job = job_;
    if (NAME(sees_plane)(job)) {
        NAME(mean_of_planes)(job, begin, end);
        return 0;
    }
    const size W = job->in[2], before = job->before[2], plane = job->in[0] * job->in[1] * W;
    const size lines = job->out[0] * job->out[1], rows = NAME(rows_at_once)(job), outputs = rows * job->out[2];
    const size n = divide_up(outputs, LANES) * LANES;
    const size width = max_size(n * job->stride[2] + (job->kernel[2] - 1) * job->dilation[2], before + rows * W);
    real *line = scratch((width + LANES + 2 * n + lines) * (size)sizeof(real));
    NAME(view) view;
    if (NAME(look)(job, 0, lines, &view) < 0 || !line) {
        free(line), free(view.rows);
        return NO_MEMORY;
    }
    real *sums = line + width + LANES, *shares = sums + n, *line_shares = shares + n;
    const size computed = job->stride[2] <= 2 ? n : outputs; /* rounded up where that makes whole vectors of it */
    for (size i = 0; i < width + LANES + n; i++) line[i] = 0;
    NAME(shares_of)(job, rows, n, shares, line_shares);
    real *y = (real *)job->y + begin * lines * job->out[2];
    const real *y_end = (real *)job->y + end * lines * job->out[2];
    for (size p = begin; p < end; p++) {
        const real *x = (const real *)job->x + p * plane;
        const int readable = (job->planes - p - 1) * plane >= LANES;
        for (size first = 0; first < lines; first += rows, y += outputs) {
            for (size row = 0; row < rows; row++) {
                const size q = first + row;
                NAME(sum_across)(x, W, readable, view.rows + q * view.most, view.counts[q], line + before + row * W);
            }
            NAME(sum_of_row)(job, line, computed, sums);
            for (size o = 0; o < outputs; o += LANES) {
                const vec mean = load(sums + o) * (line_shares[first] * load(shares + o));
                NAME(store_before)(y + o, mean, min_size(outputs - o, LANES), y_end);
            }
        }
    }
    free(line), free(view.rows);
    return 0;
}

/* Does each row belong to one line of windows, the first to the first, and so on? */
INLINE int NAME(rows_in_turn)(const struct window_job *job) {
    const size kernel = job->kernel[1];
    return job->in[0] == 1 && job->kernel[0] == 1 && job->before[0] == 0 && job->before[1] == 0 &&
           kernel == job->stride[1] && job->out[1] * kernel == job->in[1] && (kernel == 1 || job->dilation[1] == 1);
}

static int NAME(avg_pool_backward)(const void *job_, size begin, size end) {
    const struct window_job *job = job_;
    const size W = job->in[2], before = job->before[2], plane = job->in[0] * job->in[1] * W;
    if (NAME(sees_plane)(job)) {
        real *x = (real *)job->y + begin * plane;
        for (size p = begin; p < end; p++) {
            const real mean = ((const real *)job->x)[p] * NAME(share_of_plane)(job);
            for (size i = 0; i < plane; i++) *x++ = mean;
        }
        return 0;
    }
    const size lines = job->out[0] * job->out[1], rows = NAME(rows_at_once)(job), n = rows * job->out[2];
    const size width = max_size(n * job->stride[2] + (job->kernel[2] - 1) * job->dilation[2], before + rows * W);
    const int in_turn = NAME(rows_in_turn)(job);
    real *line = scratch((width + LANES + 2 * n + lines) * (size)sizeof(real));
    NAME(view) view;
    if (NAME(look)(job, 0, lines, &view) < 0 || !line) {
        free(line), free(view.rows);
        return NO_MEMORY;
    }
    real *restrict means = line + width + LANES, *restrict shares = means + n, *line_shares = shares + n;
    for (size i = 0; i < width + LANES; i++) line[i] = 0;
    NAME(shares_of)(job, rows, n, shares, line_shares);
    const real *restrict delta = (const real *)job->x + begin * lines * job->out[2];
    const real *end_of_x = (const real *)job->y + end * plane;
    for (size p = begin; p < end; p++) {
        real *x = (real *)job->y + p * plane;
        if (!in_turn) memset(x, 0, (size_t)plane * sizeof(real));
        for (size first = 0; first < lines; first += rows, delta += n) {
            for (size o = 0; o < n; o++) means[o] = delta[o] * (line_shares[first] * shares[o]);
            NAME(spread_row)(job, means, n, width, line);
            for (size row = 0; row < rows; row++) {
                const size *seen = view.rows + (first + row) * view.most, count = view.counts[first + row];
                const real *restrict from = line + before + row * W;
                for (size i = 0; i < count; i++) {
                    real *restrict to = x + seen[i];
                    if (in_turn)
                        for (size w = 0; w < W; w += LANES)
                            NAME(store_before)(to + w, load(from + w), min_size(W - w, LANES), end_of_x);
                    else
                        for (size w = 0; w < W; w++) to[w] += from[w];
                }
            }
        }
    }
    free(line), free(view.rows);
    return 0;
}
