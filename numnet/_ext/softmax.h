/* Softmax along the middle axis of x (outer, C, inner). The largest entry is subtracted first, so no exp overflows.
 *
 * begin and end count outer. With inner == 1 these are rows of C neighbours, and many rows go through one loop of exp,
 * so that short rows (ten classes) run at the speed of long ones. Otherwise the loops run along inner, a block of
 * columns at a time. */
#define SOFTMAX_ENTRIES 2048 /* at once, while they are in the L1 cache */
#define SOFTMAX_ROWS (SOFTMAX_ENTRIES / 8)
#define SOFTMAX_COLUMNS 64

/* p = exp(p) for rows of C; sums[row] = sum of p. */
INLINE void NAME(exp_shifted)(real *restrict p, real *restrict sums, size rows, size C) {
    for (size i = 0; i < rows * C; i++) p[i] = NAME(exp)(p[i]);
    for (size m = 0; m < rows; m++) sums[m] = NAME(sum)(p + m * C, C);
}

/* p = exp(x - max x) for rows of C; sums[row] = sum of p, largest[row] = max x. */
INLINE void NAME(exp_rows)(const real *restrict x, real *restrict p, real *restrict largest, real *restrict sums,
                           size rows, size C) {
    for (size m = 0; m < rows; m++) {
        const real top = largest[m] = NAME(largest)(x + m * C, C);
        for (size c = 0; c < C; c++) p[m * C + c] = x[m * C + c] - top;
    }
    NAME(exp_shifted)(p, sums, rows, C);
}

INLINE size NAME(rows_at_once)(size C) { return max_size(1, SOFTMAX_ENTRIES / max_size(C, 8)); }

static int NAME(softmax)(const void *job_, size begin, size end) {
    const struct softmax_job *job = job_;
    const size C = job->C, inner = job->inner;
    if (inner == 1) {
        const size step = NAME(rows_at_once)(C);
        real largest[SOFTMAX_ROWS], sums[SOFTMAX_ROWS];
        for (size m = begin; m < end; m += step) {
            const size rows = min_size(end - m, step);
            const real *restrict x = (const real *)job->x + m * C;
            real *restrict y = (real *)job->y + m * C;
            NAME(exp_rows)(x, y, largest, sums, rows, C);
            for (size row = 0; row < rows; row++) {
                if (job->logarithm) {
                    const real shift = NAME(log)(sums[row]);
                    for (size c = 0; c < C; c++) y[row * C + c] = (x[row * C + c] - largest[row]) - shift;
                } else {
                    const real per_sum = 1 / sums[row];
                    for (size c = 0; c < C; c++) y[row * C + c] *= per_sum;
                }
            }
        }
        return 0;
    }
    for (size o = begin; o < end; o++) {
        for (size first = 0; first < inner; first += SOFTMAX_COLUMNS) {
            const size columns = min_size(inner - first, SOFTMAX_COLUMNS);
            const real *restrict x = (const real *)job->x + o * C * inner + first;
            real *restrict y = (real *)job->y + o * C * inner + first;
            real largest[SOFTMAX_COLUMNS], sums[SOFTMAX_COLUMNS];
            for (size i = 0; i < columns; i++) largest[i] = -INFINITY, sums[i] = 0;
            for (size c = 0; c < C; c++)
                for (size i = 0; i < columns; i++)
                    largest[i] = x[c * inner + i] > largest[i] ? x[c * inner + i] : largest[i];
            for (size c = 0; c < C; c++)
                for (size i = 0; i < columns; i++) {
                    const real e = NAME(exp)(x[c * inner + i] - largest[i]);
                    y[c * inner + i] = e;
                    sums[i] += e;
                }
            if (job->logarithm) {
                for (size i = 0; i < columns; i++) sums[i] = NAME(log)(sums[i]);
                for (size c = 0; c < C; c++)
                    for (size i = 0; i < columns; i++) y[c * inner + i] = (x[c * inner + i] - largest[i]) - sums[i];
            } else {
                for (size i = 0; i < columns; i++) sums[i] = 1 / sums[i];
                for (size c = 0; c < C; c++)
                    for (size i = 0; i < columns; i++) y[c * inner + i] *= sums[i];
            }
        }
    }
    return 0;
}

/* Where a mask hides all of a row, the shift is 0 and so are all exponentials: the row is 0, not 0 / 0. */
static int NAME(masked_softmax)(const void *job_, size begin, size end) {
    const struct masked_softmax_job *job = job_;
    const size C = job->C, step = NAME(rows_at_once)(C), axes = job->axes;
    const int masked = job->seen || job->added;
    const real scale = (real)job->scale;
    real sums[SOFTMAX_ROWS];
    for (size m = begin; m < end; m += step) {
        const size rows = min_size(end - m, step);
        real *restrict y = (real *)job->y + m * C;
        for (size row = 0; row < rows; row++) {
            const real *restrict s = (const real *)job->s + (m + row) * C;
            real *restrict t = y + row * C;
            size rest = m + row, mask = 0;
            for (size axis = axes - 1; axis >= 0; axis--) {
                mask += rest % job->sizes[axis] * job->steps[axis];
                rest /= job->sizes[axis];
            }
            if (job->seen) {
                const unsigned char *restrict seen = job->seen + mask;
                for (size c = 0; c < C; c++) t[c] = seen[c] ? s[c] * scale : -(real)INFINITY;
            } else if (job->added) {
                const real *restrict added = (const real *)job->added + mask;
                for (size c = 0; c < C; c++) t[c] = s[c] * scale + added[c];
            } else {
                for (size c = 0; c < C; c++) t[c] = s[c] * scale;
            }
            const real largest = NAME(largest)(t, C);
            const real shift = masked && largest == -(real)INFINITY ? 0 : largest;
            for (size c = 0; c < C; c++) t[c] -= shift;
        }
        NAME(exp_shifted)(y, sums, rows, C);
        for (size row = 0; row < rows; row++) {
            const real per_sum = masked && sums[row] == 0 ? 1 : 1 / sums[row];
            for (size c = 0; c < C; c++) y[row * C + c] *= per_sum;
        }
    }
    return 0;
}

