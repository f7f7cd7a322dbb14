# What the modules of kernels share: the chosen instruction set, the number of threads, fresh arrays, cheap checks of arrays.

cimport numpy as cnp

cdef int isa             # index into the tables of family.h
cdef int thread_count
cdef bint winograd       # may a convolution be computed by Winograd's method?


cdef inline int threads_for(double work) noexcept:
    """How many threads are worth waking for so many multiply-adds (or, for maps, elements times 8)."""
    return thread_count if work > 1.5e6 else 1


cdef inline int threads_for_product(double m, double k, double n) noexcept:
    """The same for a product (m, k) by (k, n): to read a number of the larger factor takes as long as 16 of them."""
    return threads_for(k * max(m * n, 16 * max(m, n)))


cdef inline int float_type(object a) noexcept:
    """NPY_FLOAT or NPY_DOUBLE, or -1 for anything that is no array of these, in native byte order."""
    if not cnp.PyArray_Check(a) or cnp.PyArray_ISBYTESWAPPED(<cnp.ndarray> a):
        return -1
    cdef int typenum = cnp.PyArray_TYPE(<cnp.ndarray> a)
    return typenum if typenum == cnp.NPY_FLOAT or typenum == cnp.NPY_DOUBLE else -1


cdef inline bint is_float_array(object a, int typenum, int ndim) noexcept:
    """Is it an array of just this type and number of axes?"""
    return typenum >= 0 and float_type(a) == typenum and cnp.PyArray_NDIM(<cnp.ndarray> a) == ndim


cdef inline cnp.ndarray c_contiguous(object a):
    """The array itself if it is C-contiguous, aligned and in native byte order (it may be read-only); else such a copy."""
    if cnp.PyArray_CHKFLAGS(<cnp.ndarray> a, cnp.NPY_ARRAY_CARRAY_RO) and cnp.PyArray_ISNOTSWAPPED(<cnp.ndarray> a):
        return <cnp.ndarray> a
    return contiguous_copy(a)


cdef cnp.ndarray contiguous_copy(object a)
cdef cnp.ndarray empty(int ndim, const cnp.npy_intp *shape, int typenum)


cdef inline void *pointer(object a) noexcept:
    """The data of an array, NULL for None."""
    return NULL if a is None else cnp.PyArray_DATA(<cnp.ndarray> a)
