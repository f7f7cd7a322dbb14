/* Convolution of a window of 3 × 3 that moves by 1, with a quarter of the multiplications.
 *
 * Winograd's minimal filtering F(4 × 4, 3 × 3): a tile of 4 × 4 results comes from 6 × 6 pixels d and the window w as
 *
 *     y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A
 *
 * 36 multiplications, not 144. Summed over channels the ⊙ is 36 matrix products. The matrices are those of the
 * multiplication of polynomials by their values at 0, ±√2, ±√½ and ∞. Why these points: the largest error is a third of
 * that at the usual 0, ±1, ±2 and ∞.
 *
 * A vector holds the same pixel of LANES channels, or of LANES filters. */

#define ROOT ((real)1.4142135623730951)
#define HALF_ROOT ((real)0.7071067811865476)

/* Bᵀ d */
INLINE void NAME(values_of_pixels)(const vec d[6], vec v[6]) {
    vec even = d[4] - (real)0.5 * d[2], odd = d[3] - (real)0.5 * d[1];
    v[1] = even + ROOT * odd;
    v[2] = even - ROOT * odd;
    even = d[4] - 2 * d[2], odd = d[3] - 2 * d[1];
    v[3] = even + HALF_ROOT * odd;
    v[4] = even - HALF_ROOT * odd;
    v[0] = d[0] + d[4] - (real)2.5 * d[2];
    v[5] = d[1] + d[5] - (real)2.5 * d[3];
}

/* Aᵀ m */
INLINE void NAME(pixels_of_values)(const vec m[6], vec y[4]) {
    vec even = m[1] + m[2], odd = m[1] - m[2], even_half = m[3] + m[4], odd_half = m[3] - m[4];
    y[0] = m[0] + even + even_half;
    y[1] = ROOT * odd + HALF_ROOT * odd_half;
    y[2] = 2 * even + (real)0.5 * even_half;
    y[3] = m[5] + 2 * ROOT * odd + (real)0.5 * HALF_ROOT * odd_half;
}

/* A δ */
INLINE void NAME(values_of_results)(const vec d[4], vec v[6]) {
    vec even = d[0] + 2 * d[2], odd = d[1] + 2 * d[3];
    v[1] = even + ROOT * odd;
    v[2] = even - ROOT * odd;
    even = d[0] + (real)0.5 * d[2], odd = d[1] + (real)0.5 * d[3];
    v[3] = even + HALF_ROOT * odd;
    v[4] = even - HALF_ROOT * odd;
    v[0] = d[0];
    v[5] = d[3];
}

/* Gᵀ m */
INLINE void NAME(window_of_values)(const vec m[6], vec w[3]) {
    vec even = m[1] + m[2], odd = m[1] - m[2], even_half = m[3] + m[4], odd_half = m[3] - m[4];
    w[0] = m[0] + (real)(1.0 / 6) * even - (real)(2.0 / 3) * even_half;
    w[1] = ROOT * (real)(1.0 / 6) * odd - HALF_ROOT * (real)(2.0 / 3) * odd_half;
    w[2] = m[5] + (real)(1.0 / 3) * (even - even_half);
}

/* G w */
INLINE void NAME(values_of_window)(const vec w[3], vec u[6]) {
    vec even = (w[0] + 2 * w[2]) * (real)(1.0 / 6), odd = w[1] * (ROOT * (real)(1.0 / 6));
    u[0] = w[0];
    u[1] = even + odd;
    u[2] = even - odd;
    even = (w[0] + (real)0.5 * w[2]) * (real)(-2.0 / 3), odd = w[1] * (HALF_ROOT * (real)(-2.0 / 3));
    u[3] = even + odd;
    u[4] = even - odd;
    u[5] = w[2];
}

/* Transposes each 4 × 4 block of four vectors. */
#define SWAP_IN_FOUR(s)                                                                                                \
    UNROLL for (int i = 0; i < 4; i++) if (!(i & s)) {                                                                 \
        vec a = v[i], b = v[i + s];                                                                                    \
        v[i] = SHUFFLE(a, b, EVERY_LANE(UPPER, s));                                                                    \
        v[i + s] = SHUFFLE(a, b, EVERY_LANE(LOWER, s));                                                                \
    }
