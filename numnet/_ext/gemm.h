/* Matrix product with bias: C (m, n) = A (m, k) B (k, n) + b, operands of any strides.
 *
 * Four ways. (1) Both operands contiguous along k and one of them narrow: dot products, nothing packed. (2) The rows of B
 * contiguous and all of it in the first-level cache: strips of C, as for ∂J/∂W of a small batch. (3) A short and the rows
 * of B contiguous: B read where it lies. (4) Else panels of B are packed, each into the first-level cache by the thread
 * that uses it at once for a block of rows of A. Threads share tiles of C, never the sum over k. */

#define LONGEST ((size)288)                                   /* run over k: a panel of B stays in the first-level cache */
#define ROW_BLOCK ((size)(262144 / (LONGEST * sizeof(real)))) /* rows of packed A that stay in the second-level cache */
#define SMALL ((size)(16384 / sizeof(real)))                  /* elements of B that stay in the first-level cache */
#define ROWS_AT_ONCE ((size)4096)                             /* bounds the memory for packed A */

/* The length of the runs over k, as even as can be: after a short one the sums go to memory and back for little. */
INLINE size NAME(depth_of)(size k) { return max_size(1, divide_up(k, max_size(1, divide_up(k, LONGEST)))); }

/* Packs `columns` columns of B side by side, rest of the vector zero; element (k, j) is at b[k · row + j · column]. */
static void NAME(pack_columns)(size depth, size columns, const real *b, size row, size column, real *packed) {
    size width = divide_up(columns, LANES) * LANES;
    if (columns < width && row != 1) memset(packed, 0, sizeof(real) * (size_t)(depth * width));
    if (column == 1 && columns == COLUMNS) {
        for (size k = 0; k < depth; k++)
            for (size v = 0; v < 2; v++) store(packed + k * width + v * LANES, load(b + k * row + v * LANES));
    } else if (row == 1) {
        for (size first = 0; first < columns; first += LANES) {
            size count = min_size(columns - first, LANES), k = 0;
            const real *from = b + first * column;
            for (; k + LANES <= depth; k += LANES) {
                vec block[VECTOR_BYTES / sizeof(real)];
                if (count == LANES) {
                    UNROLL for (size j = 0; j < LANES; j++) block[j] = load(from + j * column + k);
                } else {
                    UNROLL for (size j = 0; j < LANES; j++)
                        block[j] = j < count ? load(from + j * column + k) : (vec){0};
                }
                transpose(block);
                UNROLL for (size j = 0; j < LANES; j++) store(packed + (k + j) * width + first, block[j]);
            }
            for (; k < depth; k++)
                for (size j = 0; j < LANES; j++) packed[k * width + first + j] = j < count ? from[k + j * column] : 0;
        }
    } else {
        for (size k = 0; k < depth; k++)
            for (size j = 0; j < columns; j++) packed[k * width + j] = b[k * row + j * column];
    }
}

/* A few rows of C from end to end, `panels` of whole tiles; A is packed. Why: where k is short, a call for each tile would
 * cost as much as the tile, and writing C column by column more than both. */
static void NAME(strip)(size rows, size panels, size depth, const real *a, const real *b, size step, NAME(target) t) {
#define CASE(r)                                                                                                        \
    case r:                                                                                                            \
        for (size j = 0; j < panels; j++) {                                                                            \
            NAME(tile)(r, 2, A_PACKED, depth, a, 0, b + j * COLUMNS, step, NULL, NULL, t);                             \
            t.c += COLUMNS;                                                                                            \
            if (t.column_bias) t.column_bias += COLUMNS;                                                               \
        }                                                                                                              \
        break;
    switch (rows) { ROW_CASES }
#undef CASE
}

