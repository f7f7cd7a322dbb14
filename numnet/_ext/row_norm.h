/* Normalisation of the rows of x (N, G, K, S): a row is the L = K S neighbours of one n and one g. Layer norm has
 * G = S = 1. Scale and shift of a number are those of its channel, one of C = G K.
 *
 * begin and end count rows; in the backward samples, and each part writes its share of the gradients of scale and shift
 * to a place of its own. NAME(row_norm_gradients) adds those up in the order of the parts. */
#define SAMPLES_AS_REAL 64 /* whose shares are added up as float, before double takes over */

/* y = (x - mu) inv_std scale + shift */
INLINE void NAME(row_output)(const real *restrict x, const real *restrict scale, const real *restrict shift,
                             real *restrict y, real mu, real inv_std, size K, size S) {
    if (S == 1) {
        for (size i = 0; i < K; i++) y[i] = (x[i] - mu) * inv_std * scale[i] + shift[i];
        return;
    }
    for (size k = 0; k < K; k++) {
        const real factor = inv_std * scale[k], term = shift[k];
        for (size i = k * S; i < (k + 1) * S; i++) y[i] = (x[i] - mu) * factor + term;
    }
}

static int NAME(row_norm)(const void *job_, size begin, size end) {
    const struct row_norm_job *job = job_;
    const size C = job->C, S = job->S, K = C / job->groups, L = K * S;
    real *ones = scratch(2 * K * (size)sizeof(real)); /* for a scale that is not there */
    if (!ones) return NO_MEMORY;
    real *zeros = ones + K;
    for (size k = 0; k < K; k++) ones[k] = 1, zeros[k] = 0;
    for (size row = begin; row < end; row++) {
        const size c = row % job->groups * K;
        const real *x = (const real *)job->x + row * L;
        const real *scale = job->weight ? (const real *)job->weight + c : ones;
        const real *shift = job->bias ? (const real *)job->bias + c : zeros;
        double mean = 0, squares;
        if (job->mean) {
            NAME(statistics_of_rows)(x, 1, L, L, &mean, &squares);
            ((real *)job->mean)[row] = (real)mean;
        } else {
            squares = NAME(long_dot)(x, x, 0, L);
        }
        const real inv_std = ((real *)job->inv_std)[row] = (real)(1 / sqrt(squares / (double)L + job->eps));
        NAME(row_output)(x, scale, shift, (real *)job->y + row * L, (real)mean, inv_std, K, S);
    }
    free(ones);
    return 0;
}

/* Of a row with S = 1: sum scale delta and sum scale delta (x - mu); the shares of the channels are added up. */
INLINE void NAME(channels_of_1)(const real *restrict x, const real *restrict delta, const real *restrict scale, real mu,
                                real inv_std, size L, real *restrict d_gamma, real *restrict d_beta, double *sum,
                                double *product) {
    *sum = *product = 0;
    for (size first = 0; first < L; first += PIECE) {
        const size last = min_size(L, first + PIECE);
        vec sums = {0}, products = {0};
        real rest = 0, rest_product = 0;
        size i = first;
        for (; i + LANES <= last; i += LANES) {
            const vec d = load(delta + i), u = load(x + i) - mu, scaled = d * load(scale + i);
            sums += scaled;
            products += scaled * u;
            store(d_beta + i, load(d_beta + i) + d);
            store(d_gamma + i, load(d_gamma + i) + d * (u * inv_std));
        }
        for (; i < last; i++) {
            const real u = x[i] - mu, scaled = delta[i] * scale[i];
            rest += scaled;
            rest_product += scaled * u;
            d_beta[i] += delta[i];
            d_gamma[i] += delta[i] * (u * inv_std);
        }
        for (int lane = 0; lane < LANES; lane++) rest += sums[lane], rest_product += products[lane];
        *sum += (double)rest;
        *product += (double)rest_product;
    }
}