INLINE void NAME(transpose_fours)(vec v[4]) {
    SWAP_IN_FOUR(1)
    SWAP_IN_FOUR(2)
}
#undef SWAP_IN_FOUR

/* Four neighbours of LANES places: v[i][lane] = from[at[lane] + i]. */
INLINE void NAME(load_fours)(const real *from, const size *at, vec v[4]) {
#if VECTOR_BYTES == 16
    UNROLL for (int i = 0; i < 4; i++) v[i] = load(from + at[i]);
#elif defined(__clang__) || __GNUC__ >= 12
    typedef real four __attribute__((vector_size(16), aligned(sizeof(real)), may_alias));
#define FOUR(lane) (*(const four *)(from + at[(lane) + i]))
#define EIGHT(lane) __builtin_shufflevector(FOUR(lane), FOUR((lane) + 4), 0, 1, 2, 3, 4, 5, 6, 7)
    UNROLL for (int i = 0; i < 4; i++) {
#if VECTOR_BYTES == 32
        v[i] = EIGHT(0);
#else
        v[i] = __builtin_shufflevector(EIGHT(0), EIGHT(8), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
    }
#undef FOUR
#undef EIGHT
#else
#define NEIGHBOUR(lane, i) from[at[(lane) / 4 * 4 + (i)] + (lane) % 4]
    UNROLL for (int i = 0; i < 4; i++) v[i] = (vec){EVERY_LANE(NEIGHBOUR, i)};
#undef NEIGHBOUR
#endif
    NAME(transpose_fours)(v);
}

/* Tiles first … first + count - 1 of the batch, row by row. */
typedef struct {
    size first, count;
    size image, row, column; /* of the first */
} NAME(tile_run);

/* The next tiles of one row of tiles, at most up to `last`. */
static NAME(tile_run) NAME(next_run)(const winograd_plan *p, size first, size last) {
    NAME(tile_run) run = {.first = first, .column = first % p->tile_columns};
    first /= p->tile_columns;
    run.row = first % p->tile_rows;
    run.image = first / p->tile_rows;
    run.count = min_size(last - run.first, p->tile_columns - run.column);
    return run;
}

/* Where the channels c … c + LANES - 1 of `channels` begin; past the last one, the last again. */
INLINE void NAME(lanes_of_channels)(size c, size channels, size volume, size *at) {
    for (size lane = 0; lane < LANES; lane++) at[lane] = min_size(c + lane, channels - 1) * volume;
}

/* All images, of `height` rows of `width` pixels; zeros around them. */
typedef struct {
    const real *begin, *end;
    size height, width;
} NAME(images);

/* Pixels left … left + 3 of row `top` of an image, each of LANES channels. */
INLINE void NAME(load_pixels)(const NAME(images) * x, const real *image, const size *at, size top, size left, vec v[4]) {
    UNROLL for (int i = 0; i < 4; i++) v[i] = (vec){0};
    if (top < 0 || top >= x->height) return;
    const real *from = image + top * x->width + left;
    if (from + at[0] >= x->begin && from + at[LANES - 1] + 4 <= x->end) {
        NAME(load_fours)(from, at, v);
    } else {
        real pixels[4][VECTOR_BYTES / sizeof(real)] = {{0}};
        for (size i = max_size(0, -left); i < min_size(4, x->width - left); i++)
            for (size lane = 0; lane < LANES; lane++) pixels[i][lane] = from[at[lane] + i];
        UNROLL for (int i = 0; i < 4; i++) v[i] = load(pixels[i]);
    }
    UNROLL for (int i = 0; i < 4; i++)
        if (left + i < 0 || left + i >= x->width) v[i] = (vec){0};
}

/* values[k][tile][channel] = Bᵀ d B */
static void NAME(values_of_tiles)(const winograd_plan *p, const real *x, size first, size last, size row, size plane,
                                  real *values) {
    size volume = p->height * p->width, at[LANES];
    const NAME(images) images = {x, x + p->images * p->channels * volume, p->height, p->width};
    for (size c = 0; c < p->channels; c += LANES) {
        NAME(lanes_of_channels)(c, p->channels, volume, at);
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            const real *image = x + run.image * p->channels * volume;
            vec columns[2][4][6]; /* a tile sees all of one of these and the first half of the next */
            for (size q = 0; q <= run.count; q++) {
                vec d[4][6];
                for (size r = 0; r < 6; r++) {
                    vec v[4];
                    NAME(load_pixels)(&images, image, at, 4 * run.row - p->above + r, 4 * (run.column + q) - p->left, v);
                    UNROLL for (int i = 0; i < 4; i++) d[i][r] = v[i];
                }
                for (size i = 0; i < 4; i++) NAME(values_of_pixels)(d[i], columns[q % 2][i]);
                if (q == 0) continue;
                real *to = values + (t - first + q - 1) * row + c;
                for (size r = 0; r < 6; r++) {
                    vec seen[6], v[6];
                    UNROLL for (int i = 0; i < 6; i++) seen[i] = columns[(q - 1 + i / 4) % 2][i % 4][r];
                    NAME(values_of_pixels)(seen, v);
                    UNROLL for (int i = 0; i < 6; i++) store(to + (6 * r + i) * plane, v[i]);
                }
            }
        }
    }
}