/* c[i, j] = Σₖ a[i, k] b[j, k] for a few rows of both. */
INLINE void NAME(dots)(const int rows, const int columns, size k, const real *a, size a_row, const real *b, size b_row,
                       real *c, size c_row, size c_column, const real *a_bias, const real *b_bias) {
    vec sum[4][3];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < columns; j++) sum[i][j] = (vec){0};
    }
    real total[WHOLE_VECTORS(4 * 3)];
    size whole = k / LANES * LANES;
    for (size q = 0; q < whole; q += LANES) {
        vec w[3];
        UNROLL for (int j = 0; j < columns; j++) w[j] = load(b + j * b_row + q);
        UNROLL for (int i = 0; i < rows; i++) {
            vec x = load(a + i * a_row + q);
            UNROLL for (int j = 0; j < columns; j++) sum[i][j] += x * w[j];
        }
    }
    vec parts[WHOLE_VECTORS(4 * 3)];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < columns; j++) parts[i * columns + j] = sum[i][j];
    }
    NAME(lane_sums)(rows * columns, parts, total);
    for (size i = 0; i < rows; i++)
        for (size j = 0; j < columns; j++) {
            real s = total[i * columns + j];
            for (size q = whole; q < k; q++) s += a[i * a_row + q] * b[j * b_row + q];
            if (a_bias) s += a_bias[i];
            if (b_bias) s += b_bias[j];
            c[i * c_row + j * c_column] = s;
        }
}

/* One block of rows of the long operand against the whole narrow one. */
static void NAME(dot_rows)(size rows, size n, size k, const real *a, size a_row, const real *b, size b_row, real *c,
                           size c_row, size c_column, const real *a_bias, const real *b_bias) {
#define DOTS(r, s)                                                                                                     \
    NAME(dots)(r, s, k, a, a_row, b + j * b_row, b_row, c + j * c_column, c_row, c_column, a_bias,                     \
               b_bias ? b_bias + j : NULL)
#define CASE(r)                                                                                                        \
    case r:                                                                                                            \
        if (width == 3)                                                                                                \
            DOTS(r, 3);                                                                                                \
        else if (width == 2)                                                                                           \
            DOTS(r, 2);                                                                                                \
        else                                                                                                           \
            DOTS(r, 1);                                                                                                \
        break;
    size parts = divide_up(n, 3);
    for (size p = 0; p < parts; p++) {
        size j = n * p / parts, width = n * (p + 1) / parts - j;
        switch (rows) { CASE(1) CASE(2) CASE(3) CASE(4) }
    }
#undef CASE
#undef DOTS
}

/* A product and what its threads share: the bias, readable to whole vectors, and packed rows of A. */
typedef struct {
    size m, n, k;
    const real *a;
    size a_row, a_column;
    const real *b;
    size b_row, b_column;
    const real *bias;
    real *c, *packed;
} NAME(product);

INLINE int NAME(by_dots)(const NAME(product) * p) {
    return p->a_column == 1 && p->b_row == 1 && p->k >= 8 * LANES && (p->m <= 16 || p->n <= 16);
}

INLINE size NAME(in_strips)(const NAME(product) * p) { /* columns of C */
    return p->b_column == 1 && p->k <= p->n && p->k * p->n <= SMALL ? p->n / COLUMNS * COLUMNS : 0;
}

INLINE int NAME(is_packed)(const NAME(product) * p) {
    return p->a_column != 1 || !p->a_row || CROWDED(p->a_row) || NAME(in_strips)(p);
}

/* The share of one of the threads. */
static void NAME(share_dots)(const NAME(product) * p, int thread, int threads) {
    int by_rows = p->m > p->n; /* walk along the longer side of C */
    size length = by_rows ? p->m : p->n, blocks = divide_up(length, 4);
    FOR_SHARE(q, blocks) {
        size i = length * q / blocks, rows = length * (q + 1) / blocks - i;
        if (by_rows)
            NAME(dot_rows)(rows, p->n, p->k, p->a + i * p->a_row, p->a_row, p->b, p->b_column, p->c + i * p->n, p->n, 1,
                           NULL, p->bias);
        else
            NAME(dot_rows)(rows, p->m, p->k, p->b + i * p->b_column, p->b_column, p->a, p->a_row, p->c + i, 1, p->n,
                           p->bias ? p->bias + i : NULL, NULL);
    }
}

