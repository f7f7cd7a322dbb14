"""Every position of a sliding window laid out side by side, and the way back.

Convolution, pooling and their backward passes are one line each on top of these two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from ...arrays import Array, array_module
from ...window import Window

__all__ = ["fold", "unfold", "window_view"]


def unfold(x: Array, window: Window, fill: float = 0.0) -> Array:
    """What the window sees at each of its positions; x̄ is x with its border filled with ``fill``.

        u[n, c, k, o] = x̄[n, c, o · stride + k · dilation]        for every tap k and position o

    Shapes: x (N, C, *in), u (N, C, *kernel, *out).

    Raises:
        ShapeError: the padded x is smaller than the window.
    """
    return window_view(x, window, fill).copy()


def window_view(x: Array, window: Window, fill: float = 0.0) -> Array:
    """:func:`unfold` without a copy of every number for every tap: a read-only view of the padded x."""
    xp, spatial = array_module(x), x.shape[2:]
    out = window.output_shape(spatial)
    x = xp.pad(x, ((0, 0), (0, 0), *_border(spatial, window, out)), constant_values=fill)  # (N, C, *padded)
    axes = tuple(range(2, x.ndim))
    u = xp.lib.stride_tricks.sliding_window_view(x, window.extent, axes)  # (N, C, *every position, *extent)
    steps = [slice(0, s * (o - 1) + 1, s) for s, o in zip(window.stride, out, strict=True)]
    taps = [slice(None, None, d) for d in window.dilation]
    u = u[(..., *steps, *taps)]  # (N, C, *out, *kernel)
    return xp.moveaxis(u, axes, tuple(a + window.axes for a in axes))


def fold(u: Array, window: Window, spatial: Sequence[int]) -> Array:
    """The adjoint of :func:`unfold`: every element of x gets the sum over the taps that saw it.

        x[n, c, i] = Σ u[n, c, k, o]        over all k, o with o · stride + k · dilation - before = i

    Shapes: u (N, C, *kernel, *out), x (N, C, *in) with in = ``spatial``.
    """
    out = u.shape[2 + window.axes :]
    border = _border(spatial, window, out)
    padded = [before + size + after for size, (before, after) in zip(spatial, border, strict=True)]
    x = array_module(u).zeros((*u.shape[:2], *padded), u.dtype)
    for tap in product(*map(range, window.kernel)):
        seen = [
            slice(k * d, k * d + s * (o - 1) + 1, s)
            for k, d, s, o in zip(tap, window.dilation, window.stride, out, strict=True)
        ]
        x[(..., *seen)] += u[(slice(None), slice(None), *tap)]  # (N, C, *out)
    return x[(..., *(slice(before, before + size) for size, (before, _) in zip(spatial, border, strict=True)))]


def _border(spatial: Sequence[int], window: Window, out: Sequence[int]) -> list[tuple[int, int]]:
    """How far the windows reach beyond x, before and behind; with ``ceil_mode`` that can be more than the padding."""
    return [
        (before, max(0, stride * (o - 1) + extent - before - size))
        for size, extent, stride, o, (before, _) in zip(
            spatial, window.extent, window.stride, out, window.padding, strict=True
        )
    ]
