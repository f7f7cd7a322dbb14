"""Elementwise activations. Every backward reads the output a alone, so that z need not be kept."""

from __future__ import annotations

from ...arrays import Array, array_module
from .checks import expect

__all__ = ["relu", "relu_backward", "sigmoid", "sigmoid_backward", "tanh", "tanh_backward"]


def relu(x: Array) -> Array:
    """Rectifier, a = max(x, 0), for any shape; NaN stays NaN."""
    xp = array_module(x)
    return xp.asarray(xp.maximum(x, 0))  # asarray: NumPy makes scalars of arrays without axes


def relu_backward(a: Array, delta: Array) -> Array:
    """∂J/∂x = δ [a > 0], with a = relu(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``a``.
    """
    expect("delta", delta, a.shape, a.dtype, "delta has the shape of the output a")
    return array_module(a).where(a <= 0, a.dtype.type(0), delta)


def sigmoid(x: Array) -> Array:
    """Logistic function.

        a = 1 / (1 + e⁻ˣ)  =  eˣ / (1 + eˣ)        the one whose exponential cannot overflow

    Shapes: x and a of any one shape.
    """
    xp = array_module(x)
    e = xp.exp(-abs(x))
    return xp.asarray(xp.where(x >= 0, x.dtype.type(1), e) / (1 + e))


def sigmoid_backward(a: Array, delta: Array) -> Array:
    """∂J/∂x = δ a (1 - a), with a = sigmoid(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``a``.
    """
    expect("delta", delta, a.shape, a.dtype, "delta has the shape of the output a")
    return array_module(a).asarray(delta * a * (1 - a))


def tanh(x: Array) -> Array:
    """Hyperbolic tangent, a = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), for any shape."""
    xp = array_module(x)
    return xp.asarray(xp.tanh(x))


def tanh_backward(a: Array, delta: Array) -> Array:
    """∂J/∂x = δ (1 - a²), with a = tanh(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``a``.
    """
    expect("delta", delta, a.shape, a.dtype, "delta has the shape of the output a")
    return array_module(a).asarray(delta * (1 - a * a))
