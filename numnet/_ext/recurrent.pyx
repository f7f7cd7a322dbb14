# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Recurrent networks along time: the functions of numnet.kernels.reference.recurrent, compiled.

Each answers NotImplemented to arguments that it does not cover: no float arrays of one dtype whose shapes fit, empty ones,
a projection of any but an LSTM. Why: the reference twin then does the work, or writes the error, and neither has to be done
twice.
"""

cimport numpy as cnp

from numnet._ext.row_sums cimport row_sums_job
from numnet._ext.runtime cimport (
    c_contiguous, empty, float_type, is_float_array, isa, pointer, threads_for, threads_for_product,
)

cnp.import_array()

cdef extern from "recurrent_kernels.h" nogil:
    enum: TANH_CELL, RELU_CELL, LSTM_CELL, GRU_CELL

    struct recurrent_job:
        Py_ssize_t steps, rows, units, width
        int cell, reverse, from_zero, keep
        const unsigned char *counts
        const void *weight
        const void *bias
        const void *projection
        const void *u
        Py_ssize_t u_step, u_row
        void *h
        void *c
        void *m
        void *gates
        void *inner
        const void *delta_y
        Py_ssize_t delta_y_step, delta_y_row
        const void *delta_last
        void *delta_u
        void *delta_v
        void *delta_h
        void *delta_c
        void *delta_first

    ctypedef struct recurrent_kernels:
        int (*forward)(const recurrent_job *job, int threads) noexcept nogil
        int (*backward)(const recurrent_job *job, int threads) noexcept nogil
        int (*row_sums)(const row_sums_job *job, int threads) noexcept nogil

    const recurrent_kernels *recurrent_for(int isa, int is_double)

cdef dict CELLS = {"tanh": TANH_CELL, "relu": RELU_CELL, "lstm": LSTM_CELL, "gru": GRU_CELL}


cdef inline Py_ssize_t _gates(int cell) noexcept:
    return 4 if cell == LSTM_CELL else 3 if cell == GRU_CELL else 1


cdef inline bint _fits(object a, int kind, Py_ssize_t first, Py_ssize_t second, Py_ssize_t third) noexcept:
    """Is it an array of this type and shape? Without a third length: of two axes."""
    cdef int axes = 2 if third < 0 else 3
    if not is_float_array(a, kind, axes):
        return False
    cdef cnp.npy_intp *shape = cnp.PyArray_DIMS(<cnp.ndarray> a)
    return shape[0] == first and shape[1] == second and (third < 0 or shape[2] == third)


cdef inline object _pages(Py_ssize_t pages, Py_ssize_t rows, Py_ssize_t columns, int kind):
    cdef cnp.npy_intp[3] shape = [pages, rows, columns]
    return empty(3, shape, kind)


cdef inline object _matrix(Py_ssize_t rows, Py_ssize_t columns, int kind):
    cdef cnp.npy_intp[2] shape = [rows, columns]
    return empty(2, shape, kind)


cdef object _with_rows(cnp.ndarray a, Py_ssize_t *step, Py_ssize_t *row):
    """The array a (T, N, features) itself if its rows are contiguous, else a copy; and its strides in elements."""
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(a)
    if (not cnp.PyArray_ISALIGNED(a) or cnp.PyArray_STRIDE(a, 2) != item or cnp.PyArray_STRIDE(a, 0) % item
            or cnp.PyArray_STRIDE(a, 1) % item):
        a = c_contiguous(a)
    step[0], row[0] = cnp.PyArray_STRIDE(a, 0) // item, cnp.PyArray_STRIDE(a, 1) // item
    return a


cdef object _bytes(object mask, Py_ssize_t steps, Py_ssize_t rows):
    """The mask (T, N, 1), a byte for each; ``None`` if it does not fit."""
    if not cnp.PyArray_Check(mask) or cnp.PyArray_TYPE(<cnp.ndarray> mask) != cnp.NPY_BOOL:
        return None
    cdef cnp.npy_intp *shape = cnp.PyArray_DIMS(<cnp.ndarray> mask)
    if cnp.PyArray_NDIM(<cnp.ndarray> mask) != 3 or shape[0] != steps or shape[1] != rows or shape[2] != 1:
        return None
    return cnp.PyArray_FROM_OTF(mask, cnp.NPY_BOOL, cnp.NPY_ARRAY_CARRAY_RO)


cdef int _threads(const recurrent_job *job) noexcept:
    """For the product of one step: threads meet after each."""
    return threads_for_product(job.rows, job.width, job.units * _gates(job.cell))


cdef bint _begin(recurrent_job *job, object states, object weight, object projection, object cell, bint backwards,
                 int kind, Py_ssize_t steps, Py_ssize_t rows) except -1:
    """Fills in the sizes; false if the states (or ``None``) or the weights do not fit, or anything is empty."""
    if cell not in CELLS or not is_float_array(weight, kind, 2):
        return False
    job.cell, job.reverse, job.steps, job.from_zero = CELLS[cell], backwards, steps, states is None
    job.rows = rows
    job.units = job.width = cnp.PyArray_DIM(<cnp.ndarray> weight, 1)
    if projection is not None:
        if job.cell != LSTM_CELL or not is_float_array(projection, kind, 2):
            return False
        job.units = cnp.PyArray_DIM(<cnp.ndarray> projection, 1)
        if cnp.PyArray_DIM(<cnp.ndarray> projection, 0) != job.width:
            return False
    job.counts = NULL
    job.bias = job.projection = job.u = job.delta_y = job.delta_last = NULL
    job.h = job.c = job.m = job.gates = job.inner = NULL
    job.delta_u = job.delta_v = job.delta_h = job.delta_c = job.delta_first = NULL
    if states is not None:
        if len(states) != 1 + (job.cell == LSTM_CELL) or not _fits(states[0], kind, job.rows, job.width, -1):
            return False
        if job.cell == LSTM_CELL and not _fits(states[1], kind, job.rows, job.units, -1):
            return False
    return (steps > 0 and job.rows > 0 and job.units > 0 and job.width > 0
            and _fits(weight, kind, _gates(job.cell) * job.units, job.width, -1))


def recur(object u, object state, object weight_hh, object bias_hh, object weight_hr, object mask, object cell,
          bint backwards, bint keep):
    cdef int kind = float_type(u), status, threads
    cdef recurrent_job job
    if (not is_float_array(u, kind, 3)
            or not _begin(&job, state, weight_hh, weight_hr, cell, backwards, kind, cnp.PyArray_DIM(<cnp.ndarray> u, 0),
                          cnp.PyArray_DIM(<cnp.ndarray> u, 1))):
        return NotImplemented
    cdef Py_ssize_t T = job.steps, N = job.rows, H = job.units, P = job.width, G = _gates(job.cell)
    cdef Py_ssize_t first = T if backwards else 0
    cdef Py_ssize_t pages = T if keep else 1, last = (T - first) % 2
    if not _fits(u, kind, T, N, G * H):
        return NotImplemented
    if bias_hh is not None:
        if not is_float_array(bias_hh, kind, 1) or cnp.PyArray_DIM(<cnp.ndarray> bias_hh, 0) != G * H:
            return NotImplemented
        bias_hh = c_contiguous(bias_hh)
    if mask is not None:
        mask = _bytes(mask, T, N)
        if mask is None:
            return NotImplemented
        job.counts = <const unsigned char *> pointer(mask)
    u, weight_hh = _with_rows(u, &job.u_step, &job.u_row), c_contiguous(weight_hh)
    c = gates = inner = m = None
    h = _pages(T + 1, N, P, kind)
    h[first] = 0 if state is None else state[0]
    if G > 1:
        gates, inner = _pages(pages, N, G * H, kind), _pages(pages, N, H, kind)
    if job.cell == LSTM_CELL:
        c = _pages(T + 1 if keep else 2, N, H, kind)
        c[first if keep else first % 2] = 0 if state is None else state[1]
    if weight_hr is not None:
        weight_hr, m = c_contiguous(weight_hr), _pages(pages, N, H, kind)
    job.keep, job.projection, job.m = keep, pointer(weight_hr), pointer(m)
    job.weight, job.bias, job.u, job.h, job.c = pointer(weight_hh), pointer(bias_hh), pointer(u), pointer(h), pointer(c)
    job.gates, job.inner = pointer(gates), pointer(inner)
    threads = _threads(&job)
    with nogil:
        status = recurrent_for(isa, kind == cnp.NPY_DOUBLE).forward(&job, threads)
    if status < 0:
        raise MemoryError
    if keep:
        return h, c, gates, inner, m
    return h, None if c is None else c[last:last + 1], None, None, None


def recur_backward(object h, object c, object gates, object inner, object m, object weight_hh, object weight_hr,
                   object mask, object delta_y, tuple delta_state, object cell, bint backwards, bint keep,
                   bint needs_state):
    cdef int kind = float_type(h), status, threads
    cdef recurrent_job job
    if (not is_float_array(h, kind, 3)
            or not _begin(&job, delta_state, weight_hh, weight_hr, cell, backwards, kind,
                          cnp.PyArray_DIM(<cnp.ndarray> h, 0) - 1, cnp.PyArray_DIM(<cnp.ndarray> h, 1))):
        return NotImplemented
    cdef Py_ssize_t T = job.steps, N = job.rows, H = job.units, P = job.width, G = _gates(job.cell)
    cdef Py_ssize_t last = 0 if backwards else T
    if not _fits(h, kind, T + 1, N, P) or (delta_y is not None and not _fits(delta_y, kind, T, N, P)):
        return NotImplemented
    if weight_hr is not None:
        if not _fits(m, kind, T, N, H):
            return NotImplemented
        weight_hr = c_contiguous(weight_hr)
    if G > 1:
        if not _fits(gates, kind, T, N, G * H) or not _fits(inner, kind, T, N, H):
            return NotImplemented
        gates, inner = c_contiguous(gates), c_contiguous(inner)
    if mask is not None:
        mask = _bytes(mask, T, N)
        if mask is None:
            return NotImplemented
        job.counts = <const unsigned char *> pointer(mask)
    if delta_y is not None:
        delta_y = _with_rows(delta_y, &job.delta_y_step, &job.delta_y_row)
    h, weight_hh, delta_last = c_contiguous(h), c_contiguous(weight_hh), c_contiguous(delta_state[0])
    delta_c = None
    if job.cell == LSTM_CELL:
        if not _fits(c, kind, T + 1, N, H):
            return NotImplemented
        c = c_contiguous(c)
        delta_c = _pages(T + 1 if keep else 2, N, H, kind)
        delta_c[last if keep else last % 2] = delta_state[1]
    delta_u, delta_first = _pages(T, N, G * H, kind), _matrix(N, P, kind) if needs_state else None
    delta_v = _pages(T, N, G * H, kind) if job.cell == GRU_CELL else delta_u
    delta_h = _pages(T, N, P, kind) if keep or weight_hr is not None else None
    job.keep, job.projection = keep, pointer(weight_hr)
    job.weight, job.h, job.c, job.gates, job.inner = pointer(weight_hh), pointer(h), pointer(c), pointer(gates), pointer(inner)
    job.delta_y, job.delta_last, job.delta_first = pointer(delta_y), pointer(delta_last), pointer(delta_first)
    job.delta_u, job.delta_v, job.delta_h, job.delta_c = pointer(delta_u), pointer(delta_v), pointer(delta_h), pointer(delta_c)
    threads = _threads(&job)
    with nogil:
        status = recurrent_for(isa, kind == cnp.NPY_DOUBLE).backward(&job, threads)
    if status < 0:
        raise MemoryError
    delta_c_first = delta_c[T - last if keep else (T - last) % 2] if needs_state and delta_c is not None else None
    if keep and delta_c is not None:
        delta_c = delta_c[:T] if backwards else delta_c[1:]
    return delta_u, delta_v, delta_h, delta_c if keep else None, delta_first, delta_c_first


cdef object _sums(cnp.ndarray delta, object first, object second, bint bias, int kind):
    """∂J/∂W for both left factors, and ∂J/∂b; ``None`` for a factor that is ``None``, and without ``bias``."""
    cdef row_sums_job job
    cdef int status, threads
    cdef Py_ssize_t part
    cdef cnp.npy_intp[1] shape
    if first is None and second is None and not bias:
        return None, None, None
    job.columns = shape[0] = cnp.PyArray_DIM(delta, 2)
    job.rows = cnp.PyArray_DIM(delta, 0) * cnp.PyArray_DIM(delta, 1)
    delta = c_contiguous(delta)
    factors = [None if a is None else c_contiguous(a) for a in (first, second)]
    sums = [None if a is None else _matrix(job.columns, cnp.PyArray_DIM(<cnp.ndarray> a, 2), kind) for a in factors]
    bias_sum = empty(1, shape, kind) if bias else None
    for part in range(2):
        job.left[part], job.sum[part] = pointer(factors[part]), pointer(sums[part])
        job.width[part] = 0 if factors[part] is None else cnp.PyArray_DIM(<cnp.ndarray> factors[part], 2)
    job.delta, job.bias_sum = pointer(delta), pointer(bias_sum)
    threads = threads_for(<double> job.rows * job.columns * (job.width[0] + job.width[1]))
    with nogil:
        status = recurrent_for(isa, kind == cnp.NPY_DOUBLE).row_sums(&job, threads)
    if status < 0:
        raise MemoryError
    return sums[0], sums[1], bias_sum


def recur_sums(object x, object h, object delta_u, object delta_v, tuple needs):
    cdef int kind = float_type(delta_u)
    if not is_float_array(delta_u, kind, 3) or not is_float_array(x, kind, 3) or not is_float_array(h, kind, 3):
        return NotImplemented
    cdef Py_ssize_t T = cnp.PyArray_DIM(<cnp.ndarray> delta_u, 0), N = cnp.PyArray_DIM(<cnp.ndarray> delta_u, 1)
    cdef Py_ssize_t columns = cnp.PyArray_DIM(<cnp.ndarray> delta_u, 2)
    cdef Py_ssize_t inputs = cnp.PyArray_DIM(<cnp.ndarray> x, 2), width = cnp.PyArray_DIM(<cnp.ndarray> h, 2)
    if (not _fits(delta_v, kind, T, N, columns) or not _fits(x, kind, T, N, inputs) or not _fits(h, kind, T, N, width)
            or T * N * columns * inputs * width == 0 or len(needs) != 4):
        return NotImplemented
    W_ih, W_hh, b_ih, b_hh = needs
    cdef bint is_one = delta_u is delta_v
    dW_ih, dW_hh, db_ih = _sums(delta_u, x if W_ih else None, h if W_hh and is_one else None,
                                b_ih or (b_hh and is_one), kind)
    if is_one:
        return dW_ih, dW_hh, db_ih if b_ih else None, None if not b_hh else db_ih.copy() if b_ih else db_ih
    dW_hh, _, db_hh = _sums(delta_v, h if W_hh else None, None, b_hh, kind)
    return dW_ih, dW_hh, db_ih, db_hh
