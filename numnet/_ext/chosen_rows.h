/* Rows chosen by number: gathered, and what comes back added to where they came from. */

/* y[n] = x[index[n]], rows of so many bytes. They may lie far away and apart: some are asked for before they are copied. */
#define ASKED ((size)4096) /* bytes; of longer rows their beginning, the processor then sees what follows */
static int NAME(gather_rows)(const void *job_, size begin, size end) {
    const struct gather_job *job = job_;
    const size bytes = job->bytes, asked = min_size(bytes, ASKED), ahead = 1 + ASKED / max_size(bytes, 1);
    for (size n = begin; n < end; n++) {
        if (n + ahead < end)
            for (size i = 0; i < asked; i += 64) __builtin_prefetch(job->x + job->index[n + ahead] * bytes + i);
        memcpy(job->y + n * bytes, job->x + job->index[n] * bytes, (size_t)bytes);
    }
    return 0;
}
#undef ASKED

/* y[index[n]] += delta[n] for every n in turn: begin and end count columns, so that no two parts write one number. */
static int NAME(scatter_rows)(const void *job_, size begin, size end) {
    const struct scatter_job *job = job_;
    for (size n = 0; n < job->N; n++) {
        const real *restrict delta = (const real *)job->delta + n * job->D;
        real *restrict y = (real *)job->y + job->index[n] * job->D;
        for (size d = begin; d < end; d++) y[d] += delta[d];
    }
    return 0;
}
