"""Pooling over regions that are no sliding window: adaptive (as many as asked for) and fractional (drawn)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...arrays import Array, array_module
from ...errors import ShapeError
from .checks import expect

__all__ = ["adaptive_avg_pool", "adaptive_avg_pool_backward", "adaptive_max_pool", "fractional_max_pool"]


def adaptive_avg_pool(x: Array, size: Sequence[int]) -> Array:
    """The mean of each of ``size`` regions, which cover x; along every axis region o of O spans

        start[o] = ⌊o · in / O⌋  …  end[o] = ⌈(o + 1) · in / O⌉ - 1

        y[n, c, o] = mean of x[n, c, start[o] … end[o]]

    The mean over a box is the mean over one axis after the other.

    Shapes: x (N, C, *in), y (N, C, *size).

    Raises:
        ShapeError: an axis of x without elements.
    """
    xp = array_module(x)
    for axis, (n, o) in enumerate(zip(x.shape[2:], size, strict=True), 2):
        y = xp.empty((*x.shape[:axis], o, *x.shape[axis + 1 :]), x.dtype)
        to, source = xp.moveaxis(y, axis, 0), xp.moveaxis(x, axis, 0)
        for i, (start, end) in enumerate(_spans(n, o)):
            to[i] = source[start:end].mean(axis=0)
        x = y
    return x


def adaptive_avg_pool_backward(delta: Array, x_shape: tuple[int, ...]) -> Array:
    """Gradient of :func:`adaptive_avg_pool` with respect to x: every element of a region gets an equal share of its δ.

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] / (number of elements of region o)        over the regions o that i lies in

    Shapes: δ (N, C, *size), result ``x_shape`` (N, C, *in).

    Raises:
        ShapeError: ``delta`` and ``x_shape`` differ in batch or channels; an axis of x without elements.
    """
    expect("delta", delta, (*x_shape[:2], *delta.shape[2:]), delta.dtype, "delta has the shape of the output y")
    xp = array_module(delta)
    for axis, n in enumerate(x_shape[2:], 2):
        delta_x = xp.zeros((*delta.shape[:axis], n, *delta.shape[axis + 1 :]), delta.dtype)
        to, source = xp.moveaxis(delta_x, axis, 0), xp.moveaxis(delta, axis, 0)
        for i, (start, end) in enumerate(_spans(n, delta.shape[axis])):
            to[start:end] += source[i] / (end - start)
        delta = delta_x
    return delta


def adaptive_max_pool(x: Array, size: Sequence[int]) -> tuple[Array, Array]:
    """The largest element of each of the regions of :func:`adaptive_avg_pool`, and where it stands.

        y[n, c, o] = max x[n, c, start[o] … end[o]]        index = its place in the plane, counted row by row

    The first of equals wins, and NaN wins over every number. The gradient is that of ``max_pool``.

    Shapes: x (N, C, *in), y and index (N, C, *size); index is int64.

    Raises:
        ShapeError: an axis of x without elements.
    """
    xp, places = array_module(x), []
    for n, o in zip(x.shape[2:], size, strict=True):
        spans = _spans(n, o)
        widest = max([end - start for start, end in spans], default=1)
        # Shorter regions repeat their last element, which changes no maximum.
        place = [[min(start + k, end - 1) for k in range(widest)] for start, end in spans]
        places += [xp.asarray(place, xp.int64).reshape(1, 1, o, widest)]
    return _max_at(x, places)


def fractional_max_pool(x: Array, kernel: Sequence[int], starts: Sequence[Array]) -> tuple[Array, Array]:
    """The largest element of each window of size ``kernel``, and where it stands; each plane has windows of its own.

        y[n, c, o] = max_k x[n, c, start[n, c, o] + k]        index = its place in the plane, counted row by row

    The first of equals wins, and NaN wins over every number. The gradient is that of ``max_pool``.

    Shapes: x (N, C, *in), ``starts`` for each axis an array of integers (N, C, O), y and index (N, C, *O);
    index is int64.

    Raises:
        ShapeError: a window that reaches out of x.
    """
    xp = array_module(x)
    for start, n, k in zip(starts, x.shape[2:], kernel, strict=True):
        if start.size and (int(start.min()) < 0 or int(start.max()) + k > n):
            got = f"windows of {k} from {int(start.min())} to {int(start.max())} on an axis of size {n}"
            raise ShapeError("windows inside x", got, "use a smaller kernel_size or a larger input")
    return _max_at(
        x, [start[..., None] + xp.arange(k, dtype=xp.int64) for start, k in zip(starts, kernel, strict=True)]
    )


def _spans(size: int, parts: int) -> list[tuple[int, int]]:
    """Start and end of each of ``parts`` regions that cover ``size`` elements, and may overlap."""
    if size == 0:
        raise ShapeError("x with elements on every spatial axis", "an axis of size 0", "leave such inputs out")
    return [(i * size // parts, -(-(i + 1) * size // parts)) for i in range(parts)]


def _max_at(x: Array, places: Sequence[Array]) -> tuple[Array, Array]:
    """The largest of the elements at ``places``, for each axis (N, C, O, K) or (1, 1, O, K), and its index."""
    xp, axes, spatial = array_module(x), len(places), x.shape[2:]
    out, taps = [p.shape[2] for p in places], [p.shape[3] for p in places]
    index = xp.zeros((1, 1, *(1,) * 2 * axes), xp.int64)
    for a, (place, n) in enumerate(zip(places, spatial, strict=True)):
        shape = [1] * 2 * axes
        shape[a], shape[axes + a] = place.shape[2:]
        index = index * n + place.reshape(*place.shape[:2], *shape)  # (…, *out, *taps) counted row by row
    index = index.reshape(*index.shape[:2], prod(out), prod(taps))  # (…, P, K)
    seen = index.reshape(*index.shape[:2], prod(out) * prod(taps))
    u = xp.take_along_axis(x.reshape(*x.shape[:2], prod(spatial)), seen, axis=2)
    u = u.reshape(*x.shape[:2], prod(out), prod(taps))  # (N, C, P, K)
    tap = u.argmax(axis=3)[..., None]
    shape_y = (*x.shape[:2], *out)
    y, index = (xp.take_along_axis(values, tap, axis=3).reshape(shape_y) for values in (u, index))
    return y, index
