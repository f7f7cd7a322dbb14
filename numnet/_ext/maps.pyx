# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Softmax, cross-entropy, norms, rows and sums of squares, compiled.

The functions are those of numnet.kernels.reference. Each answers NotImplemented to arguments that it does not cover: no
float arrays of one dtype, shapes that do not fit, labels out of range. Why: the reference twin then does the work, or
writes the error, and neither has to be done twice.
"""

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memset

from numnet._ext.parts cimport ELEMENTS, NO_MEMORY, alike, map_kernel, run
from numnet._ext.runtime cimport c_contiguous, empty, float_type, is_float_array, isa, pointer

cnp.import_array()

cdef extern from "maps_kernels.h" nogil:
    ctypedef struct maps_kernels:
        map_kernel softmax, softmax_backward, masked_softmax, cross_entropy, cross_entropy_backward
        map_kernel batch_norm, batch_norm_backward, row_norm, row_norm_backward, row_norm_gradients
        map_kernel gather_rows, scatter_rows, square_sum, absolute_sum, huber_sum

    const maps_kernels *maps_for(int isa, int is_double)
    Py_ssize_t columns_at_once(Py_ssize_t C)

    struct softmax_job:
        const void *x
        const void *delta
        void *y
        Py_ssize_t C, inner
        bint logarithm

    struct masked_softmax_job:
        const void *s
        const unsigned char *seen
        const void *added
        void *y
        Py_ssize_t C, axes
        Py_ssize_t[64] sizes, steps
        double scale

    struct cross_entropy_job:
        const void *z
        const void *weight
        const void *delta
        const int64_t *labels
        void *p
        void *J
        void *delta_z
        Py_ssize_t C, inner
        int64_t ignore_index
        double smoothing

    struct norm_job:
        const void *x
        const void *delta
        const void *weight
        const void *bias
        void *y
        void *mean
        void *var
        void *inv_std
        void *d_gamma
        void *d_beta
        Py_ssize_t N, C, S
        double eps
        bint constant_statistics

    struct row_norm_job:
        const void *x
        const void *delta
        const void *weight
        const void *bias
        void *y
        void *mean
        void *inv_std
        void *d_gamma
        void *d_beta
        double *shares
        Py_ssize_t N, C, S, groups, part
        double eps

    struct sum_job:
        const void *x
        double *sums
        double width
        Py_ssize_t part

    struct gather_job:
        const char *x
        const int64_t *index
        char *y
        Py_ssize_t bytes

    struct scatter_job:
        const void *delta
        const int64_t *index
        void *y
        Py_ssize_t N, D

cdef enum:
    COLUMNS = 64  # that batch_norm.h and chosen_rows.h do together
    MOST_PARTS = 16  # whose shares of a gradient are added up
    PART_BYTES = 65536  # of rows that are gathered
    MOST_AXES = 16
    LEAST_PART = 8  # numbers of a channel, of which a share is worth its memory


cdef inline cnp.ndarray _empty_like(cnp.ndarray x, int kind):
    return empty(cnp.PyArray_NDIM(x), cnp.PyArray_DIMS(x), kind)


cdef inline Py_ssize_t _length(object a, int axis) noexcept:
    return cnp.PyArray_DIM(<cnp.ndarray> a, axis)


cdef inline const maps_kernels *_kernels(int kind) noexcept:
    return maps_for(isa, kind == cnp.NPY_DOUBLE)


cdef inline bint _is_vector(object a, int kind, Py_ssize_t length) noexcept:
    return is_float_array(a, kind, 1) and _length(a, 0) == length


cdef inline bint _is_vector_or_none(object a, int kind, Py_ssize_t length) noexcept:
    return a is None or _is_vector(a, kind, length)


cdef inline object _contiguous_or_none(object a):
    return None if a is None else c_contiguous(a)


# --- softmax and cross-entropy ---

cdef _run_along(map_kernel kernel, const void *job, Py_ssize_t count, Py_ssize_t C, Py_ssize_t inner, double cost):
    """Run what works along C of count numbers, inner apart: in parts of rows, or of blocks of columns."""
    cdef Py_ssize_t columns = 1 if inner == 1 else min(inner, columns_at_once(C))
    cdef Py_ssize_t blocks = count // (C * inner) * ((inner + columns - 1) // columns)
    run(kernel, job, blocks, max(1, ELEMENTS // (max(C, 8) * columns)), cost * <double> count)


cdef object _softmax(object x, object delta, object axis, bint logarithm):
    """The forward pass where delta is None, else the backward pass with x in the place of the activation."""
    cdef int kind = float_type(x)
    if kind < 0 or not (delta is None or alike(x, delta, kind)):
        return NotImplemented
    cdef int axes = cnp.PyArray_NDIM(<cnp.ndarray> x), at = axis, i
    if at < 0:
        at += axes
    if at < 0 or at >= axes:
        return NotImplemented
    x = c_contiguous(x)
    delta = _contiguous_or_none(delta)
    cdef cnp.ndarray y = _empty_like(x, kind)
    if cnp.PyArray_SIZE(y) == 0:
        return y
    cdef softmax_job job = softmax_job(pointer(x), pointer(delta), pointer(y), _length(y, at), 1, logarithm)
    for i in range(at + 1, axes):
        job.inner *= _length(y, i)
    cdef map_kernel kernel = _kernels(kind).softmax if delta is None else _kernels(kind).softmax_backward
    _run_along(kernel, &job, cnp.PyArray_SIZE(y), job.C, job.inner, 32)
    return y


def softmax(object x, object axis):
    return _softmax(x, None, axis, False)


def softmax_backward(object a, object delta, object axis):
    return NotImplemented if delta is None else _softmax(a, delta, axis, False)


cdef object _mask(object mask, cnp.ndarray s, int kind, masked_softmax_job *job):
    """The mask, contiguous, once the job knows where its rows begin; None if it does not fit to s."""
    if not cnp.PyArray_Check(mask) or not 1 <= cnp.PyArray_NDIM(<cnp.ndarray> mask) <= cnp.PyArray_NDIM(s):
        return None
    cdef bint is_bool = cnp.PyArray_TYPE(<cnp.ndarray> mask) == cnp.NPY_BOOL
    if not is_bool and float_type(mask) != kind:
        return None
    cdef cnp.ndarray array = c_contiguous(mask)
    cdef int last = cnp.PyArray_NDIM(array) - 1, added = cnp.PyArray_NDIM(s) - 1 - last, axis
    if _length(array, last) != job.C:
        return None
    for axis in range(last):
        job.sizes[axis] = _length(s, added + axis)
        job.steps[axis] = 0 if _length(array, axis) == 1 else cnp.PyArray_STRIDE(array, axis) // cnp.PyArray_ITEMSIZE(array)
        if _length(array, axis) != 1 and _length(array, axis) != job.sizes[axis]:
            return None
    job.axes = last
    if is_bool:
        job.seen = <const unsigned char *> pointer(array)
    else:
        job.added = pointer(array)
    return array


def masked_softmax(object s, object mask, object scale):
    cdef int kind = float_type(s)
    if kind < 0 or cnp.PyArray_NDIM(<cnp.ndarray> s) == 0 or cnp.PyArray_SIZE(<cnp.ndarray> s) == 0:
        return NotImplemented
    s = c_contiguous(s)
    cdef cnp.ndarray y = _empty_like(s, kind)
    cdef Py_ssize_t count = cnp.PyArray_SIZE(y)
    cdef masked_softmax_job job
    job.s, job.y, job.scale, job.axes, job.seen, job.added = pointer(s), pointer(y), scale, 0, NULL, NULL
    job.C = _length(y, cnp.PyArray_NDIM(y) - 1)
    if mask is not None:
        mask = _mask(mask, s, kind, &job)
        if mask is None:
            return NotImplemented
    run(_kernels(kind).masked_softmax, &job, count // job.C, max(1, ELEMENTS // job.C), 32.0 * <double> count)
    return y


def log_softmax(object x, object axis):
    return _softmax(x, None, axis, True)


def log_softmax_backward(object a, object delta, object axis):
    return NotImplemented if delta is None else _softmax(a, delta, axis, True)


cdef bint _is_integer(cnp.ndarray a) noexcept:
    """Whether all its numbers are int64's too; uint64 has others."""
    return cnp.PyArray_ISINTEGER(a) and not (cnp.PyArray_ISUNSIGNED(a) and cnp.PyArray_ITEMSIZE(a) == 8)