/* z = Aᵀ m A + bias for `count` filters, from m[k][tile][filter] */
static void NAME(results_of_tiles)(const winograd_plan *p, const real *m, size first, size last, size row, size plane,
                                   size count, const real *bias, real *z) {
    size out_volume = p->out_height * p->out_width;
    for (size f = 0; f < count; f += LANES) {
        size filters = min_size(count - f, LANES);
        vec b = load(bias + f);
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            size height = min_size(4, p->out_height - 4 * run.row);
            real *to = z + (run.image * p->filters + f) * out_volume + 4 * run.row * p->out_width + 4 * run.column;
            for (size q = 0; q < run.count; q++, to += 4) {
                const real *from = m + (t - first + q) * row + f;
                size width = min_size(4, p->out_width - 4 * (run.column + q));
                vec rows[4][6];
                for (size i = 0; i < 6; i++) {
                    vec v[6], y[4];
                    UNROLL for (int r = 0; r < 6; r++) v[r] = load(from + (6 * r + i) * plane);
                    NAME(pixels_of_values)(v, y);
                    UNROLL for (int r = 0; r < 4; r++) rows[r][i] = y[r];
                }
                for (size r = 0; r < height; r++) {
                    vec y[4];
                    real pixels[4][VECTOR_BYTES / sizeof(real)];
                    NAME(pixels_of_values)(rows[r], y);
                    UNROLL for (int i = 0; i < 4; i++) y[i] += b;
                    NAME(transpose_fours)(y);
                    UNROLL for (int i = 0; i < 4; i++) store(pixels[i], y[i]);
                    if (filters == LANES && width == 4) {
                        UNROLL for (size lane = 0; lane < LANES; lane++)
                            memcpy(to + lane * out_volume + r * p->out_width, pixels[lane % 4] + lane / 4 * 4,
                                   4 * sizeof(real));
                    } else {
                        for (size lane = 0; lane < filters; lane++)
                            for (size i = 0; i < width; i++)
                                to[lane * out_volume + r * p->out_width + i] = pixels[lane % 4][lane / 4 * 4 + i];
                    }
                }
            }
        }
    }
}

/* G w Gᵀ of the windows of one channel and LANES filters. */
static void NAME(values_of_weights)(const winograd_plan *p, const real *weight, size channel, size filter, size plane,
                                    real *to) {
    size at[LANES];
    NAME(lanes_of_channels)(filter, p->filters, p->weight_filter, at);
    weight += channel * p->weight_channel;
    vec w[9], columns[3][6];
    NAME(load_fours)(weight, at, w);
    NAME(load_fours)(weight + 4, at, w + 4);
    for (size lane = 0; lane < LANES; lane++) w[8][lane] = weight[8 + at[lane]];
    for (size i = 0; i < 3; i++) {
        vec column[3];
        for (size r = 0; r < 3; r++) column[r] = w[p->turned ? 8 - (3 * r + i) : 3 * r + i];
        NAME(values_of_window)(column, columns[i]);
    }
    for (size r = 0; r < 6; r++) {
        vec row[3] = {columns[0][r], columns[1][r], columns[2][r]}, u[6];
        NAME(values_of_window)(row, u);
        UNROLL for (int i = 0; i < 6; i++) store(to + (6 * r + i) * plane, u[i]);
    }
}

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
                    NAME(values_of_weights)(p, weight, c, f + j + i, u_plane, u + j * p->channels + c * step + i);
            }
            FOR_DYNAMIC for (size first = 0; first < p->tiles; first += block) {
                size count = min_size(block, p->tiles - first);
                NAME(values_of_tiles)(p, x, first, first + count, channels, v_plane, v);
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
                NAME(results_of_tiles)(p, m, first, first + count, wide, m_plane, min_size(wide, p->filters - f),
                                       biases + f, z + f * p->out_height * p->out_width);
            }
        }
    }
    free(u);
    return 0;
}

