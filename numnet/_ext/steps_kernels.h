/* The steps of optimisers: each reads and writes every array of one parameter once, in place, in parts of elements. */
#ifndef NUMNET_STEPS_KERNELS_H
#define NUMNET_STEPS_KERNELS_H

#include "family.h"
#include "parts.h"

typedef struct {
    map_kernel sgd_step, asgd_step, rprop_step, adagrad_step, adadelta_step, rmsprop_step, adamax_step, adam_step;
} steps_kernels;

FAMILY(steps)

/* One parameter, its gradient, what is remembered of it (in the order of the reference's arguments, NULL where there is
 * nothing), and the numbers of the formulas: each kernel reads those that stand in its own. What depends on the step
 * alone is worked out once, in steps.pyx. */
struct step_job {
    void *p;
    const void *g;
    void *first, *second, *third;
    double sign, decay;                    /* d = sign g + decay p, with a sign of -1 to climb */
    double shrink;                         /* p is multiplied by it first */
    double lr, momentum, eps;
    double keep1, rest1, keep2, rest2;     /* of the running means: keep of the old, rest of the new */
    double by_gradient, by_mean;           /* adam_step */
    double minus, plus, smallest, largest; /* rprop_step */
    int nesterov, begins, inside, adaptive;
};

#endif
