/* Weighted sums along the axes of planes (D, H, W), one axis after the other; begin and end count planes.
 *
 * Along D and H whole rows are added up, which is vector code. Along W numbers are picked one by one; so that comes
 * first or last, wherever there are fewer rows. Most of a padded row is only moved: its longest such stretch is copied. */

INLINE int NAME(only_moves)(const struct taps *taps) {
    return taps->in == taps->out && taps->moved == 0 && taps->moved_end == taps->out && taps->shift == 0;
}

INLINE int NAME(is_bare)(const struct taps *taps, size o) {
    return taps->start && taps->start[o] == taps->start[o + 1];
}

/* y = x, n numbers. A row is short: asking memcpy takes longer. The last vector may copy some again. */
INLINE void NAME(move)(const real *restrict x, size n, real *restrict y) {
    if (n < LANES)
        for (size i = 0; i < n; i++) y[i] = x[i];
    else
        for (size i = 0; i < n; i += LANES) {
            const size at = min_size(i, n - LANES);
            store(y + at, load(x + at));
        }
}

/* The outputs [begin, end), each a row of n: the sum of its rows of x. */
INLINE void NAME(add_rows)(const struct taps *taps, const real *weights, const real *x, size n, size begin, size end,
                            real *y) {
    for (size o = begin; o < end; o++) {
        real *restrict row = y + o * n;
        const size first = (size)taps->start[o], last = (size)taps->start[o + 1];
        if (first == last)
            for (size w = 0; w < n; w++) row[w] = 0;
        for (size t = first; t < last; t++) {
            const real *restrict from = x + taps->place[t] * n;
            const real weight = weights[t];
            if (t == first)
                for (size w = 0; w < n; w++) row[w] = weight * from[w];
            else
                for (size w = 0; w < n; w++) row[w] += weight * from[w];
        }
    }
}

/* y (outer, out, n) from x (outer, in, n) */
static void NAME(across)(const struct taps *taps, const real *weights, const real *x, size outer, size n, real *y) {
    for (size i = 0; i < outer; i++, x += taps->in * n, y += taps->out * n) {
        NAME(add_rows)(taps, weights, x, n, 0, taps->moved, y);
        NAME(move)(x + (taps->moved + taps->shift) * n, (taps->moved_end - taps->moved) * n, y + taps->moved * n);
        NAME(add_rows)(taps, weights, x, n, taps->moved_end, taps->out, y);
    }
}

/* The outputs [begin, end), each one number. */
INLINE void NAME(add_numbers)(const struct taps *taps, const real *weights, const real *x, size begin, size end,
                               real *y) {
    for (size o = begin; o < end; o++) {
        size t = (size)taps->start[o];
        const size last = (size)taps->start[o + 1];
        real sum = 0;
        if (t < last) sum = weights[t] * x[taps->place[t]];
        for (t++; t < last; t++) sum += weights[t] * x[taps->place[t]];
        y[o] = sum;
    }
}

/* y (rows, out) from x (rows, in) */
static void NAME(along)(const struct taps *taps, const real *weights, const real *restrict x, size rows,
                        real *restrict y) {
    for (size row = 0; row < rows; row++, x += taps->in, y += taps->out) {
        NAME(add_numbers)(taps, weights, x, 0, taps->moved, y);
        NAME(move)(x + taps->moved + taps->shift, taps->moved_end - taps->moved, y + taps->moved);
        NAME(add_numbers)(taps, weights, x, taps->moved_end, taps->out, y);
    }
}

/* value where an output has no taps along some axis; along W that is nowhere in the stretch that is moved */
static void NAME(fill_bare)(const struct taps *taps, real value, real *y) {
    for (size d = 0; d < taps[0].out; d++)
        for (size h = 0; h < taps[1].out; h++, y += taps[2].out) {
            const int bare = NAME(is_bare)(taps, d) || NAME(is_bare)(taps + 1, h);
            for (size w = 0; w < taps[2].out; w++) {
                if (!bare && w == taps[2].moved) w = taps[2].moved_end;
                if (w < taps[2].out && (bare || NAME(is_bare)(taps + 2, w))) y[w] = value;
            }
        }
}

static int NAME(resample)(const void *job_, size begin, size end) {
    const struct resample_job *job = job_;
    const struct taps *taps = job->axes;
    int passes[3], count = 0;
    size in = 1, out = 1, most = 0, all = 0; /* all: the taps of all axes */
    const int along_first = taps[0].out * taps[1].out > taps[0].in * taps[1].in;
    size shape[3];
    for (int i = 0; i < 3; i++) {
        const int axis = along_first ? (i + 2) % 3 : i;
        if (!NAME(only_moves)(taps + axis)) passes[count++] = axis;
        shape[i] = taps[i].in;
        in *= taps[i].in, out *= taps[i].out;
        if (taps[i].start) all += (size)taps[i].start[taps[i].out];
    }
    if (count == 0) passes[count++] = 2; /* a copy */
    for (int i = 0; i + 1 < count; i++) {
        shape[passes[i]] = taps[passes[i]].out;
        most = max_size(most, shape[0] * shape[1] * shape[2]);
    }
    real *between = scratch((2 * most + all) * (size)sizeof(real));
    if (!between) return NO_MEMORY;
    real *next = between + 2 * most;
    const real *weights[3]; /* as real, of each axis */
    for (int i = 0; i < 3; i++) {
        weights[i] = next;
        for (size t = 0; taps[i].start && t < (size)taps[i].start[taps[i].out]; t++) *next++ = (real)taps[i].weight[t];
    }
    for (size p = begin; p < end; p++) {
        const real *x = (const real *)job->x + p * in;
        for (int i = 0; i < 3; i++) shape[i] = taps[i].in;
        for (int i = 0; i < count; i++) {
            const int axis = passes[i];
            real *y = i + 1 == count ? (real *)job->y + p * out : between + (i & 1) * most;
            if (axis == 2)
                NAME(along)(taps + 2, weights[2], x, shape[0] * shape[1], y);
            else if (axis == 1)
                NAME(across)(taps + 1, weights[1], x, shape[0], shape[2], y);
            else
                NAME(across)(taps, weights[0], x, 1, shape[1] * shape[2], y);
            shape[axis] = taps[axis].out;
            x = y;
        }
        if (job->value != 0) NAME(fill_bare)(taps, (real)job->value, (real *)job->y + p * out);
    }
    free(between);
    return 0;
}
