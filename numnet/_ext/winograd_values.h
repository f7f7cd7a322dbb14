/* Convolution of a window of 3 × 3 or 5 × 5 that moves by 1, with a quarter or a third of the multiplications.
 *
 * Winograd's minimal filtering F(4 × 4, 3 × 3) and F(2 × 2, 5 × 5): a tile of 4 × 4 or 2 × 2 results comes from 6 × 6
 * pixels d and the window w as
 *
 *     y = Aᵀ [(G w Gᵀ) ⊙ (Bᵀ d B)] A
 *
 * 36 multiplications, not 144 or 100. Summed over channels the ⊙ is 36 matrix products. The matrices are those of the
 * multiplication of polynomials by their values at 0, ±√2, ±√½ and ∞, which are the same for both: as many coefficients
 * as y has in a row, and as many as w has. Let E(n) take the values of a polynomial of n coefficients; then
 *
 *     A = E(results in a row)        G = S E(pixels of the window in a row)        Bᵀ = (E(6)ᵀ S)⁻¹
 *
 * with a scale S = diag(1, 1/6, 1/6, -2/3, -2/3, 1) that makes the numbers of Bᵀ simple. Why these points: the largest
 * error is a third of that at the usual 0, ±1, ±2 and ∞.
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

/* v = E(n) d */
INLINE void NAME(values)(const int n, const vec *d, vec v[6]) {
    UNROLL for (int i = 0; i < 2; i++) {
        const real point = i ? HALF_ROOT : ROOT, square = i ? (real)0.5 : 2;
        vec even = d[(n - 1) / 2 * 2], odd = d[n / 2 * 2 - 1];
        UNROLL for (int j = (n - 1) / 2 * 2 - 2; j >= 0; j -= 2) even = d[j] + square * even;
        UNROLL for (int j = n / 2 * 2 - 3; j >= 0; j -= 2) odd = d[j] + square * odd;
        v[1 + 2 * i] = even + point * odd;
        v[2 + 2 * i] = even - point * odd;
    }
    v[0] = d[0];
    v[5] = d[n - 1];
}

/* y = E(n)ᵀ v */
INLINE void NAME(adjoint)(const int n, const vec v[6], vec *y) {
    vec even = v[1] + v[2], odd = v[1] - v[2], even_half = v[3] + v[4], odd_half = v[3] - v[4];
    real power = 1;
    UNROLL for (int j = 0; j < n; j += 2, power *= 2) {
        y[j] = power * even + 1 / power * even_half;
        if (j + 1 < n) y[j + 1] = power * ROOT * odd + 1 / power * HALF_ROOT * odd_half;
    }
    y[0] += v[0];
    y[n - 1] += v[5];
}

/* S v */
INLINE void NAME(scale)(vec v[6]) {
    UNROLL for (int i = 1; i < 5; i++) v[i] *= (real)(i < 3 ? 1.0 / 6 : -2.0 / 3);
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

#define RUN_OF_TILES ((size)10) /* at most */
#define LINE 48 /* pixels of a row that they see, in whole vectors */

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
    run.count = min_size(min_size(last - run.first, p->tile_columns - run.column), RUN_OF_TILES);
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

/* to[i · step] = pixel left + i of row `top` of LANES channels of an image, for LANES such i. */
ALONE void NAME(load_pixels)(const NAME(images) * x, const real *image, const size *at, size top, size left, vec *to,
                             size step) {
    const size first = max_size(0, -left), last = min_size(LANES, x->width - left);
    const real *from = image + top * x->width + left;
    if (top < 0 || top >= x->height) {
        for (size i = 0; i < LANES; i++) to[i * step] = (vec){0};
        return;
    }
    if (from + at[0] >= x->begin && from + at[LANES - 1] + LANES <= x->end) {
        vec pixels[VECTOR_BYTES / sizeof(real)];
        UNROLL for (size lane = 0; lane < LANES; lane++) pixels[lane] = load(from + at[lane]);
        transpose(pixels);
        UNROLL for (size i = 0; i < LANES; i++) to[i * step] = pixels[i];
    } else {
        for (size i = first; i < last; i++)
            for (size lane = 0; lane < LANES; lane++) to[i * step][lane] = from[at[lane] + i];
    }
    for (size i = 0; i < min_size(first, LANES); i++) to[i * step] = (vec){0};
    for (size i = max_size(last, 0); i < LANES; i++) to[i * step] = (vec){0};
}

/* seen[column][row] = pixels of `rows` rows, each of LANES channels. The rows below are seen next: they may come meanwhile. */
INLINE void NAME(see)(const int rows, const int most, const NAME(images) * x, const real *image, const size *at, size top,
                      size left, size columns, vec (*seen)[most]) {
    for (size r = 0; r < rows; r++)
        for (size c = 0; c < columns; c += LANES) NAME(load_pixels)(x, image, at, top + r, left + c, seen[c] + r, most);
    for (size lane = 0; lane < LANES; lane++)
        for (size r = top + rows; r < min_size(top + rows + 4, x->height); r++)
            for (size c = 0; c < min_size(columns, x->width - left); c += LANES)
                __builtin_prefetch(image + at[lane] + r * x->width + left + c);
}

/* values[k][tile][channel] = Bᵀ d B */
INLINE void NAME(values_of_tiles)(const int edge, const winograd_plan *p, const real *x, size first, size last,
                                  size row, size plane, real *values) {
    size volume = p->height * p->width, at[LANES];
    const NAME(images) images = {x, x + p->images * p->channels * volume, p->height, p->width};
    for (size c = 0; c < p->channels; c += LANES) {
        NAME(lanes_of_channels)(c, p->channels, volume, at);
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            const size columns = edge * (run.count - 1) + 6;
            vec d[LINE][6]; /* (column, row) */
            NAME(see)(6, 6, &images, x + run.image * p->channels * volume, at, edge * run.row - p->above,
                      edge * run.column - p->left, columns, d);
            for (size i = 0; i < columns; i++) {
                vec v[6];
                NAME(values_of_pixels)(d[i], v);
                UNROLL for (int r = 0; r < 6; r++) d[i][r] = v[r];
            }
            real *to = values + (t - first) * row + c;
            for (size tile = 0; tile < run.count; tile++, to += row)
                for (size r = 0; r < 6; r++) {
                    vec seen[6], v[6];
                    UNROLL for (int i = 0; i < 6; i++) seen[i] = d[edge * tile + i][r];
                    NAME(values_of_pixels)(seen, v);
                    UNROLL for (int i = 0; i < 6; i++) store(to + (6 * r + i) * plane, v[i]);
                }
        }
    }
}

