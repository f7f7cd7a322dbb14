# What the modules share whose kernels work in parts: the kernel's type, and how it is run on threads.

cimport numpy as cnp

from numnet._ext.runtime cimport is_float_array, threads_for

cdef extern from "parts.h" nogil:
    ctypedef int (*map_kernel)(const void *job, Py_ssize_t begin, Py_ssize_t end) noexcept nogil
    enum: NO_MEMORY, BAD_INDEX
    int run_in_parts(map_kernel kernel, const void *job, Py_ssize_t count, Py_ssize_t part, int threads)

cdef enum:
    ELEMENTS = 16384  # of an array in one part of the work


cdef inline int run(map_kernel kernel, const void *job, Py_ssize_t count, Py_ssize_t part, double work) except NO_MEMORY:
    """Run a job of so many rows, planes, … in parts of a fixed size; `work` is about 8 times the elements read."""
    cdef int threads = threads_for(work), status
    if work < 1e5:
        status = run_in_parts(kernel, job, count, part, threads)
    else:
        with nogil:
            status = run_in_parts(kernel, job, count, part, threads)
    if status == NO_MEMORY:
        raise MemoryError
    return status


cdef inline bint same(const cnp.npy_intp *a, const cnp.npy_intp *b, int axes) noexcept:
    """Are the first so many lengths the same?"""
    cdef int axis
    for axis in range(axes):
        if a[axis] != b[axis]:
            return False
    return True


cdef inline bint alike(object a, object b, int kind) noexcept:
    """Is b an array of this type, and of the shape of a?"""
    cdef int axes = cnp.PyArray_NDIM(<cnp.ndarray> a)
    return (is_float_array(b, kind, axes)
            and same(cnp.PyArray_DIMS(<cnp.ndarray> a), cnp.PyArray_DIMS(<cnp.ndarray> b), axes))
