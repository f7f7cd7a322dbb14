/* What a sliding window sees of planes (D, H, W), tap by tap, and the adjoint; begin and end count planes. */

/* The outputs [*first, *last) of an axis whose tap k lies in x. */
INLINE void NAME(seen)(const struct window_job *job, int axis, size k, size *first, size *last) {
    const size stride = job->stride[axis], at = k * job->dilation[axis] - job->before[axis]; /* of output 0 */
    *first = min_size(at < 0 ? divide_up(-at, stride) : 0, job->out[axis]);
    *last = max_size(*first, min_size(at < job->in[axis] ? divide_up(job->in[axis] - at, stride) : 0, job->out[axis]));
}

/* Tap (a, b, c) of a plane, with the same loops there and back. */
INLINE void NAME(move_tap)(const struct window_job *job, size a, size b, size c, real *x, real *u, int way) {
    const size H = job->out[1], W = job->out[2], stride = job->stride[2];
    size first[3], last[3];
    NAME(seen)(job, 0, a, first, last);
    NAME(seen)(job, 1, b, first + 1, last + 1);
    NAME(seen)(job, 2, c, first + 2, last + 2);
    const size n = last[2] - first[2], outputs = job->out[0] * H * W;
    const size seen_by_all = (last[0] - first[0]) * (last[1] - first[1]) * n;
    for (size o = 0; o < outputs && way == UNFOLD && seen_by_all < outputs; o++) u[o] = (real)job->fill;
    for (size d = first[0]; d < last[0]; d++)
        for (size h = first[1]; h < last[1]; h++) {
            const size depth = d * job->stride[0] + a * job->dilation[0] - job->before[0];
            const size row = h * job->stride[1] + b * job->dilation[1] - job->before[1];
            const size column = first[2] * stride + c * job->dilation[2] - job->before[2];
            real *restrict seen = x + (depth * job->in[1] + row) * job->in[2] + column;
            real *restrict out = u + (d * H + h) * W + first[2];
            if (n <= 0) continue;
            if (way == UNFOLD && stride == 1)
                memcpy(out, seen, (size_t)n * sizeof(real));
            else if (way == UNFOLD)
                for (size w = 0; w < n; w++) out[w] = seen[w * stride];
            else if (way == FOLD_APART)
                for (size w = 0; w < n; w++) seen[w * stride] = out[w];
            else if (stride == 1)
                for (size w = 0; w < n; w++) seen[w] += out[w];
            else
                for (size w = 0; w < n; w++) seen[w * stride] += out[w];
        }
}

INLINE void NAME(move_taps)(const struct window_job *job, size p, real *x, real *u, int way) {
    const size plane = job->in[0] * job->in[1] * job->in[2], outputs = job->out[0] * job->out[1] * job->out[2];
    const size taps = job->kernel[0] * job->kernel[1] * job->kernel[2];
    x += p * plane, u += p * taps * outputs;
    if (way != UNFOLD) memset(x, 0, (size_t)plane * sizeof(real));
    for (size k = 0; k < taps; k++, u += outputs) {
        const size c = k % job->kernel[2], b = k / job->kernel[2] % job->kernel[1];
        NAME(move_tap)(job, k / (job->kernel[1] * job->kernel[2]), b, c, x, u, way);
    }
}

static int NAME(unfold)(const void *job_, size begin, size end) {
    const struct window_job *job = job_;
    for (size p = begin; p < end; p++) NAME(move_taps)(job, p, (real *)job->x, job->y, UNFOLD);
    return 0;
}

static int NAME(fold)(const void *job_, size begin, size end) {
    const struct window_job *job = job_;
    int apart = 1;
    for (int a = 0; a < 3; a++) apart &= (job->kernel[a] - 1) * job->dilation[a] < job->stride[a];
    for (size p = begin; p < end; p++)
        if (apart)
            NAME(move_taps)(job, p, job->y, (real *)job->x, FOLD_APART);
        else
            NAME(move_taps)(job, p, job->y, (real *)job->x, FOLD);
    return 0;
}
