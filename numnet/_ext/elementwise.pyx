# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Elementwise activations, compiled.

The functions are those of numnet.kernels.reference. Each answers NotImplemented to arguments that it does not cover: no
float arrays of one dtype and shape. Why: the reference twin then does the work, or writes the error, and neither has to
be done twice.
"""

cimport numpy as cnp

from numnet._ext.parts cimport ELEMENTS, alike, map_kernel, run
from numnet._ext.runtime cimport c_contiguous, empty, float_type, isa, pointer

cnp.import_array()

cdef extern from "elementwise_kernels.h" nogil:
    ctypedef void (*block_kernel)(const void *x, const void *delta, void *y, const double *options) noexcept nogil

    struct elementwise_job:
        block_kernel kernel
        const void *x
        const void *delta
        void *y
        double[3] options

    ctypedef struct elementwise_kernels:
        map_kernel in_blocks
        block_kernel relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
        block_kernel gelu, gelu_backward, gelu_tanh, gelu_tanh_backward, silu, silu_backward, mish, mish_backward
        block_kernel softplus, softplus_backward, elu, elu_backward, leaky_relu, leaky_relu_backward
        block_kernel hardswish, hardswish_backward, hardtanh, hardtanh_backward

    const elementwise_kernels *elementwise_for(int isa, int is_double)

cdef enum:  # work for a number, as threads_for counts it: 8 times what is read, 4 times that with an exponential
    READ = 8
    READ_TWO = 12
    EXPONENTIAL = 32


cdef inline const elementwise_kernels *_table(int kind) noexcept:
    return elementwise_for(isa, kind == cnp.NPY_DOUBLE)


cdef inline int _kind(object x, object delta) noexcept:
    """The type of two arrays of one shape, or -1."""
    cdef int kind = float_type(x)
    return kind if kind >= 0 and alike(x, delta, kind) else -1


cdef object _map(block_kernel kernel, object x, object delta, int kind, double work, double p=0, double q=0,
                 double r=0):
    """One kernel over all elements of x, and of delta or None, with its options."""
    x = c_contiguous(x)
    delta = x if delta is None else c_contiguous(delta)
    cdef cnp.ndarray y = empty(cnp.PyArray_NDIM(<cnp.ndarray> x), cnp.PyArray_DIMS(<cnp.ndarray> x), kind)
    cdef elementwise_job job
    job.kernel, job.x, job.delta, job.y = kernel, pointer(x), pointer(delta), pointer(y)
    job.options[0], job.options[1], job.options[2] = p, q, r
    cdef Py_ssize_t count = cnp.PyArray_SIZE(y)
    run(_table(kind).in_blocks, &job, count, ELEMENTS, work * <double> count)
    return y


def relu(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).relu, x, None, kind, READ)


def relu_backward(object a, object delta):
    cdef int kind = _kind(a, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).relu_backward, a, delta, kind, READ_TWO)


def sigmoid(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).sigmoid, x, None, kind, EXPONENTIAL)


def sigmoid_backward(object a, object delta):
    cdef int kind = _kind(a, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).sigmoid_backward, a, delta, kind, READ_TWO)


def tanh(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).tanh, x, None, kind, EXPONENTIAL)


def tanh_backward(object a, object delta):
    cdef int kind = _kind(a, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).tanh_backward, a, delta, kind, READ_TWO)


def gelu(object x, object approximate):
    cdef int kind = float_type(x)
    if kind < 0 or approximate not in ("none", "tanh"):
        return NotImplemented
    return _map(_table(kind).gelu if approximate == "none" else _table(kind).gelu_tanh, x, None, kind, EXPONENTIAL)


def gelu_backward(object x, object delta, object approximate):
    cdef int kind = _kind(x, delta)
    if kind < 0 or approximate not in ("none", "tanh"):
        return NotImplemented
    cdef block_kernel kernel = _table(kind).gelu_backward if approximate == "none" else _table(kind).gelu_tanh_backward
    return _map(kernel, x, delta, kind, EXPONENTIAL)


def silu(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).silu, x, None, kind, EXPONENTIAL)


def silu_backward(object x, object delta):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).silu_backward, x, delta, kind, EXPONENTIAL)


def mish(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).mish, x, None, kind, EXPONENTIAL)


def mish_backward(object x, object delta):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).mish_backward, x, delta, kind, EXPONENTIAL)


def softplus(object x, double beta, double threshold):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).softplus, x, None, kind, EXPONENTIAL, beta, threshold)


def softplus_backward(object x, object delta, double beta, double threshold):
    cdef int kind = _kind(x, delta)
    if kind < 0:
        return NotImplemented
    return _map(_table(kind).softplus_backward, x, delta, kind, EXPONENTIAL, beta, threshold)


def elu(object x, double scale, double limit, double width):
    cdef int kind = float_type(x)
    if kind < 0 or not width > 0:
        return NotImplemented
    return _map(_table(kind).elu, x, None, kind, EXPONENTIAL, scale, limit, width)


def elu_backward(object x, object delta, double scale, double limit, double width):
    cdef int kind = _kind(x, delta)
    if kind < 0 or not width > 0:
        return NotImplemented
    return _map(_table(kind).elu_backward, x, delta, kind, EXPONENTIAL, scale, limit, width)


def leaky_relu(object x, double slope):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).leaky_relu, x, None, kind, READ, slope)


def leaky_relu_backward(object x, object delta, double slope):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).leaky_relu_backward, x, delta, kind, READ_TWO, slope)


def hardswish(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).hardswish, x, None, kind, READ)


def hardswish_backward(object x, object delta):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).hardswish_backward, x, delta, kind, READ_TWO)


def hardtanh(object x, double low, double high):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).hardtanh, x, None, kind, READ, low, high)


def hardtanh_backward(object x, object delta, double low, double high):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).hardtanh_backward, x, delta, kind, READ_TWO, low, high)
