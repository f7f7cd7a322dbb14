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
