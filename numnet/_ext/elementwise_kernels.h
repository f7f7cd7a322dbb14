/* The elementwise kernels: sums, activations, losses of pairs of numbers, and their backwards, of any number of numbers.
 *
 * Data pointers are to float or double, as the table has it that the kernel is taken from. */
#ifndef NUMNET_ELEMENTWISE_KERNELS_H
#define NUMNET_ELEMENTWISE_KERNELS_H

#include "family.h"
#include "parts.h"

#define BLOCK 128 /* numbers that a kernel does at a call */

typedef void (*block_kernel)(const void *x, const void *y, const void *delta, void *result, const double *options);

struct elementwise_job {
    block_kernel kernel;
    const void *x, *y, *delta; /* y and delta are x where the kernel reads none */
    void *result;
    double options[3];
};

typedef struct {
    map_kernel in_blocks; /* runs a job */
    block_kernel add, subtract, scaled, sign, relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward;
    block_kernel gelu, gelu_backward, gelu_tanh, gelu_tanh_backward, silu, silu_backward, mish, mish_backward;
    block_kernel softplus, softplus_backward, elu, elu_backward, leaky_relu, leaky_relu_backward;
    block_kernel hardsigmoid, hardsigmoid_backward, hardswish, hardswish_backward, hardtanh, hardtanh_backward;
    block_kernel cut_out, cut_out_backward, huber, huber_backward;
    block_kernel binary_cross_entropy, binary_cross_entropy_backward;
    block_kernel binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_backward;
} elementwise_kernels;

FAMILY(elementwise)

#endif
