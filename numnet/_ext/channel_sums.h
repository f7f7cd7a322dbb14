/* Gradient of a bias: sums[f] = Σₙ,ₚ x[n, f, p]. Summed in blocks of fixed length, so that long sums stay exact. */

#define SUM_BLOCK ((size)64)

typedef struct {
    size n, f, p;
    const real *x;
    real *sums;
} NAME(sums_job);

/* Where p is 1: neighbours are other channels. */
static int NAME(sum_columns)(const void *job, size first, size last) {
    const NAME(sums_job) *s = job;
    size width = last - first;
    double total[SUM_BLOCK] = {0};
    for (size n0 = 0; n0 < s->n; n0 += SUM_BLOCK) {
        real part[SUM_BLOCK] = {0};
        for (size i = n0; i < min_size(n0 + SUM_BLOCK, s->n); i++)
            for (size j = 0; j < width; j++) part[j] += s->x[i * s->f + first + j];
        for (size j = 0; j < width; j++) total[j] += (double)part[j];
    }
    for (size j = 0; j < width; j++) s->sums[first + j] = (real)total[j];
    return 0;
}

static int NAME(sum_planes)(const void *job, size first, size last) {
    const NAME(sums_job) *s = job;
    size p = s->p;
    for (size channel = first; channel < last; channel++) {
        double total = 0;
        for (size i = 0; i < s->n; i++) {
            const real *row = s->x + (i * s->f + channel) * p;
            size q = 0;
            while (q + LANES <= p) {
                vec part = {0};
                for (size stop = min_size(p, q + SUM_BLOCK * LANES); q + LANES <= stop; q += LANES) part += load(row + q);
                for (size l = 0; l < LANES; l++) total += (double)part[l];
            }
            for (; q < p; q++) total += (double)row[q];
        }
        s->sums[channel] = (real)total;
    }
    return 0;
}

static void NAME(channel_sums)(size n, size f, size p, const void *x, void *sums, int threads) {
    NAME(sums_job) job = {n, f, p, x, sums};
    if (p == 1)
        run_in_parts(NAME(sum_columns), &job, f, SUM_BLOCK, threads);
    else
        run_in_parts(NAME(sum_planes), &job, f, 1, threads);
}
