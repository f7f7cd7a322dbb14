# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The steps of optimisers, compiled: one pass over the memory of a parameter.

The functions are those of numnet.kernels.reference. Each answers NotImplemented to arguments that it does not cover:
arrays that are not alike or share memory, a target that cannot be written in place. The reference twin then does the
work, or writes the error.
"""

cimport numpy as cnp
from libc.math cimport pow, sqrt
from libc.string cimport memset

from numnet._ext.parts cimport ELEMENTS, alike, map_kernel, run
from numnet._ext.runtime cimport c_contiguous, float_type, isa, pointer

cnp.import_array()

cdef extern from "steps_kernels.h" nogil:
    ctypedef struct steps_kernels:
        map_kernel sgd_step, asgd_step, rprop_step, adagrad_step, adadelta_step, rmsprop_step, adamax_step, adam_step

    const steps_kernels *steps_for(int isa, int is_double)

    struct step_job:
        void *p
        const void *g
        void *first
        void *second
        void *third
        double sign, decay, shrink, lr, momentum, eps, keep1, rest1, keep2, rest2
        double by_gradient, by_mean, minus, plus, smallest, largest
        bint nesterov, begins, inside, adaptive


cdef inline const steps_kernels *_kernels(object p) noexcept:
    return steps_for(isa, cnp.PyArray_TYPE(<cnp.ndarray> p) == cnp.NPY_DOUBLE)


cdef inline object _readable(object g):
    return c_contiguous(g) if float_type(g) >= 0 else g


cdef inline bint _in_place(object p, object a, int kind) noexcept:
    """Is a an array like p that can be written where it stands? None is nothing to write."""
    return a is None or (alike(p, a, kind) and cnp.PyArray_CHKFLAGS(<cnp.ndarray> a, cnp.NPY_ARRAY_CARRAY))


cdef inline bint _apart(const step_job *job, size_t length) noexcept:
    """Do the arrays, of so many bytes each, share no memory? The loops read and write them in any order."""
    cdef size_t[5] starts = [<size_t> job.p, <size_t> job.g, <size_t> job.first, <size_t> job.second,
                             <size_t> job.third]
    cdef int i, j
    for i in range(5):
        for j in range(i):
            if starts[i] and starts[j] and starts[i] < starts[j] + length and starts[j] < starts[i] + length:
                return False
    return True


cdef bint _job(step_job *job, object p, object g, object first, object second, object third, double weight_decay,
               bint maximize) except -1:
    """Fill the arrays, and the numbers of d = g + weight_decay p; False where an array does not fit. g is contiguous."""
    cdef int kind = float_type(p)
    if (kind < 0 or not _in_place(p, p, kind) or not alike(p, g, kind) or not _in_place(p, first, kind)
            or not _in_place(p, second, kind) or not _in_place(p, third, kind)):
        return False
    memset(job, 0, sizeof(step_job))
    job.p, job.g = pointer(p), pointer(g)
    job.first, job.second, job.third = pointer(first), pointer(second), pointer(third)
    job.sign = -1 if maximize else 1
    job.decay = weight_decay
    job.shrink = 1
    return _apart(job, cnp.PyArray_NBYTES(<cnp.ndarray> p))


cdef void _means(step_job *job, double beta1, double beta2) noexcept:
    job.keep1, job.rest1 = beta1, 1 - beta1
    job.keep2, job.rest2 = beta2, 1 - beta2


cdef object _run(map_kernel kernel, step_job *job, object p, double work_each):
    cdef Py_ssize_t count = cnp.PyArray_SIZE(<cnp.ndarray> p)
    run(kernel, job, count, ELEMENTS, work_each * <double> count)
    return None


def sgd_step(object p, object g, object buffer, object lr, object momentum, object dampening, object weight_decay,
             object nesterov, object maximize, object first):
    cdef step_job job
    g = _readable(g)
    if not _job(&job, p, g, buffer, None, None, weight_decay, maximize):
        return NotImplemented
    job.lr, job.momentum, job.rest1 = lr, momentum, 1 - <double> dampening
    job.nesterov, job.begins = bool(nesterov), bool(first)
    return _run(_kernels(p).sgd_step, &job, p, 16)


def asgd_step(object p, object g, object average, object eta, object mu, object lambd, object weight_decay,
              object maximize):
    cdef step_job job
    g = _readable(g)
    if average is None or not _job(&job, p, g, average, None, None, weight_decay, maximize):
        return NotImplemented
    job.lr, job.rest1, job.begins = eta, mu, mu == 1
    job.shrink = 1 - <double> lambd * job.lr
    return _run(_kernels(p).asgd_step, &job, p, 16)


def rprop_step(object p, object g, object before, object size, object eta_minus, object eta_plus, object smallest,
               object largest, object maximize):
    cdef step_job job
    g = _readable(g)
    if before is None or size is None or not _job(&job, p, g, before, size, None, 0, maximize):
        return NotImplemented
    job.minus, job.plus, job.smallest, job.largest = eta_minus, eta_plus, smallest, largest
    return _run(_kernels(p).rprop_step, &job, p, 24)


def adagrad_step(object p, object g, object total, object step, object lr, object lr_decay, object eps,
                 object weight_decay, object maximize):
    cdef step_job job
    g = _readable(g)
    if total is None or not _job(&job, p, g, total, None, None, weight_decay, maximize):
        return NotImplemented
    job.lr = <double> lr / (1 + (<double> step - 1) * <double> lr_decay)
    job.eps = eps
    return _run(_kernels(p).adagrad_step, &job, p, 24)


def adadelta_step(object p, object g, object v, object u, object lr, object rho, object eps, object weight_decay,
                  object maximize):
    cdef step_job job
    g = _readable(g)
    if v is None or u is None or not _job(&job, p, g, v, u, None, weight_decay, maximize):
        return NotImplemented
    _means(&job, 0, rho)
    job.lr, job.eps = lr, eps
    return _run(_kernels(p).adadelta_step, &job, p, 32)


def rmsprop_step(object p, object g, object v, object mean, object buffer, object lr, object alpha, object eps,
                 object weight_decay, object momentum, object eps_inside_root, object maximize):
    cdef step_job job
    g = _readable(g)
    if v is None or not _job(&job, p, g, v, mean, buffer, weight_decay, maximize):
        return NotImplemented
    _means(&job, 0, alpha)
    job.lr, job.eps, job.momentum, job.inside = lr, eps, momentum, bool(eps_inside_root)
    return _run(_kernels(p).rmsprop_step, &job, p, 32)


def adamax_step(object p, object g, object m, object u, object step, object lr, object beta1, object beta2, object eps,
                object weight_decay, object maximize):
    cdef step_job job
    g = _readable(g)
    if m is None or u is None or step < 1 or not _job(&job, p, g, m, u, None, weight_decay, maximize):
        return NotImplemented
    _means(&job, beta1, beta2)
    job.lr, job.eps = <double> lr / (1 - pow(job.keep1, step)), eps
    return _run(_kernels(p).adamax_step, &job, p, 32)


cdef bint _adam_job(step_job *job, object p, object g, object m, object v, object v_max, object step, object lr,
                    object beta1, object beta2, object eps, object weight_decay, bint maximize,
                    bint decoupled) except -1:
    """What Adam, NAdam and RAdam have in common; False where an array does not fit."""
    cdef double rate = lr, decay = weight_decay
    if m is None or v is None or step < 1 or not _job(job, p, g, m, v, v_max, 0 if decoupled else decay, maximize):
        return False
    if decoupled:
        job.shrink = 1 - rate * decay
    _means(job, beta1, beta2)
    job.eps, job.adaptive = eps, True
    return True


cdef double _root_of_c2(const step_job *job, double step) noexcept:
    """r = sqrt(1 - beta2^t). m / (sqrt(v) / r + eps) is r m / (sqrt(v) + r eps), one division less for each number."""
    return sqrt(1 - pow(job.keep2, step))


def adam_step(object p, object g, object m, object v, object v_max, object step, object lr, object beta1, object beta2,
              object eps, object weight_decay, object amsgrad, object maximize, object decoupled):
    cdef step_job job
    g = _readable(g)
    if not amsgrad:
        v_max = None
    elif v_max is None:
        return NotImplemented
    if not _adam_job(&job, p, g, m, v, v_max, step, lr, beta1, beta2, eps, weight_decay, maximize, decoupled):
        return NotImplemented
    cdef double root = _root_of_c2(&job, step)
    job.by_mean = root * <double> lr / (1 - pow(job.keep1, step))
    job.eps *= root
    return _run(_kernels(p).adam_step, &job, p, 32)


def nadam_step(object p, object g, object m, object v, object step, object mu, object mu_next, object mu_product,
               object lr, object beta1, object beta2, object eps, object weight_decay, object maximize,
               object decoupled):
    cdef step_job job
    g = _readable(g)
    if not _adam_job(&job, p, g, m, v, None, step, lr, beta1, beta2, eps, weight_decay, maximize, decoupled):
        return NotImplemented
    cdef double rate = lr, now = mu, following = mu_next, product = mu_product, root = _root_of_c2(&job, step)
    job.by_gradient = root * rate * (1 - now) / (1 - product)
    job.by_mean = root * rate * following / (1 - product * following)
    job.eps *= root
    return _run(_kernels(p).adam_step, &job, p, 32)


def radam_step(object p, object g, object m, object v, object step, object lr, object beta1, object beta2, object eps,
               object weight_decay, object maximize, object decoupled):
    cdef step_job job
    g = _readable(g)
    if not _adam_job(&job, p, g, m, v, None, step, lr, beta1, beta2, eps, weight_decay, maximize, decoupled):
        return NotImplemented
    cdef double t = step, power = pow(job.keep2, t), limit = 2 / job.rest2 - 1, rho = limit - 2 * t * power / (1 - power)
    job.by_mean = <double> lr / (1 - pow(job.keep1, t))
    job.adaptive = rho > 5
    if job.adaptive:
        job.by_mean *= sqrt((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) * _root_of_c2(&job, step)
    return _run(_kernels(p).adam_step, &job, p, 32)
