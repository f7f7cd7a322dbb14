"""One step of an optimiser on one parameter, along the gradient or its signs.

The steps, here and in the files beside this one, are the only kernels that write into what they are given.
"""

from __future__ import annotations

from ...arrays import Array, array_module
from .checks import expect

__all__ = ["asgd_step", "descent", "rprop_step", "sgd_step"]


def descent(p: Array, g: Array, weight_decay: float, maximize: bool, **memory: Array | None) -> Array:
    """What every step begins with: d = g + weight_decay · p (-g with ``maximize``), once all the arrays are checked.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.
    """
    for name, array in {"g": g, **memory}.items():
        expect(name, array, p.shape, p.dtype, "every array of the step is like the parameter")
    d = -g if maximize else g
    return d + float(weight_decay) * p if weight_decay else d


def sgd_step(
    p: Array,
    g: Array,
    buffer: Array | None,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first: bool,
) -> None:
    """Stochastic gradient descent, in place on ``p`` and ``buffer``.

        d = g + weight_decay · p                                    (-g with ``maximize``)
        buffer ← momentum · buffer + (1 - dampening) · d            (buffer ← d the ``first`` time)
        d ← d + momentum · buffer  with ``nesterov``,  else  d ← buffer
        p ← p - lr · d

    ``buffer`` is ``None`` exactly when ``momentum`` is 0. All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Sutskever et al., On the importance of initialization and momentum in deep learning, 2013, in the form of
    ``torch.optim.SGD``.
    """
    lr, momentum, dampening = map(float, (lr, momentum, dampening))  # a NumPy scalar would turn float32 into float64
    d = descent(p, g, weight_decay, maximize, buffer=buffer)
    if buffer is not None:
        buffer[...] = d if first else momentum * buffer + (1 - dampening) * d
        d = d + momentum * buffer if nesterov else buffer
    p -= lr * d


def asgd_step(
    p: Array, g: Array, average: Array, eta: float, mu: float, lambd: float, weight_decay: float, maximize: bool
) -> None:
    """Averaged stochastic gradient descent, in place on ``p`` and ``average``.

        d = g + weight_decay · p                                    (-g with ``maximize``)
        p ← (1 - λ η) p - η d
        average ← average + μ (p - average)                         (average ← p where μ is 1)

    ``lambd`` is λ. All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Polyak and Juditsky, Acceleration of stochastic approximation by averaging, 1992, in the form of
    ``torch.optim.ASGD``.
    """
    eta, mu, lambd = map(float, (eta, mu, lambd))
    d = descent(p, g, weight_decay, maximize, average=average)
    p *= 1 - lambd * eta
    p -= eta * d
    average[...] = p if mu == 1 else average + mu * (p - average)


def rprop_step(
    p: Array,
    g: Array,
    before: Array,
    size: Array,
    eta_minus: float,
    eta_plus: float,
    smallest: float,
    largest: float,
    maximize: bool,
) -> None:
    """Resilient backpropagation, in place on ``p``, ``before`` and ``size``. Only the signs of the gradient count.

        d = g                                                       (-g with ``maximize``)
        size ← η₊ size  where d · before > 0,    η₋ size  where it is < 0,    within [smallest, largest]
        d ← 0  where d · before < 0
        p ← p - sign(d) size        before ← d

    All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Riedmiller and Braun, A direct adaptive method for faster backpropagation learning: the RPROP algorithm,
    1993, in the form of ``torch.optim.Rprop``.
    """
    xp = array_module(p)
    d = descent(p, g, 0, maximize, before=before, size=size)
    turned, kept = d * before < 0, d * before > 0
    factor = xp.where(kept, float(eta_plus), xp.where(turned, float(eta_minus), 1.0)).astype(p.dtype)
    size[...] = xp.clip(size * factor, float(smallest), float(largest))
    before[...] = xp.where(turned, xp.zeros_like(d), d)
    p -= xp.sign(before) * size
