/* The kernels of the family maps, for one instruction set. */
#include "maps_kernels.h"

#include <math.h>

#define REAL_BITS 32
#include "real.h"
#include "elementary.h"
#include "rows.h"
#include "batch_norm.h"
#include "row_norm.h"
#include "chosen_rows.h"
#include "softmax.h"
#include "sums.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "elementary.h"
#include "rows.h"
#include "batch_norm.h"
#include "row_norm.h"
#include "chosen_rows.h"
#include "softmax.h"
#include "sums.h"

#define ENTRY(kernel, type) .kernel = JOIN3(kernel, type, NUMNET_ISA)
#define TABLE(type)                                                                                                    \
    {                                                                                                                  \
        ENTRY(softmax, type), ENTRY(softmax_backward, type), ENTRY(masked_softmax, type), ENTRY(cross_entropy, type),  \
        ENTRY(cross_entropy_backward, type), ENTRY(batch_norm, type), ENTRY(batch_norm_backward, type),                \
        ENTRY(row_norm, type), ENTRY(row_norm_backward, type), ENTRY(row_norm_gradients, type),                        \
        ENTRY(gather_rows, type), ENTRY(scatter_rows, type), ENTRY(square_sum, type), ENTRY(absolute_sum, type), ENTRY(huber_sum, type),                                                            \
    }
const maps_kernels JOIN2(maps, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