cdef object _labels(object labels, cnp.ndarray z):
    """Integers of the shape of z without its axis 1, as a contiguous int64 array, or None."""
    if not cnp.PyArray_Check(labels):
        return None
    cdef cnp.ndarray array = labels
    if not _is_integer(array) or not _is_one_per_column(array, z):
        return None
    return cnp.PyArray_FROM_OTF(array, cnp.NPY_INT64, cnp.NPY_ARRAY_CARRAY_RO)


cdef bint _is_one_per_column(cnp.ndarray a, cnp.ndarray z) noexcept:
    """Whether a has the shape of z without its axis 1."""
    cdef int i
    if cnp.PyArray_NDIM(a) != cnp.PyArray_NDIM(z) - 1:
        return False
    for i in range(cnp.PyArray_NDIM(a)):
        if cnp.PyArray_DIM(a, i) != cnp.PyArray_DIM(z, i + (i > 0)):
            return False
    return True


cdef bint _labels_fit(const int64_t *labels, Py_ssize_t count, Py_ssize_t classes, int64_t ignore_index) noexcept nogil:
    cdef Py_ssize_t m
    cdef bint fit = True
    for m in range(count):
        fit &= (0 <= labels[m] < classes) | (labels[m] == ignore_index)
    return fit


cdef bint _cross_entropy_job(cross_entropy_job *job, cnp.ndarray z, cnp.ndarray labels, object weight,
                             object ignore_index, object label_smoothing):
    cdef int i
    memset(job, 0, sizeof(cross_entropy_job))
    job.C, job.inner = _length(z, 1), 1
    for i in range(2, cnp.PyArray_NDIM(z)):
        job.inner *= _length(z, i)
    job.weight = pointer(weight)
    job.labels = <const int64_t *> pointer(labels)
    job.ignore_index = ignore_index
    job.smoothing = label_smoothing
    return _labels_fit(job.labels, cnp.PyArray_SIZE(labels), job.C, job.ignore_index)


