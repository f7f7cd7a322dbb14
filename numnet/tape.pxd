# What Cython, which compiles tape.py as it stands, is to know of types.

cimport cython

from numnet.call cimport Call, State, unrecorded


cdef class Node:
    cdef public object array
    cdef public object grad_array
    cdef public object grad_fn
    cdef public bint requires_grad
    cdef public object _born
    cdef public Py_ssize_t _output
    cdef public bint _owns_grad

    cpdef _set(self, array, bint requires_grad, call, Py_ssize_t output)
    cpdef accumulate(self, delta)


cdef type _result

@cython.locals(made=Node)
cpdef leaf(array, bint requires_grad, call=*, Py_ssize_t output=*, kind=*)

@cython.locals(state=State, call=Call, x=Node, recording=bint, arrays=tuple, needs=tuple)
cdef _applied(formulas, tuple inputs)

cdef bint _trains(formulas)

@cython.locals(call=Call)
cpdef backpropagate(origins, bint retain_graph=*, lender=*)
