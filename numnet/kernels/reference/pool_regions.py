"""The largest number of regions that are no sliding window: adaptive (as many as asked for) and fractional (drawn)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ...arrays import Array, array_module
from ...errors import ShapeError

__all__ = ["max_regions"]


def max_regions(x: Array, starts: Sequence[Array], ends: Sequence[Array]) -> tuple[Array, Array]:
    """The largest number of each region, and where it stands; every plane may have regions of its own.

        y[n, c, o] = max x[n, c, start[o] … end[o] - 1]        index = its place in the plane, counted row by row

    The first of equals wins, and NaN wins over every number. The gradient is that of ``max_pool``.

    Shapes: x (N, C, *in), ``starts`` and ``ends`` for each axis an array of integers (N, C, O), or (1, 1, O) for all
    planes, y and index (N, C, *O); index is int64.

    Raises:
        ShapeError: a region that is empty, or reaches out of x.
    """
    xp, places = array_module(x), []
    for start, end, n in zip(starts, ends, x.shape[2:], strict=True):
        if start.size and (int(start.min()) < 0 or int(end.max()) > n or int((end - start).min()) < 1):
            got = f"regions from {int(start.min())} to {int(end.max()) - 1} on an axis of size {n}"
            raise ShapeError("regions inside x, none of them empty", got, "use smaller regions or a larger input")
        widest = int((end - start).max()) if start.size else 1
        place = start[..., None] + xp.arange(widest, dtype=xp.int64)  # (…, O, K)
        places += [xp.minimum(place, end[..., None] - 1)]  # the last element again changes no maximum
    return _max_at(x, places)


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
