"""Upsample: images made larger or smaller by interpolation, one axis after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import floor
from typing import Any, Literal

import numpy as np

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..taps import CACHED, Taps
from .expect import expect_floating
from .layer import Layer

__all__ = ["Mode", "Upsample"]

Mode = Literal["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic"]

_AXES = {"nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "linear": (1,), "bilinear": (2,), "trilinear": (3,)}
_AXES["bicubic"] = (2,)


class Upsample(Layer):
    """Every image resized: each number of the output is a weighted sum of the numbers nearest to it.

        y[o] = Σₜ wₜ[o] x[sₜ[o]]        along one spatial axis after the other

        ∂J/∂x[i] = Σ wₜ[o] δ[o] over all o and t with sₜ[o] = i        along the same axes

    With r = in / out, or 1 / scale_factor where that is given, output o stands at the place p of the input:

        nearest: p = o r        nearest-exact: p = (o + 1/2) r        s = ⌊p⌋, w = 1

        linear, bilinear, trilinear: p = max((o + 1/2) r - 1/2, 0), or p = o (in - 1) / (out - 1) with align_corners

            s₀ = ⌊p⌋, s₁ = s₀ + 1        w₁ = p - s₀, w₀ = 1 - w₁

        bicubic: p as for linear, but not cut off at 0; s = ⌊p⌋ - 1 … ⌊p⌋ + 2, and with d = |p - s|

            w = (5/4 d - 9/4) d² + 1 where d ≤ 1, -3/4 (((d - 5) d + 8) d - 4) elsewhere

    What s has beyond an end of the input stands for the number at that end. Where a fractional scale_factor makes out
    equal to in (or, for nearest, to 2 in), nearest and the linear family take r = in / out, as PyTorch does for images;
    for 1 and 3 spatial axes PyTorch's nearest does so in its backward alone.

    Shapes: x (N, C, L), (N, C, H, W) or (N, C, D, H, W), y and δ the same with other spatial sizes: ``size``, or those
    of x times ``scale_factor``, rounded down.

    Args:
        size: the spatial sizes of y, one for all axes or one for each.
        scale_factor: what to multiply those of x with instead.
        mode: ``"nearest"`` or ``"nearest-exact"``; ``"linear"`` for one spatial axis, ``"bilinear"`` or ``"bicubic"``
            for two, ``"trilinear"`` for three.
        align_corners: whether the centres of the outermost numbers coincide, rather than their outer edges.
        recompute_scale_factor: take r = in / out though ``scale_factor`` is given: the two differ by the rounding.

    Raises:
        OptionError: both or none of ``size`` and ``scale_factor``, no such mode, or ``align_corners`` or
            ``recompute_scale_factor`` where it has no meaning.
        ShapeError: x has not the axes that the mode is for, or y would be empty.
        DtypeError: x does not hold floating-point numbers.

    Source: Keys, Cubic convolution interpolation for digital image processing, 1981, equation 4, with -3/4 in place of
    his -1/2, as in PyTorch.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | Sequence[float] | None = None,
        mode: Mode = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        _expect_options(size, scale_factor, mode, align_corners, recompute_scale_factor)
        self.size = size if size is None or isinstance(size, int) else tuple(size)
        self.scale_factor: Any = None
        if scale_factor is not None:
            several = isinstance(scale_factor, Sequence)
            self.scale_factor = tuple(map(float, scale_factor)) if several else float(scale_factor)  # type: ignore[arg-type]
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        ctx.shape = x.shape
        return kernels.resample(x, self._taps(x.shape, x.dtype))

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return kernels.resample(delta, [taps.transposed for taps in self._taps(ctx.shape, delta.dtype)])

    def _taps(self, shape: tuple[int, ...], dtype: Any) -> list[Taps]:
        """For each spatial axis of x of this shape, what its outputs are sums of."""
        axes = len(shape) - 2
        if axes not in _AXES[self.mode] or 0 in shape[2:]:
            letters = " or ".join(("(N, C, L)", "(N, C, H, W)", "(N, C, D, H, W)")[n - 1] for n in _AXES[self.mode])
            cure = f"mode={self.mode!r} is for {letters}; x[None] makes a batch of one"
            raise ShapeError(f"x of shape {letters} for mode={self.mode!r}", f"shape {shape}", cure)
        given: tuple[Any, Any] = self.size, self.scale_factor
        sizes, factors = (v if isinstance(v, tuple) else (v,) * axes for v in given)
        if not len(sizes) == len(factors) == axes:
            cure = "give one number, or one for each spatial axis"
            raise ShapeError(f"x with as many spatial axes as {self.extra_repr()} has numbers", f"shape {shape}", cure)
        taps = []
        for axis, size, factor in zip(range(2, len(shape)), sizes, factors, strict=True):
            n = shape[axis]
            out: int = size if factor is None else floor(n * factor)
            if out < 1:
                raise ShapeError(
                    "y with one number or more along every axis", f"{out} along axis {axis}", "larger sizes"
                )
            ratio = n / out if factor is None or self.recompute_scale_factor else 1 / factor
            taps.append(_taps_of(self.mode, n, out, dtype.type(ratio), bool(self.align_corners)))
        return taps

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"


