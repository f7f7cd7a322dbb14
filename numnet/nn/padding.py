"""Padding: a border around the spatial axes, written once for 1, 2 and 3 dimensions and every way to fill it."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, ClassVar, Literal

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..taps import padding_taps
from .expect import expect_floating
from .layer import Layer
from .spatial import as_batch

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Layer):
    """Abstract: a border around ``axes`` spatial axes. The formulas stand in the subclasses' docstrings."""

    axes: int
    mode: ClassVar[Literal["zeros", "reflect", "replicate", "circular"]]
    value: float = 0.0

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        count = 2 * self.axes
        widths: tuple[Any, ...] = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,) * count
        if len(widths) != count or not all(isinstance(n, Integral) for n in widths):
            raise OptionError(
                f"{type(self).__name__} with padding as an integer or {count} integers",
                f"padding={padding!r}",
                "give (before, after) of the last axis first, then of the one in front of it, and so on",
            )
        self.padding = widths = tuple([int(n) for n in widths])
        self.border = tuple(zip(widths[::2], widths[1::2], strict=True))[::-1]  # (before, after), first axis first

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        if self.mode != "zeros":
            as_batch(x, self.axes)
        elif x.ndim < self.axes:
            raise ShapeError(f"x with {self.axes} axes to pad", f"shape {x.shape}", "pad fewer axes")
        ctx.shape = x.shape
        return kernels.resample(x, padding_taps(x.shape, self.border, self.mode), self.value)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return kernels.resample(delta, [taps.transposed for taps in padding_taps(ctx.shape, self.border, self.mode)])

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ZeroPad(_Pad):
    """Abstract: a border of zeros."""

    mode = "zeros"


class _ConstantPad(_Pad):
    """Abstract: a border of one number."""

    mode = "zeros"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ReflectionPad(_Pad):
    """Abstract: a border in which x is mirrored."""

    mode = "reflect"


class _ReplicationPad(_Pad):
    """Abstract: a border of the nearest elements."""

    mode = "replicate"


class _CircularPad(_Pad):
    """Abstract: a border in which x goes on from its other end."""

    mode = "circular"


class ZeroPad1d(_ZeroPad):
    """A border of zeros around every sequence.

        y[n, c, before + i] = x[n, c, i] inside,  0 outside

        ∂J/∂x[n, c, i] = δ[n, c, before + i]

    i counts along the axis, from -before on.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with L' = before + L + after; any axes may stand in
    front.

    Args, Raises: those of :class:`ZeroPad2d`, for the 2 widths (left, right).
    """

    axes = 1


class ZeroPad2d(_ZeroPad):
    """A border of zeros around every image.

        y[n, c, before + i] = x[n, c, i] inside,  0 outside

        ∂J/∂x[n, c, i] = δ[n, c, before + i]

    i counts along each axis, from -before on.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with H' = before + H + after, and so W';
    any axes may stand in front.

    Args:
        padding: the width of the border, or one for each side: (left, right, top, bottom). A negative one cuts off.

    Raises:
        OptionError: ``padding`` is not 1 or 4 integers.
        ShapeError: x has too few axes, or a negative padding cuts off more than there is.
        DtypeError: x does not hold floating-point numbers.
    """

    axes = 2


class ZeroPad3d(_ZeroPad):
    """A border of zeros around every volume.

        y[n, c, before + i] = x[n, c, i] inside,  0 outside

        ∂J/∂x[n, c, i] = δ[n, c, before + i]

    i counts along each axis, from -before on.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with D' = before + D +
    after, and so H' and W'; any axes may stand in front.

    Args, Raises: those of :class:`ZeroPad2d`, for the 6 widths (left, right, top, bottom, front, back).
    """

    axes = 3


class ConstantPad1d(_ConstantPad):
    """A border of one number around every sequence.

        y[n, c, before + i] = x[n, c, i] inside,  value outside

        ∂J/∂x[n, c, i] = δ[n, c, before + i]

    i counts along the axis, from -before on.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with L' = before + L + after; any axes may stand in
    front.

    Args, Raises: those of :class:`ConstantPad2d`, for the 2 widths (left, right).
    """

    axes = 1


class ConstantPad2d(_ConstantPad):
    """A border of one number around every image.

        y[n, c, before + i] = x[n, c, i] inside,  value outside

        ∂J/∂x[n, c, i] = δ[n, c, before + i]

    i counts along each axis, from -before on.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with H' = before + H + after, and so W';
    any axes may stand in front.

    Args:
        padding: the width of the border, or one for each side: (left, right, top, bottom). A negative one cuts off.
        value: what the border is filled with.

    Raises:
        OptionError: ``padding`` is not 1 or 4 integers.
        ShapeError: x has too few axes, or a negative padding cuts off more than there is.
        DtypeError: x does not hold floating-point numbers.
    """

    axes = 2


