/* Batch normalisation of x (N, C, S); begin and end count channels.
 *
 * Where S is long, a channel is done by itself, along its rows of S. Where S is short (BatchNorm1d has S = 1), as many
 * neighbouring channels as fill COLUMNS are done together, down the columns of x read as (N, C S). */
#define COLUMNS 64
#define LONG 32    /* the shortest row that is done by itself */
#define PIECE 1024 /* elements of a channel, or */
#define GROUP 256  /* rows of COLUMNS, that stay in a cache between the sum and the squares about the mean */

/* Mean and sum of squares about it, of two sets in one.  Source: Chan, Golub and LeVeque, 1979, equation 2.1. */
INLINE void NAME(merge)(double *count, double *mean, double *squares, double count_b, double mean_b, double squares_b) {
    const double total = *count + count_b, distance = mean_b - *mean;
    *mean += distance * (count_b / total);
    *squares += squares_b + distance * distance * (*count * count_b / total);
    *count = total;
}

/* How many of the rows that are left make a piece of a channel; of a long row, a part is one. */
INLINE size NAME(rows_of_piece)(size rows, size length) { return min_size(rows, max_size(1, PIECE / length)); }

/* Of rows that begin `stride` apart. The squares are taken while a piece is in the L1 cache: as exact as two passes. */
INLINE void NAME(statistics_of_rows)(const real *x, size rows, size stride, size length, double *mean,
                                     double *squares) {
    double count = *mean = *squares = 0;
    for (size row = 0, step; row < rows; row += step) {
        step = NAME(rows_of_piece)(rows - row, length);
        for (size i = 0; i < length; i += PIECE) {
            const real *piece = x + row * stride + i;
            const size n = min_size(PIECE, length - i);
            const double number = (double)(step * n);
            real sum, rest, about, unused;
            NAME(moments)(piece, 0, piece, 0, step, stride, n, &sum, &unused);
            const real mu = sum / (real)(step * n);
            if (step == 1) ask_for(i + n < length ? piece + n : x + (row + 1) * stride, n); /* meanwhile */
            NAME(moments)(piece, mu, piece, mu, step, stride, n, &rest, &about);
            const double off = rest == rest ? rest / number : 0; /* by which mu is rounded; NaN where mu is inf */
            NAME(merge)(&count, mean, squares, number, mu + off, about - rest * off);
        }
    }
}

/* The same down the columns, and then over the S columns of each channel. */
INLINE void NAME(statistics_of_columns)(const struct norm_job *job, size c, size channels, double *mean,
                                        double *squares) {
    const size row = job->C * job->S, columns = channels * job->S;
    double means[COLUMNS] = {0}, about[COLUMNS] = {0};
    for (size n = 0; n < job->N; n += GROUP) {
        const size rows = min_size(GROUP, job->N - n);
        const real *restrict x = (const real *)job->x + n * row + c * job->S;
        real mu[COLUMNS] = {0}, squares_here[COLUMNS] = {0};
        for (size r = 0; r < rows; r++)
            for (size i = 0; i < columns; i++) mu[i] += x[r * row + i];
        for (size i = 0; i < columns; i++) mu[i] /= (real)rows;
        for (size r = 0; r < rows; r++)
            for (size i = 0; i < columns; i++) {
                const real distance = x[r * row + i] - mu[i];
                squares_here[i] += distance * distance;
            }
        for (size i = 0; i < columns; i++) {
            double count = (double)n;
            NAME(merge)(&count, means + i, about + i, (double)rows, mu[i], squares_here[i]);
        }
    }
    for (size k = 0; k < channels; k++) {
        double count = mean[k] = squares[k] = 0;
        for (size i = k * job->S; i < (k + 1) * job->S; i++)
            NAME(merge)(&count, mean + k, squares + k, (double)job->N, means[i], about[i]);
    }
}

/* sum delta and sum delta (x - mu), as above. */
INLINE void NAME(gradients_of_rows)(const struct norm_job *job, size c, double *sum, double *product) {
    const size stride = job->C * job->S;
    const real mu = ((const real *)job->mean)[c];
    *sum = *product = 0;
    for (size n = 0, rows; n < job->N; n += rows) {
        rows = NAME(rows_of_piece)(job->N - n, job->S);
        for (size s = 0; s < job->S; s += PIECE) {
            const size start = n * stride + c * job->S + s;
            real sum_here, product_here;
            NAME(moments)((const real *)job->delta + start, 0, (const real *)job->x + start, mu, rows, stride,
                          min_size(PIECE, job->S - s), &sum_here, &product_here);
            *sum += sum_here;
            *product += product_here;
        }
    }
}

INLINE void NAME(gradients_of_columns)(const struct norm_job *job, size c, size channels, double *sum,
                                       double *product) {
    const size row = job->C * job->S, columns = channels * job->S;
    real mu[COLUMNS];
    for (size i = 0; i < columns; i++) mu[i] = ((const real *)job->mean)[c + i / job->S];
    for (size k = 0; k < channels; k++) sum[k] = product[k] = 0;
    for (size n = 0; n < job->N; n += GROUP) {
        const size rows = min_size(GROUP, job->N - n), start = n * row + c * job->S;
        const real *restrict x = (const real *)job->x + start, *restrict delta = (const real *)job->delta + start;
        real sums[COLUMNS] = {0}, products[COLUMNS] = {0};
        for (size r = 0; r < rows; r++)
            for (size i = 0; i < columns; i++) {
                sums[i] += delta[r * row + i];
                products[i] += delta[r * row + i] * (x[r * row + i] - mu[i]);
            }
        for (size i = 0; i < columns; i++) {
            sum[i / job->S] += sums[i];
            product[i / job->S] += products[i];
        }
    }
}

