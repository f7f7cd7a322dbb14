/* Recurrent networks along time, forward and back: the products with W_hh, and the cells, of all time steps.
 *
 * A step is a product, v = W_hh h + b_hh or W_hhᵀ ∂J/∂v, of which threads share panels, and then the cells, of which they share
 * rows. W_hh is packed once, panel after panel. Every other step takes the panels from the last to the first: those that it
 * begins with are still in the cache. Each number is summed in the same order, whichever thread makes it. */

/* A sequence's row at one step, of an array with rows of `width` numbers. */
#define ROW(array, step, width) ((real *)job->array + ((step) * job->rows + n) * (width))
/* The same of c or δc between the steps: of two pages in turn, where they are not kept. */
#define STATE(array, step) ROW(array, job->keep ? (step) : (step) % 2, H)
#define FOR_UNITS for (size j = 0; j < H; j++)

/* The right factor b (k, n) of the products of all steps, and where they go. Packed: panels of COLUMNS columns, each k rows of
 * whole vectors. For a single step that does not pay: no panels. */
typedef struct {
    size k, n;
    const real *b;
    size b_row, b_column;
    real *panels, *bias, *product; /* bias: readable to whole vectors, or NULL; product: (rows, n), its rows `pitch` apart */
    size pitch;
} NAME(factor);

INLINE size NAME(whole_panels)(size n) { return divide_up(n, COLUMNS) * COLUMNS; }
INLINE size NAME(factor_size)(size rows, size k, size n) {
    return NAME(whole_panels)(n) * (k + 1) + rows * (NAME(whole_panels)(n) + LANES);
}

/* The factor in this memory. Why its product's rows are a vector longer: a power of two would crowd the cache. */
INLINE NAME(factor) NAME(factor_in)(real *memory, size steps, size k, size n, const real *b, size b_row, size b_column,
                                    const real *bias) {
    const size whole = NAME(whole_panels)(n);
    real *end = memory + whole * k;
    memset(end, 0, sizeof(real) * (size_t)whole);
    if (bias) memcpy(end, bias, sizeof(real) * (size_t)n);
    return (NAME(factor)){k, n, b, b_row, b_column, steps > 1 ? memory : NULL, bias ? end : NULL, end + whole,
                          steps > 1 ? whole + LANES : n};
}

/* Threads share this. */
static void NAME(pack_factor)(const NAME(factor) * f) {
    FOR for (size q = 0; q < (f->panels ? divide_up(f->n, COLUMNS) : 0); q++) {
        const size j = q * COLUMNS;
        NAME(pack_columns)(f->k, min_size(f->n - j, COLUMNS), f->b + j * f->b_column, f->b_row, f->b_column,
                           f->panels + j * f->k);
    }
}

#define ABREAST 4

/* One row of it, of ABREAST whole panels, with the sums of a tile. Why: in a tile of one row each addition waits for the
 * one before it; eight that do not know of each other keep the processor busy. */
static void NAME(row_times_panels)(size k, const real *a, const real *panels, const real *bias, real *product) {
    for (size k0 = 0; k0 < k; k0 += DEPTH) {
        vec sum[ABREAST][2];
        UNROLL for (int p = 0; p < ABREAST; p++) sum[p][0] = sum[p][1] = (vec){0};
        for (size i = k0; i < min_size(k, k0 + DEPTH); i++) {
            const vec x = splat(a[i]);
            UNROLL for (int p = 0; p < ABREAST; p++) {
                UNROLL for (int v = 0; v < 2; v++) sum[p][v] += x * load(panels + (p * k + i) * COLUMNS + v * LANES);
            }
        }
        const real *add = k0 ? product : bias;
        UNROLL for (int p = 0; p < ABREAST; p++) {
            UNROLL for (int v = 0; v < 2; v++) {
                const size j = p * COLUMNS + v * LANES;
                store(product + j, add ? sum[p][v] + load(add + j) : sum[p][v]);
            }
        }
    }
}

/* product = a (rows, k) · factor + bias, the panels of this thread; `from_end`: from the last to the first. 0, or -1 when there
 * is no memory. */
