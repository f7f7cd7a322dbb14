/* The heart: a tile of the product A B kept in registers while k runs, of an A and a B as tiles.h has them. */

/* What a tile reads; each kind is a function of its own, for a question asked for each k would cost as much as the sum. */
#ifndef NUMNET_TILE_KINDS
#define NUMNET_TILE_KINDS
enum { A_PACKED, A_IN_PLACE, A_BY_OFFSET, B_BY_OFFSET /* and A packed */ };
#endif

INLINE void NAME(tile)(const int rows, const int vecs, const int kind, size depth, const real *a, size a_row,
                       const real *b, size step, const size *offset, const size *start, NAME(target) t) {
    vec sum[ROWS][2];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vecs; v++) sum[i][v] = (vec){0};
    }
    TWICE for (size k = 0; k < depth; k++) {
        vec w[2];
        UNROLL for (int v = 0; v < vecs; v++)
            w[v] = load(kind == B_BY_OFFSET ? b + offset[k] + start[v] : b + k * step + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            vec x = splat(kind == A_IN_PLACE    ? a[i * a_row + k]
                          : kind == A_BY_OFFSET ? a[offset[k] + i]
                                                : a[k * rows + i]);
            UNROLL for (int v = 0; v < vecs; v++) sum[i][v] += x * w[v];
        }
    }
#define FOR_EACH_SUM UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < vecs; v++)
    if (t.accumulate) {
        FOR_EACH_SUM sum[i][v] += load(t.c + i * t.row + v * LANES);
    } else {
        if (t.row_bias) FOR_EACH_SUM sum[i][v] += splat(t.row_bias[i]);
        if (t.column_bias) FOR_EACH_SUM sum[i][v] += load(t.column_bias + v * LANES);
    }
    FOR_EACH_SUM store(t.c + i * t.row + v * LANES, sum[i][v]);
#undef FOR_EACH_SUM
}

/* How far it is from k to k + 1 in A. */
INLINE size NAME(along)(int kind, size rows) { return kind == A_IN_PLACE ? 1 : kind == A_BY_OFFSET ? 0 : rows; }

/* `count` tiles of a number of rows that is known only now: one below the other, or side by side, where panels of B lie
 * b_next apart. Why: a call for each would cost as much as a tile in which k is short. */
INLINE void NAME(line)(const int vecs, const int kind, const int beside, size count, size rows, size depth, const real *a,
                       size a_row, const real *b, size step, size b_next, const size *offset, const size *start,
                       NAME(target) t) {
    const size run = NAME(even_part)(depth, LONGEST);
#define CASE(r)                                                                                                        \
    case r:                                                                                                            \
        for (size q = 0; q < count; q++) {                                                                             \
            NAME(target) part = t;                                                                                     \
            if (beside && depth <= LONGEST) /* without the loop: what is short feels it */                             \
                NAME(tile)(r, vecs, kind, depth, a, a_row, b, step, offset, start, t);                                 \
            else                                                                                                       \
                for (size k = 0; k == 0 || k < depth; k += run, part.accumulate = 1)                                   \
                    NAME(tile)(r, vecs, kind, min_size(depth - k, run), a + k * NAME(along)(kind, r), a_row,           \
                               b + k * step, step, offset ? offset + k : NULL, start, part);                           \
            if (beside) {                                                                                              \
                b += b_next;                                                                                           \
                t.c += vecs * LANES;                                                                                   \
                if (t.column_bias) t.column_bias += vecs * LANES;                                                      \
                continue;                                                                                              \
            }                                                                                                          \
            a += r * (kind == A_IN_PLACE ? a_row : depth);                                                             \
            t.c += r * t.row;                                                                                          \
            if (t.row_bias) t.row_bias += r;                                                                           \
        }                                                                                                              \
        break;
    switch (rows) { ROW_CASES }
#undef CASE
}

/* A function for each kind: one that held them all took the compiler a fifth longer. */
#define COLUMN_OF(name, vecs, kind)                                                                                    \
    void NAME(name)(size count, size rows, size depth, const real *a, size a_row, const real *b, size step,            \
                    const size *offset, const size *start, NAME(target) t) {                                           \
        NAME(line)(vecs, kind, 0, count, rows, depth, a, a_row, b, step, 0, offset, start, t);                         \
    }
COLUMN_OF(narrow_packed, 1, A_PACKED)
COLUMN_OF(wide_packed, 2, A_PACKED)
COLUMN_OF(narrow_in_place, 1, A_IN_PLACE)
COLUMN_OF(wide_in_place, 2, A_IN_PLACE)
COLUMN_OF(narrow_by_offset, 1, B_BY_OFFSET)
COLUMN_OF(wide_by_offset, 2, B_BY_OFFSET)
COLUMN_OF(narrow_upright, 1, A_BY_OFFSET)
COLUMN_OF(wide_upright, 2, A_BY_OFFSET)
#undef COLUMN_OF
#define STRIP_OF(name, kind)                                                                                           \
    void NAME(name)(size count, size rows, size depth, const real *a, size a_row, const real *b, size step,            \
                    size b_next, NAME(target) t) {                                                                     \
        NAME(line)(2, kind, 1, count, rows, depth, a, a_row, b, step, b_next, NULL, NULL, t);                          \
    }
STRIP_OF(strip_packed, A_PACKED)
STRIP_OF(strip_in_place, A_IN_PLACE)
#undef STRIP_OF
