"""Adaptive pooling: as many regions as asked for, whatever the size of the input; for 1, 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..taps import CACHED, Taps, spans
from ..window import Window, per_axis
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
]


class _AdaptivePool(Layer):
    """Abstract: regions over ``axes`` spatial axes of every channel by itself."""

    axes: ClassVar[int]

    def __init__(self, output_size: int | Sequence[int | None] | None) -> None:
        super().__init__()
        one_each = output_size if isinstance(output_size, (tuple, list)) else (output_size,) * self.axes
        sizes: tuple[Any, ...] = tuple(one_each)
        given = per_axis("output_size", [1 if size is None else size for size in sizes], self.axes, minimum=0)
        self.output_size = output_size
        self.sizes = tuple(None if size is None else n for size, n in zip(sizes, given, strict=True))

    def _sizes(self, batch: Array) -> tuple[int, ...]:
        """The number of regions along each axis of this (N, C, *in)."""
        return tuple(n if size is None else size for size, n in zip(self.sizes, batch.shape[2:], strict=True))

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


def _window(spatial: Sequence[int], out: Sequence[int]) -> Window | None:
    """The sliding window that stands on these regions, if they are all alike: its kernels are the faster ones."""
    if 0 in (*spatial, *out) or any(n % o for n, o in zip(spatial, out, strict=True)):
        return None
    kernel = tuple(n // o for n, o in zip(spatial, out, strict=True))
    return Window(kernel, kernel, ((0, 0),) * len(kernel), (1,) * len(kernel))


def _means(shape: Sequence[int], out: Sequence[int]) -> list[Taps]:
    """The mean over a box is the mean over one axis after the other."""
    return [Taps.regions(n, o) for n, o in zip(shape[2:], out, strict=True)]


@lru_cache(maxsize=CACHED)
def _bounds(size: int, parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of each region, the same ones for every plane: (1, 1, parts) each."""
    start, end = np.array(spans(size, parts), np.int64).reshape(parts, 2).T.reshape(2, 1, 1, parts)
    return start, end


class _AdaptiveAvgPool(_AdaptivePool):
    """Abstract: the mean of each region. The formulas stand in the subclasses' docstrings."""

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        ctx.shape, ctx.batch = x.shape, batch.shape
        out = self._sizes(batch)
        window = _window(batch.shape[2:], out)
        if window is None:
            y = kernels.resample(batch, _means(batch.shape, out))  # (N, C, *out)
        else:
            y = kernels.avg_pool(batch, window, True, None)
        return y[0] if x.ndim == self.axes + 1 else y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        d = delta if len(ctx.shape) == len(ctx.batch) else delta[None]  # (N, C, *out)
        window = _window(ctx.batch[2:], d.shape[2:])
        if window is None:
            shares = [taps.transposed for taps in _means(ctx.batch, d.shape[2:])]
            return kernels.resample(d, shares).reshape(ctx.shape)
        return kernels.avg_pool_backward(d, ctx.batch, window, True, None).reshape(ctx.shape)


