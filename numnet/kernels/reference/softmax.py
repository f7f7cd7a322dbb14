"""Softmax and its logarithm along one axis."""

from __future__ import annotations

from ...arrays import Array, array_module
from .checks import expect

__all__ = ["log_softmax", "log_softmax_backward", "softmax", "softmax_backward"]


def softmax(x: Array, axis: int) -> Array:
    """Probabilities in proportion to eˣ along ``axis``.

        aᵢ = e^(xᵢ - max x) / Σⱼ e^(xⱼ - max x)        the shift cancels, and nothing overflows

    Shapes: x and a of any one shape.
    """
    e = array_module(x).exp(_shifted(x, axis))
    return e / e.sum(axis=axis, keepdims=True)


def softmax_backward(a: Array, delta: Array, axis: int) -> Array:
    """∂J/∂x = a ⊙ (δ - Σⱼ δⱼ aⱼ), with a = softmax(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``a``.
    """
    expect("delta", delta, a.shape, a.dtype, "delta has the shape of the output a")
    return a * (delta - (delta * a).sum(axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int) -> Array:
    """Logarithm of :func:`softmax`, exact where the probability itself would round to 0.

        aᵢ = xᵢ - max x - log Σⱼ e^(xⱼ - max x)

    Shapes: x and a of any one shape.
    """
    xp, shifted = array_module(x), _shifted(x, axis)
    if not x.size:
        return shifted
    return shifted - xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True))


def log_softmax_backward(a: Array, delta: Array, axis: int) -> Array:
    """∂J/∂x = δ - eᵃ Σⱼ δⱼ, with a = log_softmax(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``a``.
    """
    expect("delta", delta, a.shape, a.dtype, "delta has the shape of the output a")
    return delta - array_module(a).exp(a) * delta.sum(axis=axis, keepdims=True)


def _shifted(x: Array, axis: int) -> Array:
    return x - x.max(axis=axis, keepdims=True) if x.size else x.copy()
