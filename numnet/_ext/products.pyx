"""Matrix products and convolutions: the functions of numnet.kernels.reference.linear and .conv, compiled.

Each answers NotImplemented to arguments that it does not cover: no float arrays of one dtype, shapes that do not fit,
empty ones. Why: the reference twin then does the work, or writes the error, and neither has to be done twice.
"""

cimport numpy as cnp

from numnet._ext.parts cimport map_kernel, run
from numnet._ext.row_sums cimport row_sums_job
from numnet._ext.runtime cimport (
    c_contiguous, empty, float_type, is_float_array, isa, pointer, thread_count, threads_for, threads_for_product,
    winograd,
)

cnp.import_array()

cdef extern from "products_kernels.h" nogil:
    ctypedef struct conv_shape:
        Py_ssize_t images, channels, filters, groups
        Py_ssize_t[3] size_in "in"
        Py_ssize_t[3] kernel, stride, before, dilation, out

    struct gemm_batch_job:
        const void *a
        const void *b
        void *c
        Py_ssize_t m, n, k, a_row, a_column, b_row, b_column
        int axes
        Py_ssize_t[64] sizes, a_steps, b_steps
        int threads

    ctypedef struct products_kernels:
        int (*gemm)(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const void *a, Py_ssize_t a_row, Py_ssize_t a_column,
                    const void *b, Py_ssize_t b_row, Py_ssize_t b_column, const void *bias, void *c,
                    int threads) noexcept nogil
        map_kernel gemm_batch
        void (*channel_sums)(Py_ssize_t n, Py_ssize_t f, Py_ssize_t p, const void *x, void *sums, int threads) noexcept nogil
        int (*row_sums)(const row_sums_job *job, int threads) noexcept nogil
        int (*conv)(const conv_shape *shape, const void *x, const void *weight, const void *bias, void *z, bint winograd,
                    int threads) noexcept nogil
        int (*conv_delta_x)(const conv_shape *shape, const void *weight, const void *delta, void *delta_x, bint winograd,
                            int threads) noexcept nogil
        int (*conv_delta_w)(const conv_shape *shape, const void *x, const void *delta, void *dw, bint winograd,
                            int threads) noexcept nogil

    const products_kernels *products_for(int isa, int is_double)


cdef enum:  # what is worth the kernel of sums over rows: so many of them, and a delta so wide, wider than x
    MANY = 512
    WIDE = 64
    NARROW = 16
    WIDEST = 512  # of x, a run of whose rows is to stay in the second-level cache


cdef struct Matrix:
    const void *data
    Py_ssize_t rows, columns
    Py_ssize_t row, column  # strides, in elements


cdef object _readable(object a):
    """The matrices themselves, whatever their strides, unless they are no whole elements: then a copy."""
    cdef cnp.ndarray array = a
    cdef int axis
    cdef bint whole = cnp.PyArray_ISALIGNED(array)
    for axis in range(cnp.PyArray_NDIM(array)):
        whole &= cnp.PyArray_STRIDE(array, axis) % cnp.PyArray_ITEMSIZE(array) == 0
    return a if whole else cnp.PyArray_FROM_OTF(a, cnp.PyArray_TYPE(array), cnp.NPY_ARRAY_CARRAY_RO)


