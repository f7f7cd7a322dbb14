/* Softmax along the middle axis of x (outer, C, inner), and cross-entropy after it. The largest entry is subtracted first,
 * so no exp overflows.
 *
 * With inner == 1 begin and end count rows of C neighbours, and many rows go through one loop of exp, so that short rows
 * (ten classes) run at the speed of long ones. Otherwise they count blocks of neighbouring columns, C numbers down each,
 * and the loops run along the columns. */
#define SOFTMAX_ENTRIES 2048 /* at once, while they are in the L1 cache */
#define SOFTMAX_ROWS (SOFTMAX_ENTRIES / 8)

/* The block of columns with this number: where it begins in x, and in one row of it for each outer. */
struct NAME(block) {
    size columns, at, at_label;
};

INLINE struct NAME(block) NAME(block)(size number, size C, size inner) {
    const size most = columns_at_once(C), blocks = divide_up(inner, most);
    const size outer = number / blocks, first = number % blocks * most;
    return (struct NAME(block)){min_size(inner - first, most), outer * C * inner + first, outer * inner + first};
}

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

/* The same down columns of C numbers, whose rows are inner apart. */
INLINE void NAME(exp_columns)(const real *restrict x, real *restrict p, real *restrict largest, real *restrict sums,
                              size C, size inner, size columns) {
    const size together = columns == inner ? divide_up(SOFTMAX_ROWS, inner) : 1; /* rows with no gap between them */
    for (size i = 0; i < columns; i++) largest[i] = -(real)INFINITY, sums[i] = 0;
    for (size c = 0; c < C; c++)
        for (size i = 0; i < columns; i++) largest[i] = x[c * inner + i] > largest[i] ? x[c * inner + i] : largest[i];
    for (size first = 0; first < C; first += together) {
        const size last = min_size(C, first + together);
        for (size c = first; c < last; c++)
            for (size i = 0; i < columns; i++) p[c * inner + i] = x[c * inner + i] - largest[i];
        for (size i = first * inner; i < (last - 1) * inner + columns; i++) p[i] = NAME(exp)(p[i]);
        for (size c = first; c < last; c++)
            for (size i = 0; i < columns; i++) sums[i] += p[c * inner + i];
    }
}

