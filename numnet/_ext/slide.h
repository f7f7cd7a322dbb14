/* Runs a slide_plan: places each image in its frame, packs what a panel of positions sees (no matrix of all windows is
 * ever made), and multiplies by the packed weights.
 *
 * Of many channels a piece is in the frame at a time: so it stays near, and takes no more memory the more there are. */

#define POSITIONS (8 * COLUMNS)                /* positions: images with fewer are taken together, so that panels are full */
#define PLACED ((size)(262144 / sizeof(real))) /* elements of a frame that stay near */

/* How many channels are a piece, of which there are enough for a step of k. It depends on the shape alone, not on the number of
 * threads: sums are rounded where a piece ends. */
INLINE size NAME(piece)(const slide_plan *plan) {
    if (plan->in_place || plan->taps == 0) return plan->channels;
    const size images = divide_up(POSITIONS, max_size(1, plan->out_volume));
    const size near = PLACED / (images * max_size(1, plan->frame.volume));
    const size worth = divide_up(DEPTH / 2 * plan->phases * plan->channels, plan->taps);
    return NAME(even_part)(plan->channels, max_size(near, worth));
}

/* Where the step of k ends that begins at `k`. Steps of a piece are even. */
INLINE size NAME(step_end)(const slide_plan *plan, const slide_phase *phase, size piece, size k) {
    const size taps = phase->taps / plan->channels * piece, begin = k / taps * taps, end = min_size(phase->taps, begin + taps);
    return min_size(end, k + NAME(even_part)(end - begin, DEPTH));
}

/* Deals a row out to `split` parts that begin `pitch` apart, as cards: x[w] becomes number w / split of part w mod split. */
INLINE void NAME(deal)(const size split, size first, size last, const real *restrict x, real *restrict to, size pitch) {
    for (size part = 0; part < split; part++) {
        const size begin = divide_up(max_size(first - part, 0), split), end = divide_up(max_size(last - part, 0), split);
        for (size q = begin; q < end; q++) to[part * pitch + q] = x[q * split + part];
    }
}

/* Copies one channel of the source into its frame, whose border is zero already. */
static void NAME(place)(const frame_plan *f, const real *source, real *frame) {
    size first = max_size(0, f->before[2]), last = min_size(f->extent[2], f->from[2] + f->before[2]);
    if (last <= first) return;
    for (size d = max_size(0, f->before[0]); d < min_size(f->extent[0], f->from[0] + f->before[0]); d++)
        for (size h = max_size(0, f->before[1]); h < min_size(f->extent[1], f->from[1] + f->before[1]); h++) {
            const real *x = source + ((d - f->before[0]) * f->from[1] + h - f->before[1]) * f->from[2] - f->before[2];
            real *to = frame + d * f->plane + h * f->row;
            if (f->split == 1)
                NAME(copy_run)(last - first, x + first, to + first);
            else if (f->split == 2) /* the usual stride */
                NAME(deal)(2, first, last, x, to, f->pitch);
            else
                NAME(deal)(f->split, first, last, x, to, f->pitch);
        }
}

/* A few channels of one group of several images, each of which has room for `piece` of them. */
static void NAME(place_images)(const slide_plan *plan, size images, const real *source, size channels, size piece,
                               real *frame) {
    for (size n = 0; n < images; n++)
        for (size c = 0; c < channels; c++)
            NAME(place)(&plan->frame, source + (n * plan->groups * plan->channels + c) * plan->in_volume,
                        frame + (n * piece + c) * plan->frame.volume);
}

/* Goes through the positions of several images, a panel at a time. */
typedef struct {
    size image, d, h, w;
} NAME(cursor);

static NAME(cursor) NAME(cursor_at)(const size grid[3], size position) {
    NAME(cursor) at;
    at.w = position % grid[2];
    position /= grid[2];
    at.h = position % grid[1];
    position /= grid[1];
    at.d = position % grid[0];
    at.image = position / grid[0];
    return at;
}

/* The next panel: `columns` positions one after the other; or, where the panel is read `directly` from the frame,
 * vectors of positions of one line each, `start`. Gives the number of positions. */