static void NAME(share_panels)(const NAME(product) * p, int thread, int threads) {
    const size m = p->m, n = p->n, k = p->k, a_row = p->a_row, b_row = p->b_row, b_column = p->b_column;
    const size run = NAME(depth_of)(k), in_strips = NAME(in_strips)(p), panels = divide_up(n - in_strips, COLUMNS);
    const int in_place = b_column == 1 && m <= 2 * ROWS;
    real *packed = p->packed;

    for (size m0 = 0; m0 < m; m0 += ROWS_AT_ONCE) {
        size height = min_size(m - m0, ROWS_AT_ONCE);
        /* blocks of whole row panels, few enough to fit the cache, many enough for all threads */
        size row_panels = divide_up(height, ROWS);
        size wanted = panels ? divide_up(2 * threads, panels) : 1;
        size blocks = max_size(divide_up(height, ROW_BLOCK), min_size(row_panels, wanted));
        for (size k0 = 0; k0 < max_size(k, 1); k0 += run) {
            size depth = min_size(k - k0, run);
            if (packed) {
                FOR_SHARE(q, row_panels) {
                    size start = NAME(panel_start)(height, q), rows = NAME(panel_start)(height, q + 1) - start;
                    NAME(pack_rows)(rows, depth, p->a + (m0 + start) * a_row + k0 * p->a_column, a_row, p->a_column, NULL,
                                    packed + start * depth);
                }
                WAIT_FOR_ALL(threads)
            }
            if (in_strips) FOR_SHARE(q, row_panels) {
                size start = NAME(panel_start)(height, q), rows = NAME(panel_start)(height, q + 1) - start;
                NAME(target) t = {p->c + (m0 + start) * n, n, NULL, p->bias, k0 > 0};
                NAME(strip)(rows, in_strips / COLUMNS, depth, packed + start * depth, p->b + k0 * b_row, b_row, t);
            }
            FOR_SHARE(item, blocks * panels) {
                size block = item / panels, j = in_strips + item % panels * COLUMNS;
                size first = row_panels * block / blocks, last = row_panels * (block + 1) / blocks;
                const real *from = p->b + k0 * b_row + j * b_column;
                real columns[LONGEST * COLUMNS] __attribute__((aligned(64)));
                size width = min_size(n - j, COLUMNS), step = divide_up(width, LANES) * LANES;
                NAME(panel) panel = {.vecs = step / LANES, .runs = 1, .write_step = 1, .in_place = width == step};
                panel.run[0].from = panel.run[0].to = panel.run[0].at = 0;
                panel.run[0].length = width;
                if (in_place && width == step) {
                    step = b_row;
                } else {
                    NAME(pack_columns)(depth, width, from, b_row, b_column, columns);
                    from = columns;
                }
                const real *rows = packed ? packed : p->a + m0 * a_row + k0;
                NAME(target) t = {p->c + m0 * n + j, n, NULL, p->bias ? p->bias + j : NULL, k0 > 0};
                NAME(times_panel)(height, first, last, depth, rows, packed ? 0 : a_row, from, step, NULL, NULL, &panel, t);
            }
            if (packed) WAIT_FOR_ALL(threads)
        }
    }
}

static int NAME(gemm)(size m, size n, size k, const void *a, size a_row, size a_column, const void *b, size b_row,
                      size b_column, const void *bias, void *c, int threads) {
    NAME(product) p = {m, n, k, a, a_row, a_column, b, b_row, b_column, bias, c, NULL};
    real *memory = NULL;
    if (m == 0 || n == 0) return 0;
    const int by_dots = NAME(by_dots)(&p);
    if (!by_dots) {
        size padded = bias ? n + COLUMNS : 0;
        size to_pack = NAME(is_packed)(&p) ? max_size(1, min_size(m, ROWS_AT_ONCE) * NAME(depth_of)(k)) : 0;
        if (padded + to_pack && !(memory = scratch((size)sizeof(real) * (padded + to_pack)))) return -1;
        if (bias) {
            memcpy(memory, bias, sizeof(real) * (size_t)n);
            memset(memory + n, 0, sizeof(real) * (size_t)COLUMNS);
            p.bias = memory;
        }
        if (to_pack) p.packed = memory + padded;
    }
    void (*const share)(const NAME(product) *, int, int) = by_dots ? NAME(share_dots) : NAME(share_panels);
    if (threads == 1)
        share(&p, 0, 1); /* without the cost of a parallel region of one */
    else
        PARALLEL(threads) share(&p, THREAD_NUMBER, THREAD_COUNT);
    free(memory);
    return 0;
}
