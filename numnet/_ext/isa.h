/* What every kernel object needs: the instruction set it is compiled for, and the parallel loop.
 *
 * A kernel family is one C file (products_kernels.c, maps_kernels.c) compiled once per instruction set, with NUMNET_ISA set to
 * baseline, avx2 or avx512; families that multiply share tile_kernels.c. Each includes its templates twice, for float and for
 * double (real.h). */
#ifndef NUMNET_ISA_H
#define NUMNET_ISA_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16 /* SSE2, NEON */
#endif

#define JOIN2_(a, b) a##_##b
#define JOIN2(a, b) JOIN2_(a, b)
#define JOIN3_(a, b, c) a##_##b##_##c
#define JOIN3(a, b, c) JOIN3_(a, b, c)

typedef ptrdiff_t size; /* signed: loops may count down, and no product of sizes wraps silently */

#define INLINE static inline __attribute__((always_inline))
#define ALONE static __attribute__((noinline)) /* with registers for itself */
#define SHARED __attribute__((visibility("hidden"))) /* among the objects of a module */

#define PRAGMA(text) _Pragma(#text)
#ifdef _OPENMP
#include <omp.h>
#define PARALLEL(threads) PRAGMA(omp parallel num_threads(threads) if ((threads) > 1))
#define FOR PRAGMA(omp for schedule(static))
#define FOR_DYNAMIC PRAGMA(omp for schedule(dynamic))
#define BARRIER PRAGMA(omp barrier)
#define THREAD_NUMBER omp_get_thread_num()
#define THREAD_COUNT omp_get_num_threads()
#else
#define PARALLEL(threads) (void)(threads);
#define FOR
#define FOR_DYNAMIC
#define BARRIER
#define THREAD_NUMBER 0
#define THREAD_COUNT 1
#endif

/* SHUFFLE(a, b, i, j, …): lanes of a and b, those of b counted on from a's. EVERY_LANE(f, s) lists f(lane, s). */
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
#endif
#define LANES_2(f, s) f(0, s), f(1, s)
#define LANES_4(f, s) LANES_2(f, s), f(2, s), f(3, s)
#define LANES_8(f, s) LANES_4(f, s), f(4, s), f(5, s), f(6, s), f(7, s)
#define LANES_16(f, s) LANES_8(f, s), f(8, s), f(9, s), f(10, s), f(11, s), f(12, s), f(13, s), f(14, s), f(15, s)
#define NUMBER(lane, s) (lane)
#define LANE_NUMBERS ((mask){EVERY_LANE(NUMBER, 0)}) /* 0, 1, 2, … */
#define UPPER(lane, s) ((lane) & (s) ? LANES + (lane) - (s) : (lane))
#define LOWER(lane, s) ((lane) & (s) ? LANES + (lane) : (lane) + (s))

INLINE size min_size(size a, size b) { return a < b ? a : b; }
INLINE size max_size(size a, size b) { return a > b ? a : b; }
INLINE size divide_up(size a, size b) { return (a + b - 1) / b; }

/* Scratch memory, aligned to a cache line; NULL when there is none. Give it back with free(). */
INLINE void *scratch(size bytes) {
    return bytes < 0 ? NULL : aligned_alloc(64, ((size_t)bytes + 64 + 63) / 64 * 64);
}

#endif