static int NAME(times_factor)(size rows, const real *a, const NAME(factor) * f, int from_end, int threads) {
    if (!f->panels)
        return NAME(gemm)(rows, f->n, f->k, a, f->k, 1, f->b, f->b_row, f->b_column, f->bias, f->product, threads);
    const size panels = divide_up(f->n, COLUMNS), whole = f->n / COLUMNS;
    const size low = panels * THREAD_NUMBER / THREAD_COUNT, high = panels * (THREAD_NUMBER + 1) / THREAD_COUNT;
    const size groups = rows == 1 ? max_size(min_size(high, whole) - low, 0) / ABREAST : 0, first = low + groups * ABREAST;
    for (size g = 0; g < groups; g++) {
        const size j = (low + (from_end ? groups - 1 - g : g) * ABREAST) * COLUMNS;
        NAME(row_times_panels)(f->k, a, f->panels + j * f->k, f->bias ? f->bias + j : NULL, f->product + j);
    }
    for (size q = first; q < high; q++) {
        const size j = (from_end ? first + high - 1 - q : q) * COLUMNS, step = WHOLE_VECTORS(min_size(f->n - j, COLUMNS));
        NAME(panel) panel = {.vecs = step / LANES, .runs = 1, .write_step = 1, .in_place = 1};
        for (size k0 = 0; k0 < f->k; k0 += DEPTH) {
            NAME(target) t = {f->product + j, f->pitch, NULL, f->bias ? f->bias + j : NULL, k0 > 0};
            NAME(times_panel)(rows, 0, divide_up(rows, ROWS), min_size(f->k - k0, DEPTH), a + k0, f->k,
                              f->panels + j * f->k + k0 * step, step, NULL, NULL, &panel, t);
        }
    }
    return 0;
}

/* The cells, a row at a time. A function of its own each: only what is a parameter do compilers believe to be `restrict`. */
#define CELL static __attribute__((noinline)) void

CELL NAME(tanh_row)(size H, const real *restrict u, const real *restrict v, real *restrict h) {
    FOR_UNITS h[j] = NAME(tanh_of)(u[j] + v[j]);
}

CELL NAME(relu_row)(size H, const real *restrict u, const real *restrict v, real *restrict h) {
    FOR_UNITS {
        const real z = u[j] + v[j];
        h[j] = z <= 0 ? 0 : z; /* NaN passes */
    }
}

CELL NAME(lstm_row)(size H, const real *restrict u, const real *restrict v, const real *restrict before,
                    real *restrict gates, real *restrict c, real *restrict tanh_c, real *restrict h) {
    FOR_UNITS {
        const real i = NAME(logistic_of)(u[j] + v[j]), f = NAME(logistic_of)(u[H + j] + v[H + j]);
        const real g = NAME(tanh_of)(u[2 * H + j] + v[2 * H + j]);
        const real o = NAME(logistic_of)(u[3 * H + j] + v[3 * H + j]);
        const real cell = f * before[j] + i * g, bent = NAME(tanh_of)(cell);
        gates[j] = i, gates[H + j] = f, gates[2 * H + j] = g, gates[3 * H + j] = o;
        c[j] = cell, tanh_c[j] = bent, h[j] = o * bent;
    }
}

CELL NAME(gru_row)(size H, const real *restrict u, const real *restrict v, const real *restrict before,
                   real *restrict gates, real *restrict v_n, real *restrict h) {
    FOR_UNITS {
        const real r = NAME(logistic_of)(u[j] + v[j]), z = NAME(logistic_of)(u[H + j] + v[H + j]);
        const real w = v[2 * H + j], n = NAME(tanh_of)(u[2 * H + j] + r * w);
        gates[j] = r, gates[H + j] = z, gates[2 * H + j] = n;
        v_n[j] = w, h[j] = (1 - z) * n + z * before[j];
    }
}

CELL NAME(tanh_row_backward)(size H, const real *restrict h, const real *restrict delta, real *restrict delta_z) {
    FOR_UNITS delta_z[j] = delta[j] * (1 - h[j] * h[j]);
}

