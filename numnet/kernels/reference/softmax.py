"""Softmax and its logarithm along one axis."""

from __future__ import annotations

from ...arrays import Array, array_module, is_array, is_floating
from ...errors import DtypeError, ShapeError, describe
from .checks import broadcast, expect

__all__ = ["log_softmax", "log_softmax_backward", "masked_softmax", "softmax", "softmax_backward"]


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


def masked_softmax(s: Array, mask: Array | None, scale: float) -> Array:
    """Softmax of every row of scores, some of which a mask hides.

        a = softmax(scale · s + M)        along the last axis

    A boolean mask is True where a score counts, and means 0 there and -∞ elsewhere; ``None`` means 0. In a row that
    a mask makes -∞ throughout, a is 0, where the formula would say 0 / 0. Going back is :func:`softmax_backward`.

    Shapes: s and a (…, S), the mask what broadcasts to it.

    Raises:
        ShapeError: a mask that does not broadcast to the scores.
        DtypeError: a mask neither boolean nor of the dtype of the scores.
    """
    s = s * float(scale)  # a NumPy scalar would turn float32 into float64
    if mask is None:
        return softmax(s, -1)
    _check_mask(mask, s)
    xp, zero = array_module(s), s.dtype.type(0)
    s = s + mask if is_floating(mask) else xp.where(mask, s, s.dtype.type(-xp.inf))
    hidden = (s == -xp.inf).all(axis=-1, keepdims=True)  # (…, 1)
    return xp.where(hidden, zero, softmax(xp.where(hidden, zero, s), -1))


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


def _check_mask(mask: Array, s: Array) -> None:
    if not is_array(mask) or (mask.dtype != bool and mask.dtype != s.dtype):
        cure = "mask.astype(bool), True where a key takes part; or the numbers to add to the scores"
        raise DtypeError(f"a mask of booleans or of {s.dtype}, as q is", describe(mask), cure)
    if broadcast(mask.shape, s.shape) != s.shape:
        cure = "give it an axis of size 1 where it is to be the same: mask[:, None, None, :] for keys of a batch"
        raise ShapeError(f"a mask that broadcasts to the scores {tuple(s.shape)}", f"shape {tuple(mask.shape)}", cure)
