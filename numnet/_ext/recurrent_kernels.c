/* The kernels of the family recurrent, for one instruction set. */
#include "recurrent_kernels.h"
#include "isa.h"
#include "parts.h"

#include <math.h>

#pragma GCC diagnostic ignored "-Wunused-function" /* of panel.h and gemm.h parts are enough */

#define REAL_BITS 32
#include "real.h"
#include "elementary.h"
#include "tiles.h"
#include "panel.h"
#include "gemm.h"
#include "recurrent.h"
#include "row_sums.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "elementary.h"
#include "tiles.h"
#include "panel.h"
#include "gemm.h"
#include "recurrent.h"
#include "row_sums.h"

#define ENTRY(kernel, type) .kernel = JOIN3(recurrent_##kernel, type, NUMNET_ISA)
#define TABLE(type) {ENTRY(forward, type), ENTRY(backward, type), .row_sums = JOIN3(row_sums, type, NUMNET_ISA)}
const recurrent_kernels JOIN2(recurrent, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
