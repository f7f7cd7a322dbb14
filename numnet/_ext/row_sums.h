/* Sums over many rows, such as ∂J/∂W and ∂J/∂b of a linear layer, or over all steps of a recurrent one: δᵀ x, δᵀ h and Σ δ,
 * each δ read once for all.
 *
 * The rows of δ are many and wide, and lie as panels of a right factor want them. So the transposed product is made,
 * [x h]ᵀ δ: a run of the rows of x and h is packed as the left factor, which stays in the second-level cache while the
 * columns of δ pass by, a few panels at a time. Threads share those, and each transposes what it has summed. */

#define LEFT_SIZE ((size)(393216 / sizeof(real))) /* elements of the left factor that stay in the second-level cache */
#define SHORTEST ((size)128)                      /* run over k: after each, sums go to memory and back */
#define TOGETHER ((size)8)                        /* panels of δ that are packed together */

/* b[j] += Σₖ of the columns of a packed panel, `step` wide. */
static void NAME(add_columns)(size depth, size columns, const real *panel, size step, real *b) {
    real sums[COLUMNS];
    for (size first = 0; first < step; first += LANES) {
        vec even = {0}, odd = {0};
        for (size k = 0; k + 1 < depth; k += 2) {
            even += load(panel + k * step + first);
            odd += load(panel + (k + 1) * step + first);
        }
        if (depth % 2) even += load(panel + (depth - 1) * step + first);
        store(sums + first, even + odd);
    }
    for (size j = 0; j < columns; j++) b[j] += sums[j];
}

static int NAME(row_sums)(const struct row_sums_job *job, int threads) {
    const size rows = job->rows, n = job->columns, m = job->width[0] + job->width[1];
    const size longest = max_size(SHORTEST, min_size(DEPTH, LEFT_SIZE / max_size(m, 1)));
    const size run = NAME(even_part)(rows, longest), panels = divide_up(n, COLUMNS);
    const size together = min_size(TOGETHER, divide_up(panels, threads)), groups = divide_up(panels, together);
    const size right_size = together * run * COLUMNS, left_size = WHOLE_VECTORS(m * run);
    real *memory = scratch((size)sizeof(real) * (threads * right_size + left_size + panels * m * COLUMNS));
    if (!memory) return -1;
    real *left = memory + threads * right_size, *sums = left + left_size;
    if (job->bias_sum) memset(job->bias_sum, 0, sizeof(real) * (size_t)n);

    PARALLEL(threads)
    for (size k0 = 0; k0 < rows; k0 += run) {
        const size depth = min_size(rows - k0, run);
        for (size p = 0, done = 0; p < 2; done += job->width[p++]) {
            const size width = job->width[p];
            const real *from = (const real *)job->left[p] + k0 * width;
            FOR for (size q = 0; q < divide_up(width, ROWS); q++) {
                const size i = NAME(panel_start)(width, q), count = NAME(panel_start)(width, q + 1) - i;
                NAME(pack_rows)(count, depth, from + i, 1, width, NULL, left + (done + i) * depth);
            }
        }
        FOR for (size g = 0; g < groups; g++) {
            const size first = g * together, last = min_size(first + together, panels);
            const size whole = min_size(last, n / COLUMNS) - first;
            const real *delta = (const real *)job->delta + k0 * n + first * COLUMNS;
            real *rights = memory + THREAD_NUMBER * right_size;
            NAME(pack_panels)(depth, whole, delta, n, rights);
            if (first + whole < last)
                NAME(pack_columns)(depth, n % COLUMNS, delta + whole * COLUMNS, n, 1, rights + whole * depth * COLUMNS);
            for (size q = first; q < last; q++) {
                const size j = q * COLUMNS, columns = min_size(n - j, COLUMNS), step = WHOLE_VECTORS(columns);
                const real *right = rights + (q - first) * depth * COLUMNS;
                if (job->bias_sum) NAME(add_columns)(depth, columns, right, step, (real *)job->bias_sum + j);
                NAME(panel) panel = {.vecs = step / LANES, .runs = 1, .write_step = 1, .in_place = 1};
                for (size p = 0, done = 0; p < 2; done += job->width[p++]) {
                    const size width = job->width[p];
                    if (!width) continue;
                    real *own = sums + (q * m + done) * COLUMNS;
                    NAME(target) t = {own, COLUMNS, NULL, NULL, k0 > 0};
                    NAME(times_panel)(width, 0, divide_up(width, ROWS), depth, left + done * depth, 0, right, step,
                                      NULL, NULL, &panel, t);
                    if (k0 + depth == rows)
                        NAME(turn)(width, columns, own, COLUMNS, 0, (real *)job->sum[p] + j * width, width);
                }
            }
        }
    }
    free(memory);
    return 0;
}

#undef LEFT_SIZE
#undef SHORTEST
#undef TOGETHER
