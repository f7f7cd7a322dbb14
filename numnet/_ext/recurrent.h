/* Recurrent networks along time, forward and back: the products with W_hh, and the cells, of all time steps.
 *
 * A step is a product, v = W_hh h + b_hh or W_hhᵀ ∂J/∂v, and then the cells. Threads share the units; each makes the
 * columns of the product that its units read: so they wait for each other once a step, and once more where the state is
 * projected. W_hh is packed once, panel after panel. Every other step takes the panels from the last to the first: what it
 * begins with is still in the cache. Each number is summed in the same order, whichever thread makes it. */

/* A sequence's row at one step, of an array with rows of `width` numbers. */
#define ROW(array, step, width) ((real *)job->array + ((step) * job->rows + n) * (width))
/* The same of c or δc between the steps: of two pages in turn, where they are not kept. */
#define STATE(array, step) ROW(array, job->keep ? (step) : (step) % 2, H)
#define FOR_UNITS for (size j = 0; j < count; j++)

/* The right factor b (k, groups · n) of the products of all steps, and where they go. Packed: each group of columns as
 * panels of COLUMNS, each k rows of whole vectors. For a single step that does not pay: no panels. */
typedef struct {
    size k, groups, n;
    const real *b;
    size b_row, b_column;
    real *panels, *bias, *product; /* bias: in whole vectors, 0 where there is none; product: (rows, groups, n) */
    size group, pitch;             /* from group to group, and from row to row, of the product */
} NAME(factor);

INLINE size NAME(whole_panels)(size n) { return divide_up(n, COLUMNS) * COLUMNS; }
INLINE size NAME(factor_size)(size rows, size k, size groups, size n) {
    return groups * NAME(whole_panels)(n) * (k + 1 + rows) + rows * LANES;
}

/* The factor in this memory. Why its product's rows are a vector longer: a power of two would crowd the cache. */
INLINE NAME(factor) NAME(factor_in)(real *memory, size steps, size k, size groups, size n, const real *b, size b_row,
                                    size b_column, const real *bias) {
    const size group = steps > 1 ? NAME(whole_panels)(n) : n;
    real *end = memory + groups * group * k;
    memset(end, 0, sizeof(real) * (size_t)(groups * group));
    if (bias)
        for (size g = 0; g < groups; g++) memcpy(end + g * group, bias + g * n, sizeof(real) * (size_t)n);
    return (NAME(factor)){k, groups, n, b, b_row, b_column, steps > 1 ? memory : NULL, end,
                          end + groups * group, group, groups * group + (steps > 1 ? LANES : 0)};
}

/* What a thread makes: panels low … high - 1 of each group, units first … last - 1. */
typedef struct {
    size low, high, first, last;
} NAME(share);

/* Threads that have a share in it. */
INLINE int NAME(sharing)(const NAME(factor) * f, int threads) {
    return f->panels ? (int)min_size(threads, divide_up(f->n, COLUMNS)) : 1;
}

INLINE NAME(share) NAME(own_share)(size H) {
    const size panels = divide_up(H, COLUMNS);
    const size low = panels * THREAD_NUMBER / THREAD_COUNT, high = panels * (THREAD_NUMBER + 1) / THREAD_COUNT;
    return (NAME(share)){low, high, low * COLUMNS, min_size(high * COLUMNS, H)};
}

static void NAME(pack_factor)(const NAME(factor) * f, NAME(share) own) {
    for (size g = 0; g < f->groups; g++)
        for (size j = own.first; j < own.last; j += COLUMNS)
            NAME(pack_columns)(f->k, min_size(f->n - j, COLUMNS), f->b + (g * f->n + j) * f->b_column, f->b_row,
                               f->b_column, f->panels + (g * f->group + j) * f->k);
}

/* Where the run over k that begins there ends: it is that of a tile, in a panel of times_panels. */
INLINE size NAME(end_of_run)(size k, size begin) {
    const size panel = NAME(even_part)(k, DEPTH), first = begin / panel * panel, end = min_size(k, first + panel);
    return min_size(end, begin + NAME(even_part)(end - first, LONGEST));
}

#define ABREAST 4

/* One row of it, of ABREAST whole panels that begin at `column`, with the sums of a tile. Why: in a tile of one row an
 * addition waits for the one before it; eight that do not know of each other keep the processor busy. */
