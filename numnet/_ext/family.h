/* Chooses among the objects of a kernel family, at run time.
 *
 * FAMILY(products) declares the tables `products_baseline[2]`, `products_avx2[2]`, … (entry 0 float, entry 1 double),
 * each defined by one object, and `products_for(isa, is_double)`, which picks the table of function pointers. */
#ifndef NUMNET_FAMILY_H
#define NUMNET_FAMILY_H

#include <stddef.h>

enum { ISA_BASELINE, ISA_AVX2, ISA_AVX512 };

#ifdef NUMNET_X86 /* set by setup.py where the compiler makes all three */
#define FAMILY(family)                                                                                                 \
    extern const family##_kernels family##_baseline[2], family##_avx2[2], family##_avx512[2];                         \
    static inline const family##_kernels *family##_for(int isa, int is_double) {                                      \
        const family##_kernels *tables[] = {family##_baseline, family##_avx2, family##_avx512};                       \
        return tables[isa] + is_double;                                                                                \
    }
static inline int cpu_supports(int isa) {
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return isa == ISA_BASELINE || (isa == ISA_AVX2 && avx2) || (isa == ISA_AVX512 && avx2 && avx512);
}
#else
#define FAMILY(family)                                                                                                 \
    extern const family##_kernels family##_baseline[2];                                                               \
    static inline const family##_kernels *family##_for(int isa, int is_double) {                                      \
        (void)isa;                                                                                                     \
        return family##_baseline + is_double;                                                                          \
    }
static inline int cpu_supports(int isa) { return isa == ISA_BASELINE; }
#endif

#ifdef _OPENMP
#define HAS_OPENMP 1
#else
#define HAS_OPENMP 0
#endif

#endif
