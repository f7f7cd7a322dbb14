/* One time step of the recurrent cells, for rows of a batch: from u = W_ih x + b_ih and v = W_hh h + b_hh to the new state,
 * and back. All of a step in one pass over memory, and nothing computed twice. Rows are independent of each other. */

#define ROW(field, n, width) ((const real *)job->field + (n) * (width))
#define ROW_OUT(field, n, width) ((real *)job->field + (n) * (width))

static int NAME(tanh_cell)(const void *job_, size begin, size end) {
    const struct cell_job *job = job_;
    const real *restrict u = job->u, *restrict v = job->v;
    real *restrict h = job->h;
    for (size i = begin * job->units; i < end * job->units; i++) h[i] = NAME(tanh_of)(u[i] + v[i]);
    return 0;
}

static int NAME(relu_cell)(const void *job_, size begin, size end) {
    const struct cell_job *job = job_;
    const real *restrict u = job->u, *restrict v = job->v;
    real *restrict h = job->h;
    for (size i = begin * job->units; i < end * job->units; i++) {
        const real z = u[i] + v[i];
        h[i] = z <= 0 ? 0 : z; /* NaN passes */
    }
    return 0;
}

/* Of one row. A function of its own each: only what is a parameter do compilers believe to be `restrict`. */
static __attribute__((noinline)) void NAME(lstm_row)(size H, const real *restrict u, const real *restrict v,
                                                     const real *restrict before, real *restrict gates, real *restrict c,
                                                     real *restrict tanh_c, real *restrict h) {
    for (size j = 0; j < H; j++) {
        const real i = NAME(logistic_of)(u[j] + v[j]), f = NAME(logistic_of)(u[H + j] + v[H + j]);
        const real g = NAME(tanh_of)(u[2 * H + j] + v[2 * H + j]), o = NAME(logistic_of)(u[3 * H + j] + v[3 * H + j]);
        const real cell = f * before[j] + i * g, bent = NAME(tanh_of)(cell);
        gates[j] = i, gates[H + j] = f, gates[2 * H + j] = g, gates[3 * H + j] = o;
        c[j] = cell, tanh_c[j] = bent, h[j] = o * bent;
    }
}

static __attribute__((noinline)) void NAME(lstm_row_backward)(size H, const real *restrict gates,
                                                              const real *restrict before, const real *restrict tanh_c,
                                                              const real *restrict delta_h, const real *restrict delta_c,
                                                              real *restrict delta_z, real *restrict delta_before) {
    for (size j = 0; j < H; j++) {
        const real i = gates[j], f = gates[H + j], g = gates[2 * H + j], o = gates[3 * H + j], t = tanh_c[j];
        const real d = delta_c[j] + delta_h[j] * o * (1 - t * t); /* ∂J/∂c, whole */
        delta_z[j] = d * g * i * (1 - i);
        delta_z[H + j] = d * before[j] * f * (1 - f);
        delta_z[2 * H + j] = d * i * (1 - g * g);
        delta_z[3 * H + j] = delta_h[j] * t * o * (1 - o);
        delta_before[j] = d * f;
    }
}

static __attribute__((noinline)) void NAME(gru_row)(size H, const real *restrict u, const real *restrict v,
                                                    const real *restrict before, real *restrict gates,
                                                    real *restrict h) {
    for (size j = 0; j < H; j++) {
        const real r = NAME(logistic_of)(u[j] + v[j]), z = NAME(logistic_of)(u[H + j] + v[H + j]);
        const real n = NAME(tanh_of)(u[2 * H + j] + r * v[2 * H + j]);
        gates[j] = r, gates[H + j] = z, gates[2 * H + j] = n;
        h[j] = (1 - z) * n + z * before[j];
    }
}

static __attribute__((noinline)) void NAME(gru_row_backward)(size H, const real *restrict gates,
                                                             const real *restrict before, const real *restrict v_n,
                                                             const real *restrict delta_h, real *restrict delta_u,
                                                             real *restrict delta_v, real *restrict delta_before) {
    for (size j = 0; j < H; j++) {
        const real r = gates[j], z = gates[H + j], n = gates[2 * H + j], d = delta_h[j];
        const real delta_n = d * (1 - z) * (1 - n * n), delta_r = delta_n * v_n[j] * r * (1 - r);
        const real delta_z = d * (before[j] - n) * z * (1 - z);
        delta_u[j] = delta_r, delta_u[H + j] = delta_z, delta_u[2 * H + j] = delta_n;
        delta_v[j] = delta_r, delta_v[H + j] = delta_z, delta_v[2 * H + j] = delta_n * r;
        delta_before[j] = d * z;
    }
}

static int NAME(lstm_cell)(const void *job_, size begin, size end) {
    const struct cell_job *job = job_;
    const size H = job->units;
    for (size n = begin; n < end; n++)
        NAME(lstm_row)(H, ROW(u, n, 4 * H), ROW(v, n, 4 * H), ROW(before, n, H), ROW_OUT(gates, n, 4 * H),
                       ROW_OUT(c, n, H), ROW_OUT(tanh_c, n, H), ROW_OUT(h, n, H));
    return 0;
}

static int NAME(lstm_cell_backward)(const void *job_, size begin, size end) {
    const struct cell_delta_job *job = job_;
    const size H = job->units;
    for (size n = begin; n < end; n++)
        NAME(lstm_row_backward)(H, ROW(gates, n, 4 * H), ROW(before, n, H), ROW(saved, n, H), ROW(delta_h, n, H),
                                ROW(delta_c, n, H), ROW_OUT(delta_u, n, 4 * H), ROW_OUT(delta_before, n, H));
    return 0;
}

static int NAME(gru_cell)(const void *job_, size begin, size end) {
    const struct cell_job *job = job_;
    const size H = job->units;
    for (size n = begin; n < end; n++)
        NAME(gru_row)(H, ROW(u, n, 3 * H), ROW(v, n, 3 * H), ROW(before, n, H), ROW_OUT(gates, n, 3 * H),
                      ROW_OUT(h, n, H));
    return 0;
}

static int NAME(gru_cell_backward)(const void *job_, size begin, size end) {
    const struct cell_delta_job *job = job_;
    const size H = job->units;
    for (size n = begin; n < end; n++)
        NAME(gru_row_backward)(H, ROW(gates, n, 3 * H), ROW(before, n, H), ROW(saved, n, H), ROW(delta_h, n, H),
                               ROW_OUT(delta_u, n, 3 * H), ROW_OUT(delta_v, n, 3 * H), ROW_OUT(delta_before, n, H));
    return 0;
}

#undef ROW
#undef ROW_OUT
