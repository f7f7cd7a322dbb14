"""Activations in pieces, most of them straight. Every backward reads the input x.

The numbers that shape them are made Python's floats, which leave the dtype to x.
"""

from __future__ import annotations

from ...arrays import Array, array_module
from .checks import expect

__all__ = [
    "cut_out",
    "cut_out_backward",
    "elu",
    "elu_backward",
    "hardsigmoid",
    "hardsigmoid_backward",
    "hardswish",
    "hardswish_backward",
    "hardtanh",
    "hardtanh_backward",
    "huber",
    "huber_backward",
    "huber_sum",
    "leaky_relu",
    "leaky_relu_backward",
]


def cut_out(x: Array, low: float, high: float, value: float) -> Array:
    """a = ``value`` where ``low`` ≤ x ≤ ``high``, x elsewhere, for any shape; NaN stays NaN."""
    xp = array_module(x)
    return xp.asarray(xp.where((low <= x) & (x <= high), x.dtype.type(value), x))


def cut_out_backward(x: Array, delta: Array, low: float, high: float, value: float) -> Array:
    """∂J/∂x = 0 where ``low`` ≤ x ≤ ``high``, δ elsewhere, for a = cut_out(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    return xp.asarray(xp.where((low <= x) & (x <= high), x.dtype.type(0), delta))


def elu(x: Array, scale: float, limit: float, width: float) -> Array:
    """Exponential linear unit.

        a = λ x where x > 0, λ α (e^(x/τ) - 1) elsewhere        λ ``scale``, α ``limit``, τ ``width``

    Shapes: x and a of any one shape.
    """
    xp = array_module(x)
    scale, limit, width = float(scale), float(limit), float(width)
    return xp.asarray(scale * xp.where(x > 0, x, limit * xp.expm1(xp.minimum(x, 0) / width)))


def elu_backward(x: Array, delta: Array, scale: float, limit: float, width: float) -> Array:
    """∂J/∂x = λ δ where x > 0, λ α/τ e^(x/τ) δ elsewhere, for a = elu(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    scale, limit, width = float(scale), float(limit), float(width)
    negative = limit / width * xp.exp(xp.minimum(x, 0) / width)
    return xp.asarray(delta * (scale * xp.where(x > 0, x.dtype.type(1), negative)))


def leaky_relu(x: Array, slope: float) -> Array:
    """a = x where x > 0, r x elsewhere, with r = ``slope``, for any shape."""
    xp = array_module(x)
    return xp.asarray(xp.where(x > 0, x, float(slope) * x))


def leaky_relu_backward(x: Array, delta: Array, slope: float) -> Array:
    """∂J/∂x = δ where x > 0, r δ elsewhere, for a = leaky_relu(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    return xp.asarray(xp.where(x > 0, delta, float(slope) * delta))


def hardsigmoid(x: Array) -> Array:
    """a = min(max(x + 3, 0), 6) / 6, for any shape; NaN stays NaN."""
    xp = array_module(x)
    return xp.asarray(xp.clip(x + 3, 0, 6) / 6)


def hardsigmoid_backward(x: Array, delta: Array) -> Array:
    """∂J/∂x = δ / 6 where -3 < x < 3, 0 elsewhere, for a = hardsigmoid(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    return xp.asarray(xp.where((x > -3) & (x < 3), delta / 6, x.dtype.type(0)))


def hardswish(x: Array) -> Array:
    """a = x min(max(x + 3, 0), 6) / 6, for any shape."""
    xp = array_module(x)
    return xp.asarray(x * (xp.clip(x + 3, 0, 6) / 6))


def hardswish_backward(x: Array, delta: Array) -> Array:
    """∂J/∂x = δ · (0 where x ≤ -3, 1 where x ≥ 3, x / 3 + 1/2 between), for a = hardswish(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    return xp.asarray(xp.where(x <= -3, x.dtype.type(0), xp.where(x >= 3, delta, delta * (x / 3 + 0.5))))


def hardtanh(x: Array, low: float, high: float) -> Array:
    """a = min(max(x, ``low``), ``high``), for any shape; NaN stays NaN."""
    xp = array_module(x)
    return xp.asarray(xp.clip(x, float(low), float(high)))


def hardtanh_backward(x: Array, delta: Array, low: float, high: float) -> Array:
    """∂J/∂x = δ [``low`` < x < ``high``], for a = hardtanh(x).

    Raises:
        ShapeError, DtypeError: ``delta`` is not like ``x``.
    """
    expect("delta", delta, x.shape, x.dtype, "delta has the shape of the input x")
    xp = array_module(x)
    return xp.asarray(xp.where((low < x) & (x < high), delta, x.dtype.type(0)))


def huber(x: Array, width: float) -> Array:
    """ρ = x² / 2 where |x| ≤ c, c (|x| - c/2) elsewhere, with c = ``width``, for any shape.

    Written as m (|x| - m/2), m = min(|x|, c): so the parabola cannot overflow where it does not count.
    """
    xp, distance = array_module(x), abs(x)
    m = xp.minimum(distance, float(width))
    return xp.asarray(m * (distance - m / 2))


def huber_sum(x: Array, width: float) -> Array:
    """Σ huber(x), over all numbers."""
    return huber(x, width).sum()


def huber_backward(x: Array, factor: float, width: float) -> Array:
    """∂J/∂x = δ min(max(x, -c), c) for J = Σ huber(x), with δ = ``factor``, one for all numbers, and c = ``width``."""
    xp, width = array_module(x), float(width)
    return xp.asarray(float(factor) * xp.clip(x, -width, width))
