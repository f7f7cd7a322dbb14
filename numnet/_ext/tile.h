/* The heart: a tile of the product A B kept in registers while k runs.
 *
 * A is packed: rows are cut evenly into panels of at most ROWS, and within a panel the k-th column lies together,
 * a[k · rows + i]; or it is read where it lies, contiguous along k, a[i · a_row + k], and a_row is not 0; or its rows are
 * neighbours, a[offset[k] + i]. B is a panel of at most COLUMNS columns whose k-th row starts at b + k · step, or at
 * b + offset[k].
 * Each element of the product is summed over k in the same order, whatever the tile that it falls into. */

/* LONGEST is the longest run over k that is summed by itself: the longer, the larger the error of its sums. Runs are as even
 * as can be, for a short one costs more than it sums; 9 · 32, the taps of a common window, are one. DEPTH is how much of k a
 * panel of B has at most: some 50 KiB, which come out of the second-level cache in time. */
#define LONGEST ((size)296)
#if VECTOR_BYTES == 64
#define ROWS 12 /* 24 sums of 32 registers */
#define DEPTH (2 * LONGEST)
#define ROW_CASES                                                                                                      \
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#else
#define ROWS 6 /* 12 sums of 16 registers */
#define DEPTH (3 * LONGEST)
#define ROW_CASES CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#endif
#define COLUMNS (2 * LANES)

/* The length of even pieces of `whole`, `most` at most: the last may be shorter. */
INLINE size NAME(even_part)(size whole, size most) {
    return max_size(1, divide_up(whole, max_size(1, divide_up(whole, most))));
}

/* What a tile reads; each kind is a function of its own, for a question asked for each k would cost as much as the sum. */
#ifndef NUMNET_TILE_KINDS
#define NUMNET_TILE_KINDS
enum { A_PACKED, A_IN_PLACE, A_BY_OFFSET, B_BY_OFFSET /* and A packed */ };
#endif

#define UNROLL _Pragma("GCC unroll 16")
#ifdef __SANITIZE_ADDRESS__
#define TWICE /* the compiler would take minutes longer */
#else
#define TWICE _Pragma("GCC unroll 2") /* 81 instructions, not 84, for two k of 12 × 32: it shows where a core is shared */
#endif

/* A count rounded up to whole vectors. */
#define WHOLE_VECTORS(count) (((count) + LANES - 1) / LANES * LANES)

/* The sum of the lanes of each of a few vectors. There is room for whole vectors of vectors. */
ALONE void NAME(lane_sums)(size count, vec *v, real *sums) {
    for (size first = 0; first < count; first += LANES) {
        for (size i = count; i < first + LANES; i++) v[i] = (vec){0};
        transpose(v + first);
        vec sum = v[first];
        UNROLL for (int i = 1; i < LANES; i++) sum += v[first + i];
        store(sums + first, sum);
    }
}

/* Where a product goes, and what is added to it. */
typedef struct {
    real *c;
    size row;                 /* stride from row to row */
    const real *row_bias;     /* one per row, or NULL */
    const real *column_bias;  /* one per column, readable to whole vectors, or NULL */
    int accumulate;           /* add to what is there, instead of the biases */
} NAME(target);

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

/* A function for each kind: one that held them all took the compiler a fifth longer. Columns are tiles one below the other,
 * strips tiles side by side. */
