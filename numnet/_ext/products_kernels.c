#include "products_kernels.h"

#include "isa.h"
#include "slide_plan.h"
#include "winograd_plan.h"

#define REAL_BITS 32
#include "real.h"

#include "tiles.h"
#include "panel.h"

#include "gemm.h"
#include "gemm_batch.h"
#include "channel_sums.h"
#include "row_sums.h"

#include "slide.h"
#include "upright.h"
#include "tap_sums.h"

#include "winograd_values.h"

#include "winograd.h"

#include "covered.h"
#include "few_windows.h"
#include "conv.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"

#include "tiles.h"
#include "panel.h"

#include "gemm.h"
#include "gemm_batch.h"
#include "channel_sums.h"
#include "row_sums.h"

#include "slide.h"
#include "upright.h"
#include "tap_sums.h"

#include "covered.h"
#include "few_windows.h"
#include "conv.h"

#define TABLE(type)                                                                                                    \
    {                                                                                                                  \
        .gemm = JOIN3(gemm, type, NUMNET_ISA), .gemm_batch = JOIN3(gemm_batch, type, NUMNET_ISA),                      \
        .channel_sums = JOIN3(channel_sums, type, NUMNET_ISA), .row_sums = JOIN3(row_sums, type, NUMNET_ISA),          \
        .conv = JOIN3(conv, type, NUMNET_ISA), .conv_delta_x = JOIN3(conv_delta_x, type, NUMNET_ISA),                  \
        .conv_delta_w = JOIN3(conv_delta_w, type, NUMNET_ISA),                                                         \
    }

const products_kernels JOIN2(products, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
