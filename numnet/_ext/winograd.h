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

/* Bᵀ d for 4 columns of 6 rows, in LANES channels; zeros around the image. */
static void NAME(values_of_columns)(const winograd_plan *p, const real *image, const size *at, const real *begin,
                                    const real *end, size top, size left, vec values[4][6]) {
    vec d[4][6];
    for (size r = 0; r < 6; r++) {
        vec v[4] = {{0}, {0}, {0}, {0}};
        if (top + r >= 0 && top + r < p->height) {
            const real *from = image + (top + r) * p->width + left;
            if (from + at[0] >= begin && from + at[LANES - 1] + 4 <= end) {
                NAME(load_fours)(from, at, v);
            } else {
                real safe[VECTOR_BYTES / sizeof(real) * 4];
                size fours[LANES];
                for (size lane = 0; lane < LANES; lane++) {
                    fours[lane] = 4 * lane;
                    for (size i = 0; i < 4; i++)
                        safe[4 * lane + i] = left + i >= 0 && left + i < p->width ? from[at[lane] + i] : 0;
                }
                NAME(load_fours)(safe, fours, v);
            }
        }
        UNROLL for (int i = 0; i < 4; i++) d[i][r] = v[i];
    }
    for (size i = 0; i < 4; i++) {
        if (left + i < 0 || left + i >= p->width) memset(d[i], 0, sizeof d[i]);
        NAME(values_of_pixels)(d[i], values[i]);
    }
}

/* values[k][tile][channel] = Bᵀ d B */
static void NAME(values_of_tiles)(const winograd_plan *p, const real *x, size first, size last, size row, size plane,
                                  real *values) {
    size volume = p->height * p->width;
    for (size c = 0; c < p->channels; c += LANES) {
        size at[LANES];
        for (size lane = 0; lane < LANES; lane++) at[lane] = min_size(c + lane, p->channels - 1) * volume;
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            const real *image = x + run.image * p->channels * volume;
            vec columns[2][4][6]; /* a tile sees all of one of these and the first half of the next */
            for (size q = 0; q <= run.count; q++) {
                NAME(values_of_columns)(p, image, at, x, x + p->images * p->channels * volume, 4 * run.row - p->above,
                                        4 * (run.column + q) - p->left, columns[q % 2]);
                if (q == 0) continue;
                real *to = values + (t - first + q - 1) * row + c;
                for (size r = 0; r < 6; r++) {
                    vec d[6], v[6];
                    UNROLL for (int i = 0; i < 6; i++) d[i] = columns[(q - 1 + i / 4) % 2][i % 4][r];
                    NAME(values_of_pixels)(d, v);
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
    for (size lane = 0; lane < LANES; lane++) at[lane] = min_size(filter + lane, p->filters - 1) * p->weight_filter;
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

/* A block of tiles has values and sums that stay in the second-level cache, about; a block of filters, weights that stay in
 * the third. All sums are over channels, in their order: the bits depend neither on the blocks nor on the threads that
 * share them. */
#define TILE_BYTES ((size)524288)
#define WEIGHT_BYTES ((size)16777216)

static int NAME(winograd)(const winograd_plan *p, const real *x, const real *weight, const real *bias, real *z,
                          int threads) {
    size channels = WHOLE_VECTORS(p->channels), filters = WHOLE_VECTORS(p->filters);
    size wide = WEIGHT_BYTES / (VALUES * (size)sizeof(real) * p->channels) / COLUMNS * COLUMNS;
    wide = max_size(COLUMNS, min_size(wide, filters));
    size block = TILE_BYTES / (VALUES * (size)sizeof(real) * (channels + wide));
    block = max_size(ROWS, min_size(block, divide_up(p->tiles, threads)));
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

#undef ROOT
#undef HALF_ROOT