static size NAME(next_panel)(const slide_plan *plan, const slide_phase *phase, size image_from, size image_to,
                             size columns, int directly, NAME(cursor) * at, NAME(panel) * panel, size start[2]) {
    size done = 0, width = 0, end = 0, r = 0;
    panel->write_step = plan->write[2];
    panel->in_place = plan->write[2] == 1;
    for (; done < columns && width < COLUMNS; r++) {
        size length = min_size(columns - done, phase->grid[2] - at->w);
        if (directly) length = min_size(length, LANES);
        size from = at->image * image_from + at->d * plan->read[0] + at->h * plan->read[1] + at->w;
        size to = at->image * image_to + phase->write + at->d * plan->write[0] + at->h * plan->write[1] +
                  at->w * plan->write[2];
        if (directly) start[r] = from;
        panel->run[r].from = from;
        panel->run[r].to = to;
        panel->run[r].at = width;
        panel->run[r].length = length;
        if (r > 0 && to != end) panel->in_place = 0;
        end = to + length;
        done += length;
        width += directly ? LANES : length;
        at->w += length;
        if (at->w == phase->grid[2]) {
            at->w = 0;
            if (++at->h == phase->grid[1]) {
                at->h = 0;
                if (++at->d == phase->grid[0]) at->d = 0, at->image++;
            }
        }
    }
    panel->runs = r;
    panel->vecs = divide_up(width, LANES);
    if (done < panel->vecs * LANES) panel->in_place = 0;
    return done;
}

/* Packs tap by tap a few vectors: from the frame at offset[k] + from[c], into the panel at to[c]. */
INLINE void NAME(copy_vectors)(const int count, size depth, const size *offset, const real *frame, const size *from,
                               const size *to, size step, real *packed) {
    for (size k = 0; k < depth; k++) {
        UNROLL for (int c = 0; c < count; c++) store(packed + k * step + to[c], load(frame + offset[k] + from[c]));
    }
}

/* Packs what the positions of a panel see, tap by tap. With `slack`, whole vectors may be read past the end of a run;
 * what is written too much, the next vector or the next tap overwrites. */
static void NAME(pack_taps)(const NAME(panel) * panel, size depth, const size *offset, const real *frame, int slack,
                            real *packed) {
    size step = panel->vecs * LANES;
    if (!slack && (panel->runs > 1 || panel->run[0].length < step)) {
        for (size k = 0; k < depth; k++)
            for (size r = 0; r < panel->runs; r++)
                for (size j = 0; j < panel->run[r].length; j++)
                    packed[k * step + panel->run[r].at + j] = frame[offset[k] + panel->run[r].from + j];
        return;
    }
    size from[COLUMNS], to[COLUMNS], count = 0;
    for (size r = 0; r < panel->runs; r++)
        for (size j = 0; j < panel->run[r].length; j += LANES, count++) {
            from[count] = panel->run[r].from + j;
            to[count] = panel->run[r].at + j;
        }
    switch (count) {
#define CASE(c)                                                                                                        \
    case c: NAME(copy_vectors)(c, depth, offset, frame, from, to, step, packed); break;
        CASE(1) CASE(2) CASE(3) CASE(4)
#undef CASE
        default:
            for (size k = 0; k < depth; k++)
                for (size c = 0; c < count; c++) store(packed + k * step + to[c], load(frame + offset[k] + from[c]));
    }
}

static void NAME(pack_weights)(const slide_plan *plan, size piece, const real *weight, real *packed, size first, size rows) {
    for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++) {
        for (size k = 0, depth; k < p->taps; k += depth) {
            depth = NAME(step_end)(plan, p, piece, k) - k;
            const real *w = weight + first * plan->weight_row + (plan->in_order ? k : 0);
            NAME(pack_rows)(rows, depth, w, plan->weight_row, 1, plan->in_order ? NULL : p->weight + k,
                            packed + k * plan->rows + first * depth);
        }
        packed += p->taps * plan->rows;
    }
}

#define MOST_ABREAST ((size)16)

/* What all parts of a slide know of it. */
typedef struct {
    const slide_plan *plan;
    size image_from, image_to;
    size a_row;   /* of weights that are read where they lie */
    size abreast; /* panels that are packed side by side */
} NAME(slide_job);

/* Some images, and of one of their phases some taps and some positions. */
typedef struct {
    const slide_phase *phase;
    size images, depth, first, last;
    const real *a, *seen; /* the weights; the frames, or the images themselves */
    const size *offset;   /* of the taps */
} NAME(slide_step);

#define SUMS 8 /* that are made at once, or each would wait for the last one */

/* What so many vectors of positions see, for one row or two: too few to be worth a panel. */
INLINE void NAME(line_tile)(const int rows, const int vecs, size depth, const real *a, const real *frame,
                            const size *offset, const size *from, vec *sum) {
    vec sums[SUMS];
    UNROLL for (int i = 0; i < SUMS; i++) sums[i] = (vec){0};
    for (size k = 0; k < depth; k++) {
        UNROLL for (int v = 0; v < vecs; v++) {
            const vec x = load(frame + offset[k] + from[v]);
            UNROLL for (int row = 0; row < rows; row++) sums[v * rows + row] += splat(a[k * rows + row]) * x;
        }
    }
    UNROLL for (int i = 0; i < SUMS; i++) sum[i] = sums[i];
}

