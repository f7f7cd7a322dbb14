/* Sum of x^2, a share for each part of x. */
static int NAME(square_sum)(const void *job_, size begin, size end) {
    const struct square_sum_job *job = job_;
    const real *x = (const real *)job->x + begin;
    job->sums[begin / job->part] = NAME(long_dot)(x, x, 0, end - begin);
    return 0;
}