/* z = Aᵀ m A + bias for `count` filters, from m[k][tile][filter]; edge × edge results a tile */
INLINE void NAME(results_of_tiles)(const int edge, const winograd_plan *p, const real *m, size first, size last,
                                   size row, size plane, size count, const real *bias, real *z) {
    const int together = 4 / edge; /* rows of a tile that fill four vectors */
    size out_volume = p->out_height * p->out_width;
    /* 16 rows that lie multiples of 4096 bytes apart would drive each other out of the first-level cache */
    const int crowded = LANES > 8 && out_volume * (size)sizeof(real) % 4096 == 0;
    for (size f = 0; f < count; f += LANES) {
        size filters = min_size(count - f, LANES);
        vec b = load(bias + f);
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            size height = min_size(edge, p->out_height - edge * run.row);
            size width = min_size(edge * run.count, p->out_width - edge * run.column);
            real *to = z + (run.image * p->filters + f) * out_volume + edge * (run.row * p->out_width + run.column);
            for (size lane = 0; lane < filters; lane++) /* what is written last may come meanwhile */
                for (size r = 0; r < height; r++)
                    for (size j = 0; j < width; j += LANES)
                        __builtin_prefetch(to + lane * out_volume + r * p->out_width + j, 1);
            real aside[4][VECTOR_BYTES / sizeof(real)][LINE];
            real *put = crowded ? aside[0][0] : to;
            const size put_row = crowded ? LANES * LINE : p->out_width, put_lane = crowded ? LINE : out_volume;
            for (size q = 0; q < run.count; q++, put += edge) {
                const real *from = m + (t - first + q) * row + f;
                size across = min_size(edge, width - edge * q);
                vec rows[4][6];
                for (size i = 0; i < 6; i++) {
                    vec v[6], y[4];
                    UNROLL for (int r = 0; r < 6; r++) v[r] = load(from + (6 * r + i) * plane);
                    NAME(adjoint)(edge, v, y);
                    UNROLL for (int r = 0; r < edge; r++) rows[r][i] = y[r];
                }
                for (size r = 0; r < height; r += together) {
                    vec y[4];
                    real pixels[4][VECTOR_BYTES / sizeof(real)];
                    UNROLL for (int i = 0; i < together; i++) NAME(adjoint)(edge, rows[r + i], y + i * edge);
                    UNROLL for (int i = 0; i < 4; i++) y[i] += b;
                    NAME(transpose_fours)(y);
                    UNROLL for (int i = 0; i < 4; i++) store(pixels[i], y[i]);
                    for (size i = 0; i < min_size(together, height - r); i++) {
                        real *line = put + (r + i) * put_row;
                        if (filters == LANES && across == edge) {
                            UNROLL for (size lane = 0; lane < LANES; lane++)
                                memcpy(line + lane * put_lane, pixels[lane % 4] + lane / 4 * 4 + i * edge,
                                       (size_t)edge * sizeof(real));
                        } else {
                            for (size lane = 0; lane < filters; lane++)
                                for (size j = 0; j < across; j++)
                                    line[lane * put_lane + j] = pixels[lane % 4][lane / 4 * 4 + i * edge + j];
                        }
                    }
                }
            }
            for (size lane = 0; crowded && lane < filters; lane++)
                for (size r = 0; r < height; r++)
                    NAME(copy_run)(width, aside[r][lane], to + lane * out_volume + r * p->out_width);
        }
    }
}

