/* The largest number of each region of planes (D, H, W), and where it stands; begin and end count planes.
 *
 * Across the rows of a region first, column by column, which is vector code; then along what that left. */

#if REAL_BITS == 32
#define place int32_t /* as wide as the elements, so that both fill the same vectors */
#else
#define place int64_t
#endif

/* Region o along an axis of plane p: [*first, *last). */
INLINE void NAME(region)(const struct regions_job *job, int axis, size p, size o, size *first, size *last) {
    const size at = job->own[axis] ? p * job->out[axis] + o : o;
    *first = job->start[axis] ? (size)job->start[axis][at] : 0; /* no table for a missing axis */
    *last = job->start[axis] ? (size)job->end[axis][at] : 1;
}

/* best[w] = the largest of column w over rows [first, last) of depths [front, back); where = the place of the first. */
static void NAME(max_of_columns)(const struct regions_job *job, const real *x, size front, size back, size first,
                                 size last, real *restrict best, place *restrict where) {
    const size H = job->in[1], W = job->in[2];
    for (size d = front; d < back; d++)
        for (size h = first; h < last; h++) {
            const place row = (place)((d * H + h) * W);
            const real *restrict from = x + row;
            const int started = d > front || h > first;
            for (size w = 0; w < W; w++) {
                const real v = from[w];
                const int wins = !started | (v > best[w]) | ((v != v) & (best[w] == best[w]));
                best[w] = wins ? v : best[w];
                where[w] = wins ? row + (place)w : where[w];
            }
        }
}

static int NAME(max_regions)(const void *job_, size begin, size end) {
    const struct regions_job *job = job_;
    const size D = job->out[0], H = job->out[1], W = job->out[2], plane = job->in[0] * job->in[1] * job->in[2];
    real *best = scratch(job->in[2] * (size)(sizeof(real) + sizeof(place)));
    if (!best) return NO_MEMORY;
    place *where = (place *)(best + job->in[2]);
    real *y = (real *)job->y + begin * D * H * W;
    int64_t *index = job->index + begin * D * H * W;
    for (size p = begin; p < end; p++)
        for (size d = 0; d < D; d++)
            for (size h = 0; h < H; h++) {
                size front, back, first, last;
                NAME(region)(job, 0, p, d, &front, &back);
                NAME(region)(job, 1, p, h, &first, &last);
                NAME(max_of_columns)(job, (const real *)job->x + p * plane, front, back, first, last, best, where);
                for (size w = 0; w < W; w++) {
                    NAME(region)(job, 2, p, w, &first, &last);
                    real top = best[first];
                    place at = where[first];
                    for (size i = first + 1; i < last; i++) { /* the first NaN wins, then the first of the largest */
                        const real v = best[i];
                        const int equal = (v == top) | ((v != v) & (top != top));
                        const int wins = (v > top) | ((v != v) & (top == top)) | (equal & (where[i] < at));
                        top = wins ? v : top;
                        at = wins ? where[i] : at;
                    }
                    *y++ = top;
                    *index++ = at;
                }
            }
    free(best);
    return 0;
}

#undef place