/* softmax: a (delta - sum(a delta)); log_softmax: delta - exp(a) sum(delta). x holds the activation a. */
static int NAME(softmax_backward)(const void *job_, size begin, size end) {
    const struct softmax_job *job = job_;
    const size C = job->C, inner = job->inner;
    for (size o = begin; o < end; o++) {
        const real *restrict a = (const real *)job->x + o * C * inner;
        const real *restrict delta = (const real *)job->delta + o * C * inner;
        real *restrict y = (real *)job->y + o * C * inner;
        if (inner == 1) {
            if (job->logarithm) {
                const real sum = NAME(sum)(delta, C);
                for (size c = 0; c < C; c++) y[c] = delta[c] - NAME(exp)(a[c]) * sum;
            } else {
                const real sum = NAME(dot)(a, delta, C);
                for (size c = 0; c < C; c++) y[c] = a[c] * (delta[c] - sum);
            }
            continue;
        }
        for (size first = 0; first < inner; first += SOFTMAX_COLUMNS) {
            const size columns = min_size(inner - first, SOFTMAX_COLUMNS);
            real sums[SOFTMAX_COLUMNS];
            for (size i = 0; i < columns; i++) sums[i] = 0;
            for (size c = 0; c < C; c++)
                for (size i = 0, j = c * inner + first; i < columns; i++, j++)
                    sums[i] += job->logarithm ? delta[j] : a[j] * delta[j];
            for (size c = 0; c < C; c++)
                for (size i = 0, j = c * inner + first; i < columns; i++, j++)
                    y[j] = job->logarithm ? delta[j] - NAME(exp)(a[j]) * sums[i] : a[j] * (delta[j] - sums[i]);
        }
    }
    return 0;
}

/* Row m: J = (1 - s) w_y (-log p_y) + s / C  sum_c w_c (-log p_c), p = softmax(z), s the smoothing; 0 if ignored. */
static int NAME(cross_entropy)(const void *job_, size begin, size end) {
    const struct cross_entropy_job *job = job_;
    const size C = job->C, step = NAME(rows_at_once)(C);
    const real smoothing = (real)job->smoothing;
    const real *restrict weight = job->weight;
    real largest[SOFTMAX_ROWS], sums[SOFTMAX_ROWS];
    for (size m = begin; m < end; m += step) {
        const size rows = min_size(end - m, step);
        const real *restrict z = (const real *)job->z + m * C;
        const int64_t *restrict labels = job->labels + m;
        real *restrict p = (real *)job->p + m * C;
        real *restrict J = (real *)job->J + m;
        NAME(exp_rows)(z, p, largest, sums, rows, C);
        for (size row = 0; row < rows; row++) {
            const real log_sum = NAME(log)(sums[row]);
            const int64_t label = labels[row];
            real loss = 0;
            if (label != job->ignore_index) {
                loss = (1 - smoothing) * (weight ? weight[label] : 1) * (log_sum - (z[row * C + label] - largest[row]));
                if (smoothing > 0) {
                    real smooth = 0;
                    for (size c = 0; c < C; c++)
                        smooth += (weight ? weight[c] : 1) * (log_sum - (z[row * C + c] - largest[row]));
                    loss += smoothing / (real)C * smooth;
                }
            }
            J[row] = loss;
            const real per_sum = 1 / sums[row];
            for (size c = 0; c < C; c++) p[row * C + c] *= per_sum;
        }
    }
    return 0;
}

static int NAME(cross_entropy_backward)(const void *job_, size begin, size end) {
    const struct cross_entropy_job *job = job_;
    const size C = job->C;
    const real smoothing = (real)job->smoothing;
    const real *restrict weight = job->weight;
    const real weight_sum = smoothing == 0 ? 0 : weight ? NAME(sum)(weight, C) : (real)C;
    for (size m = begin; m < end; m++) {
        const real *restrict p = (const real *)job->p + m * C;
        real *restrict y = (real *)job->delta_z + m * C;
        const int64_t label = job->labels[m];
        if (label == job->ignore_index) {
            for (size c = 0; c < C; c++) y[c] = 0;
            continue;
        }
        const real delta = ((const real *)job->delta)[m];
        const real hard = (1 - smoothing) * (weight ? weight[label] : 1), soft = smoothing / (real)C;
        if (smoothing == 0) {
            for (size c = 0; c < C; c++) y[c] = delta * hard * p[c];
        } else {
            for (size c = 0; c < C; c++)
                y[c] = delta * (hard * p[c] + soft * (p[c] * weight_sum - (weight ? weight[c] : 1)));
        }
        /* p - 1 first: it is exact where p is near 1 */
        y[label] = delta * (hard * (p[label] - 1) + soft * (p[label] * weight_sum - (weight ? weight[label] : 1)));
    }
    return 0;
}
