/* ∂J/∂W of a convolution by plain sums: dW[f, k] = Σₙ Σ_positions δ[n, f, position] · frame[n, offset[k] + position].
 *
 * Along the vector run filters; or positions, where these leave fewer lanes empty. The batch is cut in chunks, fixed by the
 * shape alone; each chunk has sums of its own, added up in their order at the end. So the bits do not depend on the number of
 * threads, which share chunks, and taps where there are few chunks. */

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
        const mask there = LANE_NUMBERS < (mask){0} + (int)left;
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

/* What is summed at once: some images, and some taps, those of a piece of the channels. */
typedef struct {
    size images, taps;
    const size *offset;        /* of the taps */
    const real *frame, *delta; /* of the first image */
    real *packed;              /* room for δ as the sums read it; between lines, zeros */
    real *sums;                /* of the first of the taps */
} NAME(tap_part);

typedef struct {
    slide_plan plan;
    size filters, taps;     /* of a group */
    size line;              /* positions of a line */
    int along_line;         /* do positions run along the vector? */
    size width;             /* of the sums of a tap: filters, or a vector for each filter */
    size chunks;            /* of the batch */
    size delta_image, next; /* from image to image in δ; from filter to filter in padded δ */
    size runs;              /* of an image */
    NAME(run) * run;
} NAME(tap_plan);

/* How many runs from r on stay in the first-level cache with their δ, and their places. */
static size NAME(runs_from)(const NAME(tap_plan) * s, size r, size end, size *places) {
    const size most = s->along_line ? 4 * RUN : RUN;
    size count = 0;
    *places = 0;
    for (size length = 0; r + count < end; count++) {
        length += s->run[r + count].length;
        if (count > 0 && length > most) break;
        *places += s->run[r + count].places;
    }
    return count;
}

static void NAME(sum_filters)(const NAME(tap_plan) * s, NAME(tap_part) part) {
    const size taps = part.taps, panels = divide_up(taps, ROWS), end = part.images * s->runs;
    const size positions = s->plan.out_volume;
    for (size j = 0; j < s->filters; j += COLUMNS) {
        const size columns = min_size(s->filters - j, COLUMNS), vecs = divide_up(columns, LANES);
        for (size n = 0; n < part.images; n++)
            NAME(pack_columns)(positions, columns, part.delta + n * s->delta_image + j * positions, 1, positions,
                               part.packed + n * positions * vecs * LANES);
        const real *delta = part.packed;
        for (size r = 0, count, places; r < end; r += count, delta += places * vecs * LANES) {
            count = NAME(runs_from)(s, r, end, &places);
            for (size q = 0; q < panels; q++) {
                const size k = taps * q / panels;
                NAME(any_tap_tile)(taps * (q + 1) / panels - k, vecs, s->run + r, count, part.frame,
                                   part.offset + k, delta, part.sums + k * s->width + j, s->width);
            }
        }
    }
}

static void NAME(sum_positions)(const NAME(tap_plan) * s, NAME(tap_part) part) {
    const size taps = part.taps, end = part.images * s->runs, parts = divide_up(s->filters, FEW);
    NAME(pad_lines)(part.images, s->filters, s->plan.out_volume / s->line, s->line, part.delta, s->delta_image,
                    part.packed, s->next);
    for (size p = 0; p < parts; p++) {
        const size j = s->filters * p / parts, filters = s->filters * (p + 1) / parts - j;
        const size panels = divide_up(taps, FEW_TAPS(filters));
        const real *delta = part.packed + j * s->next;
        for (size r = 0, count, places; r < end; r += count, delta += places) {
            count = NAME(runs_from)(s, r, end, &places);
            for (size q = 0; q < panels; q++) {
                const size k = taps * q / panels;
                NAME(any_tap_dots)(taps * (q + 1) / panels - k, filters, s->run + r, count, part.frame,
                                   part.offset + k, delta, s->next,
                                   part.sums + k * s->width + j * LANES, s->width);
            }
        }
    }
}

/* The sums of tap k, those of all chunks together: a vector of them. */
INLINE vec NAME(of_all_chunks)(const NAME(tap_plan) * s, const real *sums, size k) {
    vec sum = load(sums + k * s->width);
    for (size c = 1; c < s->chunks; c++) sum += load(sums + (c * s->taps + k) * s->width);
    return sum;
}

/* dW of up to LANES filters, whose sums lie side by side. */
static void NAME(give_filters)(const NAME(tap_plan) * s, size filters, const real *sums, real *dw) {
    for (size k = 0; k < s->taps; k += LANES) {
        const size count = min_size(LANES, s->taps - k);
        vec v[VECTOR_BYTES / sizeof(real)];
        for (size i = 0; i < LANES; i++) v[i] = i < count ? NAME(of_all_chunks)(s, sums, k + i) : (vec){0};
        transpose(v);
        for (size f = 0; f < filters; f++) {
            if (count == LANES)
                store(dw + f * s->taps + k, v[f]);
            else
                memcpy(dw + f * s->taps + k, v + f, sizeof(real) * (size_t)count);
        }
    }
}