cdef inline bint _has_classes(object z, int kind, object weight) noexcept:
    """Whether z is an array (N, C, ...) of this type, C > 0, and weight has a number for each class, or is None."""
    if kind < 0 or cnp.PyArray_NDIM(<cnp.ndarray> z) < 2 or _length(z, 1) == 0:
        return False
    return _is_vector_or_none(weight, kind, _length(z, 1))


def cross_entropy(object z, object labels, object weight, object ignore_index, object label_smoothing):
    cdef int kind = float_type(z)
    if not _has_classes(z, kind, weight):
        return NotImplemented
    labels = _labels(labels, z)
    cdef cross_entropy_job job
    weight = _contiguous_or_none(weight)
    if labels is None or not _cross_entropy_job(&job, z, labels, weight, ignore_index, label_smoothing):
        return NotImplemented
    z = c_contiguous(z)
    cdef cnp.ndarray p = _empty_like(z, kind), J = _empty_like(labels, kind)
    if cnp.PyArray_SIZE(p) > 0:
        job.z, job.p, job.J = pointer(z), cnp.PyArray_DATA(p), cnp.PyArray_DATA(J)
        _run_along(_kernels(kind).cross_entropy, &job, cnp.PyArray_SIZE(p), job.C, job.inner, 32)
    return J, p


