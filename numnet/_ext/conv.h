/* Convolution and its gradients, on top of slide.h; of upright.h where that is faster, and of winograd.h where it is allowed too. */

/* Is it faster as a product of matrices for each image? */
INLINE int NAME(is_product)(const conv_shape *s, size rows) {
    return is_pointwise(s) && s->groups == 1 && rows >= LONG && s->in[0] * s->in[1] * s->in[2] >= 16 * COLUMNS;
}

/* out (rows, pixels) = A (rows, channels) · source (channels, pixels) + bias, for each image: what a window of one pixel
 * does. */
static int NAME(products)(const conv_shape *s, size rows, size channels, const real *a, size a_row, size a_column,
                          const real *source, const real *bias, real *out, int threads) {
    const size pixels = s->in[0] * s->in[1] * s->in[2];
    NAME(product) image = {.m = rows, .n = pixels, .k = channels, .a = a, .a_row = a_row, .a_column = a_column, .b = source,
                           .b_row = pixels, .b_column = 1, .row_bias = bias, .c = out, .c_row = pixels, .c_column = 1};
    int status = 0;
    for (size n = 0; n < s->images && status == 0; n++) {
        status = NAME(multiply)(image, threads);
        image.b += channels * pixels, image.c += rows * pixels;
    }
    return status;
}

static int NAME(either_slide)(const slide_plan *plan, const real *source, const real *weight, const real *bias, real *out,
                              int threads) {
    return (NAME(is_upright)(plan) ? NAME(slide_upright) : NAME(slide))(plan, source, weight, bias, out, threads);
}

static int NAME(conv)(const conv_shape *shape, const void *x, const void *weight, const void *bias, void *z,
                      int winograd, int threads) {
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd(shape, &tiles)) return NAME(winograd)(&tiles, x, weight, bias, z, threads);
#endif
    (void)winograd;
    if (NAME(is_product)(shape, shape->filters))
        return NAME(products)(shape, shape->filters, shape->channels, weight, shape->channels, 1, x, bias, z, threads);
    slide_plan plan;
    int status = plan_conv(shape, &plan) ? NAME(either_slide)(&plan, x, weight, bias, z, threads) : -1;
    free(plan.memory);
    return status;
}

static int NAME(conv_delta_x)(const conv_shape *shape, const void *weight, const void *delta, void *delta_x,
                              int winograd, int threads) {
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd_delta_x(shape, &tiles))
        return NAME(winograd)(&tiles, delta, weight, NULL, delta_x, threads);
#endif
    (void)winograd;
    if (NAME(is_product)(shape, shape->channels))
        return NAME(products)(shape, shape->channels, shape->filters, weight, 1, shape->channels, delta, NULL, delta_x,
                              threads);
    slide_plan plan;
    int status = plan_delta_x(shape, &plan) ? NAME(either_slide)(&plan, delta, weight, NULL, delta_x, threads) : -1;
    free(plan.memory);
    return status;
}

#define RUN ((size)256) /* positions in a row, at most */

/* Neighbouring positions: where they start in the frame, how many, and how many places they have in packed δ. */
typedef struct {
    size from, length, places;
} NAME(run);

/* sums[tap, filter] += Σ_positions frame[offset[tap] + position] · δ[position, filter]: a few taps, 1 or 2 vectors of
 * filters. δ is packed, positions one after the other. */
INLINE void NAME(tap_tile)(const int taps, const int vecs, const NAME(run) * runs, size count, const real *frame,
                           const size *offset, const real *delta, real *sums, size row) {
    vec sum[ROWS][2];
    UNROLL for (int i = 0; i < taps; i++) {
        UNROLL for (int v = 0; v < vecs; v++) sum[i][v] = (vec){0};
    }
    for (size r = 0; r < count; r++) {
        const real *x[ROWS];
        UNROLL for (int i = 0; i < taps; i++) x[i] = frame + offset[i] + runs[r].from;
        for (size p = 0; p < runs[r].length; p++, delta += vecs * LANES) {
            vec d[2];
            UNROLL for (int v = 0; v < vecs; v++) d[v] = load(delta + v * LANES);
            UNROLL for (int i = 0; i < taps; i++) {
                vec s = splat(x[i][p]);
                UNROLL for (int v = 0; v < vecs; v++) sum[i][v] += s * d[v];
            }
        }
    }
    UNROLL for (int i = 0; i < taps; i++) {
        UNROLL for (int v = 0; v < vecs; v++) {
            real *s = sums + i * row + v * LANES;
            store(s, load(s) + sum[i][v]);
        }
    }
}

