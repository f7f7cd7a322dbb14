/* The element type of a template. Set REAL_BITS to 32 or 64, include this, then the templates; then again for the other.
 *
 *     real          float or double
 *     vec           LANES of them, in registers
 *     load, store   at any address: NumPy promises no alignment
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
