/* The kernels of the family recurrent, for one instruction set. */
#include "recurrent_kernels.h"

#include <math.h>

#define REAL_BITS 32
#include "real.h"
#include "elementary.h"
#include "recurrent.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "elementary.h"
#include "recurrent.h"

#define ENTRY(kernel, type) .kernel = JOIN3(kernel, type, NUMNET_ISA)
#define TABLE(type)                                                                                                    \
    {                                                                                                                  \
        ENTRY(tanh_cell, type), ENTRY(relu_cell, type), ENTRY(lstm_cell, type), ENTRY(lstm_cell_backward, type),       \
        ENTRY(gru_cell, type), ENTRY(gru_cell_backward, type),                                                         \
    }
const recurrent_kernels JOIN2(recurrent, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