/* p becomes p / sum, and sums 1 / sum. */
INLINE void NAME(divide_columns)(real *restrict p, real *restrict sums, size C, size inner, size columns) {
    for (size i = 0; i < columns; i++) sums[i] = 1 / sums[i];
    for (size c = 0; c < C; c++)
        for (size i = 0; i < columns; i++) p[c * inner + i] *= sums[i];
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
            if (job->logarithm) {
                for (size row = 0; row < rows; row++) sums[row] = NAME(log_of)(sums[row]);
                for (size row = 0; row < rows; row++)
                    for (size c = 0; c < C; c++) y[row * C + c] = (x[row * C + c] - largest[row]) - sums[row];
            } else {
                for (size row = 0; row < rows; row++) {
                    const real per_sum = 1 / sums[row];
                    for (size c = 0; c < C; c++) y[row * C + c] *= per_sum;
                }
            }
        }
        return 0;
    }
    for (size number = begin; number < end; number++) {
        const struct NAME(block) block = NAME(block)(number, C, inner);
        const real *restrict x = (const real *)job->x + block.at;
        real *restrict y = (real *)job->y + block.at;
        real largest[SOFTMAX_COLUMNS], sums[SOFTMAX_COLUMNS];
        NAME(exp_columns)(x, y, largest, sums, C, inner, block.columns);
        if (job->logarithm) {
            for (size i = 0; i < block.columns; i++) sums[i] = NAME(log_of)(sums[i]);
            for (size c = 0; c < C; c++)
                for (size i = 0; i < block.columns; i++) y[c * inner + i] = (x[c * inner + i] - largest[i]) - sums[i];
        } else {
            NAME(divide_columns)(y, sums, C, inner, block.columns);
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
    if (inner == 1) {
        for (size m = begin; m < end; m++) {
            const real *restrict a = (const real *)job->x + m * C, *restrict delta = (const real *)job->delta + m * C;
            real *restrict y = (real *)job->y + m * C;
            if (job->logarithm) {
                const real sum = NAME(sum)(delta, C);
                for (size c = 0; c < C; c++) y[c] = delta[c] - NAME(exp)(a[c]) * sum;
            } else {
                const real sum = NAME(dot)(a, delta, C);
                for (size c = 0; c < C; c++) y[c] = a[c] * (delta[c] - sum);
            }
        }
        return 0;
    }
    for (size number = begin; number < end; number++) {
        const struct NAME(block) block = NAME(block)(number, C, inner);
        const real *restrict a = (const real *)job->x + block.at, *restrict delta = (const real *)job->delta + block.at;
        real *restrict y = (real *)job->y + block.at;
        real sums[SOFTMAX_COLUMNS];
        for (size i = 0; i < block.columns; i++) sums[i] = 0;
        for (size c = 0, at = 0; c < C; c++, at += inner)
            for (size i = 0; i < block.columns; i++)
                sums[i] += job->logarithm ? delta[at + i] : a[at + i] * delta[at + i];
        for (size c = 0, at = 0; c < C; c++, at += inner)
            for (size i = 0; i < block.columns; i++)
                y[at + i] = job->logarithm ? delta[at + i] - NAME(exp)(a[at + i]) * sums[i]
                                           : a[at + i] * (delta[at + i] - sums[i]);
    }
    return 0;
}

/* For each label: J = (1 - s) w_y (-log p_y) + s / C  sum_c w_c (-log p_c), p = softmax(z), s the smoothing; 0 if
 * ignored. */
static void NAME(cross_entropy_rows)(const struct cross_entropy_job *job, size begin, size end) {
    const size C = job->C, step = NAME(rows_at_once)(C);
    const real smoothing = (real)job->smoothing;
    const real *restrict weight = job->weight;
    real largest[SOFTMAX_ROWS], sums[SOFTMAX_ROWS], log_sums[SOFTMAX_ROWS];
    for (size m = begin; m < end; m += step) {
        const size rows = min_size(end - m, step);
        const real *restrict z = (const real *)job->z + m * C;
        const int64_t *restrict labels = job->labels + m;
        real *restrict p = (real *)job->p + m * C;
        real *restrict J = (real *)job->J + m;
        NAME(exp_rows)(z, p, largest, sums, rows, C);
        for (size row = 0; row < rows; row++) log_sums[row] = NAME(log_of)(sums[row]);
        for (size row = 0; row < rows; row++) {
            const real log_sum = log_sums[row];
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
}

static void NAME(cross_entropy_rows_backward)(const struct cross_entropy_job *job, size begin, size end) {
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
}

static void NAME(cross_entropy_columns)(const struct cross_entropy_job *job, size begin, size end) {
    const size C = job->C, inner = job->inner;
    const real smoothing = (real)job->smoothing;
    const real *restrict weight = job->weight;
    real largest[SOFTMAX_COLUMNS], sums[SOFTMAX_COLUMNS], log_sums[SOFTMAX_COLUMNS], smooth[SOFTMAX_COLUMNS];
    for (size number = begin; number < end; number++) {
        const struct NAME(block) block = NAME(block)(number, C, inner);
        const real *restrict z = (const real *)job->z + block.at;
        const int64_t *restrict labels = job->labels + block.at_label;
        real *restrict p = (real *)job->p + block.at;
        real *restrict J = (real *)job->J + block.at_label;
        NAME(exp_columns)(z, p, largest, sums, C, inner, block.columns);
        for (size i = 0; i < block.columns; i++) log_sums[i] = NAME(log_of)(sums[i]);
        NAME(divide_columns)(p, sums, C, inner, block.columns);
        for (size i = 0; i < block.columns; i++) smooth[i] = 0;
        for (size c = 0; c < C && smoothing > 0; c++)
            for (size i = 0; i < block.columns; i++)
                smooth[i] += (weight ? weight[c] : 1) * (log_sums[i] - (z[c * inner + i] - largest[i]));
        for (size i = 0; i < block.columns; i++) {
            const int64_t label = labels[i];
            J[i] = 0;
            if (label != job->ignore_index) {
                const real minus_log_p = log_sums[i] - (z[label * inner + i] - largest[i]);
                J[i] = (1 - smoothing) * (weight ? weight[label] : 1) * minus_log_p + smoothing / (real)C * smooth[i];
            }
        }
    }
}

static void NAME(cross_entropy_columns_backward)(const struct cross_entropy_job *job, size begin, size end) {
    const size C = job->C, inner = job->inner;
    const real smoothing = (real)job->smoothing;
    const real *restrict weight = job->weight;
    const real weight_sum = smoothing == 0 ? 0 : weight ? NAME(sum)(weight, C) : (real)C;
    real hard[SOFTMAX_COLUMNS], soft[SOFTMAX_COLUMNS];
    for (size number = begin; number < end; number++) {
        const struct NAME(block) block = NAME(block)(number, C, inner);
        const real *restrict p = (const real *)job->p + block.at, *restrict delta = (const real *)job->delta + block.at_label;
        const int64_t *restrict labels = job->labels + block.at_label;
        real *restrict y = (real *)job->delta_z + block.at;
        for (size i = 0; i < block.columns; i++) {
            const int kept = labels[i] != job->ignore_index;
            hard[i] = kept ? delta[i] * (1 - smoothing) * (weight ? weight[labels[i]] : 1) : 0;
            soft[i] = smoothing == 0 ? 0 : delta[i] * smoothing / (real)C; /* an infinite delta times 0 is NaN */
        }
        for (size c = 0; c < C; c++) {
            const real w = weight ? weight[c] : 1;
            if (smoothing == 0)
                for (size i = 0; i < block.columns; i++) y[c * inner + i] = hard[i] * p[c * inner + i];
            else
                for (size i = 0; i < block.columns; i++)
                    y[c * inner + i] = hard[i] * p[c * inner + i] + soft[i] * (p[c * inner + i] * weight_sum - w);
        }
        for (size i = 0; i < block.columns; i++) {
            const int64_t label = labels[i];
            if (label == job->ignore_index) {
                for (size c = 0; c < C; c++) y[c * inner + i] = 0;
            } else {
                const real p_y = p[label * inner + i]; /* p - 1 first, as above */
                y[label * inner + i] = hard[i] * (p_y - 1) + soft[i] * (p_y * weight_sum - (weight ? weight[label] : 1));
            }
        }
    }
}

static int NAME(cross_entropy)(const void *job_, size begin, size end) {
    const struct cross_entropy_job *job = job_;
    (job->inner == 1 ? NAME(cross_entropy_rows) : NAME(cross_entropy_columns))(job, begin, end);
    return 0;
}

static int NAME(cross_entropy_backward)(const void *job_, size begin, size end) {
    const struct cross_entropy_job *job = job_;
    (job->inner == 1 ? NAME(cross_entropy_rows_backward) : NAME(cross_entropy_columns_backward))(job, begin, end);
    return 0;
}