/* dW of one filter, a vector of whose positions is to be added up for each tap. */
static void NAME(give_filter)(const NAME(tap_plan) * s, const real *sums, real *dw) {
    for (size k = 0; k < s->taps; k += LANES) {
        const size count = min_size(LANES, s->taps - k);
        vec v[VECTOR_BYTES / sizeof(real)];
        real total[VECTOR_BYTES / sizeof(real)];
        for (size i = 0; i < count; i++) v[i] = NAME(of_all_chunks)(s, sums, k + i);
        NAME(lane_sums)(count, v, total);
        memcpy(dw + k, total, sizeof(real) * (size_t)count);
    }
}

static int NAME(tap_sums)(const conv_shape *shape, const real *x, const real *delta, real *dw, int threads) {
    NAME(tap_plan) s = {0};
    if (!plan_conv(shape, &s.plan)) return -1;
    const slide_plan *plan = &s.plan;
    const slide_phase *p = plan->phase;
    const size positions = plan->out_volume, filters = s.filters = plan->rows, taps = s.taps = plan->taps;
    const size line = s.line = p->grid[2], padded = divide_up(line, LANES) * LANES, lines = positions / line;
    const size whole = divide_up(filters, LANES) * LANES;
    s.along_line = filters <= LANES / 2 && 5 * filters * padded <= 4 * whole * line;
    s.width = s.along_line ? filters * LANES : whole;
    s.chunks = max_size(1, min_size(min_size(plan->images, 8), plan->images * positions / (4 * RUN)));
    while (s.chunks > 1 && (double)s.chunks * (double)plan->groups * (double)taps * (double)s.width > 4e6) s.chunks /= 2;
    const size splits = divide_up(threads, plan->groups * s.chunks);
    /* Images with few positions are taken together, so that the sums stay in registers for longer. */
    const size together = min_size(divide_up(RUN, positions), divide_up(plan->images, s.chunks));
    const int in_place = plan->in_place && !s.along_line; /* whole vectors are read past the end of a line */
    const size piece = in_place ? plan->channels : NAME(piece)(plan), window = taps / plan->channels;
    const size image_from = (in_place ? plan->groups * plan->channels : piece) * plan->frame.volume;
    const size frames = in_place ? 0 : divide_up(together * image_from + COLUMNS, 16) * 16;
    s.delta_image = plan->groups * filters * positions;
    s.next = together * lines * padded;
    const size packed = s.along_line ? filters * s.next : together * positions * min_size(s.width, COLUMNS);
    const size group_sums = s.chunks * taps * s.width;
    s.runs = lines * divide_up(line, RUN);

    real *sums = scratch((size)sizeof(real) * (plan->groups * group_sums + threads * (frames + packed)));
    s.run = scratch(together * s.runs * (size)sizeof(NAME(run)));
    if (!sums || !s.run) {
        free(sums), free(s.run), free(s.plan.memory);
        return -1;
    }
    for (size n = 0, i = 0; n < together; n++)
        for (size l = 0; l < lines; l++)
            for (size w = 0; w < line; w += RUN, i++) {
                const size d = l / p->grid[1], h = l % p->grid[1], length = min_size(RUN, line - w);
                s.run[i].from = n * image_from + d * plan->read[0] + h * plan->read[1] + w;
                s.run[i].length = length;
                s.run[i].places = s.along_line ? min_size(RUN, padded - w) : length;
            }

    PARALLEL(threads) {
        real *frame = sums + plan->groups * group_sums + THREAD_NUMBER * (frames + packed);
        memset(frame, 0, sizeof(real) * (size_t)(frames + (s.along_line ? packed : 0)));
        FOR for (size item = 0; item < plan->groups * s.chunks * splits; item++) {
            const size split = item % splits, chunk = item / splits % s.chunks, g = item / splits / s.chunks;
            const size first = taps * split / splits, last = taps * (split + 1) / splits;
            real *own = sums + (g * s.chunks + chunk) * taps * s.width;
            memset(own + first * s.width, 0, sizeof(real) * (size_t)((last - first) * s.width));
            const size end = plan->images * (chunk + 1) / s.chunks;
            for (size n = plan->images * chunk / s.chunks; n < end; n += together) {
                NAME(tap_part) part = {.images = min_size(together, end - n), .packed = frame + frames};
                part.delta = delta + (n * plan->groups + g) * filters * positions;
                for (size c = first / window; c < divide_up(last, window); c += piece) {
                    const real *seen = x + ((n * plan->groups + g) * plan->channels + c) * plan->in_volume;
                    const size channels = min_size(piece, divide_up(last, window) - c);
                    const size k = max_size(first, c * window);
                    if (!in_place) NAME(place_images)(plan, part.images, seen, channels, piece, frame);
                    part.frame = in_place ? seen : frame;
                    part.taps = min_size(last, (c + channels) * window) - k;
                    part.offset = p->offset + (k - c * window);
                    part.sums = own + k * s.width;
                    (s.along_line ? NAME(sum_positions) : NAME(sum_filters))(&s, part);
                }
            }
        }
        const size step = s.along_line ? 1 : LANES, blocks = divide_up(filters, step);
        FOR for (size item = 0; item < plan->groups * blocks; item++) {
            const size g = item / blocks, first = item % blocks * step;
            const real *own = sums + g * group_sums + first * (s.along_line ? LANES : 1);
            real *to = dw + (g * filters + first) * taps;
            if (s.along_line)
                NAME(give_filter)(&s, own, to);
            else
                NAME(give_filters)(&s, min_size(LANES, filters - first), own, to);
        }
    }
    free(sums), free(s.run), free(s.plan.memory);
    return 0;
}

#undef RUN
#undef FEW
#undef FEW_TAPS
