# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Pooling, windows laid out side by side, and weighted sums along axes, compiled.

The functions are those of numnet.kernels.reference. Each answers NotImplemented to arguments that it does not cover: no
float arrays of one dtype, shapes that do not fit, regions outside of x. Why: the reference twin then does the work, or
writes the error, and neither has to be done twice.
"""

from functools import lru_cache

cimport numpy as cnp
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from numnet._ext.parts cimport BAD_INDEX, ELEMENTS, NO_MEMORY, map_kernel, run, same
from numnet._ext.runtime cimport c_contiguous, empty, float_type, isa, pointer

cnp.import_array()

cdef extern from "planes_kernels.h" nogil:
    ctypedef struct planes_kernels:
        map_kernel max_pool, max_pool_backward, avg_pool, avg_pool_backward, max_regions
        map_kernel unfold, fold, resample

    const planes_kernels *planes_for(int isa, int is_double)

    struct window_job:
        const void *x
        void *y
        int64_t *index
        Py_ssize_t planes
        Py_ssize_t[3] size_in "in"
        Py_ssize_t[3] out, kernel, stride, before, after, dilation
        bint count_include_pad
        double divisor, fill

    struct regions_job:
        const void *x
        void *y
        int64_t *index
        const int64_t *start[3]
        const int64_t *end[3]
        Py_ssize_t planes
        Py_ssize_t[3] size_in "in"
        Py_ssize_t[3] out
        int[3] own

    struct taps:
        const int64_t *start
        const int64_t *place
        const double *weight
        Py_ssize_t size_in "in"
        Py_ssize_t out, moved, moved_end, shift

    struct resample_job:
        const void *x
        void *y
        taps axes[3]
        double value

cdef enum:
    SMALL = 65536  # bound of every number of a window: no product of them overflows
    FEW = 8192  # elements of x in one part of the work that is counted in lines


cdef inline Py_ssize_t _length(object a, int axis) noexcept:
    return cnp.PyArray_DIM(<cnp.ndarray> a, axis)


cdef inline const planes_kernels *_kernels(int kind) noexcept:
    return planes_for(isa, kind == cnp.NPY_DOUBLE)


cdef inline Py_ssize_t _product(const Py_ssize_t *lengths) noexcept:
    return lengths[0] * lengths[1] * lengths[2]


# --- windows that slide: pooling, and what they see ---

@lru_cache(maxsize=512)  # asking the window takes longer than pooling a small array
def _geometry(x_shape, window):
    """A window_job without its arrays, as bytes, or None where it is out of the ordinary. Missing axes have length 1."""
    cdef window_job job
    cdef int axes = len(x_shape) - 2, i, axis
    cdef Py_ssize_t before, after
    cdef double padded = 1
    if not 1 <= axes <= 3 or window.axes != axes:
        return None
    memset(&job, 0, sizeof(window_job))
    spatial = x_shape[2:]
    out = window.output_shape(spatial)
    for axis in range(3):
        job.size_in[axis] = job.out[axis] = job.kernel[axis] = job.stride[axis] = job.dilation[axis] = 1
    for i in range(axes):
        axis = 3 - axes + i
        job.size_in[axis], job.out[axis], job.kernel[axis] = spatial[i], out[i], window.kernel[i]
        job.stride[axis], job.dilation[axis] = window.stride[i], window.dilation[i]
        before, after = window.padding[i]
        job.before[axis], job.after[axis] = before, after
        if not (0 <= before < SMALL and 0 <= after < SMALL and 1 <= job.kernel[axis] < SMALL
                and 1 <= job.stride[axis] < SMALL and 1 <= job.dilation[axis] < SMALL and job.out[axis] >= 1):
            return None
        padded *= <double> (job.size_in[axis] + before + after + job.stride[axis])
    job.planes = x_shape[0] * x_shape[1]
    if padded > 2e9:  # places in a plane of float32 are held in 32 bits
        return None
    return (<char *> &job)[:sizeof(window_job)]


cdef bint _window_job(window_job *job, object x_shape, object window):
    """Fill the geometry of a job; False where it is out of the ordinary."""
    cdef bytes geometry = _geometry(x_shape, window)
    if geometry is None:
        return False
    memcpy(job, <const char *> geometry, sizeof(window_job))
    return True


cdef bint _all_windows_see(const window_job *job) noexcept nogil:
    """Does every window see an element of x, along every axis?"""
    cdef int axis
    cdef Py_ssize_t o, k, place
    for axis in range(3):
        for o in range(job.out[axis]):
            for k in range(job.kernel[axis]):
                place = o * job.stride[axis] - job.before[axis] + k * job.dilation[axis]
                if 0 <= place < job.size_in[axis]:
                    break
            else:
                return False
    return True


cdef cnp.ndarray _empty_planes(object like, int axes, const Py_ssize_t *spatial, int typenum):
    """An array (N, C, *spatial), with N and C from another array, and the last `axes` of three lengths."""
    cdef cnp.npy_intp[5] shape
    cdef int i
    shape[0], shape[1] = _length(like, 0), _length(like, 1)
    for i in range(axes):
        shape[2 + i] = spatial[3 - axes + i]
    return empty(2 + axes, shape, typenum)


cdef int _run_planes(map_kernel kernel, const void *job, Py_ssize_t planes, Py_ssize_t plane) except NO_MEMORY:
    return run(kernel, job, planes, max(1, ELEMENTS // max(plane, 1)), 16.0 * <double> plane * <double> planes)


cdef int _run_lines(map_kernel kernel, const void *job, const Py_ssize_t *in_, const Py_ssize_t *out,
                    Py_ssize_t planes) except NO_MEMORY:
    """Of lines of outputs, each of which comes from some rows of its plane. A number takes longer than in a map."""
    cdef Py_ssize_t lines = out[0] * out[1], part = FEW * lines // max(_product(in_), 1)
    return run(kernel, job, planes * lines, max(1, part), 48.0 * <double> _product(in_) * <double> planes)


cdef int _run_pool(map_kernel kernel, window_job *job) except NO_MEMORY:
    return _run_planes(kernel, job, job.planes, _product(job.size_in))


def max_pool(object x, object window):
    cdef int kind = float_type(x)
    cdef window_job job
    if kind < 0 or not _window_job(&job, x.shape, window) or not _all_windows_see(&job):
        return NotImplemented
    x = c_contiguous(x)
    cdef int axes = cnp.PyArray_NDIM(<cnp.ndarray> x) - 2
    cdef cnp.ndarray y = _empty_planes(x, axes, job.out, kind)
    cdef cnp.ndarray index = _empty_planes(x, axes, job.out, cnp.NPY_INT64)
    job.x, job.y, job.index = pointer(x), pointer(y), <int64_t *> pointer(index)
    _run_lines(_kernels(kind).max_pool, &job, job.size_in, job.out, job.planes)
    return y, index


def max_pool_backward(object delta, object index, object x_shape):
    cdef int kind = float_type(delta), axes, i
    cdef window_job job
    if kind < 0 or not cnp.PyArray_Check(index) or cnp.PyArray_TYPE(<cnp.ndarray> index) != cnp.NPY_INT64:
        return NotImplemented
    axes = cnp.PyArray_NDIM(<cnp.ndarray> delta) - 2
    if (not 1 <= axes <= 3 or cnp.PyArray_NDIM(<cnp.ndarray> index) != 2 + axes or len(x_shape) != 2 + axes
            or not same(cnp.PyArray_DIMS(<cnp.ndarray> delta), cnp.PyArray_DIMS(<cnp.ndarray> index), 2 + axes)):
        return NotImplemented
    memset(&job, 0, sizeof(job))
    for i in range(3):
        job.size_in[i] = job.out[i] = 1
    for i in range(axes):
        job.size_in[3 - axes + i], job.out[3 - axes + i] = x_shape[2 + i], _length(delta, 2 + i)
    job.planes = _length(delta, 0) * _length(delta, 1)
    if (x_shape[0] != _length(delta, 0) or x_shape[1] != _length(delta, 1)
            or min(job.size_in[0], job.size_in[1], job.size_in[2]) < 0):
        return NotImplemented
    delta = c_contiguous(delta)
    index = c_contiguous(index)
    cdef cnp.ndarray delta_x = _empty_planes(delta, axes, job.size_in, kind)
    job.x, job.y, job.index = pointer(delta), pointer(delta_x), <int64_t *> pointer(index)
    if _run_pool(_kernels(kind).max_pool_backward, &job) == BAD_INDEX:
        return NotImplemented
    return delta_x


def avg_pool(object x, object window, object count_include_pad, object divisor_override):
    cdef int kind = float_type(x)
    cdef window_job job
    if kind < 0 or divisor_override == 0 or not _window_job(&job, x.shape, window):
        return NotImplemented
    x = c_contiguous(x)
    job.count_include_pad = bool(count_include_pad)
    job.divisor = 0 if divisor_override is None else divisor_override
    cdef cnp.ndarray y = _empty_planes(x, cnp.PyArray_NDIM(<cnp.ndarray> x) - 2, job.out, kind)
    job.x, job.y = pointer(x), pointer(y)
    _run_pool(_kernels(kind).avg_pool, &job)
    return y


def avg_pool_backward(object delta, object x_shape, object window, object count_include_pad, object divisor_override):
    cdef int kind = float_type(delta)
    cdef window_job job
    if kind < 0 or divisor_override == 0 or not _window_job(&job, tuple(x_shape), window):
        return NotImplemented
    cdef int axes = len(x_shape) - 2
    if (cnp.PyArray_NDIM(<cnp.ndarray> delta) != 2 + axes or _length(delta, 0) != x_shape[0]
            or _length(delta, 1) != x_shape[1]
            or not same(cnp.PyArray_DIMS(<cnp.ndarray> delta) + 2, <const cnp.npy_intp *> &job.out[3 - axes], axes)):
        return NotImplemented
    delta = c_contiguous(delta)
    job.count_include_pad = bool(count_include_pad)
    job.divisor = 0 if divisor_override is None else divisor_override
    cdef cnp.ndarray delta_x = _empty_planes(delta, axes, job.size_in, kind)
    job.x, job.y = pointer(delta), pointer(delta_x)
    _run_pool(_kernels(kind).avg_pool_backward, &job)
    return delta_x


def unfold(object x, object window, object fill=0.0):
    cdef int kind = float_type(x)
    cdef window_job job
    if kind < 0 or not _window_job(&job, x.shape, window):
        return NotImplemented
    x = c_contiguous(x)
    cdef int axes = cnp.PyArray_NDIM(<cnp.ndarray> x) - 2, i
    cdef cnp.npy_intp[8] shape
    shape[0], shape[1] = _length(x, 0), _length(x, 1)
    for i in range(axes):
        shape[2 + i], shape[2 + axes + i] = job.kernel[3 - axes + i], job.out[3 - axes + i]
    cdef cnp.ndarray u = empty(2 + 2 * axes, shape, kind)
    job.x, job.y, job.fill = pointer(x), pointer(u), fill
    _run_planes(_kernels(kind).unfold, &job, job.planes, _product(job.kernel) * _product(job.out))
    return u


def fold(object u, object window, object spatial):
    cdef int kind = float_type(u), axes = window.axes
    cdef window_job job
    if (kind < 0 or cnp.PyArray_NDIM(<cnp.ndarray> u) != 2 + 2 * axes or 0 in spatial
            or not _window_job(&job, (_length(u, 0), _length(u, 1), *spatial), window)
            or not same(cnp.PyArray_DIMS(<cnp.ndarray> u) + 2, <const cnp.npy_intp *> &job.kernel[3 - axes], axes)
            or not same(cnp.PyArray_DIMS(<cnp.ndarray> u) + 2 + axes, <const cnp.npy_intp *> &job.out[3 - axes], axes)):
        return NotImplemented
    u = c_contiguous(u)
    cdef cnp.ndarray x = _empty_planes(u, axes, job.size_in, kind)
    job.x, job.y = pointer(u), pointer(x)
    _run_planes(_kernels(kind).fold, &job, job.planes, _product(job.kernel) * _product(job.out))
    return x


# --- regions that do not slide ---

cdef bint _are_regions(const int64_t *start, const int64_t *end, Py_ssize_t count, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    cdef bint fit = True
    for i in range(count):
        fit &= 0 <= start[i] < end[i] <= size
    return fit


cdef object _table(object bounds, object x):
    """Bounds of regions as a contiguous int64 array (1, 1, out) or (N, C, out), or None where they are not that."""
    if not cnp.PyArray_Check(bounds):
        return None
    cdef cnp.ndarray array = bounds
    if cnp.PyArray_TYPE(array) != cnp.NPY_INT64 or cnp.PyArray_NDIM(array) != 3:
        return None
    if not (_length(array, 0) == _length(array, 1) == 1 or same(cnp.PyArray_DIMS(array), cnp.PyArray_DIMS(x), 2)):
        return None
    return c_contiguous(array)


def max_regions(object x, object starts, object ends):
    cdef int kind = float_type(x), axes = len(starts), axis, i
    cdef regions_job job
    if kind < 0 or not 1 <= axes <= 3 or len(ends) != axes or cnp.PyArray_NDIM(<cnp.ndarray> x) != 2 + axes:
        return NotImplemented
    memset(&job, 0, sizeof(job))
    for axis in range(3):
        job.size_in[axis] = job.out[axis] = 1
    starts, ends = [_table(start, x) for start in starts], [_table(end, x) for end in ends]
    for i in range(axes):
        axis = 3 - axes + i
        start, end = starts[i], ends[i]
        if start is None or end is None or not same(
                cnp.PyArray_DIMS(<cnp.ndarray> start), cnp.PyArray_DIMS(<cnp.ndarray> end), 3):
            return NotImplemented
        job.start[axis], job.end[axis] = <const int64_t *> pointer(start), <const int64_t *> pointer(end)
        job.size_in[axis], job.out[axis] = _length(x, 2 + i), _length(start, 2)
        job.own[axis] = _length(start, 0) * _length(start, 1) != 1
        if not _are_regions(job.start[axis], job.end[axis], cnp.PyArray_SIZE(start), job.size_in[axis]):
            return NotImplemented
    if <double> job.size_in[0] * <double> job.size_in[1] * <double> job.size_in[2] > 2e9:
        return NotImplemented  # places in a plane of float32 are held in 32 bits
    x = c_contiguous(x)
    cdef cnp.ndarray y = _empty_planes(x, axes, job.out, kind)
    cdef cnp.ndarray index = _empty_planes(x, axes, job.out, cnp.NPY_INT64)
    job.x, job.y, job.index = pointer(x), pointer(y), <int64_t *> pointer(index)
    job.planes = _length(x, 0) * _length(x, 1)
    _run_lines(_kernels(kind).max_regions, &job, job.size_in, job.out, job.planes)
    return y, index


# --- weighted sums along axes ---

cdef bint _are_taps(const taps *axis, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t o, t
    cdef bint fit = axis.start[0] == 0 and axis.start[axis.out] == count
    for o in range(axis.out):
        fit &= axis.start[o] <= axis.start[o + 1]
    for t in range(count):
        fit &= 0 <= axis.place[t] < axis.size_in
    return fit


cdef void _find_moved(taps *axis) noexcept nogil:
    """The longest stretch of neighbours that are moved as they are: all of a padded row but its border."""
    cdef Py_ssize_t o, t, first = 0
    for o in range(axis.out):
        t = axis.start[o]
        if axis.start[o + 1] != t + 1 or axis.weight[t] != 1:
            first = o + 1
            continue
        if o > first and axis.place[t] != axis.place[t - 1] + 1:
            first = o
        if o + 1 - first > axis.moved_end - axis.moved:
            axis.moved, axis.moved_end, axis.shift = first, o + 1, axis.place[t] - o


cdef inline bint _is_plain(object a, int typenum) noexcept:
    """Is it an array (n,) of this type that can be read where it lies?"""
    return (cnp.PyArray_Check(a) and cnp.PyArray_TYPE(<cnp.ndarray> a) == typenum
            and cnp.PyArray_NDIM(<cnp.ndarray> a) == 1 and cnp.PyArray_ISCARRAY_RO(<cnp.ndarray> a))


cdef bint _read_taps(taps *axis, object given):
    start, place, weight = given.start, given.place, given.weight
    if not (_is_plain(start, cnp.NPY_INT64) and _is_plain(place, cnp.NPY_INT64) and _is_plain(weight, cnp.NPY_DOUBLE)):
        return False
    axis.start, axis.place = <const int64_t *> pointer(start), <const int64_t *> pointer(place)
    axis.weight = <const double *> pointer(weight)
    axis.size_in, axis.out = given.size, _length(start, 0) - 1
    axis.moved = axis.moved_end = axis.shift = 0
    if axis.out < 0 or _length(place, 0) != _length(weight, 0) or not _are_taps(axis, _length(place, 0)):
        return False
    _find_moved(axis)
    return True


def resample(object x, object along, object value=0.0):
    cdef int kind = float_type(x), axes = len(along), ndim, axis
    cdef resample_job job
    cdef cnp.npy_intp[32] shape
    cdef Py_ssize_t planes = 1
    if kind < 0 or not 1 <= axes <= 3 or not axes <= cnp.PyArray_NDIM(<cnp.ndarray> x) <= 32:
        return NotImplemented
    ndim = cnp.PyArray_NDIM(<cnp.ndarray> x)
    memcpy(shape, cnp.PyArray_DIMS(<cnp.ndarray> x), ndim * sizeof(cnp.npy_intp))
    for axis in range(ndim - axes):
        planes *= shape[axis]
    memset(&job, 0, sizeof(job))
    for axis in range(3 - axes):  # those that are missing
        job.axes[axis].size_in = job.axes[axis].out = job.axes[axis].moved_end = 1
    for axis in range(axes):
        if not _read_taps(&job.axes[3 - axes + axis], along[axis]):
            return NotImplemented
        if job.axes[3 - axes + axis].size_in != shape[ndim - axes + axis]:
            return NotImplemented
        shape[ndim - axes + axis] = job.axes[3 - axes + axis].out
    x = c_contiguous(x)
    cdef cnp.ndarray y = empty(ndim, shape, kind)
    job.x, job.y, job.value = pointer(x), pointer(y), value
    if cnp.PyArray_SIZE(y) > 0:
        _run_planes(_kernels(kind).resample, &job, planes,
                    max(cnp.PyArray_SIZE(<cnp.ndarray> x), cnp.PyArray_SIZE(y)) // planes)
    return y