_Taps = list[tuple[np.ndarray, np.ndarray]]
"""(place, weight) of the first, second, … tap of every output; a place beyond an end stands for that end."""

# At a tie rounding decides which number is the nearest: the dtypes of these two are PyTorch's, step by step.


def _nearest(n: int, out: int, ratio: Any, align_corners: bool) -> _Taps:
    place = np.arange(out, dtype=ratio.dtype) * (ratio.dtype.type(n / out) if out in (n, 2 * n) else ratio)
    return [(place.astype(np.float32).astype(np.int64), np.ones(out))]


def _nearest_exact(n: int, out: int, ratio: Any, align_corners: bool) -> _Taps:
    centre = _places(n, out, float(ratio), False).astype(ratio.dtype).clip(0)
    return [((centre + ratio.dtype.type(0.5)).astype(np.float32).astype(np.int64), np.ones(out))]


def _linear(n: int, out: int, ratio: Any, align_corners: bool) -> _Taps:
    place = _places(n, out, 1 if out == n else float(ratio), align_corners).clip(0, n - 1)
    first = place.astype(np.int64)
    share = place - first
    return [(first, 1 - share), (first + 1, share)]


def _cubic(n: int, out: int, ratio: Any, align_corners: bool) -> _Taps:
    place = _places(n, out, float(ratio), align_corners)
    first = np.floor(place).astype(np.int64) - 1
    taps = []
    for s in (first, first + 1, first + 2, first + 3):
        d = abs(place - s)
        taps.append((s, np.where(d <= 1, (1.25 * d - 2.25) * d * d + 1, -0.75 * (((d - 5) * d + 8) * d - 4))))
    return taps


_MAKE = {
    "nearest": _nearest,
    "nearest-exact": _nearest_exact,
    "linear": _linear,
    "bilinear": _linear,
    "trilinear": _linear,
    "bicubic": _cubic,
}


def _places(n: int, out: int, ratio: float, align_corners: bool) -> np.ndarray:
    """p of every output (out,)."""
    o = np.arange(out)
    if align_corners:
        return o * ((n - 1) / (out - 1)) if out > 1 else np.zeros(1)
    return (o + 0.5) * ratio - 0.5


@lru_cache(maxsize=CACHED, typed=True)  # by dtype too: a ratio of float32 equals one of float64
def _taps_of(mode: Mode, n: int, out: int, ratio: Any, align_corners: bool) -> Taps:
    taps = _MAKE[mode](n, out, ratio, align_corners)
    places, weights = (np.concatenate(each) for each in zip(*taps, strict=True))
    return Taps.of(n, np.tile(np.arange(out), len(taps)), places.clip(0, n - 1), weights, out)


def _expect_options(size: Any, scale_factor: Any, mode: str, align_corners: Any, recompute: Any) -> None:
    if (size is None) == (scale_factor is None):
        got = f"size={size!r}, scale_factor={scale_factor!r}"
        raise OptionError("Upsample with one of size and scale_factor", got, "Upsample(scale_factor=2)")
    if mode not in _AXES:
        raise OptionError(f"Upsample with a mode among {', '.join(_AXES)}", f"mode={mode!r}", "choose one of these")
    if align_corners is not None and mode.startswith("nearest"):
        expected = "align_corners with a mode of the linear family, or bicubic"
        raise OptionError(f"Upsample: {expected}", f"mode={mode!r}", "leave align_corners out")
    if recompute and size is not None:
        expected = "Upsample: recompute_scale_factor with a scale_factor"
        raise OptionError(expected, f"size={size!r}", "leave recompute_scale_factor out")
