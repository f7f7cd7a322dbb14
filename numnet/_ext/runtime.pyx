"""What the kernels run on: the instruction set, the threads, Winograd's method or not, the memory of their results."""

import os
import warnings

cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_New

cnp.import_array()

cdef extern from "family.h":
    int HAS_OPENMP
    bint cpu_supports(int isa)

cdef extern from "numpy/arrayobject.h":
    object PyDataMem_SetHandler(object handler)

cdef extern from "cache.h" nogil:
    const bint CACHE_BUILT
    const size_t NUMNET_SMALL
    struct Cache "cache":
        size_t live
        char *start
    Cache cache
    void *cache_handler_address "(&cache_handler)"
    size_t cache_kept()
    void cache_empty()
    void cache_before_fork()
    void cache_in_parent()
    void cache_in_child()

cdef extern from "pthread.h" nogil:
    int pthread_atfork(void (*before)() noexcept, void (*parent)() noexcept, void (*child)() noexcept)

ISA_NAMES = ("baseline", "avx2", "avx512")


def available_isas():
    """The instruction sets that this build has and this processor can run, weakest first."""
    return tuple(name for index, name in enumerate(ISA_NAMES) if cpu_supports(index))


def get_isa():
    """The name of the instruction set in use."""
    return ISA_NAMES[isa]


def set_isa(name):
    """Choose the instruction set, for tests. Raises ValueError where it cannot run."""
    global isa
    if name not in available_isas():
        raise ValueError(f"instruction set {name!r} cannot run here; available: {', '.join(available_isas())}")
    isa = ISA_NAMES.index(name)


def has_openmp():
    """Were the kernels built with OpenMP? Without it they run on one thread."""
    return bool(HAS_OPENMP)


def get_num_threads():
    """The number of threads that a kernel may use."""
    return thread_count


def set_num_threads(count):
    """Set the number of threads that a kernel may use, for this process.

    It is our own number, handed to every parallel region: that of other users of OpenMP stays as it is. Without OpenMP,
    and in a forked child, it stays 1.
    """
    global thread_count
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 4096:
        raise ValueError(f"number of threads: an integer from 1 to 4096, got {count!r}")
    thread_count = count if HAS_OPENMP and not _is_forked else 1


def get_winograd():
    """May a convolution in float32 be computed by Winograd's method?"""
    return bool(winograd)


def set_winograd(bint allowed):
    """Allow Winograd's method, or forbid it."""
    global winograd
    winograd = allowed


def _ignored(variable, expected, used):
    value = os.environ[variable]
    message = f"{variable}={value!r} is ignored: expected {expected}; using {used}"
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def _switch(variable, default):
    value = os.environ.get(variable, "").strip()
    if value not in ("", "0", "1"):
        _ignored(variable, "0 or 1", int(default))
    return value == "1" if value in ("0", "1") else default


def _default_threads():
    count = _possible_threads()
    for variable in ("OMP_NUM_THREADS", "NUMNET_NUM_THREADS"):  # the last one counts
        value = os.environ.get(variable, "").split(",")[0].strip()
        if value.isascii() and value.isdecimal() and 1 <= int(value) <= 4096:
            count = int(value)
        elif value and variable.startswith("NUMNET"):  # of the other OpenMP says it
            _ignored(variable, "an integer from 1 to 4096", count)
    return count


def _possible_threads():
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _single_thread_after_fork():
    # The threads of an OpenMP pool do not live on in a forked child; libgomp would wait for them for ever.
    global thread_count, _is_forked
    thread_count, _is_forked = 1, True


cdef cnp.ndarray empty(int ndim, const cnp.npy_intp *shape, int typenum):
    """A fresh, C-contiguous array, not initialised. The memory of a large one comes from the cache, and returns to it."""
    global caching
    cdef size_t bytes = sizeof(float) if typenum == cnp.NPY_FLOAT else 8
    cdef int axis
    for axis in range(ndim):
        bytes *= <size_t> shape[axis]
    if bytes < NUMNET_SMALL or not caching:
        return cnp.PyArray_EMPTY(ndim, <cnp.npy_intp *> shape, typenum, 0)
    before = PyDataMem_SetHandler(_handler)
    try:
        return cnp.PyArray_EMPTY(ndim, <cnp.npy_intp *> shape, typenum, 0)
    except MemoryError:  # the range is full; or could not be reserved, and is not asked for again
        caching = cache.start != NULL
    finally:
        PyDataMem_SetHandler(before)
    return cnp.PyArray_EMPTY(ndim, <cnp.npy_intp *> shape, typenum, 0)


cdef cnp.ndarray contiguous_copy(object a):
    """Its numbers row by row; float and double in the memory of a result."""
    cdef cnp.ndarray array = a
    if float_type(a) < 0:
        return cnp.PyArray_FROM_OTF(a, cnp.PyArray_TYPE(array), cnp.NPY_ARRAY_CARRAY_RO)
    cdef cnp.ndarray copy = empty(cnp.PyArray_NDIM(array), cnp.PyArray_DIMS(array), cnp.PyArray_TYPE(array))
    cnp.PyArray_CopyInto(copy, array)
    return copy


def is_caching():
    """Is the memory of large results kept for the next ones?"""
    return caching


def set_caching(on):
    """Keep it or not, from the next result on; always off under AddressSanitizer, which must see each array."""
    global caching
    caching = on and CACHE_BUILT


def cached_bytes():
    """Bytes in arrays from the cache, and bytes kept for the next ones."""
    return cache.live, cache_kept()


def empty_cache():
    """Give what is kept back to the system."""
    cache_empty()


_is_forked = False
set_isa(available_isas()[-1])
_wanted = os.environ.get("NUMNET_ISA")
if _wanted:
    try:
        set_isa(_wanted)
    except ValueError as error:
        warnings.warn(f"NUMNET_ISA: {error}; using {get_isa()}", RuntimeWarning, stacklevel=2)

set_winograd(_switch("NUMNET_WINOGRAD", True))

cdef bint caching
cdef object _handler = PyCapsule_New(cache_handler_address, "mem_handler", NULL)
set_caching(not _switch("NUMNET_NO_CACHE", False))
pthread_atfork(cache_before_fork, cache_in_parent, cache_in_child)

set_num_threads(_default_threads())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_single_thread_after_fork)