CELL NAME(relu_row_backward)(size H, const real *restrict h, const real *restrict delta, real *restrict delta_z) {
    FOR_UNITS delta_z[j] = h[j] <= 0 ? 0 : delta[j];
}

CELL NAME(lstm_row_backward)(size H, const real *restrict gates, const real *restrict before,
                             const real *restrict tanh_c, const real *restrict delta_h, const real *restrict delta_c,
                             real *restrict delta_z, real *restrict delta_before) {
    FOR_UNITS {
        const real i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j], t = tanh_c[j];
        const real d = delta_c[j] + delta_h[j] * o * (1 - t * t); /* ∂J/∂c, whole */
        delta_z[j] = d * g * i * (1 - i);
        delta_z[H + j] = d * before[j] * f * (1 - f);
        delta_z[2 * H + j] = d * i * (1 - g * g);
        delta_z[3 * H + j] = delta_h[j] * t * o * (1 - o);
        delta_before[j] = d * f;
    }
}

CELL NAME(gru_row_backward)(size H, const real *restrict gates, const real *restrict before,
                            const real *restrict v_n, const real *restrict delta, real *restrict delta_u,
                            real *restrict delta_v, real *restrict direct) {
    FOR_UNITS {
        const real r = gates[j], z = gates[H + j], n = gates[2 * H + j], d = delta[j];
        const real delta_n = d * (1 - z) * (1 - n * n), delta_r = delta_n * v_n[j] * r * (1 - r);
        const real delta_z = d * (before[j] - n) * z * (1 - z);
        delta_u[j] = delta_r, delta_u[H + j] = delta_z, delta_u[2 * H + j] = delta_n;
        delta_v[j] = delta_r, delta_v[H + j] = delta_z, delta_v[2 * H + j] = delta_n * r;
        direct[j] = d * z;
    }
}

/* Sequence n at step t, from v. `page` is t, or 0 where one page of memory is written over. */
static void NAME(cell)(const struct recurrent_job *job, size t, size n, const real *v) {
    const size H = job->units, before = t + job->reverse, after = t + !job->reverse, page = job->keep ? t : 0;
    const real *u = (const real *)job->u + t * job->u_step + n * job->u_row, *h_before = ROW(h, before, H);
    real *h = ROW(h, after, H);
    const size bytes = (size)sizeof(real) * H;
    switch (job->cell) {
    case TANH_CELL: NAME(tanh_row)(H, u, v, h); break;
    case RELU_CELL: NAME(relu_row)(H, u, v, h); break;
    case GRU_CELL: NAME(gru_row)(H, u, v, h_before, ROW(gates, page, 3 * H), ROW(inner, page, H), h); break;
    default:
        NAME(lstm_row)(H, u, v, STATE(c, before), ROW(gates, page, 4 * H), STATE(c, after), ROW(inner, page, H), h);
    }
    if (job->counts && !job->counts[t * job->rows + n]) { /* the sequence has ended: its state stays */
        memcpy(h, h_before, (size_t)bytes);
        if (job->c) memcpy(STATE(c, after), STATE(c, before), (size_t)bytes);
    }
}

/* ∂J/∂u and ∂J/∂v of sequence n at step t, from δ, what arrives at its h from later steps, which is written over;
 * into `direct` goes ∂J/∂h that does not go through v. */