/* y = (x - mu) scale + shift in one channel, or in the columns of several. */
INLINE void NAME(normalise)(const struct norm_job *job, size c, size channels, const real *scale) {
    const real *mean = job->mean, *bias = job->bias;
    if (job->S >= LONG) {
        const real mu = mean[c], factor = scale[0], shift = bias ? bias[c] : 0;
        for (size n = 0; n < job->N; n++) {
            const real *restrict x = (const real *)job->x + (n * job->C + c) * job->S;
            real *restrict y = (real *)job->y + (n * job->C + c) * job->S;
            for (size s = 0; s < job->S; s++) y[s] = (x[s] - mu) * factor + shift;
        }
        return;
    }
    const size columns = channels * job->S;
    real mu[COLUMNS], factor[COLUMNS], shift[COLUMNS];
    for (size i = 0; i < columns; i++) {
        const size k = i / job->S;
        mu[i] = mean[c + k], factor[i] = scale[k], shift[i] = bias ? bias[c + k] : 0;
    }
    for (size n = 0; n < job->N; n++) {
        const real *restrict x = (const real *)job->x + (n * job->C + c) * job->S;
        real *restrict y = (real *)job->y + (n * job->C + c) * job->S;
        for (size i = 0; i < columns; i++) y[i] = (x[i] - mu[i]) * factor[i] + shift[i];
    }
}

/* delta_x = (delta - lift - (x - mu) slope) scale; lift and slope are 0 where the statistics are constants. */
INLINE void NAME(hand_down)(const struct norm_job *job, size c, size channels, const real *scale, const real *lift,
                            const real *slope) {
    const real *mean = job->mean;
    if (job->S >= LONG) {
        const real mu = mean[c], factor = scale[0], l = lift[0], k = slope[0];
        for (size n = 0; n < job->N; n++) {
            const size start = (n * job->C + c) * job->S;
            const real *restrict x = (const real *)job->x + start, *restrict delta = (const real *)job->delta + start;
            real *restrict y = (real *)job->y + start;
            if (job->constant_statistics)
                for (size s = 0; s < job->S; s++) y[s] = delta[s] * factor;
            else
                for (size s = 0; s < job->S; s++) y[s] = (delta[s] - l - (x[s] - mu) * k) * factor;
        }
        return;
    }
    const size columns = channels * job->S;
    real mu[COLUMNS], factor[COLUMNS], l[COLUMNS], k[COLUMNS];
    for (size i = 0; i < columns; i++) {
        const size j = i / job->S;
        mu[i] = mean[c + j], factor[i] = scale[j], l[i] = lift[j], k[i] = slope[j];
    }
    for (size n = 0; n < job->N; n++) {
        const size start = (n * job->C + c) * job->S;
        const real *restrict x = (const real *)job->x + start, *restrict delta = (const real *)job->delta + start;
        real *restrict y = (real *)job->y + start;
        if (job->constant_statistics)
            for (size i = 0; i < columns; i++) y[i] = delta[i] * factor[i];
        else
            for (size i = 0; i < columns; i++) y[i] = (delta[i] - l[i] - (x[i] - mu[i]) * k[i]) * factor[i];
    }
}

static int NAME(batch_norm)(const void *job_, size begin, size end) {
    const struct norm_job *job = job_;
    const real *weight = job->weight;
    const size step = job->S >= LONG ? 1 : COLUMNS / job->S;
    for (size c = begin; c < end; c += step) {
        const size channels = min_size(step, end - c);
        real scale[COLUMNS];
        if (!job->constant_statistics) {
            const double count = (double)job->N * (double)job->S;
            double mean[COLUMNS], squares[COLUMNS];
            if (job->S >= LONG)
                NAME(statistics_of_rows)((const real *)job->x + c * job->S, job->N, job->C * job->S, job->S, mean,
                                         squares);
            else
                NAME(statistics_of_columns)(job, c, channels, mean, squares);
            for (size k = 0; k < channels; k++) {
                ((real *)job->mean)[c + k] = (real)mean[k];
                ((real *)job->var)[c + k] = (real)(squares[k] / count);
                ((real *)job->inv_std)[c + k] = (real)(1 / sqrt(squares[k] / count + job->eps));
            }
        }
        for (size k = 0; k < channels; k++) scale[k] = ((real *)job->inv_std)[c + k] * (weight ? weight[c + k] : 1);
        NAME(normalise)(job, c, channels, scale);
    }
    return 0;
}

static int NAME(batch_norm_backward)(const void *job_, size begin, size end) {
    const struct norm_job *job = job_;
    const real *weight = job->weight, *inv_std = job->inv_std;
    const double count = (double)job->N * (double)job->S;
    const size step = job->S >= LONG ? 1 : COLUMNS / job->S;
    for (size c = begin; c < end; c += step) {
        const size channels = min_size(step, end - c);
        double sum[COLUMNS], product[COLUMNS];
        real scale[COLUMNS], lift[COLUMNS], slope[COLUMNS];
        if (job->S >= LONG)
            NAME(gradients_of_rows)(job, c, sum, product);
        else
            NAME(gradients_of_columns)(job, c, channels, sum, product);
        for (size k = 0; k < channels; k++) {
            const double per_std = inv_std[c + k];
            if (job->d_gamma) ((real *)job->d_gamma)[c + k] = (real)(product[k] * per_std);
            if (job->d_beta) ((real *)job->d_beta)[c + k] = (real)sum[k];
            scale[k] = inv_std[c + k] * (weight ? weight[c + k] : 1);
            lift[k] = (real)(sum[k] / count);
            slope[k] = (real)(product[k] * per_std * per_std / count);
        }
        if (job->y) NAME(hand_down)(job, c, channels, scale, lift, slope);
    }
    return 0;
}