def cross_entropy_backward(object p, object labels, object weight, object ignore_index, object label_smoothing,
                           object delta):
    cdef int kind = float_type(p)
    if not _has_classes(p, kind, weight) or float_type(delta) != kind or not _is_one_per_column(delta, p):
        return NotImplemented
    labels = _labels(labels, p)
    cdef cross_entropy_job job
    weight = _contiguous_or_none(weight)
    if labels is None or not _cross_entropy_job(&job, p, labels, weight, ignore_index, label_smoothing):
        return NotImplemented
    p = c_contiguous(p)
    delta = c_contiguous(delta)
    cdef cnp.ndarray delta_z = _empty_like(p, kind)
    if cnp.PyArray_SIZE(delta_z) > 0:
        job.p, job.delta, job.delta_z = pointer(p), pointer(delta), cnp.PyArray_DATA(delta_z)
        _run_along(_kernels(kind).cross_entropy_backward, &job, cnp.PyArray_SIZE(p), job.C, job.inner, 12)
    return delta_z


# --- batch norm ---

cdef int _norm_job(norm_job *job, object x, object delta, object weight, object bias, object mean, object inv_std):
    """Fill the job, of C-contiguous arrays; the type of the arrays, or -1 where they do not fit or x is empty."""
    cdef int kind = float_type(x)
    if kind < 0 or not is_float_array(x, kind, 3) or not (delta is None or alike(x, delta, kind)):
        return -1
    memset(job, 0, sizeof(norm_job))
    cdef cnp.ndarray array = x
    job.N, job.C, job.S = _length(array, 0), _length(array, 1), _length(array, 2)
    if not (_is_vector_or_none(weight, kind, job.C) and _is_vector_or_none(bias, kind, job.C)
            and _is_vector_or_none(mean, kind, job.C) and _is_vector_or_none(inv_std, kind, job.C)):
        return -1
    job.x, job.delta, job.weight, job.bias = pointer(x), pointer(delta), pointer(weight), pointer(bias)
    job.mean, job.inv_std = pointer(mean), pointer(inv_std)
    return kind if cnp.PyArray_SIZE(array) > 0 else -1


