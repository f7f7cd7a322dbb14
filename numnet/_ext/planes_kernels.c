/* The kernels of the family planes, for one instruction set. */
#include "planes_kernels.h"

#include <math.h>

enum { UNFOLD, FOLD, FOLD_APART }; /* of unfold.h: u = x; x += u; x = u where no two windows meet */

#define REAL_BITS 32
#include "real.h"
#include "rows.h"
#include "largest.h"
#include "pool.h"
#include "max_pool.h"
#include "avg_pool.h"
#include "regions.h"
#include "resample.h"
#include "unfold.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "rows.h"
#include "largest.h"
#include "pool.h"
#include "max_pool.h"
#include "avg_pool.h"
#include "regions.h"
#include "resample.h"
#include "unfold.h"

#define ENTRY(kernel, type) .kernel = JOIN3(kernel, type, NUMNET_ISA)
#define TABLE(type)                                                                                                    \
    {                                                                                                                  \
        ENTRY(max_pool, type), ENTRY(max_pool_backward, type), ENTRY(avg_pool, type), ENTRY(avg_pool_backward, type),  \
        ENTRY(max_regions, type), ENTRY(unfold, type), ENTRY(fold, type), ENTRY(resample, type),                       \
    }
const planes_kernels JOIN2(planes, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
