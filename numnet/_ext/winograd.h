/* Winograd's method: the values of tiles and windows (winograd_values.h), 36 products, and back. */

#define BY_EDGE(name, p, ...) ((p)->edge == 4 ? NAME(name##_4) : NAME(name##_2))(p, __VA_ARGS__)

/* A block of tiles has values and sums that stay in the second-level cache, about, but is long enough for the weights,
 * which every block reads; a block of filters has weights that stay in the third. All sums are over channels, in their
 * order: the bits depend neither on the blocks nor on the threads that share them. */
#define TILE_BYTES ((size)524288)
#define LEAST_TILES ((size)64)
#define WEIGHT_BYTES ((size)16777216)

static int NAME(winograd)(const winograd_plan *p, const real *x, const real *weight, const real *bias, real *z,
                          int threads) {
    size channels = WHOLE_VECTORS(p->channels), filters = WHOLE_VECTORS(p->filters);
    size wide = WEIGHT_BYTES / (VALUES * (size)sizeof(real) * p->channels) / COLUMNS * COLUMNS;
    wide = max_size(COLUMNS, min_size(wide, filters));
    size block = TILE_BYTES / (VALUES * (size)sizeof(real) * (channels + wide));
    block = min_size(max_size(block, LEAST_TILES), divide_up(p->tiles, threads));
    /* 16 more: planes that lie multiples of 4096 bytes apart share a few places of the first-level cache */
    size v_plane = block * channels + 16, m_plane = block * wide + 16, u_plane = p->channels * wide + 16;
    size own = VALUES * (v_plane + m_plane);
    real *u = scratch((size)sizeof(real) * (VALUES * u_plane + filters + threads * own));
    if (!u) return -1;
    real *biases = u + VALUES * u_plane;
    memset(biases, 0, sizeof(real) * (size_t)filters);
    if (bias) memcpy(biases, bias, sizeof(real) * (size_t)p->filters);

    PARALLEL(threads) {
        real *v = biases + filters + THREAD_NUMBER * own, *m = v + VALUES * v_plane;
        for (size f = 0; f < filters; f += wide) {
            size columns = min_size(wide, filters - f);
            FOR for (size item = 0; item < divide_up(columns, COLUMNS) * p->channels; item++) {
                size c = item % p->channels, j = item / p->channels * COLUMNS, step = min_size(columns - j, COLUMNS);
                for (size i = 0; i < step; i += LANES)
                    BY_EDGE(values_of_weights, p, weight, c, f + j + i, u_plane, u + j * p->channels + c * step + i);
            }
            FOR_DYNAMIC for (size first = 0; first < p->tiles; first += block) {
                size count = min_size(block, p->tiles - first);
                BY_EDGE(values_of_tiles, p, x, first, first + count, channels, v_plane, v);
                for (size k = 0; k < VALUES; k++)
                    for (size j = 0; j < columns; j += COLUMNS)
                        for (size c = 0; c < p->channels; c += DEPTH) {
                            size step = min_size(columns - j, COLUMNS), depth = min_size(p->channels - c, DEPTH);
                            NAME(panel) panel = {.vecs = step / LANES, .runs = 1, .write_step = 1, .in_place = 1};
                            panel.run[0].to = 0;
                            NAME(target) t = {m + k * m_plane + j, wide, NULL, NULL, c > 0};
                            NAME(times_panel)(count, 0, divide_up(count, ROWS), depth, v + k * v_plane + c, channels,
                                              u + k * u_plane + j * p->channels + c * step, step, NULL, NULL, &panel, t);
                        }
                BY_EDGE(results_of_tiles, p, m, first, first + count, wide, m_plane, min_size(wide, p->filters - f),
                        biases + f, z + f * p->out_height * p->out_width);
            }
        }
    }
    free(u);
    return 0;
}

/* dW = Gᵀ [Σ (Bᵀ d B) ⊙ (A δ Aᵀ)] G over all tiles, in blocks that the shape alone decides: in each, threads share the
 * tiles to find their values, and then the 36 products. Blocks are longer than above: each reads and writes all sums. */
static int NAME(winograd_delta_w)(const winograd_plan *p, const real *x, const real *delta, real *dw, int threads) {
    size channels = WHOLE_VECTORS(p->channels), filters = WHOLE_VECTORS(p->filters);
    size wide = WEIGHT_BYTES / (VALUES * (size)sizeof(real) * p->channels) / COLUMNS * COLUMNS;
    wide = max_size(COLUMNS, min_size(wide, filters));
    size block = 2 * TILE_BYTES / (VALUES * (size)sizeof(real) * (channels + wide));
    block = min_size(min_size(max_size(block, 2 * LEAST_TILES), DEPTH), p->tiles);
    size v_plane = block * channels + 16, d_plane = block * wide + 16, s_plane = p->channels * wide + 16;
    size own = DEPTH * ROWS + LANES;
    real *s = scratch((size)sizeof(real) * (VALUES * (s_plane + v_plane + d_plane) + threads * own));
    if (!s) return -1;
    real *v = s + VALUES * s_plane, *d = v + VALUES * v_plane;

    PARALLEL(threads) {
        real *packed = d + VALUES * d_plane + THREAD_NUMBER * own;
        for (size f = 0; f < filters; f += wide) {
            size columns = min_size(wide, filters - f), count = min_size(wide, p->filters - f);
            for (size first = 0; first < p->tiles; first += block) {
                size depth = min_size(block, p->tiles - first);
                FOR for (size part = 0; part < threads; part++) {
                    size from = depth * part / threads, to = depth * (part + 1) / threads;
                    BY_EDGE(values_of_tiles, p, x, first + from, first + to, channels, v_plane, v + from * channels);
                    BY_EDGE(values_of_deltas, p, delta, f, count, first + from, first + to, wide, d_plane,
                            d + from * wide);
                }
                size panels = divide_up(p->channels, ROWS);
                FOR for (size item = 0; item < VALUES * panels; item++) {
                    size k = item / panels, c = NAME(panel_start)(p->channels, item % panels);
                    size rows = NAME(panel_start)(p->channels, item % panels + 1) - c;
                    NAME(pack_rows)(rows, depth, v + k * v_plane + c, 1, channels, NULL, packed);
                    for (size j = 0; j < columns; j += COLUMNS) {
                        NAME(target) t = {s + k * s_plane + c * wide + j, wide, NULL, NULL, first > 0};
                        NAME(tiles)(1, rows, min_size(columns - j, COLUMNS) / LANES, depth, packed, 0,
                                    d + k * d_plane + j, wide, NULL, NULL, t);
                    }
                }
            }
            FOR for (size c = 0; c < p->channels; c++)
                BY_EDGE(weights_of_sums, p, s + c * wide, s_plane, count,
                        dw + f * p->weight_filter + c * p->weight_channel);
        }
    }
    free(s);
    return 0;
}

#undef BY_EDGE
