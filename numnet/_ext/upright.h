/* Runs a slide_plan the other way round: filters lie along the vector and the positions of a line are the rows of a tile, read
 * one by one where they lie in the frame. So nothing is packed but the weights, and no lane is lost where lines are short; but
 * what is made lies filter by filter for each position, and is turned. */

#define STRETCH ((size)256) /* room for positions that are made and not turned yet */

/* Is that faster? Filters must fill their vectors. One vector of them pays only where lines would leave lanes empty, and few
 * taps only there, for turning has its price too. With many filters, packing what all of them see is no great part. */
static int NAME(is_upright)(const slide_plan *plan) {
    const size rows = plan->rows, width = plan->phase->grid[2], taps = plan->phase->taps;
    const size lost = divide_up(rows, LANES) * LANES - rows, empty = divide_up(width, LANES) * LANES - width;
    if (plan->phases > 1 || 8 * lost > rows || plan->images * plan->out_volume <= 16 * COLUMNS) return 0;
    if (plan->channels * plan->frame.volume > 32 * PLACED) return 0; /* a frame that comes from afar is better taken in pieces */
#if VECTOR_BYTES == 64
    if (rows >= LONG) return width <= ROWS && plan->out_volume % LANES; /* there panels are not whole */
    return rows <= LANES ? 8 * empty >= width : taps >= 64 || empty;
#else
    const size sums = 2 * (width / divide_up(width, ROWS)); /* in a tile: with fewer than 10 each waits for the last one */
    return rows > LANES && rows <= 4 * LANES && sums >= 10 && (taps >= 64 || empty);
#endif
}

/* Lines first … last - 1 of one image. The weights are packed panel by panel of filters; the bias is readable to whole
 * vectors. */
static void NAME(upright_lines)(const slide_plan *plan, size first, size last, const real *frame, const real *weight,
                                const real *bias, real *made, real *out) {
    const slide_phase *p = plan->phase;
    const size width = p->grid[2], tiles = divide_up(width, ROWS);
    for (size j = 0; j < plan->rows; j += COLUMNS) {
        const size columns = min_size(COLUMNS, plan->rows - j), vecs = divide_up(columns, LANES), row = vecs * LANES;
        size kept = first * width, from = kept, to = kept; /* positions: kept from, made to, turned up to `from` */
        for (size q = first * tiles; q < last * tiles; q++) {
            const size line = q / tiles, d = line / p->grid[1], h = line % p->grid[1];
            const size w = NAME(panel_start)(width, q % tiles), count = NAME(panel_start)(width, q % tiles + 1) - w;
            const NAME(target) t = {made + (to - kept) * row, row, NULL, bias ? bias + j : NULL, 0};
            (vecs == 2 ? NAME(wide_upright) : NAME(narrow_upright))(
                1, count, p->taps, frame + d * plan->read[0] + h * plan->read[1] + w, 0, weight + j * p->taps, row,
                p->offset, NULL, t);
            to += count;
            const size ready = q + 1 < last * tiles ? (to - from) / LANES * LANES : to - from;
            NAME(turn)(ready, columns, made + (from - kept) * row, row, 0, out + j * plan->out_volume + from,
                       plan->out_volume);
            from += ready;
            for (size i = 0; ready && i < columns; i++) /* what is turned next: it may come from afar meanwhile */
                __builtin_prefetch(out + (j + i) * plan->out_volume + from + LANES - 1, 1);
            if (to - kept > STRETCH - ROWS) {
                memmove(made, made + (from - kept) * row, sizeof(real) * (size_t)((to - from) * row));
                kept = from;
            }
        }
    }
}

static int NAME(slide_upright)(const slide_plan *plan, const real *source, const real *weight, const real *bias, real *out,
                               int threads) {
    const slide_phase *p = plan->phase;
    const size parts = divide_up(threads, max_size(1, plan->images * plan->groups)), lines = p->grid[0] * p->grid[1];
    const size width = divide_up(plan->rows, LANES) * LANES, panels = divide_up(plan->rows, COLUMNS);
    const size group_weights = (p->taps + 1) * width;
    const int in_place = is_source(&plan->frame); /* nothing is read past the end of a line */
    const size frames = in_place ? 0 : divide_up(plan->channels * plan->frame.volume, 16) * 16;
    real *packed = scratch((size)sizeof(real) * (plan->groups * group_weights + threads * (frames + STRETCH * COLUMNS)));
    if (!packed) return -1;

    PARALLEL(threads) {
        FOR for (size item = 0; item < plan->groups * panels; item++) {
            const size g = item / panels, j = item % panels * COLUMNS, columns = min_size(COLUMNS, plan->rows - j);
            const real *w = weight + g * plan->weight_group + j * plan->weight_row;
            real *to = packed + g * group_weights + j * p->taps;
            const size row = divide_up(columns, LANES) * LANES;
            if (plan->in_order) {
                NAME(pack_columns)(p->taps, columns, w, 1, plan->weight_row, to);
            } else {
                for (size k = 0; k < p->taps; k++)
                    for (size i = 0; i < row; i++)
                        to[k * row + i] = i < columns ? w[i * plan->weight_row + p->weight[k]] : 0;
            }
            real *own_bias = packed + (g + 1) * group_weights - width + j;
            for (size i = 0; i < row; i++) own_bias[i] = bias && i < columns ? bias[g * plan->rows + j + i] : 0;
        }
        real *frame = packed + plan->groups * group_weights + THREAD_NUMBER * (frames + STRETCH * COLUMNS);
        memset(frame, 0, sizeof(real) * (size_t)frames);
        FOR_DYNAMIC for (size item = 0; item < plan->images * plan->groups * parts; item++) {
            const size part = item % parts, image = item / parts, g = image % plan->groups;
            const real *x = source + image * plan->channels * plan->in_volume, *a = packed + g * group_weights;
            if (!in_place) NAME(place_images)(plan, 1, x, plan->channels, plan->channels, frame);
            NAME(upright_lines)(plan, lines * part / parts, lines * (part + 1) / parts, in_place ? x : frame, a,
                                bias ? a + group_weights - width : NULL, frame + frames,
                                out + image * plan->rows * plan->out_volume);
        }
    }
    free(packed);
    return 0;
}
