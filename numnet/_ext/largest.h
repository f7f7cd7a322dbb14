/* The largest of some numbers, and where it stands: NaN wins over every number, and of equals the first. */

#undef spot
#undef NOWHERE
/* A place in a plane, as wide as the numbers, so that both fill the same vectors. */
#if REAL_BITS == 32
typedef int32_t NAME(spot);
#define NOWHERE INT32_MAX /* behind every place: where padding stands */
#else
typedef int64_t NAME(spot);
#define NOWHERE INT64_MAX
#endif
#define spot NAME(spot)

/* Is v larger than top, or the first NaN? Of numbers, or lane by lane of vectors. */
#define LARGER(v, top) ((((v) <= (top)) == 0) & ((top) == (top)))

/* Does v, which stands at `at`, win against top at `where`? */
#define WINS(v, at, top, where)                                                                                        \
    (LARGER(v, top) | ((((v) == (top)) | (((v) != (v)) & ((top) != (top)))) & ((at) < (where))))

INLINE void NAME(contend)(real v, spot at, real *top, spot *where) {
    const int wins = WINS(v, at, *top, *where);
    *top = wins ? v : *top; /* no jump: which wins is not foreseen */
    *where = wins ? at : *where;
}

INLINE void NAME(contend_lanes)(vec v, mask at, vec *top, mask *where) {
    const mask wins = WINS(v, at, *top, *where);
    *top = NAME(select)(wins, v, *top);
    *where = (wins & at) | (~wins & *where);
}

INLINE mask NAME(load_spots)(const spot *p) {
    mask spots;
    memcpy(&spots, p, sizeof spots);
    return spots;
}

/* A vector, or its first n lanes where the others may not be read. */
INLINE vec NAME(load_some)(const real *x, size n, int whole) {
    vec v = {0};
    if (whole) return load(x);
    memcpy(&v, x, sizeof(real) * (size_t)n);
    return v;
}

INLINE void NAME(columns_of)(const real *x, const size *rows, size count, size columns, int whole, real *best,
                             spot *where) {
    for (size begin = 0; begin < columns; begin += LANES) {
        const size w = max_size(0, min_size(begin, columns - LANES));
        vec top = NAME(load_some)(x + rows[0] + w, columns, whole);
        mask at = LANE_NUMBERS + (spot)(rows[0] + w);
        for (size i = 1; i < count; i++) {
            const vec v = NAME(load_some)(x + rows[i] + w, columns, whole);
            const mask wins = LARGER(v, top); /* rows come in order */
            top = NAME(select)(wins, v, top);
            at = (wins & (LANE_NUMBERS + (spot)(rows[i] + w))) | (~wins & at);
        }
        if (columns < LANES) {
            const mask rest = LANE_NUMBERS >= (spot)columns;
            top = NAME(select)(rest, splat(-INFINITY), top);
            at = (rest & NOWHERE) | (~rest & at);
        }
        store(best + w, top);
        memcpy(where + w, &at, sizeof at);
    }
}

/* Column by column the largest of `count` rows, which begin at x + rows[i], and its place in x. Columns fewer than a vector
 * become a whole one, of which the rest never wins; of more the last vector overlaps the one before. `readable`: is there a
 * vector behind the rows? */
static void NAME(largest_of_columns)(const real *x, const size *rows, size count, size columns, int readable, real *best,
                                     spot *where) {
    if (columns < LANES && !readable)
        NAME(columns_of)(x, rows, count, columns, 0, best, where);
    else if (count == 2)
        NAME(columns_of)(x, rows, 2, columns, 1, best, where);
    else
        NAME(columns_of)(x, rows, count, columns, 1, best, where);
}

/* The best of all lanes, in every lane: with the neighbour, then with the pair beside, and so on. */
#define ACROSS(lane, s) ((lane) ^ (s))
#define CONTEND_ACROSS(s)                                                                                              \
    NAME(contend_lanes)                                                                                                \
    (SHUFFLE(*top, *top, EVERY_LANE(ACROSS, s)), SHUFFLE(*where, *where, EVERY_LANE(ACROSS, s)), top, where);
INLINE void NAME(contend_across)(vec *top, mask *where) {
    CONTEND_ACROSS(1)
#if VECTOR_BYTES * 8 / REAL_BITS > 2
    CONTEND_ACROSS(2)
#endif
#if VECTOR_BYTES * 8 / REAL_BITS > 4
    CONTEND_ACROSS(4)
#endif
#if VECTOR_BYTES * 8 / REAL_BITS > 8
    CONTEND_ACROSS(8)
#endif
}
#undef ACROSS
#undef CONTEND_ACROSS

/* The largest of n numbers side by side, and its place: where[i], or i where no places are given. */
static spot NAME(first_largest)(const real *x, const spot *where, size n, real *largest) {
    real best = x[0];
    spot winner = where ? where[0] : 0;
    if (n < LANES) {
        for (size i = 1; i < n; i++) NAME(contend)(x[i], where ? where[i] : (spot)i, &best, &winner);
    } else {
        vec top = load(x);
        mask at = where ? NAME(load_spots)(where) : LANE_NUMBERS;
        for (size i = LANES; i < n; i += LANES) {
            const size from = min_size(i, n - LANES); /* the last vector overlaps the one before */
            NAME(contend_lanes)
            (load(x + from), where ? NAME(load_spots)(where + from) : LANE_NUMBERS + (spot)from, &top, &at);
        }
        NAME(contend_across)(&top, &at);
        best = top[0], winner = at[0];
    }
    *largest = best;
    return winner;
}
