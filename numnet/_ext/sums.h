/* Sums over all numbers of x, a share for each part of it: of x^2, |x|, or Huber's rho. */
static int NAME(square_sum)(const void *job_, size begin, size end) {
    const struct sum_job *job = job_;
    const real *x = (const real *)job->x + begin;
    job->sums[begin / job->part] = NAME(long_dot)(x, x, 0, end - begin);
    return 0;
}

/* The same of a function of each vector v, 0 where v is. */
#define SUM_OF(name, function)                                                                                         \
    static int NAME(name)(const void *job_, size begin, size end) {                                                    \
        const struct sum_job *job = job_;                                                                              \
        const real *x = job->x;                                                                                        \
        const vec width = splat((real)job->width);                                                                     \
        (void)width;                                                                                                   \
        double total = 0;                                                                                              \
        for (size i = begin; i < end;) {                                                                               \
            const size stop = min_size(end, i + SHORT);                                                                \
            vec sum[4] = {{0}}, v;                                                                                     \
            for (; i + 4 * LANES <= stop; i += 4 * LANES)                                                              \
                for (int j = 0; j < 4; j++) v = load(x + i + j * LANES), sum[j] += function;                           \
            for (; i < stop; i += LANES) {                                                                             \
                real rest[LANES] = {0};                                                                                \
                memcpy(rest, x + i, sizeof(real) * (size_t)min_size(LANES, stop - i));                                 \
                v = load(rest), sum[0] += function;                                                                    \
            }                                                                                                          \
            real lanes[LANES];                                                                                         \
            store(lanes, (sum[0] + sum[1]) + (sum[2] + sum[3]));                                                       \
            for (int lane = 0; lane < LANES; lane++) total += (double)lanes[lane];                                     \
            i = stop;                                                                                                  \
        }                                                                                                              \
        job->sums[begin / job->part] = total;                                                                          \
        return 0;                                                                                                      \
    }

INLINE vec NAME(magnitude)(vec v) { return NAME(select)(v < 0, -v, v); } /* NaN stays */

INLINE vec NAME(huber_cost)(vec v, vec width) {
    const vec distance = NAME(magnitude)(v), m = NAME(select)(distance > width, width, distance);
    return m * (distance - m / 2);
}

SUM_OF(absolute_sum, NAME(magnitude)(v))
SUM_OF(huber_sum, NAME(huber_cost)(v, width))
#undef SUM_OF