cdef int _run_norm(map_kernel kernel, norm_job *job, double work_each) except NO_MEMORY:
    cdef Py_ssize_t part = max(1, COLUMNS // job.S)  # channels
    return run(kernel, job, job.C, part, work_each * <double> job.N * <double> job.C * <double> job.S)


cdef inline object _readable(object a):
    return c_contiguous(a) if float_type(a) >= 0 else a


def batch_norm_train(object x, object weight, object bias, object eps):
    cdef norm_job job
    x, weight, bias = _readable(x), _readable(weight), _readable(bias)
    cdef int kind = _norm_job(&job, x, None, weight, bias, None, None)
    if kind < 0:
        return NotImplemented
    cdef cnp.npy_intp C = job.C
    cdef cnp.ndarray y = _empty_like(x, kind)
    cdef cnp.ndarray mean = empty(1, &C, kind), var = empty(1, &C, kind), inv_std = empty(1, &C, kind)
    job.y, job.mean, job.var, job.inv_std = pointer(y), pointer(mean), pointer(var), pointer(inv_std)
    job.eps = eps
    _run_norm(_kernels(kind).batch_norm, &job, 16)
    return y, mean, var, inv_std


def batch_norm_eval(object x, object mean, object inv_std, object weight, object bias):
    cdef norm_job job
    x, mean, inv_std = _readable(x), _readable(mean), _readable(inv_std)
    weight, bias = _readable(weight), _readable(bias)
    if mean is None or inv_std is None:
        return NotImplemented
    cdef int kind = _norm_job(&job, x, None, weight, bias, mean, inv_std)
    if kind < 0:
        return NotImplemented
    cdef cnp.ndarray y = _empty_like(x, kind)
    job.y = pointer(y)
    job.constant_statistics = True
    _run_norm(_kernels(kind).batch_norm, &job, 8)
    return y


cdef object _batch_norm_backward(object x, object delta, object mean, object inv_std, object weight, object needs,
                                 bint constant):
    cdef norm_job job
    x, delta, weight = _readable(x), _readable(delta), _readable(weight)
    mean, inv_std = _readable(mean), _readable(inv_std)
    if delta is None or mean is None or inv_std is None:
        return NotImplemented
    cdef int kind = _norm_job(&job, x, delta, weight, None, mean, inv_std)
    if kind < 0:
        return NotImplemented
    cdef cnp.npy_intp C = job.C
    needs_x, needs_gamma, needs_beta = needs
    delta_x = _empty_like(x, kind) if needs_x else None
    d_gamma = empty(1, &C, kind) if needs_gamma else None
    d_beta = empty(1, &C, kind) if needs_beta else None
    job.y, job.d_gamma, job.d_beta = pointer(delta_x), pointer(d_gamma), pointer(d_beta)
    job.constant_statistics = constant
    _run_norm(_kernels(kind).batch_norm_backward, &job, 24)
    return delta_x, d_gamma, d_beta


def batch_norm_train_backward(object x, object delta, object weight, object mean, object inv_std, object needs):
    return _batch_norm_backward(x, delta, mean, inv_std, weight, needs, False)


def batch_norm_eval_backward(object x, object delta, object mean, object inv_std, object weight, object needs):
    return _batch_norm_backward(x, delta, mean, inv_std, weight, needs, True)


# --- group norm, which is layer norm too, and root mean square norm ---

cdef int _row_norm_job(row_norm_job *job, object x, object delta, object weight, object bias, object groups,
                       object mean, object inv_std):
    """Fill the job, of C-contiguous arrays; the type of the arrays, or -1 where they do not fit or x is empty.

    x is (N, C, S), or (N, C) where S is 1.
    """
    cdef int kind = float_type(x)
    if kind < 0 or not (delta is None or alike(x, delta, kind)) or not 2 <= cnp.PyArray_NDIM(<cnp.ndarray> x) <= 3:
        return -1
    memset(job, 0, sizeof(row_norm_job))
    job.N, job.C, job.groups = _length(x, 0), _length(x, 1), groups
    job.S = _length(x, 2) if cnp.PyArray_NDIM(<cnp.ndarray> x) == 3 else 1
    if job.groups < 1 or job.C % job.groups or job.N * job.C * job.S == 0:
        return -1
    if not (_is_vector_or_none(weight, kind, job.C) and _is_vector_or_none(bias, kind, job.C)
            and _is_vector_or_none(mean, kind, job.N * job.groups)
            and _is_vector_or_none(inv_std, kind, job.N * job.groups)):
        return -1
    job.x, job.delta, job.weight, job.bias = pointer(x), pointer(delta), pointer(weight), pointer(bias)
    job.mean, job.inv_std = pointer(mean), pointer(inv_std)
    return kind


cdef object _row_norm(object x, object weight, object bias, object groups, object eps, bint centred):
    cdef row_norm_job job
    x, weight, bias = _readable(x), _readable(weight), _readable(bias)
    cdef int kind = _row_norm_job(&job, x, None, weight, bias, groups, None, None)
    if kind < 0:
        return NotImplemented
    cdef cnp.npy_intp rows = job.N * job.groups
    cdef cnp.ndarray y = _empty_like(x, kind), inv_std = empty(1, &rows, kind)
    mean = empty(1, &rows, kind) if centred else None
    job.y, job.mean, job.inv_std, job.eps = pointer(y), pointer(mean), pointer(inv_std), eps
    cdef Py_ssize_t length = job.C // job.groups * job.S
    run(_kernels(kind).row_norm, &job, rows, max(1, ELEMENTS // length), 16.0 * <double> cnp.PyArray_SIZE(y))
    return (y, mean, inv_std) if centred else (y, inv_std)


cdef object _row_norm_backward(object x, object delta, object weight, object groups, object mean, object inv_std,
                               bint needs_x, bint needs_gamma, bint needs_beta):
    cdef row_norm_job job
    x, delta, weight = _readable(x), _readable(delta), _readable(weight)
    mean, inv_std = _readable(mean), _readable(inv_std)
    cdef int kind = -1
    if delta is not None and inv_std is not None:
        kind = _row_norm_job(&job, x, delta, weight, None, groups, mean, inv_std)
    if kind < 0:
        return NotImplemented
    cdef Py_ssize_t least = max(1, max(LEAST_PART // job.S, (job.N + MOST_PARTS - 1) // MOST_PARTS))
    job.part = max(least, ELEMENTS // (job.C * job.S))
    cdef cnp.npy_intp C = job.C, shares = (job.N + job.part - 1) // job.part * 2 * C
    delta_x = _empty_like(x, kind) if needs_x else None
    d_gamma = empty(1, &C, kind) if needs_gamma else None
    d_beta = empty(1, &C, kind) if needs_beta else None
    job.y, job.d_gamma, job.d_beta = pointer(delta_x), pointer(d_gamma), pointer(d_beta)
    cdef cnp.ndarray kept = empty(1, &shares, cnp.NPY_DOUBLE)
    job.shares = <double *> cnp.PyArray_DATA(kept)
    run(_kernels(kind).row_norm_backward, &job, job.N, job.part, 24.0 * <double> cnp.PyArray_SIZE(<cnp.ndarray> x))
    if needs_gamma or needs_beta:
        run(_kernels(kind).row_norm_gradients, &job, 2 * C, ELEMENTS, 8.0 * <double> shares)
    return delta_x, d_gamma, d_beta


def group_norm(object x, object weight, object bias, object groups, object eps):
    if not is_float_array(x, float_type(x), 3):
        return NotImplemented
    return _row_norm(x, weight, bias, groups, eps, True)


def group_norm_backward(object x, object delta, object weight, object groups, object mean, object inv_std,
                        object needs):
    if mean is None or not is_float_array(x, float_type(x), 3):
        return NotImplemented
    needs_x, needs_gamma, needs_beta = needs
    return _row_norm_backward(x, delta, weight, groups, mean, inv_std, needs_x, needs_gamma, needs_beta)


def rms_norm(object x, object weight, object eps):
    if not is_float_array(x, float_type(x), 2):
        return NotImplemented
    return _row_norm(x, weight, None, 1, eps, False)


def rms_norm_backward(object x, object delta, object weight, object inv_rms, object needs):
    if not is_float_array(x, float_type(x), 2):
        return NotImplemented
    needs_x, needs_gamma = needs
    gradients = _row_norm_backward(x, delta, weight, 1, None, inv_rms, needs_x, needs_gamma, False)
    return NotImplemented if gradients is NotImplemented else gradients[:2]


# --- rows ---

cdef bint _are_rows(const int64_t *index, Py_ssize_t count, Py_ssize_t rows) noexcept nogil:
    cdef Py_ssize_t n
    cdef bint fit = True
    for n in range(count):
        fit &= 0 <= index[n] < rows
    return fit


def gather_rows(object x, object index):
    """Of numbers of any kind, in native byte order; what is wrong is refused here, and named by the reference."""
    if not cnp.PyArray_CheckExact(x) or not cnp.PyArray_Check(index):  # a masked array has its own take
        return NotImplemented
    cdef cnp.ndarray source = x, rows = index
    cdef int axes = cnp.PyArray_NDIM(rows), ndim = axes + cnp.PyArray_NDIM(source) - 1, i
    if (not cnp.PyArray_ISCARRAY_RO(source) or not (cnp.PyArray_ISNUMBER(source) or cnp.PyArray_ISBOOL(source))
            or cnp.PyArray_TYPE(source) < 0 or not _is_integer(rows) or cnp.PyArray_NDIM(source) < 1 or ndim > MOST_AXES):
        return NotImplemented
    cdef cnp.npy_intp[MOST_AXES] shape
    cdef Py_ssize_t count = cnp.PyArray_SIZE(rows), bytes = cnp.PyArray_ITEMSIZE(source)
    for i in range(ndim):
        shape[i] = cnp.PyArray_DIM(rows, i) if i < axes else cnp.PyArray_DIM(source, i - axes + 1)
    for i in range(axes, ndim):
        bytes *= shape[i]
    rows = cnp.PyArray_FROM_OTF(rows, cnp.NPY_INT64, cnp.NPY_ARRAY_CARRAY_RO)
    if not _are_rows(<const int64_t *> pointer(rows), count, _length(source, 0)):
        return NotImplemented
    cdef cnp.ndarray y = empty(ndim, shape, cnp.PyArray_TYPE(source))
    cdef gather_job job = gather_job(
        <const char *> pointer(source), <const int64_t *> pointer(rows), <char *> pointer(y), bytes)
    run(_kernels(cnp.NPY_FLOAT).gather_rows, &job, count, max(1, PART_BYTES // max(1, bytes)),
        2.0 * <double> bytes * <double> count)
    return y


def scatter_rows(object delta, object index, object rows):
    cdef int kind = float_type(delta)
    if kind < 0 or not is_float_array(delta, kind, 2):
        return NotImplemented
    index = _labels(index, delta)
    cdef cnp.npy_intp[2] shape
    shape[0], shape[1] = rows, _length(delta, 1)
    if index is None or shape[0] < 0 or not _are_rows(<const int64_t *> pointer(index), _length(delta, 0), shape[0]):
        return NotImplemented
    delta = c_contiguous(delta)
    cdef cnp.ndarray dW = cnp.PyArray_ZEROS(2, shape, kind, 0)
    cdef scatter_job job = scatter_job(
        pointer(delta), <const int64_t *> pointer(index), pointer(dW), _length(delta, 0), shape[1])
    run(_kernels(kind).scatter_rows, &job, job.D, COLUMNS, 12.0 * <double> job.N * <double> job.D)
    return dW


# --- sums of all numbers: for norms of gradients, and losses ---

def square_sum(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _sum(_kernels(kind).square_sum, x, kind, 0)


def absolute_sum(object x):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _sum(_kernels(kind).absolute_sum, x, kind, 0)


def huber_sum(object x, double width):
    cdef int kind = float_type(x)
    return NotImplemented if kind < 0 else _sum(_kernels(kind).huber_sum, x, kind, width)


cdef cnp.ndarray _sum(map_kernel kernel, object x, int kind, double width):
    x = c_contiguous(x)
    cdef Py_ssize_t count = cnp.PyArray_SIZE(x), i
    cdef cnp.npy_intp parts = (count + ELEMENTS - 1) // ELEMENTS
    cdef cnp.ndarray shares = empty(1, &parts, cnp.NPY_DOUBLE)
    cdef sum_job job
    job.x, job.sums, job.width, job.part = pointer(x), <double *> pointer(shares), width, ELEMENTS
    run(kernel, &job, count, ELEMENTS, 8.0 * <double> count)
    cdef double total = 0
    for i in range(parts):
        total += job.sums[i]
    cdef cnp.ndarray result = empty(0, NULL, kind)
    if kind == cnp.NPY_DOUBLE:
        (<double *> pointer(result))[0] = total
    else:
        (<float *> pointer(result))[0] = <float> total
    return result
