/* Sums and maxima of rows, in an order that depends on nothing but the lengths.
 *
 *     *first = sum (a - a_shift)        *second = sum (a - a_shift) (b - b_shift)
 *
 * over so many rows of length n, which begin `stride` apart. Four vectors of partial sums, since an addition takes four
 * cycles; what a caller does not use is not computed. */
INLINE void NAME(moments)(const real *a, real a_shift, const real *b, real b_shift, size rows, size stride, size n,
                          real *first, real *second) {
    vec sums[4] = {{0}}, products[4] = {{0}};
    real sum = 0, product = 0;
    for (size row = 0; row < rows; row++, a += stride, b += stride) {
        size i = 0;
        for (; i + 4 * LANES <= n; i += 4 * LANES)
            for (int j = 0; j < 4; j++) {
                const vec u = load(a + i + j * LANES) - a_shift;
                sums[j] += u;
                products[j] += u * (load(b + i + j * LANES) - b_shift);
            }
        for (; i + LANES <= n; i += LANES) {
            const vec u = load(a + i) - a_shift;
            sums[0] += u;
            products[0] += u * (load(b + i) - b_shift);
        }
        for (; i < n; i++) sum += a[i] - a_shift, product += (a[i] - a_shift) * (b[i] - b_shift);
    }
    if (n >= LANES) {
        const vec lanes = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        const vec more = (products[0] + products[1]) + (products[2] + products[3]);
        for (int lane = 0; lane < LANES; lane++) sum += lanes[lane], product += more[lane];
    }
    *first = sum;
    *second = product;
}

INLINE real NAME(sum)(const real *x, size n) {
    real sum, unused;
    NAME(moments)(x, 0, x, 0, 1, 0, n, &sum, &unused);
    return sum;
}

INLINE real NAME(dot)(const real *x, const real *y, size n) {
    real unused, dot;
    NAME(moments)(x, 0, y, 0, 1, 0, n, &unused, &dot);
    return dot;
}

/* Sums that may be long, in pieces of which each is short enough to be exact. */
#define SHORT ((size)1024)
INLINE double NAME(long_sum)(const real *x, size n) {
    double sum = 0;
    for (size i = 0; i < n; i += SHORT) sum += (double)NAME(sum)(x + i, min_size(SHORT, n - i));
    return sum;
}

/* sum x (y - y_shift) */
INLINE double NAME(long_dot)(const real *x, const real *y, real y_shift, size n) {
    double dot = 0;
    for (size i = 0; i < n; i += SHORT) {
        real unused, part;
        NAME(moments)(x + i, 0, y + i, y_shift, 1, 0, min_size(SHORT, n - i), &unused, &part);
        dot += (double)part;
    }
    return dot;
}

/* The largest, passing over NaN; -inf for none. */
INLINE real NAME(largest)(const real *x, size n) {
    real largest = -INFINITY;
    size i = 0;
    if (n >= LANES) {
        vec top = splat(largest);
        for (; i + LANES <= n; i += LANES) {
            const vec v = load(x + i);
            top = NAME(select)(v > top, v, top);
        }
        for (int lane = 0; lane < LANES; lane++) largest = top[lane] > largest ? top[lane] : largest;
    }
    for (; i < n; i++) largest = x[i] > largest ? x[i] : largest;
    return largest;
}
