/* Runs a slide_plan: places each image in its frame, packs what a panel of positions sees (no matrix of all windows is
 * ever made), and multiplies by the packed weights. */

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

/* The channels of one group of several images. */
static void NAME(place_images)(const slide_plan *plan, size images, const real *source, real *frame) {
    for (size n = 0; n < images; n++)
        for (size c = 0; c < plan->channels; c++)
            NAME(place)(&plan->frame, source + (n * plan->groups * plan->channels + c) * plan->in_volume,
                        frame + (n * plan->channels + c) * plan->frame.volume);
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

static void NAME(pack_weights)(const slide_plan *plan, const real *weight, real *packed, size first, size rows) {
    for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++) {
        const size step = NAME(even_part)(p->taps, DEPTH);
        for (size k = 0; k < p->taps; k += step) {
            size depth = min_size(p->taps - k, step);
            const real *w = weight + first * plan->weight_row + (plan->in_order ? k : 0);
            NAME(pack_rows)(rows, depth, w, plan->weight_row, 1, plan->in_order ? NULL : p->weight + k,
                            packed + k * plan->rows + first * depth);
        }
        packed += p->taps * plan->rows;
    }
}

/* Up to 4 vectors of neighbouring positions, for one row: too few rows to be worth a tile. */
INLINE void NAME(line_tile)(const int vecs, size depth, const real *a, size step, const real *frame, const size *offset,
                            real bias, real *c) {
    vec sum[4];
    UNROLL for (int v = 0; v < vecs; v++) sum[v] = (vec){0};
    for (size k = 0; k < depth; k++) {
        vec x = splat(a[k * step]);
        UNROLL for (int v = 0; v < vecs; v++) sum[v] += x * load(frame + offset[k] + v * LANES);
    }
    UNROLL for (int v = 0; v < vecs; v++) store(c + v * LANES, sum[v] + splat(bias));
}

/* A slide with one or two rows per group, line by line of the grid; nothing is packed but the weights. */
static void NAME(slide_lines)(const slide_plan *plan, const slide_phase *phase, size row, const real *a,
                              const real *frame, real bias, real *out) {
    size width = phase->grid[2], write = plan->write[2];
    for (size d = 0; d < phase->grid[0]; d++)
        for (size h = 0; h < phase->grid[1]; h++)
            for (size w = 0; w < width; w += 4 * LANES) {
                real sums[4 * VECTOR_BYTES / sizeof(real)];
                size length = min_size(width - w, 4 * LANES), vecs = divide_up(length, LANES);
                const real *x = frame + d * plan->read[0] + h * plan->read[1] + w;
                real *to = out + phase->write + d * plan->write[0] + h * plan->write[1] + w * write;
                real *c = write == 1 && length == vecs * LANES ? to : sums;
                switch (vecs) {
#define CASE(v)                                                                                                        \
    case v: NAME(line_tile)(v, phase->taps, a + row, plan->rows, x, phase->offset, bias, c); break;
                    CASE(1) CASE(2) CASE(3) CASE(4)
#undef CASE
                }
                if (c == sums)
                    for (size j = 0; j < length; j++) to[j * write] = sums[j];
            }
}

#define MOST_ABREAST ((size)16)

