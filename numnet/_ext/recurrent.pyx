# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The cells of recurrent networks, compiled: one time step of a batch.

The functions are those of numnet.kernels.reference.recurrent. Each answers NotImplemented to arguments that it does not
cover: no float matrices of one dtype whose shapes fit. Why: the reference twin then does the work, or writes the error,
and neither has to be done twice.
"""

cimport numpy as cnp

from numnet._ext.parts cimport map_kernel, run
from numnet._ext.runtime cimport c_contiguous, empty, float_type, is_float_array, isa, pointer

cnp.import_array()

cdef extern from "recurrent_kernels.h" nogil:
    struct cell_job:
        Py_ssize_t units
        const void *u
        const void *v
        const void *before
        void *gates
        void *c
        void *tanh_c
        void *h

    struct cell_delta_job:
        Py_ssize_t units
        const void *gates
        const void *before
        const void *saved
        const void *delta_h
        const void *delta_c
        void *delta_u
        void *delta_v
        void *delta_before

    ctypedef struct recurrent_kernels:
        map_kernel tanh_cell, relu_cell, lstm_cell, lstm_cell_backward, gru_cell, gru_cell_backward

    const recurrent_kernels *recurrent_for(int isa, int is_double)

cdef enum:  # work for a unit, as threads_for counts it: 8 times what is read, 32 for an exponential
    TANH = 48
    RELU = 16
    LSTM = 232
    LSTM_BACKWARD = 64
    GRU = 152
    GRU_BACKWARD = 48
    UNITS = 4096  # of a part of the work


cdef inline const recurrent_kernels *_table(int kind) noexcept:
    return recurrent_for(isa, kind == cnp.NPY_DOUBLE)


cdef inline bint _fits(object a, int kind, Py_ssize_t rows, Py_ssize_t columns) noexcept:
    return (is_float_array(a, kind, 2) and cnp.PyArray_DIM(<cnp.ndarray> a, 0) == rows
            and cnp.PyArray_DIM(<cnp.ndarray> a, 1) == columns)


cdef inline object _matrix(Py_ssize_t rows, Py_ssize_t columns, int kind):
    cdef cnp.npy_intp[2] shape = [rows, columns]
    return empty(2, shape, kind)


cdef inline int _run(map_kernel kernel, const void *job, Py_ssize_t rows, Py_ssize_t units, double work) except -1:
    """In parts of whole rows."""
    return run(kernel, job, rows, max(UNITS // max(units, 1), 1), work * <double> rows * <double> units)


cdef object _elman(map_kernel kernel, object u, object v, int kind, double work):
    cdef cell_job job
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> u, 0)
    job.units = cnp.PyArray_DIM(<cnp.ndarray> u, 1)
    u, v = c_contiguous(u), c_contiguous(v)
    h = _matrix(rows, job.units, kind)
    job.u, job.v, job.h = pointer(u), pointer(v), pointer(h)
    job.before = job.gates = job.c = job.tanh_c = NULL
    _run(kernel, &job, rows, job.units, work)
    return h


cdef inline bint _pair(object u, object v, int kind) noexcept:
    return is_float_array(u, kind, 2) and _fits(v, kind, cnp.PyArray_DIM(<cnp.ndarray> u, 0),
                                                cnp.PyArray_DIM(<cnp.ndarray> u, 1))


def tanh_cell(object u, object v):
    cdef int kind = float_type(u)
    return _elman(_table(kind).tanh_cell, u, v, kind, TANH) if _pair(u, v, kind) else NotImplemented


def relu_cell(object u, object v):
    cdef int kind = float_type(u)
    return _elman(_table(kind).relu_cell, u, v, kind, RELU) if _pair(u, v, kind) else NotImplemented


def lstm_cell(object u, object v, object c_before):
    cdef int kind = float_type(u)
    if not _pair(u, v, kind) or not is_float_array(c_before, kind, 2):
        return NotImplemented
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> c_before, 0), H = cnp.PyArray_DIM(<cnp.ndarray> c_before, 1)
    if not _fits(u, kind, rows, 4 * H):
        return NotImplemented
    u, v, c_before = c_contiguous(u), c_contiguous(v), c_contiguous(c_before)
    h, c, gates, tanh_c = _matrix(rows, H, kind), _matrix(rows, H, kind), _matrix(rows, 4 * H, kind), _matrix(rows, H, kind)
    cdef cell_job job
    job.units, job.u, job.v, job.before = H, pointer(u), pointer(v), pointer(c_before)
    job.gates, job.c, job.tanh_c, job.h = pointer(gates), pointer(c), pointer(tanh_c), pointer(h)
    _run(_table(kind).lstm_cell, &job, rows, H, LSTM)
    return h, c, gates, tanh_c


def lstm_cell_backward(object gates, object c_before, object tanh_c, object delta_h, object delta_c):
    cdef int kind = float_type(gates)
    if not is_float_array(c_before, kind, 2):
        return NotImplemented
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> c_before, 0), H = cnp.PyArray_DIM(<cnp.ndarray> c_before, 1)
    if not (_fits(gates, kind, rows, 4 * H) and _fits(tanh_c, kind, rows, H) and _fits(delta_h, kind, rows, H)
            and _fits(delta_c, kind, rows, H)):
        return NotImplemented
    gates, c_before, tanh_c = c_contiguous(gates), c_contiguous(c_before), c_contiguous(tanh_c)
    delta_h, delta_c = c_contiguous(delta_h), c_contiguous(delta_c)
    delta_z, delta_c_before = _matrix(rows, 4 * H, kind), _matrix(rows, H, kind)
    cdef cell_delta_job job
    job.units, job.gates, job.before, job.saved = H, pointer(gates), pointer(c_before), pointer(tanh_c)
    job.delta_h, job.delta_c = pointer(delta_h), pointer(delta_c)
    job.delta_u, job.delta_v, job.delta_before = pointer(delta_z), NULL, pointer(delta_c_before)
    _run(_table(kind).lstm_cell_backward, &job, rows, H, LSTM_BACKWARD)
    return delta_z, delta_c_before


def gru_cell(object u, object v, object h_before):
    cdef int kind = float_type(u)
    if not _pair(u, v, kind) or not is_float_array(h_before, kind, 2):
        return NotImplemented
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> h_before, 0), H = cnp.PyArray_DIM(<cnp.ndarray> h_before, 1)
    if not _fits(u, kind, rows, 3 * H):
        return NotImplemented
    u, v, h_before = c_contiguous(u), c_contiguous(v), c_contiguous(h_before)
    h, gates = _matrix(rows, H, kind), _matrix(rows, 3 * H, kind)
    cdef cell_job job
    job.units, job.u, job.v, job.before = H, pointer(u), pointer(v), pointer(h_before)
    job.gates, job.h, job.c, job.tanh_c = pointer(gates), pointer(h), NULL, NULL
    _run(_table(kind).gru_cell, &job, rows, H, GRU)
    return h, gates


def gru_cell_backward(object gates, object h_before, object v_n, object delta_h):
    cdef int kind = float_type(gates)
    if not is_float_array(h_before, kind, 2):
        return NotImplemented
    cdef Py_ssize_t rows = cnp.PyArray_DIM(<cnp.ndarray> h_before, 0), H = cnp.PyArray_DIM(<cnp.ndarray> h_before, 1)
    if not (_fits(gates, kind, rows, 3 * H) and _fits(v_n, kind, rows, H) and _fits(delta_h, kind, rows, H)):
        return NotImplemented
    gates, h_before, v_n, delta_h = c_contiguous(gates), c_contiguous(h_before), c_contiguous(v_n), c_contiguous(delta_h)
    delta_u, delta_v, delta_h_before = _matrix(rows, 3 * H, kind), _matrix(rows, 3 * H, kind), _matrix(rows, H, kind)
    cdef cell_delta_job job
    job.units, job.gates, job.before, job.saved = H, pointer(gates), pointer(h_before), pointer(v_n)
    job.delta_h, job.delta_c = pointer(delta_h), NULL
    job.delta_u, job.delta_v, job.delta_before = pointer(delta_u), pointer(delta_v), pointer(delta_h_before)
    _run(_table(kind).gru_cell_backward, &job, rows, H, GRU_BACKWARD)
    return delta_u, delta_v, delta_h_before
