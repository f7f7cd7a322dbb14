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

/* best[w] = the largest of column w over rows [first, last) of depths [front, back); where = the place of the first. There is
 * room for a vector; of longer rows the last vector overlaps the one before. */
static void NAME(max_of_columns)(const struct regions_job *job, const real *x, size front, size back, size first,
                                 size last, real *best, place *where) {
    const size H = job->in[1], W = job->in[2];
    for (size begin = 0; begin < W; begin += LANES) {
        const size w = max_size(0, min_size(begin, W - LANES));
        vec top = {0};
        mask at = {0};
        for (size d = front; d < back; d++)
            for (size h = first; h < last; h++) {
                const size row = (d * H + h) * W + w;
                vec v = {0};
                if (W >= LANES)
                    v = load(x + row);
                else
                    memcpy(&v, x + row, sizeof(real) * (size_t)W);
                const mask begins = (mask){0} - (d == front && h == first);
                const mask wins = begins | (v > top) | ((v != v) & (top == top));
                top = NAME(select)(wins, v, top);
                at = (wins & (LANE_NUMBERS + (place)row)) | (~wins & at);
            }
        store(best + w, top);
        memcpy(where + w, &at, sizeof at);
    }
}

static int NAME(max_regions)(const void *job_, size begin, size end) {
    const struct regions_job *job = job_;
    const size D = job->out[0], H = job->out[1], W = job->out[2], plane = job->in[0] * job->in[1] * job->in[2];
    const size room = max_size(job->in[2], LANES);
    real *best = scratch(room * (size)(sizeof(real) + sizeof(place)));
    if (!best) return NO_MEMORY;
    place *where = (place *)(best + room);
    real *y = (real *)job->y + begin * D * H * W;
    int64_t *index = job->index + begin * D * H * W;
    for (size p = begin; p < end; p++)
        for (size d = 0; d < D; d++)
            for (size h = 0; h < H; h++) {
                size front, back, first, last;
                NAME(region)(job, 0, p, d, &front, &back);
                NAME(region)(job, 1, p, h, &first, &last);
                const real *x = (const real *)job->x + p * plane;
                if (back - front == 1 && last - first == 1) { /* of one row, which needs no copy */
                    const size row = (front * job->in[1] + first) * job->in[2];
                    for (size w = 0; w < W; w++) {
                        NAME(region)(job, 2, p, w, &first, &last);
                        *index = row + first + NAME(first_largest)(x + row + first, last - first);
                        *y++ = x[*index++];
                    }
                    continue;
                }
                NAME(max_of_columns)(job, x, front, back, first, last, best, where);
                for (size w = 0; w < W; w++) {
                    NAME(region)(job, 2, p, w, &first, &last);
                    size winner = first;
                    for (size i = first + 1; i < last; i++) { /* the first NaN wins, then the first of the largest */
                        const real v = best[i], top = best[winner];
                        const int equal = (v == top) | ((v != v) & (top != top));
                        const int wins = (v > top) | ((v != v) & (top == top)) | (equal & (where[i] < where[winner]));
                        winner = wins ? i : winner; /* a number, no jump: which wins is not foreseen */
                    }
                    *y++ = best[winner];
                    *index++ = where[winner];
                }
            }
    free(best);
    return 0;
}

#undef place