/* G w Gᵀ of the windows of one channel and LANES filters. */
INLINE void NAME(values_of_weights)(const int edge, const winograd_plan *p, const real *weight, size channel,
                                    size filter, size plane, real *to) {
    size at[LANES];
    NAME(lanes_of_channels)(filter, p->filters, p->weight_filter, at);
    weight += channel * p->weight_channel;
    const int side = 7 - edge, last = side * side - 1; /* a multiple of four */
    vec w[25], columns[5][6];
    for (int i = 0; i < last; i += 4) NAME(load_fours)(weight + i, at, w + i);
    for (size lane = 0; lane < LANES; lane++) w[last][lane] = weight[last + at[lane]];
    for (int i = 0; i < side; i++) {
        vec column[5];
        for (int r = 0; r < side; r++) column[r] = w[p->turned ? last - (side * r + i) : side * r + i];
        NAME(values)(side, column, columns[i]);
        NAME(scale)(columns[i]);
    }
    for (size r = 0; r < 6; r++) {
        vec row[5], u[6];
        UNROLL for (int i = 0; i < side; i++) row[i] = columns[i][r];
        NAME(values)(side, row, u);
        NAME(scale)(u);
        UNROLL for (int i = 0; i < 6; i++) store(to + (6 * r + i) * plane, u[i]);
    }
}

/* values[k][tile][filter] = A δ Aᵀ of `filters` filters, edge × edge of δ a tile */
INLINE void NAME(values_of_deltas)(const int edge, const winograd_plan *p, const real *delta, size filter, size filters,
                                   size first, size last, size row, size plane, real *values) {
    size volume = p->out_height * p->out_width, at[LANES];
    const NAME(images) images = {delta, delta + p->images * p->filters * volume, p->out_height, p->out_width};
    for (size f = 0; f < filters; f += LANES) {
        NAME(lanes_of_channels)(filter + f, p->filters, volume, at);
        NAME(tile_run) run;
        for (size t = first; t < last; t += run.count) {
            run = NAME(next_run)(p, t, last);
            vec d[LINE][4]; /* (column, row) */
            NAME(see)(edge, 4, &images, delta + run.image * p->filters * volume, at, edge * run.row, edge * run.column,
                      edge * run.count, d);
            real *to = values + (t - first) * row + f;
            for (size tile = 0; tile < run.count; tile++, to += row) {
                vec columns[4][6], rows[4], v[6];
                UNROLL for (int i = 0; i < edge; i++) NAME(values)(edge, d[edge * tile + i], columns[i]);
                for (size r = 0; r < 6; r++) {
                    UNROLL for (int i = 0; i < edge; i++) rows[i] = columns[i][r];
                    NAME(values)(edge, rows, v);
                    UNROLL for (int i = 0; i < 6; i++) store(to + (6 * r + i) * plane, v[i]);
                }
            }
        }
    }
}

/* dW[f, c] = Gᵀ s G of one channel and some filters, from sums[k][filter] */
INLINE void NAME(weights_of_sums)(const int edge, const winograd_plan *p, const real *sums, size plane, size filters,
                                  real *dw) {
    const int side = 7 - edge;
    for (size f = 0; f < filters; f += LANES) {
        vec rows[5][6], w[5];
        for (size i = 0; i < 6; i++) {
            vec s[6];
            UNROLL for (int r = 0; r < 6; r++) s[r] = load(sums + (6 * r + i) * plane + f);
            NAME(scale)(s);
            NAME(adjoint)(side, s, w);
            UNROLL for (int r = 0; r < side; r++) rows[r][i] = w[r];
        }
        for (size r = 0; r < side; r++) {
            NAME(scale)(rows[r]);
            NAME(adjoint)(side, rows[r], w);
            for (size lane = 0; lane < min_size(LANES, filters - f); lane++)
                for (size i = 0; i < side; i++) dw[(f + lane) * p->weight_filter + side * r + i] = w[i][lane];
        }
    }
}

/* A function for each edge: its loops have constants. */
#define OF_EDGES(name, parameters, ...)                                                                                \
    ALONE void NAME(name##_2) parameters { NAME(name)(2, p, __VA_ARGS__); }                                            \
    ALONE void NAME(name##_4) parameters { NAME(name)(4, p, __VA_ARGS__); }
OF_EDGES(values_of_tiles, (const winograd_plan *p, const real *x, size first, size last, size row, size plane,
         real *values), x, first, last, row, plane, values)
OF_EDGES(results_of_tiles, (const winograd_plan *p, const real *m, size first, size last, size row, size plane,
         size count, const real *bias, real *z), m, first, last, row, plane, count, bias, z)
OF_EDGES(values_of_weights, (const winograd_plan *p, const real *weight, size channel, size filter, size plane,
         real *to), weight, channel, filter, plane, to)
OF_EDGES(values_of_deltas, (const winograd_plan *p, const real *delta, size filter, size filters, size first, size last,
         size row, size plane, real *values), delta, filter, filters, first, last, row, plane, values)
OF_EDGES(weights_of_sums, (const winograd_plan *p, const real *sums, size plane, size filters, real *dw), sums, plane,
         filters, dw)
#undef OF_EDGES

#undef ROOT
#undef HALF_ROOT
