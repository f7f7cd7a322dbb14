/* Runs a slide_plan: places each image in its frame, packs what a panel of positions sees (no matrix of all windows is
 * ever made), and multiplies by the packed weights. */

/* Copies one channel of the source into its frame, whose border is zero already. */
static void NAME(place)(const frame_plan *f, const real *source, real *frame) {
    size first = max_size(0, f->before[2]), last = min_size(f->extent[2], f->from[2] + f->before[2]);
    if (last <= first) return;
    for (size d = max_size(0, f->before[0]); d < min_size(f->extent[0], f->from[0] + f->before[0]); d++)
        for (size h = max_size(0, f->before[1]); h < min_size(f->extent[1], f->from[1] + f->before[1]); h++) {
            const real *x = source + ((d - f->before[0]) * f->from[1] + h - f->before[1]) * f->from[2] - f->before[2];
            real *to = frame + d * f->plane + h * f->row;
            if (f->split == 1) {
                memcpy(to + first, x + first, sizeof(real) * (size_t)(last - first));
                continue;
            }
            for (size w = first, phase = first % f->split, q = first / f->split; w < last; w++) {
                to[phase * f->pitch + q] = x[w];
                if (++phase == f->split) phase = 0, q++;
            }
        }
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

static void NAME(next_panel)(const slide_plan *plan, const slide_phase *phase, size image_from, size image_to,
                             size columns, NAME(cursor) * at, NAME(panel) * panel) {
    panel->columns = columns;
    panel->write_step = plan->write[2];
    panel->contiguous = plan->write[2] == 1;
    size r = 0, end = 0;
    for (; columns > 0; r++) {
        size length = min_size(columns, phase->grid[2] - at->w);
        size to = at->image * image_to + phase->write + at->d * plan->write[0] + at->h * plan->write[1] +
                  at->w * plan->write[2];
        panel->run[r].from = at->image * image_from + at->d * plan->read[0] + at->h * plan->read[1] + at->w;
        panel->run[r].to = to;
        panel->run[r].length = length;
        if (r > 0 && to != end) panel->contiguous = 0;
        end = to + length;
        columns -= length;
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
}

/* Packs what the positions of a panel see, tap by tap. With `slack`, whole vectors may be read past the end of a run;
 * what a run writes too much, the next one or the next tap overwrites. */
static void NAME(pack_taps)(const NAME(panel) * panel, size depth, const size *offset, const real *frame, int slack,
                            real *packed) {
    size step = divide_up(panel->columns, LANES) * LANES;
    if (panel->runs == 1 && (slack || panel->columns == step)) {
        const real *x = frame + panel->run[0].from;
        if (step == COLUMNS)
            for (size k = 0; k < depth; k++)
                for (size v = 0; v < 2; v++) store(packed + k * step + v * LANES, load(x + offset[k] + v * LANES));
        else
            for (size k = 0; k < depth; k++) store(packed + k * step, load(x + offset[k]));
        return;
    }
    for (size k = 0; k < depth; k++) {
        real *to = packed + k * step;
        for (size r = 0; r < panel->runs; r++) {
            const real *x = frame + offset[k] + panel->run[r].from;
            size length = panel->run[r].length;
            if (slack)
                for (size j = 0; j < length; j += LANES) store(to + j, load(x + j));
            else
                for (size j = 0; j < length; j++) to[j] = x[j];
            to += length;
        }
    }
}

static void NAME(pack_weights)(const slide_plan *plan, const real *weight, real *packed, size first, size rows) {
    for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++) {
        for (size k = 0; k < p->taps; k += DEPTH) {
            size depth = min_size(p->taps - k, DEPTH);
            NAME(pack_rows)(rows, depth, weight + first * plan->weight_row, plan->weight_row, 0, p->weight + k,
                            packed + k * plan->rows + first * depth);
        }
        packed += p->taps * plan->rows;
    }
}

static int NAME(slide)(const slide_plan *plan, const real *source, const real *weight, const real *bias, real *out,
                       int threads) {
    const frame_plan *f = &plan->frame;
    /* Images with few positions are taken together, so that panels are full. */
    size together = divide_up(8 * COLUMNS, max_size(plan->out_volume, 1));
    together = max_size(1, min_size(together, divide_up(plan->images, threads)));
    size batches = divide_up(plan->images, together);
    size parts = divide_up(threads, max_size(1, batches * plan->groups)); /* of the positions of one image */
    size image_from = plan->in_place ? plan->groups * plan->channels * f->volume : plan->channels * f->volume;
    size image_to = plan->groups * plan->rows * plan->out_volume;
    size frames = plan->in_place ? 0 : together * image_from + COLUMNS;
    frames = divide_up(frames, 16) * 16;
    size group_weights = plan->taps * plan->rows;
    real *packed = scratch((size)sizeof(real) * (plan->groups * group_weights + threads * frames));
    if (!packed) return -1;
    real *all_frames = packed + plan->groups * group_weights;
    size row_panels = divide_up(plan->rows, ROWS);

    PARALLEL(threads) {
        FOR for (size item = 0; item < plan->groups * row_panels; item++) {
            size g = item / row_panels, first = NAME(panel_start)(plan->rows, item % row_panels);
            NAME(pack_weights)(plan, weight + g * plan->weight_group, packed + g * group_weights, first,
                               NAME(panel_start)(plan->rows, item % row_panels + 1) - first);
        }
        real *frame = all_frames + THREAD_NUMBER * frames;
        memset(frame, 0, sizeof(real) * (size_t)frames);
        FOR_DYNAMIC for (size item = 0; item < batches * plan->groups * parts; item++) {
            size part = item % parts, g = item / parts % plan->groups, n0 = item / parts / plan->groups * together;
            size images = min_size(together, plan->images - n0);
            const real *x = source + (n0 * plan->groups + g) * plan->channels * plan->in_volume;
            const real *seen = plan->in_place ? x : frame;
            if (!plan->in_place)
                for (size n = 0; n < images; n++)
                    for (size c = 0; c < plan->channels; c++)
                        NAME(place)(f, x + (n * plan->groups * plan->channels + c) * plan->in_volume,
                                    frame + n * image_from + c * f->volume);
            const real *a = packed + g * group_weights;
            for (const slide_phase *p = plan->phase; p < plan->phase + plan->phases; p++) {
                size positions = images * p->grid[0] * p->grid[1] * p->grid[2];
                size panels = divide_up(positions, COLUMNS);
                size first = panels * part / parts * COLUMNS;
                size last = min_size(panels * (part + 1) / parts * COLUMNS, positions);
                for (size k = 0; k < max_size(p->taps, 1); k += DEPTH) {
                    size depth = min_size(p->taps - k, DEPTH);
                    NAME(cursor) at = NAME(cursor_at)(p->grid, first);
                    NAME(target) t = {out + n0 * image_to + g * plan->rows * plan->out_volume, plan->out_volume,
                                      bias ? bias + g * plan->rows : NULL, NULL, k > 0};
                    for (size j = first; j < last; j += COLUMNS) {
                        real columns[(DEPTH + 1) * COLUMNS] __attribute__((aligned(64)));
                        NAME(panel) panel;
                        NAME(next_panel)(plan, p, image_from, image_to, min_size(COLUMNS, last - j), &at, &panel);
                        NAME(pack_taps)(&panel, depth, p->offset + k, seen, !plan->in_place, columns);
                        NAME(times_panel)(plan->rows, depth, a + k * plan->rows, columns,
                                          divide_up(panel.columns, LANES) * LANES, NULL, &panel, t);
                    }
                }
                a += p->taps * plan->rows;
            }
        }
    }
    free(packed);
    return 0;
}
