/* The element type of a template. Set REAL_BITS to 32 or 64, include this, then the templates; then again for the other.
 *
 *     real          float or double
 *     vec           LANES of them, in registers
 *     load, store   at any address: NumPy promises no alignment
 *     splat         the same number in every lane
 *     ask_for       prefetch so many numbers
 *     transpose     LANES vectors of them
 *     NAME(f)       f_f32_avx2: a name of its own per type and instruction set */

#undef real
#undef vec
#undef vec_at
#undef mask
#undef LANES
#undef TYPE_NAME
#undef NAME
#undef load
#undef store
#undef splat
#undef ask_for
#undef transpose
#undef EVERY_LANE

#if REAL_BITS == 32
#define real float
#define TYPE_NAME f32
#else
#define real double
#define TYPE_NAME f64
#endif

#define NAME(name) JOIN3(name, TYPE_NAME, NUMNET_ISA)
#define LANES ((size)(VECTOR_BYTES / sizeof(real)))
#define vec NAME(vec)
#define vec_at NAME(vec_at)
#define mask NAME(mask)
#define load NAME(load)
#define store NAME(store)
#define splat NAME(splat)
#define ask_for NAME(ask_for)
#define transpose NAME(transpose)

typedef real vec __attribute__((vector_size(VECTOR_BYTES)));
typedef real vec_at __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(real)), may_alias));
#if REAL_BITS == 32
typedef int32_t mask __attribute__((vector_size(VECTOR_BYTES))); /* what comparing two vec gives: 0 or -1 per lane */
#else
typedef int64_t mask __attribute__((vector_size(VECTOR_BYTES)));
#endif

INLINE vec load(const real *p) { return *(const vec_at *)p; }
INLINE void store(real *p, vec v) { *(vec_at *)p = v; }
INLINE vec splat(real v) { return v - (vec){0}; } /* v - 0 keeps the sign of -0.0 */
/* Memory from p on, that is soon read; it need not be there. */
INLINE void ask_for(const real *p, size n) {
    for (size i = 0; i < n; i += 64 / (size)sizeof(real)) __builtin_prefetch(p + i);
}
INLINE vec NAME(select)(mask which, vec yes, vec no) { return (vec)((which & (mask)yes) | (~which & (mask)no)); }

#if VECTOR_BYTES * 8 / REAL_BITS == 2
#define EVERY_LANE LANES_2
#elif VECTOR_BYTES * 8 / REAL_BITS == 4
#define EVERY_LANE LANES_4
#elif VECTOR_BYTES * 8 / REAL_BITS == 8
#define EVERY_LANE LANES_8
#else
#define EVERY_LANE LANES_16
#endif

/* Swaps the off-diagonal blocks of side s = 1, 2, 4, … of the matrix whose rows are v. */
#define SWAP_BLOCKS(s)                                                                                                 \
    _Pragma("GCC unroll 16") for (int i = 0; i < LANES; i++) if (!(i & s)) {                                           \
        vec a = v[i], b = v[i + s];                                                                                    \
        v[i] = SHUFFLE(a, b, EVERY_LANE(UPPER, s));                                                                    \
        v[i + s] = SHUFFLE(a, b, EVERY_LANE(LOWER, s));                                                                \
    }
INLINE void transpose(vec *v) {
    SWAP_BLOCKS(1)
#if VECTOR_BYTES * 8 / REAL_BITS > 2
    SWAP_BLOCKS(2)
#endif
#if VECTOR_BYTES * 8 / REAL_BITS > 4
    SWAP_BLOCKS(4)
#endif
#if VECTOR_BYTES * 8 / REAL_BITS > 8
    SWAP_BLOCKS(8)
#endif
}
#undef SWAP_BLOCKS
