/* Matrix product with bias: C (m, n) = A (m, k) B (k, n) + b, operands of any strides.
 *
 * Six ways. (1) Both operands contiguous along k and one of them narrow: dot products, nothing packed. (2) If it fills half
 * of a vector: pairs of k. (3) The rows of B contiguous and all of it in the first-level cache: strips of C, as for ∂J/∂W of
 * a small batch. (4) The second-level cache large, and A long, or the rows of B contiguous and A not short: strips too, with as
 * much of B packed as stays there; threads take columns, where these can be dealt out evenly. (5) The rows of B
 * contiguous, and A short or B small: B read where it lies. (6) Else panels of B are packed, each by the thread that uses it at once for a block of
 * rows of A.
 * Where both operands lie along k either could be packed: then it is the shorter, Cᵀ = Bᵀ Aᵀ.
 * Threads share tiles of C, never the sum over k. */

#define NARROW 4                             /* columns: too few for the lanes of a tile */
#define HALF (LANES / 2)                     /* columns that fill half of a vector */
#define ROW_BLOCK ((size)256)                /* rows of A that a panel of B is packed for */
#define SMALL ((size)(16384 / sizeof(real))) /* elements of B that stay in the first-level cache */
#if VECTOR_BYTES == 64                       /* processors with AVX-512 have 1 or 2 MiB of second-level cache */
#define NEAR ((size)(524288 / sizeof(real))) /* elements of packed B that stay there, */
#define LONG ((size)(8 * ROWS))              /* worth packing for so many rows of A, */
#define FEWER ((size)ROWS)                   /* or for these, if rows of B are contiguous: in pieces they come slowly */
#else
#define NEAR ((size)0)
#define LONG ((size)PTRDIFF_MAX)
#define FEWER LONG
#endif
#define ROWS_AT_ONCE ((size)2048) /* bounds the memory for packed A */

/* What the parts of a product know of it: the whole, or the rows of A and the part of k that it is the turn of. */
typedef struct {
    size m, n, k;
    const real *a, *b, *row_bias, *column_bias; /* a bias or NULL; that of columns is readable to whole vectors */
    size a_row, a_column, b_row, b_column;
    real *c;
    size c_row, c_column;
    int turned;          /* is it Cᵀ = Bᵀ Aᵀ, whose rows lie apart and whose columns are contiguous? */
    int accumulate;      /* add to C, instead of the bias */
    real *packed;        /* A, its panels of rows one behind the other; or NULL */
    size in_strips;      /* columns of C */
    real *near;          /* B for strips, its panels of columns one behind the other; or NULL */
    size panels, blocks; /* of the other columns, and of rows */
} NAME(product);

/* to[j, i] = from[i, j]; `padded`: the rows of `to` are whole vectors, and zeros follow. */
static void NAME(turn)(size rows, size columns, const real *from, size from_row, int padded, real *to, size to_row) {
    for (size i0 = 0; i0 < rows; i0 += LANES) {
        size count = min_size(rows - i0, LANES), stored = padded ? LANES : count, j = 0;
        const real *f = from + i0 * from_row;
        for (; stored == LANES && j + LANES <= columns; j += LANES) {
            vec block[VECTOR_BYTES / sizeof(real)];
            if (count == LANES) {
                UNROLL for (size i = 0; i < LANES; i++) block[i] = load(f + i * from_row + j);
            } else {
                UNROLL for (size i = 0; i < LANES; i++) block[i] = i < count ? load(f + i * from_row + j) : (vec){0};
            }
            transpose(block);
            UNROLL for (size i = 0; i < LANES; i++) store(to + (j + i) * to_row + i0, block[i]);
        }
        for (; j < columns; j++)
            for (size i = 0; i < stored; i++) to[j * to_row + i0 + i] = i < count ? f[i * from_row + j] : 0;
    }
}

