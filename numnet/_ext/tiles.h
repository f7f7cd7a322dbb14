/* Tiles of a product A B, as the families that multiply call them; tile_kernels.c has them, once for all.
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

#define UNROLL _Pragma("GCC unroll 16")
#ifdef __SANITIZE_ADDRESS__
#define TWICE /* the compiler would take minutes longer */
#else
#define TWICE _Pragma("GCC unroll 2") /* 81 instructions, not 84, for two k of 12 × 32: it shows where a core is shared */
#endif

/* Where a product goes, and what is added to it. */
typedef struct {
    real *c;
    size row;                 /* stride from row to row */
    const real *row_bias;     /* one per row, or NULL */
    const real *column_bias;  /* one per column, readable to whole vectors, or NULL */
    int accumulate;           /* add to what is there, instead of the biases */
} NAME(target);

/* Columns: `count` tiles one below the other, of one vector or of two. */
#define COLUMN_OF(name)                                                                                                \
    SHARED void NAME(name)(size count, size rows, size depth, const real *a, size a_row, const real *b, size step,     \
                           const size *offset, const size *start, NAME(target) t);
COLUMN_OF(narrow_packed)
COLUMN_OF(wide_packed)
COLUMN_OF(narrow_in_place)
COLUMN_OF(wide_in_place)
COLUMN_OF(narrow_by_offset) /* B is, and A is packed */
COLUMN_OF(wide_by_offset)
COLUMN_OF(narrow_upright) /* A is by offset */
COLUMN_OF(wide_upright)
#undef COLUMN_OF

/* Strips: `count` tiles of two vectors side by side, for which panels of B lie b_next apart. */
#define STRIP_OF(name)                                                                                                 \
    SHARED void NAME(name)(size count, size rows, size depth, const real *a, size a_row, const real *b, size step,     \
                           size b_next, NAME(target) t);
STRIP_OF(strip_packed)
STRIP_OF(strip_in_place)
#undef STRIP_OF