/* The same for up to FEW filters: positions run along the vector, and so do their sums, which nobody has added up yet. Each run
 * of δ is padded to whole vectors, with zeros; what the frame has there, which may be NaN, is masked. */
#define FEW 3
#define FEW_TAPS(filters) ((filters) == FEW ? 2 * ROWS / FEW : ROWS)
INLINE void NAME(tap_dots)(const int taps, const int filters, const NAME(run) * runs, size count, const real *frame,
                           const size *offset, const real *delta, size next, real *sums, size row) {
    vec sum[ROWS][FEW];
    UNROLL for (int i = 0; i < taps; i++) {
        UNROLL for (int f = 0; f < filters; f++) sum[i][f] = (vec){0};
    }
    for (size r = 0; r < count; r++) {
        const real *x = frame + runs[r].from;
        size left = runs[r].length;
        for (; left >= LANES; left -= LANES, x += LANES, delta += LANES) {
            vec d[FEW];
            UNROLL for (int f = 0; f < filters; f++) d[f] = load(delta + f * next);
            UNROLL for (int i = 0; i < taps; i++) {
                const vec seen = load(x + offset[i]);
                UNROLL for (int f = 0; f < filters; f++) sum[i][f] += seen * d[f];
            }
        }
        if (left == 0) continue;
#define NUMBER(lane, s) lane
        const mask there = (mask){EVERY_LANE(NUMBER, 0)} < (mask){0} + (int)left;
#undef NUMBER
        vec d[FEW];
        UNROLL for (int f = 0; f < filters; f++) d[f] = load(delta + f * next);
        UNROLL for (int i = 0; i < taps; i++) {
            const vec seen = (vec)(there & (mask)load(x + offset[i]));
            UNROLL for (int f = 0; f < filters; f++) sum[i][f] += seen * d[f];
        }
        delta += LANES;
    }
    UNROLL for (int i = 0; i < taps; i++) {
        UNROLL for (int f = 0; f < filters; f++) {
            real *s = sums + i * row + f * LANES;
            store(s, load(s) + sum[i][f]);
        }
    }
}

static void NAME(any_tap_dots)(size taps, size filters, const NAME(run) * runs, size count, const real *frame,
                               const size *offset, const real *delta, size next, real *sums, size row) {
#define CASE(r)                                                                                                        \
    case r:                                                                                                            \
        if (filters == FEW)                                                                                            \
            NAME(tap_dots)(min_size(r, FEW_TAPS(FEW)), FEW, runs, count, frame, offset, delta, next, sums, row);       \
        else if (filters == 2)                                                                                         \
            NAME(tap_dots)(r, 2, runs, count, frame, offset, delta, next, sums, row);                                  \
        else                                                                                                           \
            NAME(tap_dots)(r, 1, runs, count, frame, offset, delta, next, sums, row);                                  \
        break;
    switch (taps) { ROW_CASES }
#undef CASE
}

static void NAME(any_tap_tile)(size taps, size vecs, const NAME(run) * runs, size count, const real *frame,
                               const size *offset, const real *delta, real *sums, size row) {
#define CASE(r)                                                                                                        \
    case r:                                                                                                            \
        if (vecs == 2)                                                                                                 \
            NAME(tap_tile)(r, 2, runs, count, frame, offset, delta, sums, row);                                        \
        else                                                                                                           \
            NAME(tap_tile)(r, 1, runs, count, frame, offset, delta, sums, row);                                        \
        break;
    switch (taps) { ROW_CASES }
#undef CASE
}

/* Copies δ of a few images, each line to whole vectors, whose rest is zero already: from (image, filter, line) to (filter,
 * image, line). */
static void NAME(pad_lines)(size images, size filters, size lines, size length, const real *delta, size image, real *to,
                            size next) {
    const size padded = divide_up(length, LANES) * LANES;
    for (size n = 0; n < images; n++)
        for (size f = 0; f < filters; f++)
            for (size i = 0; i < lines; i++)
                NAME(copy_run)(length, delta + n * image + (f * lines + i) * length,
                               to + f * next + (n * lines + i) * padded);
}