class ConstantPad3d(_ConstantPad):
    """A border of one number around every volume.

        y[n, c, before + i] = x[n, c, i] inside,  value outside

        ∂J/∂x[n, c, i] = δ[n, c, before + i]

    i counts along each axis, from -before on.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with D' = before + D +
    after, and so H' and W'; any axes may stand in front.

    Args, Raises: those of :class:`ConstantPad2d`, for the 6 widths (left, right, top, bottom, front, back).
    """

    axes = 3


class ReflectionPad1d(_ReflectionPad):
    """A border in which every sequence is mirrored at its first and last element, which are not repeated.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = in - 1 - |in - 1 - |i||

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along an axis, from -before on.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with L' = before + L + after.

    Args, Raises: those of :class:`ReflectionPad2d`, for the 2 widths (left, right).
    """

    axes = 1


class ReflectionPad2d(_ReflectionPad):
    """A border in which every image is mirrored at its first and last element, which are not repeated.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = in - 1 - |in - 1 - |i||

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along each axis, padded one after the other, from -before on.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with H' = before + H + after, and so W'.

    Args:
        padding: the width of the border, or one for each side: (left, right, top, bottom). A negative one cuts off.

    Raises:
        OptionError: ``padding`` is not 1 or 4 integers.
        ShapeError: x has another number of axes; a border as wide as x or wider.
        DtypeError: x does not hold floating-point numbers.
    """

    axes = 2


class ReflectionPad3d(_ReflectionPad):
    """A border in which every volume is mirrored at its first and last element, which are not repeated.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = in - 1 - |in - 1 - |i||

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along each axis, padded one after the other, from -before on.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with D' = before + D +
    after, and so H' and W'.

    Args, Raises: those of :class:`ReflectionPad2d`, for the 6 widths (left, right, top, bottom, front, back).
    """

    axes = 3


class ReplicationPad1d(_ReplicationPad):
    """A border of the nearest element of every sequence.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = min(max(i, 0), in - 1)

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along an axis, from -before on.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with L' = before + L + after.

    Args, Raises: those of :class:`ReplicationPad2d`, for the 2 widths (left, right).
    """

    axes = 1


class ReplicationPad2d(_ReplicationPad):
    """A border of the nearest element of every image.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = min(max(i, 0), in - 1)

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along each axis, padded one after the other, from -before on.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with H' = before + H + after, and so W'.

    Args:
        padding: the width of the border, or one for each side: (left, right, top, bottom). A negative one cuts off.

    Raises:
        OptionError: ``padding`` is not 1 or 4 integers.
        ShapeError: x has another number of axes; a border around nothing.
        DtypeError: x does not hold floating-point numbers.
    """

    axes = 2


class ReplicationPad3d(_ReplicationPad):
    """A border of the nearest element of every volume.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = min(max(i, 0), in - 1)

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along each axis, padded one after the other, from -before on.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with D' = before + D +
    after, and so H' and W'.

    Args, Raises: those of :class:`ReplicationPad2d`, for the 6 widths (left, right, top, bottom, front, back).
    """

    axes = 3


class CircularPad1d(_CircularPad):
    """A border in which every sequence goes on from its other end.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = i mod in

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along an axis, from -before on.

    Shapes: x (N, C, L) or (C, L), y and δ (N, C, L') or (C, L'), with L' = before + L + after.

    Args, Raises: those of :class:`CircularPad2d`, for the 2 widths (left, right).
    """

    axes = 1


class CircularPad2d(_CircularPad):
    """A border in which every image goes on from its other end.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = i mod in

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along each axis, padded one after the other, from -before on.

    Shapes: x (N, C, H, W) or (C, H, W), y and δ (N, C, H', W') or (C, H', W'), with H' = before + H + after, and so W'.

    Args:
        padding: its width, or one for each side: (left, right, top, bottom). A negative one cuts off first.

    Raises:
        OptionError: ``padding`` is not 1 or 4 integers.
        ShapeError: x has another number of axes; a border wider than x.
        DtypeError: x does not hold floating-point numbers.
    """

    axes = 2


class CircularPad3d(_CircularPad):
    """A border in which every volume goes on from its other end.

        y[n, c, before + i] = x[n, c, source(i)]        source(i) = i mod in

        ∂J/∂x[n, c, j] = Σ_i δ[n, c, before + i]        over all i with source(i) = j

    i counts along each axis, padded one after the other, from -before on.

    Shapes: x (N, C, D, H, W) or (C, D, H, W), y and δ (N, C, D', H', W') or (C, D', H', W'), with D' = before + D +
    after, and so H' and W'.

    Args, Raises: those of :class:`CircularPad2d`, for the 6 widths (left, right, top, bottom, front, back).
    """

    axes = 3
