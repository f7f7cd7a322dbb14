/* Gradient of a bias: sums[f] = Σₙ,ₚ x[n, f, p]. Summed in blocks of fixed length, so that long sums stay exact. */

#define SUM_BLOCK ((size)64)

static void NAME(channel_sums)(size n, size f, size p, const void *x_, void *sums_, int threads) {
    const real *x = x_;
    real *sums = sums_;
    if (p == 1) { /* neighbours are other channels */
        size columns = divide_up(f, SUM_BLOCK);
        PARALLEL_FOR(threads)
        for (size q = 0; q < columns; q++) {
            size first = q * SUM_BLOCK, width = min_size(f - first, SUM_BLOCK);
            double total[SUM_BLOCK] = {0};
            for (size n0 = 0; n0 < n; n0 += SUM_BLOCK) {
                real part[SUM_BLOCK] = {0};
                for (size i = n0; i < min_size(n0 + SUM_BLOCK, n); i++)
                    for (size j = 0; j < width; j++) part[j] += x[i * f + first + j];
                for (size j = 0; j < width; j++) total[j] += (double)part[j];
            }
            for (size j = 0; j < width; j++) sums[first + j] = (real)total[j];
        }
        return;
    }
    PARALLEL_FOR(threads)
    for (size channel = 0; channel < f; channel++) {
        double total = 0;
        for (size i = 0; i < n; i++) {
            const real *row = x + (i * f + channel) * p;
            size q = 0;
            while (q + LANES <= p) {
                vec part = {0};
                for (size stop = min_size(p, q + SUM_BLOCK * LANES); q + LANES <= stop; q += LANES) part += load(row + q);
                for (size l = 0; l < LANES; l++) total += (double)part[l];
            }
            for (; q < p; q++) total += (double)row[q];
        }
        sums[channel] = (real)total;
    }
}