#define COLUMN_OF(name, vecs, kind)                                                                                    \
    ALONE void NAME(name)(size count, size rows, size depth, const real *a, size a_row, const real *b, size step,      \
                          const size *offset, const size *start, NAME(target) t) {                                     \
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
    ALONE void NAME(name)(size count, size rows, size depth, const real *a, size a_row, const real *b, size step,      \
                          size b_next, NAME(target) t) {                                                               \
        NAME(line)(2, kind, 1, count, rows, depth, a, a_row, b, step, b_next, NULL, NULL, t);                          \
    }
STRIP_OF(strip_packed, A_PACKED)
STRIP_OF(strip_in_place, A_IN_PLACE)
#undef STRIP_OF

INLINE void NAME(tiles)(size count, size rows, size vecs, size depth, const real *a, size a_row, const real *b, size step,
                        const size *offset, const size *start, NAME(target) t) {
#define COLUMN(kind) (vecs == 2 ? NAME(wide_##kind) : NAME(narrow_##kind))
    (offset  ? COLUMN(by_offset)
     : a_row ? COLUMN(in_place)
             : COLUMN(packed))(count, rows, depth, a, a_row, b, step, offset, start, t);
#undef COLUMN
}

/* Where panel q of m rows starts: panels as even as can be, for a panel of one row wastes the registers. The first m % p
 * of the p panels have one row more. */
INLINE size NAME(panel_start)(size m, size q) {
    size panels = divide_up(m, ROWS);
    return q * (m / panels) + min_size(q, m % panels);
}

/* Packs rows of A, `depth` columns of it; element (i, k) is at a[i · row + k · column], or at a[i · row + offset[k]]. */
static void NAME(pack_rows)(size rows, size depth, const real *a, size row, size column, const size *offset,
                            real *packed) {
    if (offset) {
        for (size k = 0; k < depth; k++)
            for (size i = 0; i < rows; i++) packed[k * rows + i] = a[i * row + offset[k]];
    } else if (column == 1) {
        size k = 0;
        for (; rows <= LANES && k + 2 * LANES <= depth; k += LANES) { /* what a vector brings too much, the next writes over */
            vec block[VECTOR_BYTES / sizeof(real)];
            UNROLL for (size i = 0; i < LANES; i++) block[i] = load(a + min_size(i, rows - 1) * row + k);
            transpose(block);
            UNROLL for (size j = 0; j < LANES; j++) store(packed + (k + j) * rows, block[j]);
        }
        for (; k < depth; k++)
            for (size i = 0; i < rows; i++) packed[k * rows + i] = a[i * row + k];
    } else {
        size k = 0, whole = WHOLE_VECTORS(rows);
        if (row == 1 && column >= whole) /* whole vectors, as above */
            for (; k + 1 < depth && k * rows + whole <= depth * rows; k++)
                for (size i = 0; i < rows; i += LANES) store(packed + k * rows + i, load(a + k * column + i));
        for (; k < depth; k++)
            for (size i = 0; i < rows; i++) packed[k * rows + i] = a[i * row + k * column];
    }
}

/* The columns of a panel of B, as runs of neighbours. */
typedef struct {
    size vecs, runs;
    size write_step; /* from column to column in the target, within a run */
    int in_place;    /* is the panel whole vectors, and one run in the target? */
    struct {
        size from, to, at, length; /* where it starts: in the source, in the target, in the panel */
    } run[COLUMNS];
} NAME(panel);

/* Copies a run; its last vector overlaps the one before. */
INLINE void NAME(copy_run)(size length, const real *x, real *to) {
    if (length < LANES) {
        memcpy(to, x, sizeof(real) * (size_t)length);
        return;
    }
    for (size w = 0; w + LANES < length; w += LANES) store(to + w, load(x + w));
    store(to + length - LANES, load(x + length - LANES));
}

/* c[j · step] = s[j] */
INLINE void NAME(put_run)(size length, const real *s, real *c, size step) {
    if (step == 1)
        NAME(copy_run)(length, s, c);
    else
        for (size j = 0; j < length; j++) c[j * step] = s[j];
}

/* target (m, columns of the panel) = A (m, depth) · panel, in the panels first … last - 1 of the m rows; A as for a tile.
 * The target's c is where `to` counts from. The panel's rows start at b + k · step; with `offset` its vectors start at
 * b + offset[k] + start[v]. */
static void NAME(times_panel)(size m, size first, size last, size depth, const real *a, size a_row, const real *b,
                              size step, const size *offset, const size *start, const NAME(panel) * panel,
                              NAME(target) t) {
    size panels = divide_up(m, ROWS), longer = m % panels;
    for (size q = first, count; q < last; q += count) {
        size row = NAME(panel_start)(m, q), rows = m / panels + (q < longer);
        count = !panel->in_place ? 1 : q < longer ? min_size(longer, last) - q : last - q;
        const real *a_panel = a + row * (a_row ? a_row : depth);
        NAME(target) part = t;
        part.c += row * t.row;
        if (t.row_bias) part.row_bias += row;
        if (panel->in_place) {
            part.c += panel->run[0].to;
            NAME(tiles)(count, rows, panel->vecs, depth, a_panel, a_row, b, step, offset, start, part);
            continue;
        }
        real sums[ROWS * COLUMNS];
        NAME(target) aside = part;
        aside.c = sums;
        aside.row = COLUMNS;
        if (t.accumulate) { /* to what is there, as in place: sums have one order */
            memset(sums, 0, sizeof sums);
            for (size r = 0; r < panel->runs; r++)
                for (size i = 0; i < rows; i++)
                    for (size j = 0; j < panel->run[r].length; j++)
                        sums[i * COLUMNS + panel->run[r].at + j] =
                            part.c[i * t.row + panel->run[r].to + j * panel->write_step];
        }
        NAME(tiles)(1, rows, panel->vecs, depth, a_panel, a_row, b, step, offset, start, aside);
        for (size r = 0; r < panel->runs; r++)
            for (size i = 0; i < rows; i++)
                NAME(put_run)(panel->run[r].length, sums + i * COLUMNS + panel->run[r].at,
                              part.c + i * t.row + panel->run[r].to, panel->write_step);
    }
}
