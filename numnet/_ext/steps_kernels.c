/* The kernels of the family steps, for one instruction set. */
#include "steps_kernels.h"

#include <math.h>

#define REAL_BITS 32
#include "real.h"
#include "elementary.h"
#include "optim.h"

#undef REAL_BITS
#define REAL_BITS 64
#include "real.h"
#include "elementary.h"
#include "optim.h"

#define ENTRY(kernel, type) .kernel = JOIN3(kernel, type, NUMNET_ISA)
#define TABLE(type)                                                                                                    \
    {                                                                                                                  \
        ENTRY(sgd_step, type), ENTRY(asgd_step, type), ENTRY(rprop_step, type), ENTRY(adagrad_step, type),            \
        ENTRY(adadelta_step, type), ENTRY(rmsprop_step, type), ENTRY(adamax_step, type), ENTRY(adam_step, type),      \
    }
const steps_kernels JOIN2(steps, NUMNET_ISA)[2] = {TABLE(f32), TABLE(f64)};
