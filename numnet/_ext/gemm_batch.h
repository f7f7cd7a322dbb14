/* Products of one shape, those from `begin` to `end` of a batch. Where they are few and large, threads share each of them. */
static int NAME(gemm_batch)(const void *job_, size begin, size end) {
    const struct gemm_batch_job *job = job_;
    for (size item = begin; item < end; item++) {
        const real *a = job->a, *b = job->b;
        size rest = item;
        for (int axis = job->axes - 1; axis >= 0; axis--) {
            const size i = rest % job->sizes[axis];
            rest /= job->sizes[axis];
            a += i * job->a_steps[axis];
            b += i * job->b_steps[axis];
        }
        if (NAME(gemm)(job->m, job->n, job->k, a, job->a_row, job->a_column, b, job->b_row, job->b_column, NULL,
                       (real *)job->c + item * job->m * job->n, job->threads) < 0)
            return NO_MEMORY;
    }
    return 0;
}
