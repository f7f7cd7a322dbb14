"""One step of the optimisers that divide by the root of squared gradients, summed or averaged."""

from __future__ import annotations

from ...arrays import Array, array_module
from .optimizer import descent

__all__ = ["adadelta_step", "adagrad_step", "rmsprop_step"]


def adagrad_step(
    p: Array,
    g: Array,
    total: Array,
    step: int,
    lr: float,
    lr_decay: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Adagrad, in place on ``p`` and ``total``.

        d = g + weight_decay · p                                    (-g with ``maximize``)
        total ← total + d²
        p ← p - lr/(1 + (t - 1) lr_decay) · d / (√total + ε)

    t is ``step``, 1 the first time. All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization,
    2011, in the form of ``torch.optim.Adagrad``.
    """
    xp = array_module(p)
    lr, lr_decay, eps = map(float, (lr, lr_decay, eps))  # a NumPy scalar would turn float32 into float64
    d = descent(p, g, weight_decay, maximize, total=total)
    total += d * d
    p -= lr / (1 + (step - 1) * lr_decay) * d / (xp.sqrt(total) + eps)


def adadelta_step(
    p: Array, g: Array, v: Array, u: Array, lr: float, rho: float, eps: float, weight_decay: float, maximize: bool
) -> None:
    """Adadelta, in place on ``p``, ``v`` and ``u``.

        d = g + weight_decay · p                                    (-g with ``maximize``)
        v ← ρ v + (1 - ρ) d²
        s = √(u + ε) / √(v + ε) · d
        u ← ρ u + (1 - ρ) s²
        p ← p - lr s

    All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Zeiler, ADADELTA: an adaptive learning rate method, 2012, algorithm 1, in the form of
    ``torch.optim.Adadelta``.
    """
    xp = array_module(p)
    lr, rho, eps = map(float, (lr, rho, eps))
    d = descent(p, g, weight_decay, maximize, v=v, u=u)
    v[...] = rho * v + (1 - rho) * d * d
    s = xp.sqrt(u + eps) / xp.sqrt(v + eps) * d
    u[...] = rho * u + (1 - rho) * s * s
    p -= lr * s


def rmsprop_step(
    p: Array,
    g: Array,
    v: Array,
    mean: Array | None,
    buffer: Array | None,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    eps_inside_root: bool,
    maximize: bool,
) -> None:
    """RMSprop, in place on ``p``, ``v``, ``mean`` and ``buffer``.

        d = g + weight_decay · p                                    (-g with ``maximize``)
        v ← α v + (1 - α) d²         mean ← α mean + (1 - α) d
        s = v                                                       (max(v - mean², 0) if there is a ``mean``)
        r = √s + ε                                                  (√(s + ε) with ``eps_inside_root``)
        buffer ← momentum · buffer + d / r
        p ← p - lr · buffer                                         (p ← p - lr · d / r if there is no ``buffer``)

    All arrays have the shape of p; ``g`` is only read.

    Raises:
        ShapeError, DtypeError: an array that is not like ``p``.

    Source: Hinton, Neural networks for machine learning, lecture 6e, 2012; centered: Graves, Generating sequences with
    recurrent neural networks, 2013, equations 38 to 45; in the form of ``torch.optim.RMSprop``.
    """
    xp = array_module(p)
    lr, alpha, eps, momentum = map(float, (lr, alpha, eps, momentum))
    d = descent(p, g, weight_decay, maximize, v=v, mean=mean, buffer=buffer)
    v[...] = alpha * v + (1 - alpha) * d * d
    s = v
    if mean is not None:
        mean += (1 - alpha) * (d - mean)
        s = xp.maximum(v - mean * mean, 0)
    r = xp.sqrt(s + eps) if eps_inside_root else xp.sqrt(s) + eps
    if buffer is None:
        p -= lr * d / r
    else:
        buffer[...] = momentum * buffer + d / r
        p -= lr * buffer
