/* The largest number of each region of planes (D, H, W), and where it stands; begin and end count lines of outputs.
 *
 * Across the rows of a region first, column by column, which is vector code; then along what that left. */

/* Region o along an axis of plane p: [*first, *last). */
INLINE void NAME(region)(const struct regions_job *job, int axis, size p, size o, size *first, size *last) {
    const size at = job->own[axis] ? p * job->out[axis] + o : o;
    *first = job->start[axis] ? (size)job->start[axis][at] : 0; /* no table for a missing axis */
    *last = job->start[axis] ? (size)job->end[axis][at] : 1;
}

static int NAME(max_regions)(const void *job_, size begin, size end) {
    const struct regions_job *job = job_;
    const size D = job->out[0], H = job->out[1], W = job->out[2], per_row = job->in[2];
    const size most = job->in[0] * job->in[1], plane = most * per_row, room = max_size(per_row, LANES);
    size *rows = scratch(most * (size)sizeof(size) + room * (size)(sizeof(real) + sizeof(spot)));
    if (!rows) return NO_MEMORY;
    real *line = (real *)(rows + most);
    spot *where = (spot *)(line + room);
    real *y = (real *)job->y + begin * W;
    int64_t *index = job->index + begin * W;
    for (size q = begin; q < end; q++) {
        const size p = q / (D * H);
        size front, back, first, last, count = 0;
        NAME(region)(job, 0, p, q / H % D, &front, &back);
        NAME(region)(job, 1, p, q % H, &first, &last);
        for (size d = front; d < back; d++)
            for (size h = first; h < last; h++) rows[count++] = (d * job->in[1] + h) * per_row;
        const real *x = (const real *)job->x + p * plane;
        const int one = count == 1; /* row, in which the numbers stand in order */
        const int readable = (job->planes - p - 1) * plane >= LANES;
        if (!one) NAME(largest_of_columns)(x, rows, count, per_row, readable, line, where);
        for (size w = 0; w < W; w++) {
            NAME(region)(job, 2, p, w, &first, &last);
            const size from = one ? rows[0] + first : 0;
            *index++ = from + NAME(first_largest)(one ? x + from : line + first, one ? NULL : where + first, last - first, y++);
        }
    }
    free(rows);
    return 0;
}
