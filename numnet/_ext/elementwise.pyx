# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Copies and sums of arrays, elementwise activations, and losses of pairs of numbers, compiled.

The functions are those of numnet.kernels.reference. Each answers NotImplemented to arguments that it does not cover: no
float arrays of one dtype, shapes that do not fit. Why: the reference twin then does the work, or writes the error, and
neither has to be done twice.
"""

cimport numpy as cnp

from numnet._ext.parts cimport ELEMENTS, alike, map_kernel, run, same
from numnet._ext.runtime cimport c_contiguous, empty, float_type, isa, pointer

cnp.import_array()

cdef extern from "elementwise_kernels.h" nogil:
    ctypedef void (*block_kernel)(const void *x, const void *y, const void *delta, void *result,
                                  const double *options) noexcept nogil

    struct elementwise_job:
        block_kernel kernel
        const void *x
        const void *y
        const void *delta
        void *result
        double[3] options

    ctypedef struct elementwise_kernels:
        map_kernel in_blocks
        block_kernel add, subtract, scaled, sign, relu, relu_backward, sigmoid, sigmoid_backward, tanh, tanh_backward
        block_kernel gelu, gelu_backward, gelu_tanh, gelu_tanh_backward, silu, silu_backward, mish, mish_backward
        block_kernel softplus, softplus_backward, elu, elu_backward, leaky_relu, leaky_relu_backward
        block_kernel hardsigmoid, hardsigmoid_backward, hardswish, hardswish_backward, hardtanh, hardtanh_backward
        block_kernel cut_out, cut_out_backward, huber, huber_backward
        block_kernel binary_cross_entropy, binary_cross_entropy_backward
        block_kernel binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_backward

    const elementwise_kernels *elementwise_for(int isa, int is_double)

cdef enum:  # work for a number, as threads_for counts it: 8 times what is read, 4 times that with an exponential
    READ = 8
    READ_TWO = 12
    EXPONENTIAL = 32

cdef enum:
    LEAST_REPEATED = 512  # numbers of what is added again and again: a call for fewer would cost as much as the sums


cdef inline const elementwise_kernels *_table(int kind) noexcept:
    return elementwise_for(isa, kind == cnp.NPY_DOUBLE)


cdef inline int _kind(object x, object delta) noexcept:
    """The type of two arrays of one shape, or -1."""
    cdef int kind = float_type(x)
    return kind if kind >= 0 and alike(x, delta, kind) else -1


cdef object _run(block_kernel kernel, object x, object y, object delta, int kind, double work, double p, double q,
                 double r):
    """One kernel over all elements of x, of y or None and of delta or None, with its options."""
    x = c_contiguous(x)
    y = x if y is None else c_contiguous(y)
    delta = x if delta is None else c_contiguous(delta)
    cdef cnp.ndarray result = empty(cnp.PyArray_NDIM(<cnp.ndarray> x), cnp.PyArray_DIMS(<cnp.ndarray> x), kind)
    cdef elementwise_job job
    job.kernel, job.x, job.y, job.delta, job.result = kernel, pointer(x), pointer(y), pointer(delta), pointer(result)
    job.options[0], job.options[1], job.options[2] = p, q, r
    cdef Py_ssize_t count = cnp.PyArray_SIZE(result)
    run(_table(kind).in_blocks, &job, count, ELEMENTS, work * <double> count)
    return result


cdef inline object _map(block_kernel kernel, object x, object delta, int kind, double work, double p=0, double q=0,
                        double r=0):
    """One kernel over all elements of x, and of delta or None, with its options."""
    return _run(kernel, x, None, delta, kind, work, p, q, r)


cdef object _loss(block_kernel kernel, object x, object y, int kind, double work):
    """The loss of every element of x, of this type, beside that of y."""
    return NotImplemented if kind < 0 else _run(kernel, x, y, None, kind, work, 0, 0, 0)


cdef object _loss_backward(block_kernel kernel, object x, object y, object delta, int kind, double work):
    if kind < 0 or not alike(x, delta, kind):
        return NotImplemented
    return _run(kernel, x, y, delta, kind, work, 0, 0, 0)


def contiguous(object x):
    return NotImplemented if float_type(x) < 0 else c_contiguous(x)


def empty_like(object x, object shape):
    cdef cnp.npy_intp[64] sizes
    cdef Py_ssize_t axis
    if float_type(x) < 0 or len(shape) > 64:
        return NotImplemented
    for axis in range(len(shape)):
        sizes[axis] = shape[axis]
        if sizes[axis] < 0:
            return NotImplemented
    return empty(len(shape), sizes, float_type(x))


def add(object a, object b):
    cdef int kind = float_type(a)
    if kind < 0 or float_type(b) != kind:
        return NotImplemented
    if not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> a) or not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> b):
        return NotImplemented  # NumPy adds in whatever order the numbers lie
    if alike(a, b, kind):
        return _run(_table(kind).add, a, b, None, kind, READ_TWO, 0, 0, 0)
    if cnp.PyArray_NDIM(<cnp.ndarray> a) < cnp.PyArray_NDIM(<cnp.ndarray> b):
        a, b = b, a
    cdef int leading = cnp.PyArray_NDIM(<cnp.ndarray> a) - cnp.PyArray_NDIM(<cnp.ndarray> b)
    cdef const cnp.npy_intp *shape = cnp.PyArray_DIMS(<cnp.ndarray> a)
    cdef Py_ssize_t each = cnp.PyArray_SIZE(b), start
    if each < LEAST_REPEATED or not same(shape + leading, cnp.PyArray_DIMS(<cnp.ndarray> b), cnp.PyArray_NDIM(<cnp.ndarray> b)):
        return NotImplemented
    cdef cnp.ndarray result = empty(cnp.PyArray_NDIM(<cnp.ndarray> a), shape, kind)
    cdef Py_ssize_t bytes = cnp.PyArray_ITEMSIZE(result)
    cdef elementwise_job job
    job.kernel, job.y = _table(kind).add, pointer(b)
    for start in range(0, cnp.PyArray_SIZE(result), each):
        job.x = job.delta = <char *> pointer(a) + start * bytes
        job.result = <char *> pointer(result) + start * bytes
        run(_table(kind).in_blocks, &job, each, ELEMENTS, READ_TWO * <double> each)
    return result


def subtract(object a, object b):
    cdef int kind = _kind(a, b)
    if kind < 0 or not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> a) or not cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> b):
        return NotImplemented
    return _run(_table(kind).subtract, a, b, None, kind, READ_TWO, 0, 0, 0)


def scaled(object x, double factor):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).scaled, x, None, kind, READ, factor)


def sign(object x, double factor):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).sign, x, None, kind, READ, factor)


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


def hardsigmoid(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).hardsigmoid, x, None, kind, READ)


def hardsigmoid_backward(object x, object delta):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).hardsigmoid_backward, x, delta, kind, READ_TWO)


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


def cut_out(object x, double low, double high, double value):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).cut_out, x, None, kind, READ, low, high, value)


def cut_out_backward(object x, object delta, double low, double high, double value):
    cdef int kind = _kind(x, delta)
    return NotImplemented if kind < 0 else _map(_table(kind).cut_out_backward, x, delta, kind, READ_TWO, low, high)


def huber(object x, double width):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).huber, x, None, kind, READ, width)


def huber_backward(object x, double factor, double width):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _map(_table(kind).huber_backward, x, None, kind, READ, factor, width)


def binary_cross_entropy(object x, object y):
    cdef int kind = _kind(x, y)
    return _loss(_table(kind).binary_cross_entropy, x, y, kind, 2 * EXPONENTIAL)


def binary_cross_entropy_backward(object x, object y, object delta):
    cdef int kind = _kind(x, y)
    return _loss_backward(_table(kind).binary_cross_entropy_backward, x, y, delta, kind, READ_TWO)


def binary_cross_entropy_with_logits(object x, object y, object pos_weight):
    cdef int kind = _kind(x, y) if pos_weight is None else -1
    return _loss(_table(kind).binary_cross_entropy_with_logits, x, y, kind, EXPONENTIAL)


def binary_cross_entropy_with_logits_backward(object x, object y, object pos_weight, object delta):
    cdef int kind = _kind(x, y) if pos_weight is None else -1
    return _loss_backward(_table(kind).binary_cross_entropy_with_logits_backward, x, y, delta, kind, EXPONENTIAL)