static int NAME(slide)(const slide_plan *plan, const real *source, const real *weight, const real *bias, real *out,
                       int threads) {
    const frame_plan *f = &plan->frame;
    /* Images with few positions are taken together, so that panels are full. */
    size together = divide_up(8 * COLUMNS, max_size(plan->out_volume, 1));
    together = max_size(1, min_size(together, divide_up(plan->images, threads)));
    size batches = divide_up(plan->images, together);
    int by_lines = plan->rows <= 2 && !plan->in_place;
    size parts = by_lines ? 1 : divide_up(threads, max_size(1, batches * plan->groups)); /* of the positions of one image */
    size image_from = plan->in_place ? plan->groups * plan->channels * f->volume : plan->channels * f->volume;
    size image_to = plan->groups * plan->rows * plan->out_volume;
    size frames = plan->in_place ? 0 : together * image_from + COLUMNS;
    frames = divide_up(frames, 16) * 16;
    /* Panels that are packed side by side, so that rows of the result are written in longer runs: as many as stay near. */
    size longest = 0;
    for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++)
        longest = max_size(longest, NAME(even_part)(p->taps, DEPTH));
    const size abreast = plan->rows < LONG ? 1 : max_size(1, min_size(MOST_ABREAST, NEAR / max_size(1, longest * COLUMNS)));
    const size near = abreast * (longest + 1) * COLUMNS;
    /* Few positions read the weights where they lie: to pack them would take longer than the sums. */
    int as_they_lie = plan->in_order && plan->rows > 2 * ROWS && plan->images * plan->out_volume <= 16 * COLUMNS;
    size group_weights = as_they_lie ? 0 : plan->taps * plan->rows;
    const size weights = divide_up(plan->groups * group_weights, 16) * 16;
    real *packed = scratch((size)sizeof(real) * (weights + threads * (frames + near)));
    if (!packed) return -1;
    size row_panels = divide_up(plan->rows, ROWS);

    PARALLEL(threads) {
        FOR for (size item = 0; item < (as_they_lie ? 0 : plan->groups * row_panels); item++) {
            size g = item / row_panels, first = NAME(panel_start)(plan->rows, item % row_panels);
            NAME(pack_weights)(plan, weight + g * plan->weight_group, packed + g * group_weights, first,
                               NAME(panel_start)(plan->rows, item % row_panels + 1) - first);
        }
        real *frame = packed + weights + THREAD_NUMBER * (frames + near), *columns = frame + frames;
        memset(frame, 0, sizeof(real) * (size_t)frames);
        FOR_DYNAMIC for (size item = 0; item < batches * plan->groups * parts; item++) {
            size part = item % parts, g = item / parts % plan->groups, n0 = item / parts / plan->groups * together;
            size images = min_size(together, plan->images - n0);
            const real *x = source + (n0 * plan->groups + g) * plan->channels * plan->in_volume;
            const real *seen = plan->in_place ? x : frame;
            if (!plan->in_place) NAME(place_images)(plan, images, x, frame);
            const real *a = as_they_lie ? weight + g * plan->weight_group : packed + g * group_weights;
            size a_row = as_they_lie ? plan->weight_row : 0;
            for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++, a += p[-1].taps * plan->rows) {
                if (by_lines) {
                    for (size n = 0; n < images; n++)
                        for (size row = 0; row < plan->rows; row++)
                            NAME(slide_lines)(plan, p, row, a, frame + n * image_from,
                                              bias ? bias[g * plan->rows + row] : 0,
                                              out + (n0 + n) * image_to + (g * plan->rows + row) * plan->out_volume);
                    continue;
                }
                /* Reading directly wastes the rest of a vector at the end of a line, packing costs about as much as
                 * 3 rows. */
                size vectors = divide_up(p->grid[2], LANES) * LANES;
                int directly = !plan->in_place && plan->rows <= 2 * ROWS &&
                               plan->rows * (vectors - p->grid[2]) <= 3 * p->grid[2];
                size positions = images * p->grid[0] * p->grid[1] * p->grid[2];
                size panels = divide_up(positions, COLUMNS);
                size first = panels * part / parts * COLUMNS;
                size last = min_size(panels * (part + 1) / parts * COLUMNS, positions);
                const size step = NAME(even_part)(p->taps, DEPTH);
                for (size k = 0; k < max_size(p->taps, 1); k += step) {
                    size depth = min_size(p->taps - k, step);
                    const real *a_k = a + k * (as_they_lie ? 1 : plan->rows);
                    NAME(cursor) at = NAME(cursor_at)(p->grid, first);
                    NAME(target) t = {out + n0 * image_to + g * plan->rows * plan->out_volume, plan->out_volume,
                                      bias ? bias + g * plan->rows : NULL, NULL, k > 0};
                    for (size left = last - first; left > 0;) {
                        NAME(panel) panel[MOST_ABREAST];
                        size start[2] = {0, 0}, count = 0;
                        if (directly) {
                            left -= NAME(next_panel)(plan, p, image_from, image_to, min_size(COLUMNS, left), 1, &at, panel,
                                                     start);
                            NAME(times_panel)(plan->rows, 0, row_panels, depth, a_k, 0, seen, 0, p->offset + k, start,
                                              panel, t);
                            continue;
                        }
                        for (; count < abreast && left > 0; count++) {
                            left -= NAME(next_panel)(plan, p, image_from, image_to, min_size(COLUMNS, left), 0, &at,
                                                     panel + count, start);
                            NAME(pack_taps)(panel + count, depth, p->offset + k, seen, !plan->in_place,
                                            columns + count * depth * COLUMNS);
                        }
                        const size rows = count > 1 ? 1 : row_panels; /* panels of them at a time */
                        for (size q = 0; q < row_panels; q += rows)
                            for (size c = 0; c < count; c++)
                                NAME(times_panel)(plan->rows, q, q + rows, depth, a_k, a_row, columns + c * depth * COLUMNS,
                                                  panel[c].vecs * LANES, NULL, NULL, panel + c, t);
                    }
                }
            }
        }
    }
    free(packed);
    return 0;
}

#undef MOST_ABREAST