static void NAME(row_times_panels)(const real *a, const NAME(factor) * f, const size *column) {
    const real *panel[ABREAST];
    UNROLL for (int p = 0; p < ABREAST; p++) panel[p] = f->panels + column[p] * f->k;
    for (size k0 = 0, end; k0 < f->k; k0 = end) {
        end = NAME(end_of_run)(f->k, k0);
        vec sum[ABREAST][2];
        UNROLL for (int p = 0; p < ABREAST; p++) sum[p][0] = sum[p][1] = (vec){0};
        for (size i = k0; i < end; i++) {
            const vec x = splat(a[i]);
            UNROLL for (int p = 0; p < ABREAST; p++) {
                UNROLL for (int v = 0; v < 2; v++) sum[p][v] += x * load(panel[p] + i * COLUMNS + v * LANES);
            }
        }
        const real *add = k0 ? f->product : f->bias;
        UNROLL for (int p = 0; p < ABREAST; p++) {
            UNROLL for (int v = 0; v < 2; v++) {
                const size j = column[p] + v * LANES;
                store(f->product + j, sum[p][v] + load(add + j));
            }
        }
    }
}

/* product = a (rows, k) · factor + bias, the share of a thread; `from_end`: from the last panel to the first. */
static void NAME(times_panels)(size rows, const real *a, const NAME(factor) * f, NAME(share) own, int from_end) {
    const size panels = f->groups * (own.high - own.low), run = NAME(even_part)(f->k, DEPTH);
    const size whole = f->groups * (min_size(own.high, f->n / COLUMNS) - own.low);
    const size abreast = rows == 1 ? max_size(whole, 0) / ABREAST * ABREAST : 0; /* so many of the first */
#define COLUMN(i) ((i) % f->groups * f->group + (own.low + (i) / f->groups) * COLUMNS)
    for (size i = 0; i < abreast; i += ABREAST) {
        size column[ABREAST];
        for (size p = 0; p < ABREAST; p++) column[p] = COLUMN((from_end ? abreast - ABREAST - i : i) + p);
        NAME(row_times_panels)(a, f, column);
    }
    for (size i = abreast; i < panels; i++) {
        const size q = from_end ? abreast + panels - 1 - i : i, j = COLUMN(q);
        const size step = WHOLE_VECTORS(min_size(f->n - j % f->group, COLUMNS));
        NAME(panel) panel = {.vecs = step / LANES, .runs = 1, .write_step = 1, .in_place = 1};
        for (size k0 = 0; k0 < f->k; k0 += run) {
            NAME(target) t = {f->product + j, f->pitch, NULL, f->bias + j, k0 > 0};
            NAME(times_panel)(rows, 0, divide_up(rows, ROWS), min_size(f->k - k0, run), a + k0, f->k,
                              f->panels + j * f->k + k0 * step, step, NULL, NULL, &panel, t);
        }
    }
#undef COLUMN
}

/* The same of all columns, where nothing is packed. 0, or -1 when there is no memory. */
static int NAME(times_factor)(size rows, const real *a, const NAME(factor) * f, int threads) {
    return NAME(gemm)(rows, f->groups * f->n, f->k, a, f->k, 1, f->b, f->b_row, f->b_column, f->bias, f->product,
                      threads);
}

/* The cells, some units of a row at a time; from gate to gate it is H in u and the gates, `group` in v. A function of
 * its own each: only what is a parameter do compilers believe to be `restrict`. */
#define CELL ALONE void

/* A gate. What is made of gates is a loop of its own: there each number would wait for those that it is made of. */
CELL NAME(logistic_row)(size count, const real *restrict u, const real *restrict v, real *restrict a) {
    FOR_UNITS a[j] = NAME(logistic_of)(u[j] + v[j]);
}

CELL NAME(tanh_row)(size count, const real *restrict u, const real *restrict v, real *restrict a) {
    FOR_UNITS a[j] = NAME(tanh_of)(u[j] + v[j]);
}

CELL NAME(relu_row)(size count, const real *restrict u, const real *restrict v, real *restrict h) {
    FOR_UNITS {
        const real z = u[j] + v[j];
        h[j] = z <= 0 ? 0 : z; /* NaN passes */
    }
}

