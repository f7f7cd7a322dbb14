"""Binary cross-entropy: the loss J of every element of x beside that of y, and its gradient with respect to x."""

from __future__ import annotations

from math import inf, nan

from ...arrays import Array, array_module
from .activation import sigmoid
from .checks import expect
from .smooth import softplus

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_with_logits",
    "binary_cross_entropy_with_logits_backward",
]


def binary_cross_entropy(x: Array, y: Array) -> Array:
    """Cross-entropy of two classes, x the probability of one of them and y that which it ought to have.

        J = -(y log x + (1 - y) log (1 - x))        with log ≥ -100: a certainty that is wrong costs 100, not infinity

    Shapes: x, y and J of any one shape. Where x is not from 0 to 1, J is NaN.

    Raises:
        ShapeError, DtypeError: ``y`` is not like ``x``.
    """
    _check(x, y)
    return array_module(x).asarray(-(y * _log(x) + (1 - y) * _log(1 - x)))


def binary_cross_entropy_backward(x: Array, y: Array, delta: Array) -> Array:
    """∂J/∂x = δ (x - y) / (x (1 - x)), of :func:`binary_cross_entropy`, with x (1 - x) ≥ 10⁻¹².

    Raises:
        ShapeError, DtypeError: ``y`` or ``delta`` is not like ``x``.
    """
    _check(x, y, delta)
    xp = array_module(x)
    return xp.asarray(delta * (x - y) / xp.maximum(x * (1 - x), 1e-12))


def binary_cross_entropy_with_logits(x: Array, y: Array, pos_weight: Array | None) -> Array:
    """:func:`binary_cross_entropy` of the probability σ(x), in which a positive example counts v times.

        J = (1 - y) x + (1 + (v - 1) y) log (1 + e⁻ˣ)

    Shapes: x, y and J of any one shape; v, ``pos_weight``, broadcasts to it, and is 1 where it is ``None``.

    Raises:
        ShapeError, DtypeError: ``y`` is not like ``x``.
    """
    _check(x, y)
    return array_module(x).asarray((1 - y) * x + _positive(y, pos_weight) * softplus(-x, 1.0, inf))


def binary_cross_entropy_with_logits_backward(x: Array, y: Array, pos_weight: Array | None, delta: Array) -> Array:
    """∂J/∂x = δ ((1 - y) - (1 + (v - 1) y) (1 - σ(x))), of :func:`binary_cross_entropy_with_logits`.

    Raises:
        ShapeError, DtypeError: ``y`` or ``delta`` is not like ``x``.
    """
    _check(x, y, delta)
    return array_module(x).asarray(delta * ((1 - y) - _positive(y, pos_weight) * sigmoid(-x)))


def _check(x: Array, y: Array, delta: Array | None = None) -> None:
    expect("y", y, x.shape, x.dtype, "y has one number for each of x")
    expect("delta", delta, x.shape, x.dtype, "delta has one number for each of J")


def _log(p: Array) -> Array:
    """log p ≥ -100; NaN below 0."""
    xp, number = array_module(p), p.dtype.type
    bounded = xp.maximum(xp.log(xp.where(p > 0, p, number(1))), number(-100))
    return xp.where(p > 0, bounded, xp.where(p == 0, number(-100), number(nan)))


def _positive(y: Array, pos_weight: Array | None) -> Array | int:
    return 1 if pos_weight is None else 1 + (pos_weight - 1) * y