/* The same with channels of S. */
INLINE void NAME(channels_of_S)(const real *x, const real *delta, const real *scale, real mu, real inv_std, size K,
                                size S, real *d_gamma, real *d_beta, double *sum, double *product) {
    *sum = *product = 0;
    for (size k = 0; k < K; k++) {
        const double d = NAME(long_sum)(delta + k * S, S), along = NAME(long_dot)(delta + k * S, x + k * S, mu, S);
        *sum += (double)scale[k] * d;
        *product += (double)scale[k] * along;
        d_beta[k] += (real)d;
        d_gamma[k] += (real)(along * (double)inv_std);
    }
}

/* delta_x = (scale delta - lift - (x - mu) slope) inv_std */
INLINE void NAME(row_delta)(const real *restrict x, const real *restrict delta, const real *restrict scale,
                            real *restrict y, real mu, real inv_std, real lift, real slope, size K, size S) {
    if (S == 1) {
        for (size first = 0; first < K; first += PIECE) {
            const size last = min_size(K, first + PIECE);
            if (K >= PIECE) ask_for(x + K + first, last - first), ask_for(delta + K + first, last - first); /* the next row */
            for (size i = first; i < last; i++) y[i] = (delta[i] * scale[i] - lift - (x[i] - mu) * slope) * inv_std;
        }
        return;
    }
    for (size k = 0; k < K; k++)
        for (size i = k * S; i < (k + 1) * S; i++)
            y[i] = (delta[i] * scale[k] - lift - (x[i] - mu) * slope) * inv_std;
}

static int NAME(row_norm_backward)(const void *job_, size begin, size end) {
    const struct row_norm_job *job = job_;
    const size C = job->C, S = job->S, K = C / job->groups, L = K * S;
    real *ones = scratch((K + 2 * C) * (size)sizeof(real));
    if (!ones) return NO_MEMORY;
    real *d_gamma = ones + K, *d_beta = d_gamma + C; /* of a few samples */
    double *shares = job->shares + begin / job->part * 2 * C;
    for (size k = 0; k < K; k++) ones[k] = 1;
    for (size c = 0; c < 2 * C; c++) shares[c] = 0;
    for (size first = begin; first < end; first += SAMPLES_AS_REAL) {
        const size last = min_size(end, first + SAMPLES_AS_REAL);
        memset(d_gamma, 0, (size_t)(2 * C) * sizeof(real));
        for (size row = first * job->groups; row < last * job->groups; row++) {
            const size c = row % job->groups * K;
            const real *x = (const real *)job->x + row * L, *delta = (const real *)job->delta + row * L;
            const real *scale = job->weight ? (const real *)job->weight + c : ones;
            const real mu = job->mean ? ((real *)job->mean)[row] : 0, inv_std = ((real *)job->inv_std)[row];
            double sum, product;
            if (S == 1)
                NAME(channels_of_1)(x, delta, scale, mu, inv_std, K, d_gamma + c, d_beta + c, &sum, &product);
            else
                NAME(channels_of_S)(x, delta, scale, mu, inv_std, K, S, d_gamma + c, d_beta + c, &sum, &product);
            if (!job->y) continue;
            const real lift = job->mean ? (real)(sum / (double)L) : 0;
            const real slope = (real)(product * (double)inv_std * (double)inv_std / (double)L);
            NAME(row_delta)(x, delta, scale, (real *)job->y + row * L, mu, inv_std, lift, slope, K, S);
        }
        for (size c = 0; c < 2 * C; c++) shares[c] += (double)d_gamma[c];
    }
    free(ones);
    return 0;
}

/* begin and end count channels, and then channels once more for the shift. */
static int NAME(row_norm_gradients)(const void *job_, size begin, size end) {
    const struct row_norm_job *job = job_;
    const size C = job->C, parts = divide_up(job->N, job->part);
    for (size first = begin; first < end; first += COLUMNS) {
        const size columns = min_size(COLUMNS, end - first);
        double totals[COLUMNS] = {0};
        for (size p = 0; p < parts; p++)
            for (size i = 0; i < columns; i++) totals[i] += job->shares[p * 2 * C + first + i];
        for (size i = 0; i < columns; i++) {
            const size c = first + i;
            real *gradient = c < C ? job->d_gamma : job->d_beta;
            if (gradient) gradient[c < C ? c : c - C] = (real)totals[i];
        }
    }
    return 0;
}