/* All rows of a step, if they are one or two, by vectors of positions of one line each; nothing is packed but the weights. */
static void NAME(slide_lines)(const NAME(slide_job) * job, const NAME(slide_step) * s, NAME(target) t) {
    const slide_plan *plan = job->plan;
    const slide_phase *phase = s->phase;
    const size rows = plan->rows, most = SUMS / rows, width = phase->grid[2], write = plan->write[2];
    const size lines = s->images * phase->grid[0] * phase->grid[1];
    size from[SUMS] = {0}, to[SUMS], length[SUMS], count = 0;
    for (size line = 0; line < lines; line++) {
        const NAME(cursor) at = NAME(cursor_at)(phase->grid, line * width);
        for (size w = 0; w < width; w += LANES) {
            from[count] = at.image * job->image_from + at.d * plan->read[0] + at.h * plan->read[1] + w;
            to[count] = at.image * job->image_to + phase->write + at.d * plan->write[0] + at.h * plan->write[1] + w * write;
            length[count++] = min_size(width - w, LANES);
            if (count < most && (line + 1 < lines || w + LANES < width)) continue;
            vec sum[SUMS]; /* those that nobody asked for are of positions asked for before */
            if (rows == 1)
                NAME(line_tile)(1, SUMS, s->depth, s->a, s->seen, s->offset, from, sum);
            else
                NAME(line_tile)(2, SUMS / 2, s->depth, s->a, s->seen, s->offset, from, sum);
            for (size i = 0; i < count * rows; i++) {
                const size v = i / rows, row = i % rows;
                const real bias = t.row_bias ? t.row_bias[row] : 0;
                real *c = t.c + row * plan->out_volume + to[v];
                if (write == 1 && length[v] == LANES)
                    store(c, sum[i] + (t.accumulate ? load(c) : splat(bias)));
                else
                    for (size j = 0; j < length[v]; j++) c[j * write] = sum[i][j] + (t.accumulate ? c[j * write] : bias);
            }
            count = 0;
        }
    }
}
#undef SUMS

/* All rows of a step, panel by panel of its positions, for which `packed` has room. */
static void NAME(slide_panels)(const NAME(slide_job) * job, const NAME(slide_step) * s, real *packed, NAME(target) t) {
    const slide_plan *plan = job->plan;
    const size width = s->phase->grid[2], row_panels = divide_up(plan->rows, ROWS);
    /* Reading directly wastes the rest of a vector at the end of a line, packing costs about as much as 3 rows. */
    const int directly = !plan->in_place && plan->rows <= 2 * ROWS &&
                         plan->rows * (divide_up(width, LANES) * LANES - width) <= 3 * width;
    NAME(cursor) at = NAME(cursor_at)(s->phase->grid, s->first);
    for (size left = s->last - s->first; left > 0;) {
        NAME(panel) panel[MOST_ABREAST];
        size start[2] = {0, 0}, count = 0;
        if (directly) {
            left -= NAME(next_panel)(plan, s->phase, job->image_from, job->image_to, min_size(COLUMNS, left), 1, &at, panel,
                                     start);
            NAME(times_panel)(plan->rows, 0, row_panels, s->depth, s->a, 0, s->seen, 0, s->offset, start, panel, t);
            continue;
        }
        for (; count < job->abreast && left > 0; count++) {
            left -= NAME(next_panel)(plan, s->phase, job->image_from, job->image_to, min_size(COLUMNS, left), 0, &at,
                                     panel + count, start);
            NAME(pack_taps)(panel + count, s->depth, s->offset, s->seen, !plan->in_place, packed + count * s->depth * COLUMNS);
        }
        const size rows = count > 1 ? 1 : row_panels; /* panels of them at a time */
        for (size q = 0; q < row_panels; q += rows)
            for (size c = 0; c < count; c++)
                NAME(times_panel)(plan->rows, q, q + rows, s->depth, s->a, job->a_row, packed + c * s->depth * COLUMNS,
                                  panel[c].vecs * LANES, NULL, NULL, panel + c, t);
    }
}

