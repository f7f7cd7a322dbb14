/* Max pooling; begin and end count lines of outputs, backward planes. */

static void NAME(max_of_planes)(const struct window_job *job, size begin, size end) {
    const size plane = job->in[0] * job->in[1] * job->in[2];
    for (size p = begin; p < end; p++)
        job->index[p] = NAME(first_largest)((const real *)job->x + p * plane, NULL, plane, (real *)job->y + p);
}

/* LANES numbers, so many apart. */
#define EVEN(lane, s) (2 * (lane))
#define TAKEN(lane, s) p[(lane) * (s)]
INLINE vec NAME(every)(const real *p, size stride) {
    if (stride == 1) return load(p);
    if (stride == 2) return SHUFFLE(load(p), load(p + LANES), EVERY_LANE(EVEN, 0));
    return (vec){EVERY_LANE(TAKEN, stride)};
}
#undef EVEN
#undef TAKEN

/* Up to LANES outputs and their places; all of them where the rest is still to be written anyway, that is before `end`. */
INLINE void NAME(put_largest)(vec top, mask at, size lanes, real *y, int64_t *index, const real *end) {
    NAME(store_before)(y, top, lanes, end);
    if (end - y >= LANES)
        for (size lane = 0; lane < LANES; lane++) index[lane] = at[lane];
    else
        for (size lane = 0; lane < lanes; lane++) index[lane] = at[lane];
}

/* The largest of n windows of one row, tap by tap. x[0] has this place. */
INLINE void NAME(max_by_tap)(const struct window_job *job, size stride, const real *x, size place, size n, real *y,
                             int64_t *index, const real *end) {
    for (size o = 0; o < n; o += LANES) {
        vec top = NAME(every)(x + o * stride, stride);
        const mask first = LANE_NUMBERS * (spot)stride + (spot)(place + o * stride);
        mask at = first;
        for (size k = 1; k < job->kernel[2]; k++) {
            const vec v = NAME(every)(x + o * stride + k * job->dilation[2], stride);
            const mask wins = LARGER(v, top); /* taps come in order */
            top = NAME(select)(wins, v, top);
            at = (wins & (first + (spot)(k * job->dilation[2]))) | (~wins & at);
        }
        NAME(put_largest)(top, at, min_size(n - o, LANES), y + o, index + o, end);
    }
}

/* Do windows see one row each, and hang over no edge? */
INLINE int NAME(sees_one_row)(const struct window_job *job) {
    const size reach = (job->kernel[2] - 1) * job->dilation[2] + 1;
    return job->kernel[0] * job->kernel[1] == 1 && job->before[2] == 0 &&
           (job->out[2] - 1) * job->stride[2] + reach <= job->in[2];
}

static int NAME(max_of_rows)(const struct window_job *job, size begin, size end) {
    const size W = job->in[2], plane = job->in[0] * job->in[1] * W, outputs = job->out[2], stride = job->stride[2];
    const size lines = job->out[0] * job->out[1];
    const size reads = divide_up(outputs, LANES) * LANES * stride + job->kernel[2] * job->dilation[2];
    real *copy = NULL; /* of a row behind which a vector would read past x */
    const real *y_end = (real *)job->y + end * outputs;
    for (size line = begin; line < end; line++) {
        const size p = line / lines, depth = line / job->out[1] % job->out[0] * job->stride[0];
        const size place = (depth * job->in[1] + line % job->out[1] * job->stride[1]) * W;
        const real *x = (const real *)job->x + p * plane + place;
        real *y = (real *)job->y + line * outputs;
        int64_t *index = job->index + line * outputs;
        if (NAME(is_wide)(job)) {
            for (size o = 0; o < outputs; o++)
                index[o] = place + o * stride + NAME(first_largest)(x + o * stride, NULL, job->kernel[2], y + o);
            continue;
        }
        if (p * plane + place + reads > job->planes * plane) {
            if (!copy && !(copy = calloc((size_t)max_size(reads, W), sizeof(real)))) return NO_MEMORY;
            x = memcpy(copy, x, sizeof(real) * (size_t)W);
        }
        if (stride == 1)
            NAME(max_by_tap)(job, 1, x, place, outputs, y, index, y_end);
        else if (stride == 2)
            NAME(max_by_tap)(job, 2, x, place, outputs, y, index, y_end);
        else
            NAME(max_by_tap)(job, stride, x, place, outputs, y, index, y_end);
    }
    free(copy);
    return 0;
}