cdef Matrix _matrix(object a) noexcept:
    """Of the last two axes."""
    cdef cnp.ndarray array = a
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(array)
    cdef int row = cnp.PyArray_NDIM(array) - 2
    return Matrix(cnp.PyArray_DATA(array), cnp.PyArray_DIM(array, row), cnp.PyArray_DIM(array, row + 1),
                  cnp.PyArray_STRIDE(array, row) // item, cnp.PyArray_STRIDE(array, row + 1) // item)


cdef Matrix _transposed(Matrix a) noexcept:
    return Matrix(a.data, a.columns, a.rows, a.column, a.row)


cdef object _product(Matrix a, Matrix b, object bias, int kind):
    """a b + bias, fresh."""
    cdef cnp.npy_intp[2] shape = [a.rows, b.columns]
    cdef cnp.ndarray c = empty(2, shape, kind)
    cdef const products_kernels *kernels = products_for(isa, kind == cnp.NPY_DOUBLE)
    cdef const void *bias_data = pointer(bias)
    cdef void *c_data = cnp.PyArray_DATA(c)
    cdef double work = <double> a.rows * <double> a.columns * <double> b.columns
    cdef int threads = threads_for_product(a.rows, a.columns, b.columns), status
    if work < 1e5:
        status = kernels.gemm(a.rows, b.columns, a.columns, a.data, a.row, a.column, b.data, b.row, b.column,
                              bias_data, c_data, threads)
    else:
        with nogil:
            status = kernels.gemm(a.rows, b.columns, a.columns, a.data, a.row, a.column, b.data, b.row, b.column,
                                  bias_data, c_data, threads)
    if status < 0:
        raise MemoryError
    return c


cdef object _channel_sums(const void *x, Py_ssize_t n, cnp.npy_intp f, Py_ssize_t p, int kind):
    """Sums (f,) of x (n, f, p), which lies without gaps."""
    cdef cnp.ndarray sums = empty(1, &f, kind)
    cdef const products_kernels *kernels = products_for(isa, kind == cnp.NPY_DOUBLE)
    cdef void *sums_data = cnp.PyArray_DATA(sums)
    cdef int threads = threads_for(8.0 * <double> n * <double> f * <double> p)
    with nogil:
        kernels.channel_sums(n, f, p, x, sums_data, threads)
    return sums


cdef inline bint _is_plain(Matrix a) noexcept:
    """Does it lie row by row in memory?"""
    return a.column == 1 and a.row == a.columns


cdef object _row_sums(Matrix x, Matrix delta, bint need_b, int kind):
    """∂J/∂W and, or ``None``, ∂J/∂b."""
    cdef row_sums_job job
    cdef cnp.npy_intp[2] shape = [delta.columns, x.columns]
    cdef cnp.ndarray dW = empty(2, shape, kind)
    cdef const products_kernels *kernels = products_for(isa, kind == cnp.NPY_DOUBLE)
    cdef int threads = threads_for(<double> x.rows * <double> x.columns * <double> delta.columns), status
    db = empty(1, shape, kind) if need_b else None
    job.rows, job.columns, job.delta = delta.rows, delta.columns, delta.data
    job.left[0], job.left[1], job.width[0], job.width[1] = x.data, NULL, x.columns, 0
    job.sum[0], job.sum[1], job.bias_sum = pointer(dW), NULL, pointer(db)
    with nogil:
        status = kernels.row_sums(&job, threads)
    if status < 0:
        raise MemoryError
    return dW, db


cdef bint _is_bias(object bias, int kind, Py_ssize_t length) noexcept:
    return bias is None or (is_float_array(bias, kind, 1) and cnp.PyArray_DIM(<cnp.ndarray> bias, 0) == length)


def matmul(object a, object b):
    cdef int kind = float_type(a)
    if kind < 0 or float_type(b) != kind or min(cnp.PyArray_NDIM(a), cnp.PyArray_NDIM(b)) < 2:
        return NotImplemented
    a, b = _readable(a), _readable(b)
    cdef Matrix left = _matrix(a), right = _matrix(b)
    if left.columns != right.rows:
        return NotImplemented
    cdef int axes = max(cnp.PyArray_NDIM(a), cnp.PyArray_NDIM(b)) - 2
    return _products(a, b, left, right, axes, kind) if axes else _product(left, right, None, kind)


cdef bint _steps(cnp.ndarray a, int axes, Py_ssize_t *sizes, Py_ssize_t *steps) noexcept:
    """How far apart, in elements, the matrices of a lie along each of so many axes; false if it does not broadcast."""
    cdef int added = axes + 2 - cnp.PyArray_NDIM(a), axis
    cdef Py_ssize_t length
    for axis in range(axes):
        length = 1 if axis < added else cnp.PyArray_DIM(a, axis - added)
        steps[axis] = 0 if length == 1 else cnp.PyArray_STRIDE(a, axis - added) // cnp.PyArray_ITEMSIZE(a)
        if sizes[axis] == 1:
            sizes[axis] = length
        elif length != 1 and length != sizes[axis]:
            return False
    return True


cdef object _products(object a, object b, Matrix left, Matrix right, int axes, int kind):
    """a b of every matrix of a batch, fresh; axes in front broadcast."""
    cdef gemm_batch_job job
    cdef cnp.npy_intp[64] shape
    cdef Py_ssize_t count = 1
    cdef int axis
    job.axes = axes
    for axis in range(axes):
        job.sizes[axis] = 1
    if not _steps(a, axes, job.sizes, job.a_steps) or not _steps(b, axes, job.sizes, job.b_steps):
        return NotImplemented
    for axis in range(axes):
        shape[axis] = job.sizes[axis]
        count *= job.sizes[axis]
    job.m, job.n, job.k = left.rows, right.columns, left.columns
    shape[axes], shape[axes + 1] = job.m, job.n
    cdef cnp.ndarray c = empty(axes + 2, shape, kind)
    job.a, job.a_row, job.a_column = left.data, left.row, left.column
    job.b, job.b_row, job.b_column = right.data, right.row, right.column
    job.c = cnp.PyArray_DATA(c)
    cdef double work = <double> job.m * <double> job.n * <double> job.k
    job.threads = threads_for(work) if count < thread_count else 1
    cdef Py_ssize_t part = max(1, count) if job.threads > 1 else <Py_ssize_t> max(1, 1e5 / max(1, work))
    run(products_for(isa, kind == cnp.NPY_DOUBLE).gemm_batch, &job, count, part, work * <double> count)
    return c


cdef object _rows(object x):
    """x (…, in) as (N, in)."""
    cdef cnp.ndarray array = x
    cdef int axes = cnp.PyArray_NDIM(array), axis
    if axes == 2:
        return x
    cdef cnp.npy_intp[2] sizes = [1, cnp.PyArray_DIM(array, axes - 1)]
    for axis in range(axes - 1):
        sizes[0] *= cnp.PyArray_DIM(array, axis)
    return _shaped(array, sizes, 2)


cdef object _shaped(cnp.ndarray array, const cnp.npy_intp *sizes, int axes):
    cdef cnp.PyArray_Dims shape
    shape.ptr, shape.len = <cnp.npy_intp *> sizes, axes
    return cnp.PyArray_Newshape(array, &shape, cnp.NPY_CORDER)


cdef object _with_axes_of(object rows, cnp.ndarray x):
    """rows (N, out) as (…, out), with the leading axes of x."""
    cdef int axes = cnp.PyArray_NDIM(x), axis
    if axes == 2:
        return rows
    cdef cnp.npy_intp[64] sizes
    for axis in range(axes - 1):
        sizes[axis] = cnp.PyArray_DIM(x, axis)
    sizes[axes - 1] = cnp.PyArray_DIM(<cnp.ndarray> rows, 1)
    return _shaped(rows, sizes, axes)


cdef object _swapped(object x):
    """x with its two leading axes exchanged."""
    return cnp.PyArray_SwapAxes(<cnp.ndarray> x, 0, 1)


cdef bint _lies_swapped(object x) noexcept:
    """Does x (N, T, in) lie in memory as (T, N, in), as what a recurrent layer makes of batch_first does?"""
    cdef cnp.ndarray array = x
    if cnp.PyArray_NDIM(array) != 3 or cnp.PyArray_IS_C_CONTIGUOUS(array):
        return False
    cdef cnp.npy_intp *sizes = cnp.PyArray_DIMS(array)
    cdef cnp.npy_intp *strides = cnp.PyArray_STRIDES(array)
    cdef cnp.npy_intp item = cnp.PyArray_ITEMSIZE(array)
    return strides[2] == item and strides[0] == item * sizes[2] and strides[1] == strides[0] * sizes[0]


cdef bint _is_batch(object a, int kind) noexcept:
    """Is it an array of this type, with an axis or more?"""
    return kind >= 0 and float_type(a) == kind and cnp.PyArray_NDIM(<cnp.ndarray> a) > 0


def linear(object x, object weight, object bias):
    cdef int kind = float_type(x)
    if not _is_batch(x, kind) or not is_float_array(weight, kind, 2):
        return NotImplemented
    if _lies_swapped(x):
        z = linear(_swapped(x), weight, bias)
        return z if z is NotImplemented else _swapped(z)
    cdef object readable = _readable(_rows(x))
    weight = _readable(weight)
    cdef Matrix rows = _matrix(readable), w = _matrix(weight)
    if rows.columns != w.columns or not _is_bias(bias, kind, w.rows):
        return NotImplemented
    return _with_axes_of(_product(rows, _transposed(w), None if bias is None else c_contiguous(bias), kind), x)


def linear_backward(object x, object weight, object delta, object needs):
    cdef int kind = float_type(x), axis
    if not _is_batch(x, kind) or not is_float_array(weight, kind, 2) or not _is_batch(delta, kind):
        return NotImplemented
    cdef int axes = cnp.PyArray_NDIM(<cnp.ndarray> x)
    if cnp.PyArray_NDIM(<cnp.ndarray> delta) != axes:
        return NotImplemented
    for axis in range(axes - 1):
        if cnp.PyArray_DIM(<cnp.ndarray> delta, axis) != cnp.PyArray_DIM(<cnp.ndarray> x, axis):
            return NotImplemented
    if _lies_swapped(x):
        found = linear_backward(_swapped(x), weight, _swapped(delta), needs)
        return found if found is NotImplemented or found[0] is None else (_swapped(found[0]), found[1], found[2])
    cdef object readable = _readable(_rows(x))
    weight, delta = _readable(weight), _readable(_rows(delta))
    cdef Matrix rows = _matrix(readable), w = _matrix(weight), d = _matrix(delta)
    if rows.columns != w.columns or d.columns != w.rows:
        return NotImplemented
    cdef bint need_x, need_w, need_b
    need_x, need_w, need_b = needs
    delta_x = _with_axes_of(_product(d, w, None, kind), x) if need_x else None
    if (need_w and rows.rows >= MANY and d.columns >= WIDE and NARROW <= rows.columns < d.columns
            and rows.columns <= WIDEST and _is_plain(rows) and _is_plain(d)):
        return delta_x, *_row_sums(rows, d, need_b, kind)
    dW = _product(_transposed(d), rows, None, kind) if need_w else None
    delta = c_contiguous(delta) if need_b else None
    return delta_x, dW, _channel_sums(pointer(delta), d.rows, d.columns, 1, kind) if need_b else None


cdef bint _conv_shape(object x, object weight, object window, Py_ssize_t groups, int kind, conv_shape *s) except -1:
    """Fills the shape; false if the arguments do not fit, or anything is empty."""
    cdef Py_ssize_t axes, a, i, after
    kernel, stride, padding, dilation = window.kernel, window.stride, window.padding, window.dilation
    axes = len(kernel)
    if not 1 <= axes <= 3 or not is_float_array(x, kind, 2 + axes) or not is_float_array(weight, kind, 2 + axes):
        return False
    cdef cnp.npy_intp *x_shape = cnp.PyArray_DIMS(<cnp.ndarray> x)
    cdef cnp.npy_intp *weight_shape = cnp.PyArray_DIMS(<cnp.ndarray> weight)
    s.images, s.channels, s.filters, s.groups = x_shape[0], x_shape[1], weight_shape[0], groups
    if (groups < 1 or s.images == 0 or s.channels == 0 or s.filters == 0 or s.channels % groups or s.filters % groups
            or weight_shape[1] != s.channels // groups):
        return False
    for i in range(axes):
        if kernel[i] != weight_shape[2 + i]:
            return False
    out = window.output_shape(x.shape[2:])
    for a in range(3):
        i = a - (3 - axes)
        if i < 0:
            s.size_in[a] = s.kernel[a] = s.stride[a] = s.dilation[a] = s.out[a] = 1
            s.before[a] = 0
            continue
        s.before[a], after = padding[i]
        s.size_in[a], s.kernel[a], s.out[a] = x_shape[2 + i], weight_shape[2 + i], out[i]
        s.stride[a], s.dilation[a] = stride[i], dilation[i]
        if (min(s.size_in[a], s.kernel[a], s.out[a], s.stride[a], s.dilation[a]) < 1 or min(s.before[a], after) < 0
                or max(s.stride[a], s.dilation[a], s.before[a], after) > 1 << 30):  # no product of these overflows
            return False
    return True


cdef double _conv_work(const conv_shape *s) noexcept:
    """Multiply-adds."""
    cdef double work = <double> s.images * s.filters * (s.channels // s.groups)
    for a in range(3):
        work *= <double> s.out[a] * s.kernel[a]
    return work


cdef object _empty_images(Py_ssize_t images, Py_ssize_t channels, const Py_ssize_t *sizes, int ndim, int kind):
    cdef cnp.npy_intp[5] shape
    shape[0], shape[1] = images, channels
    for a in range(ndim - 2):
        shape[2 + a] = sizes[3 - (ndim - 2) + a]
    return empty(ndim, shape, kind)


def conv(object x, object weight, object bias, object window, Py_ssize_t groups):
    cdef int kind = float_type(x), status, threads
    cdef conv_shape shape
    if (kind < 0 or not _conv_shape(x, weight, window, groups, kind, &shape)
            or not _is_bias(bias, kind, shape.filters)):
        return NotImplemented
    x, weight, bias = c_contiguous(x), c_contiguous(weight), None if bias is None else c_contiguous(bias)
    z = _empty_images(shape.images, shape.filters, shape.out, cnp.PyArray_NDIM(x), kind)
    cdef const products_kernels *kernels = products_for(isa, kind == cnp.NPY_DOUBLE)
    cdef const void *x_data = pointer(x)
    cdef const void *weight_data = pointer(weight)
    cdef const void *bias_data = pointer(bias)
    cdef void *z_data = pointer(z)
    threads = threads_for(_conv_work(&shape))
    with nogil:
        status = kernels.conv(&shape, x_data, weight_data, bias_data, z_data, winograd, threads)
    if status < 0:
        raise MemoryError
    return z


def conv_backward(object x, object weight, object delta, object window, Py_ssize_t groups, object needs):
    cdef int kind = float_type(x), status = 0, threads
    cdef conv_shape shape
    if kind < 0 or not _conv_shape(x, weight, window, groups, kind, &shape):
        return NotImplemented
    cdef int ndim = cnp.PyArray_NDIM(<cnp.ndarray> x), a
    if (not is_float_array(delta, kind, ndim) or cnp.PyArray_DIM(<cnp.ndarray> delta, 0) != shape.images
            or cnp.PyArray_DIM(<cnp.ndarray> delta, 1) != shape.filters):
        return NotImplemented
    for a in range(2, ndim):
        if cnp.PyArray_DIM(<cnp.ndarray> delta, a) != shape.out[3 - ndim + a]:
            return NotImplemented
    need_x, need_w, need_b = needs
    delta = c_contiguous(delta)
    cdef const products_kernels *kernels = products_for(isa, kind == cnp.NPY_DOUBLE)
    cdef const void *delta_data = pointer(delta)
    cdef const void *data
    cdef void *result
    threads = threads_for(_conv_work(&shape))
    delta_x = dW = db = None
    if need_x:
        weight = c_contiguous(weight)
        delta_x = _empty_images(shape.images, shape.channels, shape.size_in, ndim, kind)
        data, result = pointer(weight), pointer(delta_x)
        with nogil:
            status = kernels.conv_delta_x(&shape, data, delta_data, result, winograd, threads)
        if status < 0:
            raise MemoryError
    if need_w:
        x = c_contiguous(x)
        dW = empty(ndim, cnp.PyArray_DIMS(<cnp.ndarray> weight), kind)
        data, result = pointer(x), pointer(dW)
        with nogil:
            status = kernels.conv_delta_w(&shape, data, delta_data, result, winograd, threads)
        if status < 0:
            raise MemoryError
    if need_b:
        db = _channel_sums(pointer(delta), shape.images, shape.filters, shape.out[0] * shape.out[1] * shape.out[2], kind)
    return delta_x, dW, db
