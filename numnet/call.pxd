# What Cython, which compiles call.py as it stands, is to know of types.

cdef class State:
    cdef public bint recording
    cdef public object observer
    cdef public object run


cdef class Call:
    cdef public object layer
    cdef public object ctx
    cdef public object number
    cdef public object run
    cdef public object parents
    cdef public tuple output_shapes
    cdef public bint returns_tuple
    cdef public tuple _inputs
    cdef public tuple _output_dtypes
    cdef public object _module
    cdef public str _why_not

    cpdef _forward(self, tuple inputs, tuple needs_input_grad, bint recording, observer)
    cpdef _backward(self, deltas, bint retain_graph, observer)
    cpdef _outputs(self, result)
    cpdef _input_deltas(self, result)
    cpdef free(self, str why)


cpdef unrecorded(layer, tuple inputs)
cdef bint _are_plain(tuple outputs)