static void NAME(cell_backward)(const struct recurrent_job *job, size t, size n, size gates, real *delta, real *direct) {
    const size H = job->units, before = t + job->reverse, after = t + !job->reverse, bytes = (size)sizeof(real) * H;
    real *delta_u = ROW(delta_u, t, gates * H), *delta_v = ROW(delta_v, t, gates * H);
    if (job->counts && !job->counts[t * job->rows + n]) { /* the δ of its state is handed on as it is */
        memset(delta_u, 0, (size_t)(gates * bytes));
        memset(delta_v, 0, (size_t)(gates * bytes));
        if (job->delta_h) memset(ROW(delta_h, t, H), 0, (size_t)bytes);
        if (job->c) memcpy(STATE(delta_c, before), STATE(delta_c, after), (size_t)bytes);
        memcpy(direct, delta, (size_t)bytes);
        return;
    }
    if (job->delta_y) {
        const real *delta_y = (const real *)job->delta_y + t * job->delta_y_step + n * job->delta_y_row;
        FOR_UNITS delta[j] += delta_y[j];
    }
    if (job->delta_h) memcpy(ROW(delta_h, t, H), delta, (size_t)bytes);
    if (direct) memset(direct, 0, (size_t)bytes);
    switch (job->cell) {
    case TANH_CELL: NAME(tanh_row_backward)(H, ROW(h, after, H), delta, delta_u); break;
    case RELU_CELL: NAME(relu_row_backward)(H, ROW(h, after, H), delta, delta_u); break;
    case GRU_CELL:
        NAME(gru_row_backward)(H, ROW(gates, t, 3 * H), ROW(h, before, H), ROW(inner, t, H), delta, delta_u, delta_v,
                               direct);
        break;
    default:
        NAME(lstm_row_backward)(H, ROW(gates, t, 4 * H), ROW(c, before, H), ROW(inner, t, H), delta,
                                STATE(delta_c, after), delta_u, STATE(delta_c, before));
    }
}

INLINE size NAME(gates_of)(int cell) { return cell == LSTM_CELL ? 4 : cell == GRU_CELL ? 3 : 1; }

static int NAME(recurrent_forward)(const struct recurrent_job *job, int threads) {
    const size T = job->steps, N = job->rows, H = job->units, columns = NAME(gates_of)(job->cell) * H;
    int failed = 0;
    real *memory = scratch((size)sizeof(real) * NAME(factor_size)(N, H, columns));
    if (!memory) return -1;
    const NAME(factor) factor = NAME(factor_in)(memory, T, H, columns, job->weight, 1, H, job->bias);

    PARALLEL(factor.panels ? threads : 1)
    {
        NAME(pack_factor)(&factor);
        for (size s = 0; s < T; s++) {
            const size t = job->reverse ? T - 1 - s : s;
            const real *h = (const real *)job->h + (t + job->reverse) * N * H;
            if (NAME(times_factor)(N, h, &factor, s % 2, threads) < 0) failed = 1;
            BARRIER
            FOR for (size n = 0; n < N; n++) NAME(cell)(job, t, n, factor.product + n * factor.pitch);
        }
    }
    free(memory);
    return -failed;
}

static int NAME(recurrent_backward)(const struct recurrent_job *job, int threads) {
    const size T = job->steps, N = job->rows, H = job->units, gates = NAME(gates_of)(job->cell), k = gates * H;
    const int has_direct = job->counts || job->cell == GRU_CELL;
    int failed = 0;
    real *memory = scratch((size)sizeof(real) * (NAME(factor_size)(N, k, H) + N * H));
    if (!memory) return -1;
    const NAME(factor) factor = NAME(factor_in)(memory, T, k, H, job->weight, H, 1, NULL);
    real *direct = has_direct ? memory + NAME(factor_size)(N, k, H) : NULL;

    PARALLEL(factor.panels ? threads : 1)
    {
        NAME(pack_factor)(&factor);
        for (size s = T; s >= 0; s--) { /* δ of the state behind step s, through that step; then back through the one before */
            const size t = job->reverse ? T - s : s - 1, later = job->reverse ? t - 1 : t + 1;
            const real *delta_v = (const real *)job->delta_v + (s < T ? later * N * k : 0);
            if (s < T && NAME(times_factor)(N, delta_v, &factor, s % 2, threads) < 0) failed = 1;
            BARRIER
            FOR for (size n = 0; n < N; n++) {
                real *delta = factor.product + n * factor.pitch, *own = direct ? direct + n * H : NULL;
                if (s == T) memcpy(delta, (const real *)job->delta_last + n * H, sizeof(real) * (size_t)H);
                if (s < T && direct) FOR_UNITS delta[j] += own[j];
                if (s > 0)
                    NAME(cell_backward)(job, t, n, gates, delta, own);
                else
                    memcpy((real *)job->delta_first + n * H, delta, sizeof(real) * (size_t)H);
            }
        }
    }
    free(memory);
    return -failed;
}

#undef ROW
#undef ABREAST
#undef STATE
#undef CELL
#undef FOR_UNITS
