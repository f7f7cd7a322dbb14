# Sums over many rows, which more than one module makes.

cdef extern from "row_sums_job.h" nogil:
    struct row_sums_job:
        Py_ssize_t rows, columns
        const void *delta
        const void *left[2]
        Py_ssize_t width[2]
        void *sum[2]
        void *bias_sum