/* Packs `columns` columns of B side by side, in whole vectors; element (k, j) is at b[k · row + j · column]. */
static void NAME(pack_columns)(size depth, size columns, const real *b, size row, size column, real *packed) {
    size width = divide_up(columns, LANES) * LANES, k = 0;
    if (row == 1) {
        NAME(turn)(columns, depth, b, column, 1, packed, width);
        return;
    }
    if (column == 1 && row >= width - columns) /* whole vectors; what follows the end of a row is in nobody's sum */
        for (size whole = depth - (columns < width); k < whole; k++)
            for (size v = 0; v < width; v += LANES) store(packed + k * width + v, load(b + k * row + v));
    for (; k < depth; k++)
        for (size j = 0; j < width; j++) packed[k * width + j] = j < columns ? b[k * row + j * column] : 0;
}

/* Whole panels of columns, one behind the other, of rows that are contiguous: these are read in longer pieces. */
static void NAME(pack_panels)(size depth, size panels, const real *b, size row, real *packed) {
    for (size k = 0; k < depth; k++)
        for (size q = 0; q < panels; q++) {
            UNROLL for (size v = 0; v < COLUMNS; v += LANES)
                store(packed + (q * depth + k) * COLUMNS + v, load(b + k * row + q * COLUMNS + v));
        }
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
            __builtin_prefetch(a + (i + rows) * a_row + q); /* the next rows: they may come from afar */
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

/* Four rows of a long A with all of a narrow B. */
static int NAME(by_dots)(const void *job, size begin, size end) {
    const NAME(product) *p = job;
    for (size q = begin, blocks = divide_up(p->m, 4); q < end; q++) {
        size i = p->m * q / blocks, rows = p->m * (q + 1) / blocks - i;
        NAME(dot_rows)(rows, p->n, p->k, p->a + i * p->a_row, p->a_row, p->b, p->b_column, p->c + i * p->c_row, p->c_row,
                       p->c_column, p->row_bias ? p->row_bias + i : NULL, p->column_bias);
    }
    return 0;
}

#if VECTOR_BYTES * 8 / REAL_BITS == 16
/* Up to HALF columns, b[j, k], as pairs of k: (b[0, k], b[0, k + 1]), (b[1, k], b[1, k + 1]), … in a vector. */
static void NAME(pack_pairs)(size columns, size k, const real *b, size b_row, real *pairs) {
    for (size p = 0; p < k / 2; p++)
        for (size j = 0; j < HALF; j++)
            for (size i = 0; i < 2; i++) pairs[p * LANES + 2 * j + i] = j < columns ? b[j * b_row + 2 * p + i] : 0;
}

/* Neighbours a[0], a[1] in every two lanes. */
INLINE vec NAME(splat_pair)(const real *a) {
    typedef uint64_t both __attribute__((vector_size(VECTOR_BYTES)));
    uint64_t pair;
    memcpy(&pair, a, sizeof pair);
    return (vec)((both){0} + pair);
}

/* sum[i, j] = Σₖ a[i, k] b[j, k], the even k and the odd ones side by side: half of the multiply-adds of a tile. */
INLINE void NAME(pair_tile)(const int rows, size count, const real *a, size a_row, const real *pairs,
                            real (*sums)[VECTOR_BYTES / sizeof(real)]) {
    const size run = NAME(even_part)(count, LONGEST);
    vec total[ROWS];
    UNROLL for (int i = 0; i < rows; i++) total[i] = (vec){0};
    for (size first = 0; first < count; first += run) {
        vec sum[ROWS];
        UNROLL for (int i = 0; i < rows; i++) sum[i] = (vec){0};
        TWICE for (size p = first; p < min_size(first + run, count); p++) {
            const vec w = load(pairs + p * LANES);
            UNROLL for (int i = 0; i < rows; i++) sum[i] += NAME(splat_pair)(a + i * a_row + 2 * p) * w;
        }
        UNROLL for (int i = 0; i < rows; i++) total[i] += sum[i];
    }
    UNROLL for (int i = 0; i < rows; i++) store(sums[i], total[i]);
}

/* A panel of rows of A with all of B. */
static int NAME(by_pairs)(const void *job, size begin, size end) {
    const NAME(product) *p = job;
    for (size q = begin; q < end; q++) {
        const size first = NAME(panel_start)(p->m, q), rows = NAME(panel_start)(p->m, q + 1) - first, last = p->k - 1;
        const real *a = p->a + first * p->a_row;
        real sums[ROWS][VECTOR_BYTES / sizeof(real)];
#define CASE(r)                                                                                                        \
    case r: NAME(pair_tile)(r, p->k / 2, a, p->a_row, p->near, sums); break;
        switch (rows) { ROW_CASES }
#undef CASE
        for (size j = 0; j < p->n; j++)
            for (size i = 0; i < rows; i++) {
                real s = sums[i][2 * j] + sums[i][2 * j + 1];
                if (p->k % 2) s += a[i * p->a_row + last] * p->b[j * p->b_column + last];
                if (p->row_bias) s += p->row_bias[first + i];
                if (p->column_bias) s += p->column_bias[j];
                p->c[(first + i) * p->c_row + j * p->c_column] = s;
            }
    }
    return 0;
}

static int NAME(multiply_pairs)(NAME(product) whole, int threads) {
    whole.near = scratch((size)sizeof(real) * (whole.k / 2 * LANES));
    if (!whole.near) return -1;
    NAME(pack_pairs)(whole.n, whole.k, whole.b, whole.b_column, whole.near);
    run_in_parts(NAME(by_pairs), &whole, divide_up(whole.m, ROWS), 1, threads);
    free(whole.near);
    return 0;
}
#endif

/* A panel of rows of A, packed. */
static int NAME(packing)(const void *job, size begin, size end) {
    const NAME(product) *p = job;
    for (size q = begin; q < end; q++) {
        size first = NAME(panel_start)(p->m, q), rows = NAME(panel_start)(p->m, q + 1) - first;
        NAME(pack_rows)(rows, p->k, p->a + first * p->a_row, p->a_row, p->a_column, NULL, p->packed + first * p->k);
    }
    return 0;
}

/* Panels of columns of B, packed to stay near. */
static int NAME(nearing)(const void *job, size begin, size end) {
    const NAME(product) *p = job;
    const real *b = p->b + begin * COLUMNS * p->b_column;
    real *near = p->near + begin * COLUMNS * p->k;
    if (p->b_column == 1) {
        NAME(pack_panels)(p->k, end - begin, b, p->b_row, near);
        return 0;
    }
    for (size q = 0; q < end - begin; q++)
        NAME(pack_columns)(p->k, COLUMNS, b + q * COLUMNS * p->b_column, p->b_row, p->b_column, near + q * COLUMNS * p->k);
    return 0;
}

/* A strip of C from end to end: a panel of rows of A with whole panels of columns of B, packed or where they lie. Why: where
 * k is short, writing C column by column would cost more than the sums. */
static int NAME(by_strips)(const void *job, size begin, size end) {
    const NAME(product) *p = job;
    for (size q = begin; q < end; q++) {
        size first = NAME(panel_start)(p->m, q), rows = NAME(panel_start)(p->m, q + 1) - first;
        NAME(target) t = {p->c + first * p->c_row, p->c_row, p->row_bias ? p->row_bias + first : NULL, p->column_bias,
                          p->accumulate};
        (p->packed ? NAME(strip_packed) : NAME(strip_in_place))(
            p->in_strips / COLUMNS, rows, p->k, p->packed ? p->packed + first * p->k : p->a + first * p->a_row, p->a_row,
            p->near ? p->near : p->b, p->near ? COLUMNS : p->b_row, p->near ? p->k * COLUMNS : COLUMNS, t);
    }
    return 0;
}

/* A block of rows of A with a panel of columns of B. */
static int NAME(by_panels)(const void *job, size begin, size end) {
    const NAME(product) *p = job;
    for (size item = begin; item < end; item++) {
        size block = item / p->panels, j = p->in_strips + item % p->panels * COLUMNS, row_panels = divide_up(p->m, ROWS);
        size first = row_panels * block / p->blocks, last = row_panels * (block + 1) / p->blocks;
        size width = min_size(p->n - j, COLUMNS), step = divide_up(width, LANES) * LANES;
        NAME(panel) panel = {.vecs = step / LANES, .runs = 1, .write_step = 1, .in_place = width == step};
        panel.run[0].from = panel.run[0].to = panel.run[0].at = 0;
        panel.run[0].length = width;

        const real *b = p->b + j * p->b_column;
        real columns[DEPTH * COLUMNS] __attribute__((aligned(64)));
        if (p->b_column == 1 && width == step && (p->m <= 2 * ROWS || p->k * p->n <= SMALL)) {
            step = p->b_row;
        } else {
            NAME(pack_columns)(p->k, width, b, p->b_row, p->b_column, columns);
            b = columns;
        }

        NAME(target) t = {p->c + j, p->c_row, p->row_bias, p->column_bias ? p->column_bias + j : NULL, p->accumulate};
        size top = NAME(panel_start)(p->m, first), height = NAME(panel_start)(p->m, last) - top;
        real upright[(ROW_BLOCK + ROWS) * COLUMNS] __attribute__((aligned(64)));
        real *c = p->c + top * p->c_row + j * p->c_column;
        if (p->turned) { /* made upright first */
            t.c = upright - top * COLUMNS, t.row = COLUMNS, panel.in_place = 1;
            if (p->accumulate) NAME(turn)(width, height, c, p->c_column, 0, upright, COLUMNS);
        }
        NAME(times_panel)(p->m, first, last, p->k, p->packed ? p->packed : p->a, p->packed ? 0 : p->a_row, b, step, NULL,
                          NULL, &panel, t);
        if (p->turned) NAME(turn)(height, width, upright, COLUMNS, 0, c, p->c_column);
    }
    return 0;
}

static int NAME(multiply_tiles)(NAME(product) whole, int threads);

/* Panels of columns of C, as a product of one thread: it reads what it packed itself, and waits for nobody. */
static int NAME(by_columns)(const void *job, size begin, size end) {
    NAME(product) p = *(const NAME(product) *)job;
    const size first = begin * COLUMNS;
    p.n = min_size(p.n, end * COLUMNS) - first;
    p.b += first * p.b_column, p.c += first;
    if (p.column_bias) p.column_bias += first;
    return NAME(multiply_tiles)(p, 1);
}

static int NAME(multiply_tiles)(NAME(product) whole, int threads) {
    const size n = whole.n, k = whole.k;
    const int small = !whole.turned && whole.b_column == 1 && k <= n && k * n <= SMALL;
    const int packs = !whole.turned && !small && whole.m >= (whole.b_column == 1 ? FEWER : LONG) && n >= 2 * COLUMNS;
    const size all_panels = divide_up(n, COLUMNS), share = divide_up(all_panels, threads);
    if (packs && threads > 1 && 10 * all_panels >= 9 * share * threads) /* even enough */
        return run_in_parts(NAME(by_columns), &whole, all_panels, share, threads);
    const int near = packs && (threads == 1 || whole.m >= LONG); /* else too few rows for all threads */
    if (small || near) whole.in_strips = n / COLUMNS * COLUMNS;
    whole.panels = divide_up(whole.n - whole.in_strips, COLUMNS);
    const int crowded = ROWS > 8 && n >= 16 * COLUMNS && whole.a_row * (size)sizeof(real) % 4096 == 0;
    const int readable = whole.a_column == 1 && whole.a_row && !crowded && !(small && whole.in_strips > 4 * COLUMNS);
    size depth = NAME(even_part)(k, DEPTH), padded = whole.column_bias ? divide_up(n, COLUMNS) * COLUMNS : 0;
    size strip = near ? min_size(whole.in_strips, NEAR / depth / COLUMNS * COLUMNS) : whole.in_strips;
    size to_near = near ? strip * depth : 0, to_pack = readable ? 0 : min_size(whole.m, ROWS_AT_ONCE) * depth;
    real few[8192 / sizeof(real)] __attribute__((aligned(64))); /* a small product takes less time than asking for memory */
    const size bytes = (size)sizeof(real) * (padded + to_near + to_pack);
    real *memory = bytes <= (size)sizeof few ? few : scratch(bytes);
    if (!memory) return -1;
    if (near) whole.near = memory + padded;
    if (to_pack) whole.packed = memory + padded + to_near;
    if (whole.column_bias) {
        memcpy(memory, whole.column_bias, sizeof(real) * (size_t)n);
        memset(memory + n, 0, sizeof(real) * (size_t)(padded - n));
        whole.column_bias = memory;
    }

    for (size m0 = 0; m0 < whole.m; m0 += ROWS_AT_ONCE) {
        NAME(product) part = whole;
        part.m = min_size(whole.m - m0, ROWS_AT_ONCE);
        part.c += m0 * whole.c_row;
        if (part.row_bias) part.row_bias += m0;
        /* blocks of whole row panels, few enough to be worth packing for, many enough for all threads */
        size row_panels = divide_up(part.m, ROWS), wanted = part.panels ? divide_up(2 * threads, part.panels) : 1;
        part.blocks = max_size(divide_up(part.m, ROW_BLOCK), min_size(row_panels, wanted));
        for (size k0 = 0; k0 < max_size(k, 1); k0 += depth) {
            part.k = min_size(k - k0, depth), part.accumulate = whole.accumulate || k0 > 0;
            part.a = whole.a + m0 * whole.a_row + k0 * whole.a_column, part.b = whole.b + k0 * whole.b_row;
            if (to_pack) run_in_parts(NAME(packing), &part, row_panels, 1, threads);
            for (size n0 = 0; n0 < whole.in_strips; n0 += strip) {
                NAME(product) piece = part;
                piece.in_strips = min_size(strip, whole.in_strips - n0);
                piece.b += n0 * part.b_column, piece.c += n0;
                if (piece.column_bias) piece.column_bias += n0;
                const size near_panels = piece.in_strips / COLUMNS;
                if (near)
                    run_in_parts(NAME(nearing), &piece, near_panels, min_size(16, divide_up(near_panels, threads)), threads);
                run_in_parts(NAME(by_strips), &piece, row_panels, 1, threads);
            }
            run_in_parts(NAME(by_panels), &part, part.blocks * part.panels, 1, threads);
        }
    }
    if (memory != few) free(memory);
    return 0;
}

static int NAME(multiply)(NAME(product) whole, int threads) {
    const int along_k = whole.a_column == 1 && whole.b_row == 1;
    if (along_k && whole.n <= NARROW && whole.k >= 8 * LANES)
        return run_in_parts(NAME(by_dots), &whole, divide_up(whole.m, 4), 1, threads);
#if VECTOR_BYTES * 8 / REAL_BITS == 16
    if (along_k && whole.n <= HALF && whole.k >= 4 * LANES && whole.m >= 4 * ROWS)
        return NAME(multiply_pairs)(whole, threads);
#endif
    return NAME(multiply_tiles)(whole, threads);
}

static int NAME(gemm)(size m, size n, size k, const void *a, size a_row, size a_column, const void *b, size b_row,
                      size b_column, const void *bias, void *c, int threads) {
    if (m == 0 || n == 0) return 0;
    const int along_k = a_column == 1 && b_row == 1;
    if (along_k && k * (n - m) > m * n) /* fewer numbers are turned than need not be packed */
        return NAME(multiply)((NAME(product)){.m = n, .n = m, .k = k, .a = b, .a_row = b_column, .a_column = b_row,
                                              .b = a, .b_row = a_column, .b_column = a_row, .row_bias = bias, .c = c,
                                              .c_row = 1, .c_column = n, .turned = 1},
                              threads);
    return NAME(multiply)((NAME(product)){.m = m, .n = n, .k = k, .a = a, .a_row = a_row, .a_column = a_column, .b = b,
                                          .b_row = b_row, .b_column = b_column, .column_bias = bias, .c = c, .c_row = n,
                                          .c_column = 1},
                          threads);
}