static int NAME(slide)(const slide_plan *plan, const real *source, const real *weight, const real *bias, real *out,
                       int threads) {
    const frame_plan *f = &plan->frame;
    const size piece = NAME(piece)(plan);
    size together = divide_up(POSITIONS, max_size(plan->out_volume, 1));
    together = max_size(1, min_size(together, divide_up(plan->images, threads)));
    const size batches = divide_up(plan->images, together);
    const int by_lines = plan->rows <= 2 && !plan->in_place;
    const size parts = by_lines ? 1 : divide_up(threads, max_size(1, batches * plan->groups)); /* of the positions of one image */
    /* Panels side by side, so that rows of the result are written in longer runs: as many as stay near. */
    size longest = 0;
    for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++)
        for (size k = 0, end; k < p->taps; k = end)
            end = NAME(step_end)(plan, p, piece, k), longest = max_size(longest, end - k);
    /* Few positions read the weights where they lie: to pack them would take longer than the sums. */
    const int as_they_lie = plan->in_order && plan->rows > 2 * ROWS && plan->images * plan->out_volume <= 16 * COLUMNS;
    const NAME(slide_job) job = {
        .plan = plan,
        .image_from = (plan->in_place ? plan->groups * plan->channels : piece) * f->volume,
        .image_to = plan->groups * plan->rows * plan->out_volume,
        .a_row = as_they_lie ? plan->weight_row : 0,
        .abreast = plan->rows < LONG ? 1 : max_size(1, min_size(MOST_ABREAST, NEAR / max_size(1, longest * COLUMNS))),
    };
    const size frames = plan->in_place ? 0 : divide_up(together * job.image_from + COLUMNS, 16) * 16;
    const size near = job.abreast * (longest + 1) * COLUMNS;
    const size group_weights = as_they_lie ? 0 : plan->taps * plan->rows;
    const size weights = divide_up(plan->groups * group_weights, 16) * 16;
    real *packed = scratch((size)sizeof(real) * (weights + threads * (frames + near)));
    if (!packed) return -1;
    const size row_panels = divide_up(plan->rows, ROWS);

    PARALLEL(threads) {
        FOR for (size item = 0; item < (as_they_lie ? 0 : plan->groups * row_panels); item++) {
            size g = item / row_panels, first = NAME(panel_start)(plan->rows, item % row_panels);
            NAME(pack_weights)(plan, piece, weight + g * plan->weight_group, packed + g * group_weights, first,
                               NAME(panel_start)(plan->rows, item % row_panels + 1) - first);
        }
        real *frame = packed + weights + THREAD_NUMBER * (frames + near);
        memset(frame, 0, sizeof(real) * (size_t)frames);
        FOR_DYNAMIC for (size item = 0; item < batches * plan->groups * parts; item++) {
            const size part = item % parts, g = item / parts % plan->groups, n0 = item / parts / plan->groups * together;
            const real *x = source + (n0 * plan->groups + g) * plan->channels * plan->in_volume;
            real *to = out + n0 * job.image_to + g * plan->rows * plan->out_volume;
            NAME(slide_step) s = {.images = min_size(together, plan->images - n0), .seen = plan->in_place ? x : frame};
            for (size channel = 0; channel < plan->channels; channel += piece) {
                const size channels = min_size(piece, plan->channels - channel);
                if (!plan->in_place)
                    NAME(place_images)(plan, s.images, x + channel * plan->in_volume, channels, piece, frame);
                const real *a = as_they_lie ? weight + g * plan->weight_group : packed + g * group_weights;
                for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++, a += p[-1].taps * plan->rows) {
                    const size own = p->taps / plan->channels, begin = channel * own, end = begin + channels * own;
                    const size positions = s.images * p->grid[0] * p->grid[1] * p->grid[2];
                    const size panels = divide_up(positions, COLUMNS);
                    s.phase = p;
                    s.first = panels * part / parts * COLUMNS;
                    s.last = min_size(panels * (part + 1) / parts * COLUMNS, positions);
                    if (own == 0 && channel > 0) continue; /* nothing is seen there: the bias was written already */
                    for (size k = begin; k < end || k == 0; k += max_size(s.depth, 1)) {
                        s.depth = own == 0 ? 0 : NAME(step_end)(plan, p, piece, k) - k;
                        s.a = a + k * (as_they_lie ? 1 : plan->rows);
                        s.offset = p->offset + (k - begin);
                        const NAME(target) t = {to, plan->out_volume, bias ? bias + g * plan->rows : NULL, NULL, k > 0};
                        if (by_lines)
                            NAME(slide_lines)(&job, &s, t);
                        else
                            NAME(slide_panels)(&job, &s, frame + frames, t);
                    }
                }
            }
        }
    }
    free(packed);
    return 0;
}

#undef MOST_ABREAST
#undef POSITIONS