CELL NAME(lstm_row)(size count, size H, const real *restrict gates, const real *restrict before, real *restrict c,
                    real *restrict tanh_c, real *restrict h) {
    FOR_UNITS {
        const real i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j];
        const real cell = f * before[j] + i * g, bent = NAME(tanh_of)(cell);
        c[j] = cell, tanh_c[j] = bent, h[j] = o * bent;
    }
}

CELL NAME(gru_row)(size count, size H, size group, const real *restrict u, const real *restrict v,
                   const real *restrict before, real *restrict gates, real *restrict v_n, real *restrict h) {
    FOR_UNITS {
        const real r = gates[j], z = gates[H + j], w = v[2 * group + j], n = NAME(tanh_of)(u[2 * H + j] + r * w);
        gates[2 * H + j] = n, v_n[j] = w, h[j] = (1 - z) * n + z * before[j];
    }
}

CELL NAME(tanh_row_backward)(size count, const real *restrict h, const real *restrict delta, real *restrict delta_z) {
    FOR_UNITS delta_z[j] = delta[j] * (1 - h[j] * h[j]);
}

CELL NAME(relu_row_backward)(size count, const real *restrict h, const real *restrict delta, real *restrict delta_z) {
    FOR_UNITS delta_z[j] = h[j] <= 0 ? 0 : delta[j];
}

