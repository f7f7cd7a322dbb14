static int NAME(relu)(const void *job_, size begin, size end) {
    const struct map_job *job = job_;
    const real *restrict x = job->x;
    real *restrict y = job->y;
    for (size i = begin; i < end; i++) y[i] = x[i] <= 0 ? 0 : x[i]; /* NaN is not <= 0: it passes */
    return 0;
}

static int NAME(relu_backward)(const void *job_, size begin, size end) {
    const struct map_job *job = job_;
    const real *restrict a = job->x, *restrict delta = job->delta;
    real *restrict y = job->y;
    for (size i = begin; i < end; i++) y[i] = a[i] <= 0 ? 0 : delta[i];
    return 0;
}

/* 1 / (1 + exp(-x)) for x >= 0 and exp(x) / (1 + exp(x)) for x < 0: exp never overflows. */
static int NAME(sigmoid)(const void *job_, size begin, size end) {
    const struct map_job *job = job_;
    const real *restrict x = job->x;
    real *restrict y = job->y;
    for (size i = begin; i < end; i++) {
        const real e = NAME(exp)(x[i] < 0 ? x[i] : -x[i]);
        y[i] = (x[i] < 0 ? e : 1) / (1 + e);
    }
    return 0;
}

static int NAME(sigmoid_backward)(const void *job_, size begin, size end) {
    const struct map_job *job = job_;
    const real *restrict a = job->x, *restrict delta = job->delta;
    real *restrict y = job->y;
    for (size i = begin; i < end; i++) y[i] = delta[i] * a[i] * (1 - a[i]);
    return 0;
}

/* tanh |x| = -e / (e + 2) with e = exp(-2|x|) - 1: no cancellation near 0, no overflow far from it. */
static int NAME(tanh)(const void *job_, size begin, size end) {
    const struct map_job *job = job_;
    const real *restrict x = job->x;
    real *restrict y = job->y;
    for (size i = begin; i < end; i++) {
        const real e = NAME(expm1_of_negative)(-2 * (x[i] < 0 ? -x[i] : x[i]));
        const real a = -e / (e + 2);
        y[i] = NAME(copysign)(a, x[i]);
    }
    return 0;
}

static int NAME(tanh_backward)(const void *job_, size begin, size end) {
    const struct map_job *job = job_;
    const real *restrict a = job->x, *restrict delta = job->delta;
    real *restrict y = job->y;
    for (size i = begin; i < end; i++) y[i] = delta[i] * (1 - a[i] * a[i]);
    return 0;
}