/* top[o] = the largest of window o along a line, and at[o] its place. The last vector has windows that nobody asked for. */
INLINE void NAME(largest_along)(const struct window_job *job, size stride, const real *line, const spot *where, size n,
                                real *top, spot *at) {
    const real *spots = (const real *)where; /* as wide, and moved alike */
    for (size o = 0; o < n; o += LANES) {
        vec best = NAME(every)(line + o * stride, stride);
        mask winner = (mask)NAME(every)(spots + o * stride, stride);
        for (size k = 1; k < job->kernel[2]; k++) {
            const size tap = o * stride + k * job->dilation[2];
            NAME(contend_lanes)(NAME(every)(line + tap, stride), (mask)NAME(every)(spots + tap, stride), &best, &winner);
        }
        store(top + o, best);
        memcpy(at + o, &winner, sizeof winner);
    }
}

/* The usual strides by name, so that each becomes code of its own. */
static void NAME(largest_of_windows)(const struct window_job *job, const real *line, const spot *where, size n, real *top,
                                     spot *at) {
    const size stride = job->stride[2];
    if (NAME(is_wide)(job))
        for (size o = 0; o < n; o++)
            at[o] = NAME(first_largest)(line + o * stride, where + o * stride, job->kernel[2], top + o);
    else if (stride == 1)
        NAME(largest_along)(job, 1, line, where, n, top, at);
    else if (stride == 2)
        NAME(largest_along)(job, 2, line, where, n, top, at);
    else
        NAME(largest_along)(job, stride, line, where, n, top, at);
}

#define LINES 1024 /* numbers of lines side by side, so that a loop over outputs is worth its beginning and its end */

static int NAME(max_pool)(const void *job_, size begin, size end) {
    const struct window_job *job = job_;
    if (NAME(sees_plane)(job)) {
        NAME(max_of_planes)(job, begin, end);
        return 0;
    }
    if (NAME(sees_one_row)(job)) return NAME(max_of_rows)(job, begin, end);
    const size W = job->in[2], stride = job->stride[2], plane = job->in[0] * job->in[1] * W, outputs = job->out[2];
    const size lines = job->out[0] * job->out[1], before = job->before[2];
    const size seen = (outputs - 1) * stride + (job->kernel[2] - 1) * job->dilation[2] + 1; /* by all windows of a line */
    const size columns = min_size(W, seen - before), steps = divide_up(seen, stride);
    const size most = min_size(min_size(lines, end - begin), max_size(1, LINES / (steps * stride)));
    const size n = (divide_up(most * steps, LANES) + 1) * LANES, room = n * stride + seen;
    real *line = scratch((room + n) * (size)(sizeof(real) + sizeof(spot)));
    NAME(view) view;
    if (NAME(look)(job, begin % lines, min_size(lines, end - begin), &view) < 0 || !line) {
        free(line), free(view.rows);
        return NO_MEMORY;
    }
    real *top = line + room;
    spot *where = (spot *)(top + n), *at = where + room;
    for (size i = 0; i < room; i++) line[i] = -INFINITY, where[i] = NOWHERE;
    const real *y_end = (real *)job->y + end * outputs;
    for (size first = begin, count; first < end; first += count) { /* some lines of a plane */
        count = min_size(min_size(most, end - first), lines - first % lines);
        const size p = first / lines;
        const int readable = (job->planes - p - 1) * plane >= LANES;
        for (size i = 0; i < count; i++) {
            const size q = (first - begin + i) % lines, to = i * steps * stride + before;
            NAME(largest_of_columns)((const real *)job->x + p * plane, view.rows + q * view.most, view.counts[q], columns,
                                     readable, line + to, where + to);
        }
        NAME(largest_of_windows)(job, line, where, count * steps, top, at);
        const size at_once = steps == outputs ? count * outputs : outputs; /* that lie side by side */
        for (size i = 0; i < count * outputs; i += at_once)
            for (size o = 0; o < at_once; o += LANES) {
                const size from = i / outputs * steps + o, to = first * outputs + i + o;
                NAME(put_largest)(load(top + from), NAME(load_spots)(at + from), min_size(LANES, at_once - o),
                                  (real *)job->y + to, job->index + to, y_end);
            }
    }
    free(line), free(view.rows);
    return 0;
}
#undef LINES

/* delta_x = 0, and then delta added where it belongs; BAD_INDEX where an index is not in its plane. */
static int NAME(max_pool_backward)(const void *job_, size begin, size end) {
    const struct window_job *job = job_;
    const size plane = job->in[0] * job->in[1] * job->in[2], outputs = job->out[0] * job->out[1] * job->out[2];
    int inside = 1;
    for (size p = begin; p < end; p++) {
        real *restrict x = (real *)job->y + p * plane;
        const real *restrict delta = (const real *)job->x + p * outputs;
        const int64_t *restrict index = job->index + p * outputs;
        memset(x, 0, (size_t)plane * sizeof(real));
        for (size o = 0; o < outputs; o++) {
            if ((uint64_t)index[o] < (uint64_t)plane) /* a negative one counts as huge */
                x[index[o]] += delta[o];
            else
                inside = 0;
        }
    }
    return inside ? 0 : BAD_INDEX;
}