/* values[k][tile][filter] = A δ Aᵀ of `filters` filters */
static void NAME(values_of_deltas)(const winograd_plan *p, const real *delta, size filter, size filters, size first,
                                   size last, size row, size plane, real *values) {
    size volume = p->out_height * p->out_width, at[LANES];
    const NAME(images) images = {delta, delta + p->images * p->filters * volume, p->out_height, p->out_width};
    for (size f = 0; f < filters; f += LANES) {
        NAME(lanes_of_channels)(filter + f, p->filters, volume, at);
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            const real *image = delta + run.image * p->filters * volume;
            for (size q = 0; q < run.count; q++) {
                real *to = values + (t - first + q) * row + f;
                vec rows[6][4];
                for (size r = 0; r < 4; r++) {
                    vec d[4], v[6];
                    NAME(load_pixels)(&images, image, at, 4 * run.row + r, 4 * (run.column + q), d);
                    NAME(values_of_results)(d, v);
                    UNROLL for (int i = 0; i < 6; i++) rows[i][r] = v[i];
                }
                for (size i = 0; i < 6; i++) {
                    vec v[6];
                    NAME(values_of_results)(rows[i], v);
                    UNROLL for (int r = 0; r < 6; r++) store(to + (6 * r + i) * plane, v[r]);
                }
            }
        }
    }
}

/* dW[f, c] = Gᵀ s G of one channel and some filters, from sums[k][filter] */
static void NAME(weights_of_sums)(const winograd_plan *p, const real *sums, size plane, size filters, real *dw) {
    for (size f = 0; f < filters; f += LANES) {
        vec rows[3][6], w[3];
        for (size i = 0; i < 6; i++) {
            vec s[6];
            UNROLL for (int r = 0; r < 6; r++) s[r] = load(sums + (6 * r + i) * plane + f);
            NAME(window_of_values)(s, w);
            UNROLL for (int r = 0; r < 3; r++) rows[r][i] = w[r];
        }
        for (size r = 0; r < 3; r++) {
            NAME(window_of_values)(rows[r], w);
            for (size lane = 0; lane < min_size(LANES, filters - f); lane++)
                for (size i = 0; i < 3; i++) dw[(f + lane) * p->weight_filter + 3 * r + i] = w[i][lane];
        }
    }
}

/* dW = Gᵀ [Σ (Bᵀ d B) ⊙ (A δ Aᵀ)] G over all tiles, in blocks that the shape alone decides: in each, threads share the tiles
 * to find their values, and then the 36 products. */
static int NAME(winograd_delta_w)(const winograd_plan *p, const real *x, const real *delta, real *dw, int threads) {
    size channels = WHOLE_VECTORS(p->channels), filters = WHOLE_VECTORS(p->filters);
    size wide = WEIGHT_BYTES / (VALUES * (size)sizeof(real) * p->channels) / COLUMNS * COLUMNS;
    wide = max_size(COLUMNS, min_size(wide, filters));
    size block = 2 * TILE_BYTES / (VALUES * (size)sizeof(real) * (channels + wide));
    block = min_size(min_size(max_size(block, LEAST_TILES), DEPTH), p->tiles);
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
                    NAME(values_of_tiles)(p, x, first + from, first + to, channels, v_plane, v + from * channels);
                    NAME(values_of_deltas)(p, delta, f, count, first + from, first + to, wide, d_plane, d + from * wide);
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
                NAME(weights_of_sums)(p, s + c * wide, s_plane, count, dw + f * p->weight_filter + 9 * c);
        }
    }
    free(s);
    return 0;
}

#undef ROOT
#undef HALF_ROOT
