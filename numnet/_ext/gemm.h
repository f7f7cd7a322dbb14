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

static int NAME(gemm)(size m, size n, size k, const void *a_, size a_row, size a_column, const void *b_, size b_row,
                      size b_column, const void *bias_, void *c_, int threads) {
    const real *a = a_, *b = b_, *bias = bias_;
    real *c = c_;
    if (m == 0 || n == 0) return 0;

    if (a_column == 1 && b_row == 1 && k >= 8 * LANES && (m <= 16 || n <= 16)) {
        int by_rows = m > n; /* walk along the longer side of C */
        size length = by_rows ? m : n, blocks = divide_up(length, 4);
        PARALLEL_FOR(threads)
        for (size q = 0; q < blocks; q++) {
            size i = length * q / blocks, rows = length * (q + 1) / blocks - i;
            if (by_rows)
                NAME(dot_rows)(rows, n, k, a + i * a_row, a_row, b, b_column, c + i * n, n, 1, NULL, bias);
            else
                NAME(dot_rows)(rows, m, k, b + i * b_column, b_column, a, a_row, c + i, 1, n, bias ? bias + i : NULL,
                               NULL);
        }
        return 0;
    }

    size run = NAME(depth_of)(k);
    size padded = bias ? n + COLUMNS : 0; /* the bias, readable to whole vectors */
    size in_strips = b_column == 1 && k <= n && k * n <= SMALL ? n / COLUMNS * COLUMNS : 0; /* columns of C */
    /* rows that lie multiples of 4096 bytes apart share a few places of the first-level cache, too few for twelve of them */
    int crowded = ROWS > 8 && a_row * (size)sizeof(real) % 4096 == 0;
    int readable = a_column == 1 && a_row && !crowded && !in_strips;
    size to_pack = readable ? 0 : min_size(m, ROWS_AT_ONCE) * run;
    real *memory = scratch((size)sizeof(real) * (padded + to_pack));
    if (!memory) return -1;
    real *packed = memory + padded;
    if (bias) {
        memcpy(memory, bias, sizeof(real) * (size_t)n);
        memset(memory + n, 0, sizeof(real) * (size_t)COLUMNS);
    }
    int in_place = b_column == 1 && m <= 2 * ROWS;
    size panels = divide_up(n - in_strips, COLUMNS);

    PARALLEL(threads)
    for (size m0 = 0; m0 < m; m0 += ROWS_AT_ONCE) {
        size height = min_size(m - m0, ROWS_AT_ONCE);
        /* blocks of whole row panels, few enough to fit the cache, many enough for all threads */
        size row_panels = divide_up(height, ROWS);
        size wanted = panels ? divide_up(2 * threads, panels) : 1;
        size blocks = max_size(divide_up(height, ROW_BLOCK), min_size(row_panels, wanted));
        for (size k0 = 0; k0 < max_size(k, 1); k0 += run) {
            size depth = min_size(k - k0, run);
            if (to_pack) FOR for (size q = 0; q < row_panels; q++) {
                size start = NAME(panel_start)(height, q), rows = NAME(panel_start)(height, q + 1) - start;
                NAME(pack_rows)(rows, depth, a + (m0 + start) * a_row + k0 * a_column, a_row, a_column, NULL,
                                packed + start * depth);
            }
            if (in_strips) FOR for (size q = 0; q < row_panels; q++) {
                size start = NAME(panel_start)(height, q), rows = NAME(panel_start)(height, q + 1) - start;
                NAME(target) t = {c + (m0 + start) * n, n, NULL, bias ? memory : NULL, k0 > 0};
                NAME(strip)(rows, in_strips / COLUMNS, depth, packed + start * depth, b + k0 * b_row, b_row, t);
            }
            FOR for (size item = 0; item < blocks * panels; item++) {
                size block = item / panels, j = in_strips + item % panels * COLUMNS;
                size first = row_panels * block / blocks, last = row_panels * (block + 1) / blocks;
                const real *from = b + k0 * b_row + j * b_column;
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
                const real *rows = to_pack ? packed : a + m0 * a_row + k0;
                NAME(target) t = {c + m0 * n + j, n, NULL, bias ? memory + j : NULL, k0 > 0};
                NAME(times_panel)(height, first, last, depth, rows, to_pack ? 0 : a_row, from, step, NULL, NULL, &panel, t);
            }
        }
    }
    free(memory);
    return 0;
}
