/* Work in parts: a kernel handles the part [begin, end) of its job, and jobs are cut here.
 *
 * What is counted (elements, rows, channels, planes) is up to the kernel. Parts are of a fixed size, so the bits of a
 * result do not depend on the number of threads. */
#ifndef NUMNET_PARTS_H
#define NUMNET_PARTS_H

#include "isa.h"

typedef int (*map_kernel)(const void *job, size begin, size end); /* 0, or a negative number for failure */

enum { NO_MEMORY = -1, BAD_INDEX = -2 };

static inline int lower(int a, int b) { return a < b ? a : b; }

static inline int run_in_parts(map_kernel kernel, const void *job, size count, size part, int threads) {
    int worst = 0;
    const size parts = divide_up(count, part);
    if (threads == 1 || parts == 1) { /* without the cost of a parallel region of one */
        for (size i = 0; i < parts; i++) worst = lower(worst, kernel(job, i * part, min_size(count, (i + 1) * part)));
        return worst;
    }
#ifdef _OPENMP
#pragma omp parallel for schedule(static) num_threads(threads) reduction(min : worst)
#endif
    for (size i = 0; i < parts; i++) worst = lower(worst, kernel(job, i * part, min_size(count, (i + 1) * part)));
    return worst;
}

#endif
