"""One step of an optimiser on one parameter. The only kernels that write into what they are given."""

from __future__ import annotations

from math import sqrt

from ...arrays import Array, array_module
from .checks import expect

__all__ = ["adam_step", "sgd_step"]


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
    lr, momentum = float(lr), float(momentum)  # a NumPy scalar would turn float32 into float64
    dampening, weight_decay = float(dampening), float(weight_decay)
    _check(p, g=g, buffer=buffer)
    d = -g if maximize else g
    if weight_decay:
        d = d + weight_decay * p
    if buffer is not None:
        buffer[...] = d if first else momentum * buffer + (1 - dampening) * d
        d = d + momentum * buffer if nesterov else buffer
    p -= lr * d


def adam_step(
    p: Array,
    g: Array,
    m: Array,
    v: Array,
    v_max: Array | None,
    step: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    amsgrad: bool,
    maximize: bool,
    decoupled: bool,
) -> None:
    """Adam, or AdamW where the weight decay is ``decoupled``; in place on ``p``, ``m``, ``v`` and ``v_max``.

        d = g                                                       (-g with ``maximize``)
        p ← (1 - lr · weight_decay) p  if ``decoupled``,  else  d ← d + weight_decay · p
        m ← β₁ m + (1 - β₁) d        v ← β₂ v + (1 - β₂) d²        v_max ← max(v_max, v)
        p ← p - lr/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)            (√v_max with ``amsgrad``)

    t is ``step``, 1 the first time. ``v_max`` is ``None`` without ``amsgrad``. All arrays have the shape of p.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Kingma and Ba, Adam, 2015, algorithm 1; Reddi et al., On the convergence of Adam and beyond, 2018, algorithm
    2; Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2; in the form of ``torch.optim``.
    """
    lr, beta1, beta2 = float(lr), float(beta1), float(beta2)  # a NumPy scalar would turn float32 into float64
    eps, weight_decay = float(eps), float(weight_decay)
    _check(p, g=g, m=m, v=v, v_max=v_max)
    xp = array_module(p)
    d = -g if maximize else g
    if weight_decay and decoupled:
        p *= 1 - lr * weight_decay
    elif weight_decay:
        d = d + weight_decay * p
    m += (1 - beta1) * (d - m)
    v[...] = beta2 * v + (1 - beta2) * d * d
    largest = v
    if amsgrad:
        largest = xp.maximum(v_max, v, out=v_max)
    denominator = xp.sqrt(largest) / sqrt(1 - beta2**step) + eps
    p -= lr / (1 - beta1**step) * m / denominator


def _check(p: Array, **others: Array | None) -> None:
    for name, array in others.items():
        expect(name, array, p.shape, p.dtype, "every array of the step is like the parameter")