CELL NAME(lstm_row_backward)(size count, size H, const real *restrict gates, const real *restrict before,
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

CELL NAME(gru_row_backward)(size count, size H, const real *restrict gates, const real *restrict before,
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

/* Units of sequence n at step t, from v. `page` is t, or 0 where one page of memory is written over. */
static void NAME(cell)(const struct recurrent_job *job, size t, size n, NAME(share) own, const real *v, size group) {
    const size H = job->units, first = own.first, count = own.last - first, before = t + job->reverse;
    const size after = t + !job->reverse, page = job->keep ? t : 0, bytes = (size)sizeof(real) * count;
    const real *u = (const real *)job->u + t * job->u_step + n * job->u_row + first;
    const int ended = job->counts && !job->counts[t * job->rows + n];
    const real *h_before = job->projection ? NULL : ROW(h, before, H) + first;
    real *h = job->projection ? ROW(m, page, H) + first : ROW(h, after, H) + first;
    v += first;
    if (job->cell == TANH_CELL) {
        NAME(tanh_row)(count, u, v, h);
    } else if (job->cell == RELU_CELL) {
        NAME(relu_row)(count, u, v, h);
    } else if (job->cell == GRU_CELL) {
        real *gates = ROW(gates, page, 3 * H) + first;
        NAME(logistic_row)(count, u, v, gates);
        NAME(logistic_row)(count, u + H, v + group, gates + H);
        NAME(gru_row)(count, H, group, u, v, h_before, gates, ROW(inner, page, H) + first, h);
    } else {
        real *gates = ROW(gates, page, 4 * H) + first;
        NAME(logistic_row)(count, u, v, gates);
        NAME(logistic_row)(count, u + H, v + group, gates + H);
        NAME(tanh_row)(count, u + 2 * H, v + 2 * group, gates + 2 * H);
        NAME(logistic_row)(count, u + 3 * H, v + 3 * group, gates + 3 * H);
        NAME(lstm_row)(count, H, gates, STATE(c, before) + first, STATE(c, after) + first,
                       ROW(inner, page, H) + first, h);
    }
    if (ended && !job->projection) memcpy(h, h_before, (size_t)bytes); /* its state stays */
    if (ended && job->c) memcpy(STATE(c, after) + first, STATE(c, before) + first, (size_t)bytes);
}

/* The state h of sequence n behind step t, from its projection. */
static void NAME(project)(const struct recurrent_job *job, size t, size n, NAME(share) own, const real *projected) {
    const int ended = job->counts && !job->counts[t * job->rows + n];
    const real *h_before = ROW(h, t + job->reverse, job->width);
    memcpy(ROW(h, t + !job->reverse, job->width) + own.first, (ended ? h_before : projected) + own.first,
           sizeof(real) * (size_t)(own.last - own.first));
}

/* All that arrives at h of step t: δ, from later steps, becomes that. Into `direct` goes ∂J/∂h that does not go through
 * the step: that of a sequence which has ended is handed on as it is. */
static void NAME(arrive)(const struct recurrent_job *job, size t, size n, NAME(share) own, real *delta, real *direct) {
    const size count = own.last - own.first, bytes = (size)sizeof(real) * count;
    const int ended = job->counts && !job->counts[t * job->rows + n];
    if (ended)
        memcpy(direct, delta, (size_t)bytes);
    else if (direct)
        memset(direct, 0, (size_t)bytes);
    if (job->delta_y && !ended) {
        const real *delta_y = (const real *)job->delta_y + t * job->delta_y_step + n * job->delta_y_row + own.first;
        FOR_UNITS delta[j] += delta_y[j];
    }
    if (job->delta_h && ended)
        memset(ROW(delta_h, t, job->width) + own.first, 0, (size_t)bytes);
    else if (job->delta_h)
        memcpy(ROW(delta_h, t, job->width) + own.first, delta, (size_t)bytes);
}

/* ∂J/∂u and ∂J/∂v of these units at step t, from δ of what their cells made. */
static void NAME(cell_backward)(const struct recurrent_job *job, size t, size n, NAME(share) own, size gates,
                                const real *delta, real *direct) {
    const size H = job->units, first = own.first, count = own.last - first, before = t + job->reverse;
    const size after = t + !job->reverse, bytes = (size)sizeof(real) * count;
    real *delta_u = ROW(delta_u, t, gates * H) + first, *delta_v = ROW(delta_v, t, gates * H) + first;
    if (job->counts && !job->counts[t * job->rows + n]) { /* nothing; the δ of its c is handed on as it is */
        for (size g = 0; g < gates; g++) {
            memset(delta_u + g * H, 0, (size_t)bytes);
            memset(delta_v + g * H, 0, (size_t)bytes);
        }
        if (job->c) memcpy(STATE(delta_c, before) + first, STATE(delta_c, after) + first, (size_t)bytes);
        return;
    }
    switch (job->cell) {
    case TANH_CELL: NAME(tanh_row_backward)(count, ROW(h, after, H) + first, delta, delta_u); break;
    case RELU_CELL: NAME(relu_row_backward)(count, ROW(h, after, H) + first, delta, delta_u); break;
    case GRU_CELL:
        NAME(gru_row_backward)(count, H, ROW(gates, t, 3 * H) + first, ROW(h, before, H) + first,
                               ROW(inner, t, H) + first, delta, delta_u, delta_v, direct);
        break;
    default:
        NAME(lstm_row_backward)(count, H, ROW(gates, t, 4 * H) + first, ROW(c, before, H) + first,
                                ROW(inner, t, H) + first, delta, STATE(delta_c, after) + first, delta_u,
                                STATE(delta_c, before) + first);
    }
}

INLINE size NAME(gates_of)(int cell) { return cell == LSTM_CELL ? 4 : cell == GRU_CELL ? 3 : 1; }

/* The product of this thread's share, or where nothing is packed, of all. */
static int NAME(times_share)(size rows, const real *a, const NAME(factor) * f, NAME(share) own, int from_end,
                             int threads) {
    if (!f->panels) return NAME(times_factor)(rows, a, f, threads);
    NAME(times_panels)(rows, a, f, own, from_end);
    return 0;
}

static int NAME(recurrent_forward)(const struct recurrent_job *job, int threads) {
    const size T = job->steps, N = job->rows, H = job->units, P = job->width, gates = NAME(gates_of)(job->cell);
    const size factor_size = NAME(factor_size)(N, P, gates, H), projected = job->projection ? P : 0;
    int failed = 0;
    real *memory = scratch((size)sizeof(real) * (factor_size + NAME(factor_size)(N, H, 1, projected)));
    if (!memory) return -1;
    const NAME(factor) factor = NAME(factor_in)(memory, T, P, gates, H, job->weight, 1, P, job->bias);
    const NAME(factor) projection =
        NAME(factor_in)(memory + factor_size, T, H, 1, projected, job->projection, 1, H, NULL);

    PARALLEL(NAME(sharing)(&factor, threads)) {
        const NAME(share) own = NAME(own_share)(H), own_state = NAME(own_share)(projected);
        if (factor.panels) NAME(pack_factor)(&factor, own);
        if (factor.panels) NAME(pack_factor)(&projection, own_state);
        for (size s = 0; s < T; s++) {
            const size t = job->reverse ? T - 1 - s : s;
            const real *h = (const real *)job->h + (t + job->reverse) * N * P;
            const real *m = (const real *)job->m + (projected && job->keep ? t * N * H : 0);
            const int is_bias = job->from_zero && s == 0; /* is v = b_hh? */
            if (!is_bias && NAME(times_share)(N, h, &factor, own, s % 2, threads) < 0) failed = 1;
            for (size n = 0; n < N; n++)
                NAME(cell)(job, t, n, own, is_bias ? factor.bias : factor.product + n * factor.pitch, factor.group);
            BARRIER
            if (!projected) continue;
            if (NAME(times_share)(N, m, &projection, own_state, s % 2, threads) < 0) failed = 1;
            for (size n = 0; n < N; n++)
                NAME(project)(job, t, n, own_state, projection.product + n * projection.pitch);
            BARRIER
        }
    }
    free(memory);
    return -failed;
}

static int NAME(recurrent_backward)(const struct recurrent_job *job, int threads) {
    const size T = job->steps, N = job->rows, H = job->units, P = job->width;
    const size gates = NAME(gates_of)(job->cell), k = gates * H, units = job->projection ? H : 0;
    const size factor_size = NAME(factor_size)(N, k, 1, P), projection_size = NAME(factor_size)(N, P, 1, units);
    const int has_direct = job->counts || job->cell == GRU_CELL;
    int failed = 0;
    real *memory = scratch((size)sizeof(real) * (factor_size + projection_size + N * P));
    if (!memory) return -1;
    const NAME(factor) factor = NAME(factor_in)(memory, T, k, 1, P, job->weight, P, 1, NULL);
    const NAME(factor) projection =
        NAME(factor_in)(memory + factor_size, T, P, 1, units, job->projection, H, 1, NULL);
    real *direct = has_direct ? memory + factor_size + projection_size : NULL;

    PARALLEL(NAME(sharing)(units > P ? &projection : &factor, threads)) {
        const NAME(share) own = NAME(own_share)(H), own_state = NAME(own_share)(P);
        if (factor.panels) NAME(pack_factor)(&factor, own_state);
        if (factor.panels && units) NAME(pack_factor)(&projection, own);
        for (size s = T; s >= !job->delta_first; s--) { /* δ of the state behind step s, then through that step */
            const size t = job->reverse ? T - s : s - 1, later = job->reverse ? t - 1 : t + 1;
            const size first = own_state.first, count = own_state.last - first, bytes = (size)sizeof(real) * count;
            const real *delta_v = (const real *)job->delta_v + (s < T ? later * N * k : 0);
            if (s < T && NAME(times_share)(N, delta_v, &factor, own_state, s % 2, threads) < 0) failed = 1;
            for (size n = 0; n < N; n++) {
                real *delta = factor.product + n * factor.pitch + first;
                real *past_v = direct ? direct + n * P + first : NULL;
                if (s == T)
                    memcpy(delta, (const real *)job->delta_last + n * P + first, (size_t)bytes);
                else if (job->counts && !job->counts[later * N + n])
                    memcpy(delta, past_v, (size_t)bytes); /* it had ended: W_hh has no part in it, be it infinite */
                else if (direct)
                    FOR_UNITS delta[j] += past_v[j];
                if (s > 0)
                    NAME(arrive)(job, t, n, own_state, delta, past_v);
                else
                    memcpy((real *)job->delta_first + n * P + first, delta, (size_t)bytes);
                if (s > 0 && !units) NAME(cell_backward)(job, t, n, own, gates, delta, past_v);
            }
            BARRIER
            if (s == 0 || !units) continue;
            const real *delta_h = (const real *)job->delta_h + t * N * P;
            if (NAME(times_share)(N, delta_h, &projection, own, s % 2, threads) < 0) failed = 1;
            for (size n = 0; n < N; n++)
                NAME(cell_backward)(job, t, n, own, gates, projection.product + n * projection.pitch + own.first, NULL);
            BARRIER
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
