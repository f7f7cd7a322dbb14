/* The largest number of each region of planes (D, H, W), and where it stands; begin and end count planes. */

/* Region o along an axis of plane p: [*first, *last). */
INLINE void NAME(region)(const struct regions_job *job, int axis, size p, size o, size *first, size *last) {
    const size at = job->own[axis] ? p * job->out[axis] + o : o;
    *first = job->start[axis] ? (size)job->start[axis][at] : 0; /* no table for a missing axis */
    *last = job->start[axis] ? (size)job->end[axis][at] : 1;
}

static int NAME(max_regions)(const void *job_, size begin, size end) {
    const struct regions_job *job = job_;
    const size D = job->out[0], H = job->out[1], W = job->out[2];
    real *y = (real *)job->y + begin * D * H * W;
    int64_t *index = job->index + begin * D * H * W;
    for (size p = begin; p < end; p++) {
        const real *x = (const real *)job->x + p * job->in[0] * job->in[1] * job->in[2];
        for (size o = 0; o < D * H * W; o++) {
            size first[3], last[3];
            NAME(region)(job, 0, p, o / (H * W), first, last);
            NAME(region)(job, 1, p, o / W % H, first + 1, last + 1);
            NAME(region)(job, 2, p, o % W, first + 2, last + 2);
            size where = (first[0] * job->in[1] + first[1]) * job->in[2] + first[2];
            real top = x[where];
            for (size d = first[0]; d < last[0]; d++)
                for (size h = first[1]; h < last[1]; h++) {
                    const size row = (d * job->in[1] + h) * job->in[2];
                    for (size at = row + first[2]; at < row + last[2]; at++) {
                        const int wins = (x[at] > top) | ((x[at] != x[at]) & (top == top)); /* the first NaN wins */
                        top = wins ? x[at] : top;
                        where = wins ? at : where;
                    }
                }
            *y++ = top;
            *index++ = where;
        }
    }
    return 0;
}
