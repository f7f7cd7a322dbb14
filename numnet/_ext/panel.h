/* Packing of A, and what a panel of B gives with it, tile by tile. */

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
    if (length < LANES) { /* memcpy of a length that is known only now is a call */
        UNROLL for (size part = LANES / 2; part > 0; part /= 2)
            if (length & part) {
                memcpy(to, x, sizeof(real) * (size_t)part);
                to += part, x += part;
            }
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
INLINE void NAME(times_panel)(size m, size first, size last, size depth, const real *a, size a_row, const real *b,
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
