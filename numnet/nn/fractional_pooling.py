"""Fractional max pooling: windows at drawn distances; for 2 and 3 dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..random import default_rng
from ..window import per_axis
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d"]


class _FractionalMaxPool(Layer):
    """Abstract: fractional max pooling over ``axes`` axes. The formulas stand in the subclasses' docstrings."""

    axes: ClassVar[int]
    _random_samples: Array | None
    sampled: ClassVar[tuple[int, ...]]  # for each spatial axis, which of the numbers of a plane belongs to it

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        output_size: int | Sequence[int] | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = per_axis("kernel_size", kernel_size, self.axes)
        if (output_size is None) == (output_ratio is None):
            got = "neither" if output_size is None else "both"
            raise OptionError(f"{type(self).__name__} with output_size or output_ratio", got, "give one of them")
        self.output_size = None if output_size is None else per_axis("output_size", output_size, self.axes)
        self.output_ratio = None if output_ratio is None else self._ratios(output_ratio)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.rng = rng

    def _ratios(self, output_ratio: float | Sequence[float]) -> tuple[float, ...]:
        given = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * self.axes
        ratios: tuple[Any, ...] = tuple(given)
        if len(ratios) != self.axes or not all(isinstance(r, float) and 0 < r < 1 for r in ratios):
            expected = f"{type(self).__name__} with output_ratio between 0 and 1: one, or {self.axes}"
            raise OptionError(expected, f"output_ratio={output_ratio!r}", "0.7 shrinks every axis to 7 tenths")
        return ratios

    def forward(self, ctx: Ctx, x: Array) -> Array | tuple[Array, Array]:
        expect_floating(x)
        batch = as_batch(x, self.axes)  # (N, C, *in)
        starts = self._starts(batch, self._samples(batch))  # each (N, C, O)
        ends = [start + k for start, k in zip(starts, self.kernel_size, strict=True)]
        y, index = kernels.max_regions(batch, starts, ends)  # (N, C, *out)
        ctx.shape, ctx.batch, ctx.index = x.shape, batch.shape, index
        if x.ndim == self.axes + 1:
            y, index = y[0], index[0]
        return (y, index) if self.return_indices else y

    def backward(self, ctx: Ctx, delta: Any) -> Array:
        d = delta[0] if self.return_indices else delta  # an index has no gradient
        return kernels.max_pool_backward(d.reshape(ctx.index.shape), ctx.index, ctx.batch).reshape(ctx.shape)

    def _samples(self, batch: Array) -> Array:
        """One number in [0, 1) for each plane and axis, (N, C, axes): those given, or drawn ones."""
        shape = (*batch.shape[:2], self.axes)
        if self._random_samples is None:
            draws = (self.rng or default_rng()).random(shape, np.float32)
            return array_module(batch).asarray(draws).astype(batch.dtype)
        if tuple(self._random_samples.shape) != shape:
            got = f"shape {tuple(self._random_samples.shape)}"
            raise ShapeError(f"_random_samples of shape {shape}", got, "one number for each plane and axis")
        return array_module(batch).asarray(self._random_samples, batch.dtype)

    def _starts(self, batch: Array, samples: Array) -> list[Array]:
        """Where the windows of each plane start, for each axis (N, C, O)."""
        xp, spatial = array_module(batch), batch.shape[2:]
        ratios = self.output_ratio or ()
        out = self.output_size or tuple(int(n * r) for n, r in zip(spatial, ratios, strict=True))
        starts = []
        for axis, (n, o, k) in enumerate(zip(spatial, out, self.kernel_size, strict=True)):
            if o < 1 or o + k - 1 > n:
                got = f"spatial size {tuple(spatial)} for {out} windows of {self.kernel_size}"
                cure = "use a larger input, a smaller kernel_size, or fewer windows"
                raise ShapeError("in ≥ out + kernel_size - 1 ≥ kernel_size along every axis", got, cure)
            start = xp.full((*batch.shape[:2], o), n - k, xp.int64)  # the last window ends with x
            if o > 1:
                sample = samples[..., self.sampled[axis], None]  # (N, C, 1)
                alpha = samples.dtype.type(n - k) / samples.dtype.type(o - 1)
                step = xp.arange(o - 1, dtype=samples.dtype)
                start[..., :-1] = ((step + sample) * alpha).astype(xp.int64) - (sample * alpha).astype(xp.int64)
            starts += [start]
        return starts


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest element under each window, the windows set at drawn distances of ⌊α⌋ or ⌈α⌉.

        y[n, c, o] = max_k x[n, c, start[o] + k]        start[o] = ⌊α (o + r)⌋ - ⌊α r⌋, and in - K for the last o

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] [the largest of window o stands at i]

    α = (in - K) / (out - 1) along each axis; r is drawn from [0, 1) for every plane and axis anew in every call. Of
    equals the first counts.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with (H', W') = ``output_size`` or
    (⌊H · output_ratio⌋, ⌊W · output_ratio⌋).

    Args:
        kernel_size: K, or one for each spatial axis, as for output_size and output_ratio.
        output_size: how many windows there are.
        output_ratio: how many there are for each element of x, between 0 and 1. Give this or ``output_size``.
        return_indices: return (y, index), where index tells the winner's place in the plane, counted row by row.
        _random_samples: r (N, C, 2) instead of drawn numbers, first those of the columns, then those of the rows.
        rng: where r is drawn from; the default generator if ``None``.

    Raises:
        OptionError: neither or both of ``output_size`` and ``output_ratio``; a ratio outside of 0 … 1.
        ShapeError: x has another number of axes or is too small for so many windows; ``_random_samples`` of another
            shape.
        DtypeError: x does not hold floating-point numbers.

    Source: Graham, Fractional max-pooling, 2014, section 3; α as PyTorch sets it.
    """

    axes = 2
    sampled = (1, 0)


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest element under each window, the windows set at drawn distances of ⌊α⌋ or ⌈α⌉.

        y[n, c, o] = max_k x[n, c, start[o] + k]        start[o] = ⌊α (o + r)⌋ - ⌊α r⌋, and in - K for the last o

        ∂J/∂x[n, c, i] = Σ_o δ[n, c, o] [the largest of window o stands at i]

    α = (in - K) / (out - 1) along each axis; r is drawn from [0, 1) for every plane and axis anew in every call. Of
    equals the first counts.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with
    (D', H', W') = ``output_size`` or (⌊D · output_ratio⌋, ⌊H · output_ratio⌋, ⌊W · output_ratio⌋).

    Args, Raises, Source: those of :class:`FractionalMaxPool2d`; ``_random_samples`` (N, C, 3) are in the order of
    the axes.
    """

    axes = 3
    sampled = (0, 1, 2)
