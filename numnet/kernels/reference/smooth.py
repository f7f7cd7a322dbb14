"""Smooth activations. Every backward reads the input x, since no formula of the output alone would do."""

from __future__ import annotations

from math import pi, sqrt

from ...arrays import Array, array_module, special_functions
from .activation import sigmoid, tanh
from .checks import expect

__all__ = [
    "gelu",
    "gelu_backward",
    "mish",
    "mish_backward",
    "silu",
    "silu_backward",
    "softplus",
    "softplus_backward",
]

ROOT = sqrt(2 / pi)


def gelu(x: Array, approximate: str) -> Array:
    """x times the probability Φ(x) that a standard normal number is smaller, or an approximation of that.

        a = x Φ(x)                                                  for ``approximate`` "none"
        a = x σ(2u)        u = √(2/π) (x + 0.044715 x³)             for "tanh", since σ(2u) = (1 + tanh u) / 2

    Shapes: x and a of any one shape.
    """
    return array_module(x).asarray(x * _gate(x, approximate))


def gelu_backward(x: Array, delta: Array, approximate: str) -> Array:
    """∂J/∂x of :func:`gelu`.

        ∂J/∂x = δ (Φ(x) + x φ(x))        φ(x) = e^(-x²/2) / √(2π)
        ∂J/∂x = δ (σ(2u) + x σ(2u) (1 - σ(2u)) 2u′)        u′ = √(2/π) (1 + 3 · 0.044715 x²)

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp, g, x = array_module(x), _gate(x, approximate), _bounded(x)
    if approximate == "tanh":
        return xp.asarray(delta * (g + x * g * (1 - g) * (2 * ROOT) * (1 + 3 * 0.044715 * x * x)))
    return xp.asarray(delta * (g + x * xp.exp(-x * x / 2) / sqrt(2 * pi)))


def silu(x: Array) -> Array:
    """a = x σ(x), with σ(x) = 1 / (1 + e⁻ˣ), for any shape."""
    return array_module(x).asarray(x * sigmoid(x))


def silu_backward(x: Array, delta: Array) -> Array:
    """∂J/∂x = δ σ(x) (1 + x (1 - σ(x))), for a = silu(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    s = sigmoid(x)
    return array_module(x).asarray(delta * (s * (1 + x * (1 - s))))


def mish(x: Array) -> Array:
    """a = x tanh(log(1 + eˣ)), for any shape."""
    return array_module(x).asarray(x * tanh(_log_of_1_plus_exp(x)))


def mish_backward(x: Array, delta: Array) -> Array:
    """∂J/∂x = δ (t + x σ(x) (1 - t²)), with t = tanh(log(1 + eˣ)) and σ(x) = 1 / (1 + e⁻ˣ), for a = mish(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    t = tanh(_log_of_1_plus_exp(x))
    return array_module(x).asarray(delta * (t + x * sigmoid(x) * (1 - t * t)))


def softplus(x: Array, beta: float, threshold: float) -> Array:
    """The rectifier with its corner smoothed.

        a = log(1 + e^(βx)) / β where βx ≤ ``threshold``, x elsewhere

    Shapes: x and a of any one shape.
    """
    xp, beta = array_module(x), float(beta)  # Python's float, which leaves the dtype to x
    return xp.asarray(xp.where(beta * x > threshold, x, _log_of_1_plus_exp(beta * x) / beta))


def softplus_backward(x: Array, delta: Array, beta: float, threshold: float) -> Array:
    """∂J/∂x = δ σ(βx) where βx ≤ ``threshold``, δ elsewhere, with σ(x) = 1 / (1 + e⁻ˣ), for a = softplus(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    z = xp.asarray(float(beta) * x)
    return xp.asarray(xp.where(z > threshold, delta, delta * sigmoid(z)))


def _log_of_1_plus_exp(x: Array) -> Array:
    """max(x, 0) + log (1 + e^-|x|), whose exponential cannot overflow."""
    xp = array_module(x)
    return xp.asarray(xp.maximum(x, 0) + xp.log1p(xp.exp(-abs(x))))


def _gate(x: Array, approximate: str) -> Array:
    """Φ(x), or σ(2u)."""
    if approximate == "tanh":
        x = _bounded(x)
        return sigmoid(array_module(x).asarray(2 * ROOT * (x + 0.044715 * x * x * x)))
    return special_functions(x).ndtr(x)


def _bounded(x: Array) -> Array:
    """x from -40 to 40, beyond which φ and σ (1 - σ) are 0 to the last bit: powers of x cannot overflow."""
    return array_module(x).clip(x, -40, 40)