class _AdaptiveMaxPool(_AdaptivePool):
    """Abstract: the largest element of each region. The formulas stand in the subclasses' docstrings."""

    def __init__(self, output_size: int | Sequence[int | None] | None, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices

    def forward(self, ctx: Ctx, x: Array) -> Array | tuple[Array, Array]:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        out = self._sizes(batch)
        window = _window(batch.shape[2:], out)
        if window is None:
            bounds = [_bounds(n, o) for n, o in zip(batch.shape[2:], out, strict=True)]
            starts, ends = ([array_module(x).asarray(b) for b in each] for each in zip(*bounds, strict=True))
            y, index = kernels.max_regions(batch, starts, ends)  # (N, C, *out)
        else:
            y, index = kernels.max_pool(batch, window)
        ctx.shape, ctx.batch, ctx.index = x.shape, batch.shape, index
        if x.ndim == self.axes + 1:
            y, index = y[0], index[0]
        return (y, index) if self.return_indices else y

    def backward(self, ctx: Ctx, delta: Any) -> Array:
        d = delta[0] if self.return_indices else delta  # an index has no gradient
        return kernels.max_pool_backward(d.reshape(ctx.index.shape), ctx.index, ctx.batch).reshape(ctx.shape)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of each region, as many regions as ``output_size`` says.

        y[n, c, o] = mean of x[n, c, start[o] … end[o]]

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] / (number of elements of region o)        over the regions o that i lies in

    Along the axis, region o of O goes from start[o] = ⌊o · in / O⌋ to
    end[o] = ⌈(o + 1) · in / O⌉ - 1; regions may share elements.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with
    L' = ``output_size``.

    Args, Raises, Source: those of :class:`AdaptiveAvgPool2d`.
    """

    axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of each region, as many regions as ``output_size`` says.

        y[n, c, o] = mean of x[n, c, start[o] … end[o]]

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] / (number of elements of region o)        over the regions o that i lies in

    Along each axis, region o of O goes from start[o] = ⌊o · in / O⌋ to
    end[o] = ⌈(o + 1) · in / O⌉ - 1; regions may share elements.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with
    (H', W') = ``output_size``.

    Args:
        output_size: the number of regions H' and W', or one number for both; ``None`` for as many as x has elements
            along that axis, which leaves it as it is.

    Raises:
        OptionError: a negative size, or too many.
        ShapeError: x has another number of axes, or no elements along one.
        DtypeError: x does not hold floating-point numbers.

    Source: He, Zhang, Ren and Sun, Spatial pyramid pooling in deep convolutional networks for visual recognition, 2014,
    section 2.3.
    """

    axes = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean of each region, as many regions as ``output_size`` says.

        y[n, c, o] = mean of x[n, c, start[o] … end[o]]

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] / (number of elements of region o)        over the regions o that i lies in

    Along each axis, region o of O goes from start[o] = ⌊o · in / O⌋ to
    end[o] = ⌈(o + 1) · in / O⌉ - 1; regions may share elements.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    (D', H', W') = ``output_size``.

    Args, Raises, Source: those of :class:`AdaptiveAvgPool2d`.
    """

    axes = 3


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest element of each region, as many regions as ``output_size`` says.

        y[n, c, o] = max x[n, c, start[o] … end[o]]

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] [the largest of region o stands at i]

    Along the axis, region o of O goes from start[o] = ⌊o · in / O⌋ to
    end[o] = ⌈(o + 1) · in / O⌉ - 1; regions may share elements. Of equals the first counts.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with
    L' = ``output_size``.

    Args, Raises, Source: those of :class:`AdaptiveMaxPool2d`.
    """

    axes = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest element of each region, as many regions as ``output_size`` says.

        y[n, c, o] = max x[n, c, start[o] … end[o]]

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] [the largest of region o stands at i]

    Along each axis, region o of O goes from start[o] = ⌊o · in / O⌋ to
    end[o] = ⌈(o + 1) · in / O⌉ - 1; regions may share elements. Of equals the first counts.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with
    (H', W') = ``output_size``.

    Args:
        output_size: the number of regions H' and W', or one number for both; ``None`` for as many as x has elements
            along that axis, which leaves it as it is.
        return_indices: return (y, index), where index tells the winner's place in the plane, counted row by row.

    Raises:
        OptionError: a negative size, or too many.
        ShapeError: x has another number of axes, or no elements along one.
        DtypeError: x does not hold floating-point numbers.

    Source: He, Zhang, Ren and Sun, Spatial pyramid pooling in deep convolutional networks for visual recognition, 2014,
    section 2.3.
    """

    axes = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest element of each region, as many regions as ``output_size`` says.

        y[n, c, o] = max x[n, c, start[o] … end[o]]

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] [the largest of region o stands at i]

    Along each axis, region o of O goes from start[o] = ⌊o · in / O⌋ to
    end[o] = ⌈(o + 1) · in / O⌉ - 1; regions may share elements. Of equals the first counts.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    (D', H', W') = ``output_size``.

    Args, Raises, Source: those of :class:`AdaptiveMaxPool2d`.
    """

    axes = 3
