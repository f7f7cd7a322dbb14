/* Pooling of planes (D, H, W). One and two dimensions have D = 1, or D = H = 1.
 *
 * A window is taken apart: across the rows first, column by column, which is vector code; then along the line of columns
 * that this leaves. What a row of outputs comes from is such a line; begin and end count planes, of max_pool lines. */

/* What a line of windows sees of its plane: how many rows, and where they begin. */
typedef struct {
    size most;  /* from line to line in `rows` */
    size *rows;
    size *counts;
} NAME(view);

/* The views of `lines` lines from the first, counted on into the next plane. 0, or -1 when there is no memory; `rows` is to
 * be freed in both cases. */
static int NAME(look)(const struct window_job *job, size first, size lines, NAME(view) * view) {
    view->most = job->kernel[0] * job->kernel[1];
    view->rows = scratch((view->most + 1) * lines * (size)sizeof(size));
    if (!view->rows) return -1;
    view->counts = view->rows + view->most * lines;
    for (size line = 0; line < lines; line++) {
        const size q = (first + line) % (job->out[0] * job->out[1]);
        size *rows = view->rows + line * view->most, *count = view->counts + line;
        *count = 0;
        for (size i = 0; i < job->kernel[0]; i++) {
            const size depth = q / job->out[1] * job->stride[0] - job->before[0] + i * job->dilation[0];
            for (size j = 0; j < job->kernel[1] && depth >= 0 && depth < job->in[0]; j++) {
                const size row = q % job->out[1] * job->stride[1] - job->before[1] + j * job->dilation[1];
                if (row >= 0 && row < job->in[1]) rows[(*count)++] = (depth * job->in[1] + row) * job->in[2];
            }
        }
    }
    return 0;
}

/* Are windows as long as some vectors? They are then gone through one by one. */
INLINE int NAME(is_wide)(const struct window_job *job) {
    return job->kernel[2] >= 2 * LANES && job->stride[2] > 2 && job->dilation[2] == 1;
}

/* Does one window see all of a plane, and nothing else? */
INLINE int NAME(sees_plane)(const struct window_job *job) {
    int whole = 1;
    for (int a = 0; a < 3; a++)
        whole &= job->out[a] == 1 && job->before[a] == 0 && job->kernel[a] == job->in[a] &&
                 (job->kernel[a] == 1 || job->dilation[a] == 1);
    return whole;
}

/* Stores the first few lanes. Writes all of them where the rest is still to be written anyway, that is before `end`. */
INLINE void NAME(store_before)(real *y, vec v, size lanes, const real *end) {
    if (end - y >= LANES)
        store(y, v);
    else
        for (size lane = 0; lane < lanes; lane++) y[lane] = v[lane];
}
