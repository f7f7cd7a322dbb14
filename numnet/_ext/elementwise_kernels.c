/* The kernels of the family elementwise, for one instruction set. */
#include "elementwise_kernels.h"

#include <math.h>

#define REAL_BITS 32
#include "real.h"
#include "elementary.h"
#include "activation.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "elementary.h"
#include "activation.h"

#define ENTRY(kernel, type) .kernel = JOIN3(kernel, type, NUMNET_ISA)
#define PAIR(kernel, type) ENTRY(kernel, type), ENTRY(kernel##_backward, type)
#define TABLE(type)                                                                                                    \
    {                                                                                                                  \
        ENTRY(in_blocks, type), ENTRY(add, type), ENTRY(subtract, type), ENTRY(scaled, type), ENTRY(sign, type), PAIR(relu, type),        \
        PAIR(sigmoid, type), PAIR(tanh, type), PAIR(gelu, type), PAIR(gelu_tanh, type), PAIR(silu, type), PAIR(mish, type),                 \
        PAIR(softplus, type), PAIR(elu, type), PAIR(leaky_relu, type), PAIR(hardsigmoid, type), PAIR(hardswish, type),  \
        PAIR(hardtanh, type), PAIR(cut_out, type), PAIR(huber, type),                                                  \
        PAIR(binary_cross_entropy, type), PAIR(binary_cross_entropy_with_logits, type),                               \
    }
const elementwise_kernels JOIN2(elementwise, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