/* dW[f, k] = Σₙ Σ_positions δ[n, f, position] · frame[n, offset[k] + position].
 *
 * The batch is cut in chunks, fixed by the shape alone; each chunk has sums of its own, added up in their order at the
 * end. So the bits do not depend on the number of threads, which share chunks, and taps where there are few chunks. */
static int NAME(conv_delta_w)(const conv_shape *shape, const void *x_, const void *delta_, void *dw_, int winograd,
                              int threads) {
    const real *x = x_, *delta = delta_;
    real *dw = dw_;
#if REAL_BITS == 32
    winograd_plan tiles;
    if (winograd && plan_winograd(shape, &tiles)) return NAME(winograd_delta_w)(&tiles, x, delta, dw, threads);
#endif
    (void)winograd;
    slide_plan plan;
    if (!plan_conv(shape, &plan)) return -1;
    const frame_plan *f = &plan.frame;
    const slide_phase *p = plan.phase;
    size positions = plan.out_volume, taps = plan.taps, filters = plan.rows;
    /* Along the vector: filters, or positions, where these leave fewer lanes empty. */
    size whole = divide_up(filters, LANES) * LANES, line = p->grid[2], padded = divide_up(line, LANES) * LANES;
    int few = filters <= LANES / 2 && 5 * filters * padded <= 4 * whole * line;
    size width = few ? filters * LANES : whole;
    size chunks = max_size(1, min_size(min_size(plan.images, 8), plan.images * positions / (4 * RUN)));
    while (chunks > 1 && (double)chunks * (double)plan.groups * (double)taps * (double)width > 4e6) chunks /= 2;
    size splits = divide_up(threads, plan.groups * chunks);
    /* Images with few positions are taken together, so that the sums stay in registers for longer. */
    size together = min_size(divide_up(RUN, positions), divide_up(plan.images, chunks));
    const int in_place = plan.in_place && !few; /* whole vectors are read past the end of a line */
    size image_from = in_place ? plan.groups * plan.channels * f->volume : plan.channels * f->volume;
    size frames = in_place ? 0 : divide_up(together * image_from + COLUMNS, 16) * 16;
    size lines = p->grid[0] * p->grid[1], pieces = divide_up(line, RUN), runs = lines * pieces;
    /* δ: some filters side by side, or filter by filter in lines of whole vectors */
    const size next = together * lines * padded;
    size turned = few ? filters * next : together * positions * min_size(width, COLUMNS);
    const size most = few ? 4 * RUN : RUN; /* positions whose δ stays in the first-level cache */
    size sums_size = plan.groups * chunks * taps * width;

    real *sums = scratch((size)sizeof(real) * (sums_size + threads * (frames + turned)));
    NAME(run) *run = scratch(together * runs * (size)sizeof(NAME(run)));
    if (!sums || !run) {
        free(sums), free(run), free(plan.memory);
        return -1;
    }
    for (size n = 0, i = 0; n < together; n++)
        for (size l = 0; l < lines; l++)
            for (size w = 0; w < line; w += RUN, i++) {
                size d = l / p->grid[1], h = l % p->grid[1];
                run[i].from = n * image_from + d * plan.read[0] + h * plan.read[1] + w;
                run[i].length = min_size(RUN, line - w);
                run[i].places = few ? min_size(RUN, padded - w) : run[i].length;
            }

    PARALLEL(threads) {
        real *frame = sums + sums_size + THREAD_NUMBER * (frames + turned), *side_by_side = frame + frames;
        memset(frame, 0, sizeof(real) * (size_t)(frames + (few ? turned : 0)));
        FOR for (size item = 0; item < plan.groups * chunks * splits; item++) {
            size split = item % splits, chunk = item / splits % chunks, g = item / splits / chunks;
            size first = taps * split / splits, own_taps = taps * (split + 1) / splits - first;
            real *own = sums + ((g * chunks + chunk) * taps + first) * width;
            memset(own, 0, sizeof(real) * (size_t)(own_taps * width));
            size end = plan.images * (chunk + 1) / chunks;
            for (size n0 = plan.images * chunk / chunks; n0 < end; n0 += together) {
                size images = min_size(together, end - n0);
                const real *x_n = x + (n0 * plan.groups + g) * plan.channels * plan.in_volume;
                const real *delta_n = delta + (n0 * plan.groups + g) * filters * positions;
                const real *seen = in_place ? x_n : frame;
                if (!in_place) NAME(place_images)(&plan, images, x_n, frame);
                const size image = plan.groups * filters * positions;
                if (few) NAME(pad_lines)(images, filters, lines, line, delta_n, image, side_by_side, next);
                const size parts = divide_up(filters, few ? FEW : COLUMNS);
                for (size part = 0; part < parts; part++) {
                    const size j = few ? filters * part / parts : part * COLUMNS;
                    const size columns = few ? filters * (part + 1) / parts - j : min_size(filters - j, COLUMNS);
                    const size vecs = divide_up(columns, LANES);
                    const size panels = divide_up(own_taps, few ? FEW_TAPS(columns) : ROWS);
                    const real *d = side_by_side + (few ? j * next : 0);
                    if (!few)
                        for (size n = 0; n < images; n++)
                            NAME(pack_columns)(positions, columns, delta_n + n * image + j * positions, 1, positions,
                                               side_by_side + n * positions * vecs * LANES);
                    for (size r = 0, count; r < images * runs; r += count) {
                        size length = run[r].length, places = run[r].places;
                        for (count = 1; r + count < images * runs && length + run[r + count].length <= most; count++)
                            length += run[r + count].length, places += run[r + count].places;
                        for (size q = 0; q < panels; q++) {
                            const size k = own_taps * q / panels, rows = own_taps * (q + 1) / panels - k;
                            const size *offset = p->offset + first + k;
                            if (few)
                                NAME(any_tap_dots)(rows, columns, run + r, count, seen, offset, d, next,
                                                   own + k * width + j * LANES, width);
                            else
                                NAME(any_tap_tile)(rows, vecs, run + r, count, seen, offset, d, own + k * width + j, width);
                        }
                        d += places * (few ? 1 : vecs * LANES);
                    }
                }
            }
        }
        FOR for (size item = 0; item < (few ? plan.groups * filters : 0); item++) {
            const real *parts = sums + item / filters * chunks * taps * width + item % filters * LANES;
            for (size k = 0; k < taps; k += LANES) {
                const size count = min_size(LANES, taps - k);
                vec v[VECTOR_BYTES / sizeof(real)];
                real total[VECTOR_BYTES / sizeof(real)];
                for (size i = 0; i < count; i++) {
                    v[i] = load(parts + (k + i) * width);
                    for (size c = 1; c < chunks; c++) v[i] += load(parts + (c * taps + k + i) * width);
                }
                NAME(lane_sums)(count, v, total);
                memcpy(dw + item * taps + k, total, sizeof(real) * (size_t)count);
            }
        }
        size blocks = few ? 0 : divide_up(filters, LANES);
        FOR for (size item = 0; item < plan.groups * blocks; item++) {
            size g = item / blocks, first = item % blocks * LANES, rows = min_size(LANES, filters - first);
            const real *parts = sums + g * chunks * taps * width + first;
            real *to = dw + (g * filters + first) * taps;
            for (size k = 0, count; k < taps; k += count) {
                count = min_size(LANES, taps - k);
                if (rows == LANES && count == LANES) { /* a square of taps and filters, turned */
                    vec v[LANES];
                    for (size i = 0; i < LANES; i++) {
                        v[i] = load(parts + (k + i) * width);
                        for (size c = 1; c < chunks; c++) v[i] += load(parts + (c * taps + k + i) * width);
                    }
                    transpose(v);
                    for (size i = 0; i < LANES; i++) store(to + i * taps + k, v[i]);
                    continue;
                }
                for (size i = k; i < k + count; i++)
                    for (size row = 0; row < rows; row++) {
                        real s = parts[i * width + row];
                        for (size c = 1; c < chunks; c++) s += parts[(c * taps + i) * width + row];
                        to[row * taps + i] = s;
                    }
            }
        }
    }
    free(sums), free(run), free(plan.memory);
    return 0;
}
