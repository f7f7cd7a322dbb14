"""Weighted sums along axes: padding, means over regions and interpolation, there and back."""

from __future__ import annotations

from collections.abc import Sequence

from ...arrays import Array, array_module
from ...errors import ShapeError
from ...taps import Taps

__all__ = ["resample"]


def resample(x: Array, taps: Sequence[Taps], value: float = 0.0) -> Array:
    """x mapped along its last axes, one after the other.

        y[…, o, …] = Σₜ weight[t] · x[…, place[t], …]        over the taps t of output o, along each axis

    Where an output has no taps along some axis stands ``value``.

    Its gradient is the resampling of δ with the taps transposed (and ``value`` 0).

    Shapes: x (…, *in), ``taps`` one for each of these axes, y (…, *out).

    Raises:
        ShapeError: an axis of x has not the size that its taps are for.
    """
    xp = array_module(x)
    sizes = tuple([t.size for t in taps])
    if tuple(x.shape[x.ndim - len(sizes) :]) != sizes:
        raise ShapeError(f"x with last axes of {sizes}", f"shape {tuple(x.shape)}", "make the taps for this shape")
    for axis, t in enumerate(taps, x.ndim - len(taps)):
        y = xp.zeros((*x.shape[:axis], t.out, *x.shape[axis + 1 :]), x.dtype)
        to, source = xp.moveaxis(y, axis, 0), xp.moveaxis(x, axis, 0)
        for turn, (output, place, weight) in enumerate(t.rounds):
            w = xp.asarray(weight, x.dtype).reshape(-1, *[1] * (x.ndim - 1))
            output, terms = xp.asarray(output), w * source[xp.asarray(place)]
            to[output] = to[output] + terms if turn else terms
        x = y
    for axis, t in enumerate(taps, x.ndim - len(taps)):
        xp.moveaxis(x, axis, 0)[xp.asarray(t.bare)] = value
    return x
