"""Operations that make one number of many: over all axes, or over some."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import Array, array_module, is_floating
from ..call import Ctx
from ..errors import DtypeError, ShapeError, describe
from .operation import Axes, Operation, normalised_axes

__all__ = [
    "CumulativeSum",
    "Max",
    "MaxAlong",
    "Mean",
    "Min",
    "MinAlong",
    "Norm",
    "Product",
    "StandardDeviation",
    "Sum",
    "TopK",
    "Variance",
]


class Reduction(Operation):
    """Abstract: over ``dim``, an axis, several or all of them; ``keepdim`` leaves each with size 1."""

    def __init__(self, dim: Axes, keepdim: bool) -> None:
        self.dim = dim
        self.keepdim = keepdim

    def axes(self, x: Array) -> tuple[int, ...]:
        """The axes of ``x`` to reduce over."""
        return normalised_axes(self.dim, x.ndim)

    def kept(self, y: Array, ndim: int) -> Array:
        """``y`` or δ with the reduced axes, of size 1, so that it broadcasts against the input."""
        return y if self.keepdim else array_module(y).expand_dims(y, normalised_axes(self.dim, ndim))


class Sum(Reduction):
    """Sum over axes.

        y = Σ x

        ∂J/∂x = δ, repeated along the axes summed over

    Shapes: x any, y and δ without the axes of ``dim``, or with size 1 there.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape = x.shape
        return x.sum(axis=self.axes(x), keepdims=self.keepdim)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return array_module(delta).broadcast_to(self.kept(delta, len(ctx.shape)), ctx.shape)


class Mean(Reduction):
    """Mean over axes.

        y = Σ x / n

        ∂J/∂x = δ / n, repeated along the axes averaged over

    Raises:
        DtypeError: integers, whose mean is none.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        _expect_floating(x)
        ctx.shape = x.shape
        return x.mean(axis=self.axes(x), keepdims=self.keepdim)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        n = max(1, _size(ctx.shape)) // max(1, delta.size)
        return array_module(delta).broadcast_to(self.kept(delta / n, len(ctx.shape)), ctx.shape)


class Variance(Reduction):
    """Variance over axes: unbiased with ``correction=1``, of the sample itself with 0.

        y = Σ (x - x̄)² / (n - correction)

        ∂J/∂x = δ ⊙ 2 (x - x̄) / (n - correction)

    Raises:
        DtypeError: integers.
    """

    def __init__(self, dim: Axes, keepdim: bool, correction: float) -> None:
        super().__init__(dim, keepdim)
        self.correction = float(correction)  # a NumPy scalar would turn float32 into float64

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.deviation, ctx.freedom = _deviation(x, self.axes(x), self.correction)
        return (ctx.deviation**2).sum(axis=self.axes(x), keepdims=self.keepdim) / ctx.freedom

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return self.kept(delta, ctx.deviation.ndim) * (2 / ctx.freedom * ctx.deviation)


class StandardDeviation(Reduction):
    """Standard deviation over axes: the square root of :class:`Variance`.

        y = √(Σ (x - x̄)² / (n - correction))

        ∂J/∂x = δ ⊙ (x - x̄) / ((n - correction) y)        (0 where y = 0)

    Raises:
        DtypeError: integers.
    """

    def __init__(self, dim: Axes, keepdim: bool, correction: float) -> None:
        super().__init__(dim, keepdim)
        self.correction = float(correction)  # a NumPy scalar would turn float32 into float64

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.deviation, ctx.freedom = _deviation(x, self.axes(x), self.correction)
        square = (ctx.deviation**2).sum(axis=self.axes(x), keepdims=self.keepdim) / ctx.freedom
        ctx.y = y = array_module(x).sqrt(square)
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        deviation, y = ctx.deviation, ctx.y
        xp = array_module(delta)
        slope = xp.where(y == 0, y.dtype.type(0), delta / xp.where(y == 0, y.dtype.type(1), ctx.freedom * y))
        return self.kept(slope, deviation.ndim) * deviation


class Norm(Reduction):
    """Euclidean length over axes.

        y = √(Σ x²)

        ∂J/∂x = δ ⊙ x / y        (0 where y = 0)

    Raises:
        DtypeError: integers.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        _expect_floating(x)
        ctx.x = x
        ctx.y = y = array_module(x).sqrt((x * x).sum(axis=self.axes(x), keepdims=self.keepdim))
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        x, y = ctx.x, ctx.y
        slope = delta / array_module(y).where(y == 0, y.dtype.type(1), y)  # where y = 0, so is x
        return self.kept(slope, x.ndim) * x


class Product(Reduction):
    """Product over one axis, or over all.

        y = Π x

        ∂J/∂xᵢ = δ Πⱼ﹤ᵢ xⱼ Πⱼ﹥ᵢ xⱼ        (a division y / xᵢ would fail at 0)

    Shapes: x any, y and δ without the axes of ``dim``, or with size 1 there.
    """

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.x = x
        return x.prod(axis=self.axes(x), keepdims=self.keepdim)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        xp = array_module(delta)
        axes = self.axes(ctx.x)
        last = tuple(range(ctx.x.ndim - len(axes), ctx.x.ndim))
        x = xp.moveaxis(ctx.x, axes, last)
        moved_shape = x.shape
        x = x.reshape(*moved_shape[: x.ndim - len(axes)], _size(moved_shape[x.ndim - len(axes) :]))  # (…, n)
        one = xp.ones((*x.shape[:-1], 1), x.dtype)
        before = xp.cumprod(xp.concatenate([one, x[..., :-1]], axis=-1), axis=-1)
        after = xp.cumprod(xp.concatenate([one, x[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
        others = xp.moveaxis((before * after).reshape(moved_shape), last, axes)
        return self.kept(delta, ctx.x.ndim) * others


class Extreme(Operation):
    """Abstract: the largest or the smallest of all numbers."""

    name: str

    def forward(self, ctx: Ctx, x: Array) -> Array:
        _expect_some(x, x.size)
        ctx.x = x
        ctx.y = y = getattr(x, self.name)()
        return y

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        x, y = ctx.x, ctx.y
        chosen = (x == y) | (x != x)  # an extreme is NaN as soon as one number is, and NaN equals nothing
        return chosen * (delta / chosen.sum().astype(x.dtype))


class Max(Extreme):
    """The largest of all numbers.

        y = max x

        ∂J/∂xᵢ = δ / (how many are the largest) where xᵢ = y, and 0 elsewhere

    Raises:
        ShapeError: there is no number.
    """

    name = "max"


class Min(Extreme):
    """The smallest of all numbers.

        y = min x

        ∂J/∂xᵢ = δ / (how many are the smallest) where xᵢ = y, and 0 elsewhere

    Raises:
        ShapeError: there is no number.
    """

    name = "min"


class ExtremeAlong(Reduction):
    """Abstract: the largest or the smallest along one axis, and where it stands."""

    arg_name: str

    def forward(self, ctx: Ctx, x: Array) -> tuple[Array, Array]:
        xp = array_module(x)
        axes = self.axes(x)
        if not axes:
            ctx.index, ctx.shape = None, ()
            return x.copy(), xp.zeros((), np.int64)
        (axis,) = axes
        _expect_some(x, x.shape[axis])
        index = xp.expand_dims(getattr(x, self.arg_name)(axis=axis), axis)
        y = xp.take_along_axis(x, index, axis)
        ctx.index, ctx.shape = index, x.shape
        return (y, index) if self.keepdim else (y.squeeze(axis), index.squeeze(axis))

    def backward(self, ctx: Ctx, delta: tuple[Array | None, None]) -> Array | None:
        delta_y, _ = delta
        if delta_y is None or ctx.index is None:
            return delta_y
        xp = array_module(delta_y)
        (axis,) = normalised_axes(self.dim, len(ctx.shape))
        delta_x = xp.zeros(ctx.shape, delta_y.dtype)
        xp.put_along_axis(delta_x, ctx.index, self.kept(delta_y, delta_x.ndim), axis)
        return delta_x


class MaxAlong(ExtremeAlong):
    """The largest along one axis, and its position; the first of equals.

        y = max x,  i = argmax x

        ∂J/∂x = δ at i, and 0 elsewhere

    Raises:
        ShapeError: no such axis, or no number along it.
    """

    arg_name = "argmax"


class MinAlong(ExtremeAlong):
    """The smallest along one axis, and its position; the first of equals.

        y = min x,  i = argmin x

        ∂J/∂x = δ at i, and 0 elsewhere

    Raises:
        ShapeError: no such axis, or no number along it.
    """

    arg_name = "argmin"


class TopK(Operation):
    """The k largest along one axis, or the k smallest, in order, and their positions; of equals the first comes first.

        y = the k largest of x,  i = their positions

        ∂J/∂x = δ at i, and 0 elsewhere

    NaN counts as larger than every number.

    Raises:
        ShapeError: no such axis, or fewer than k numbers along it.
    """

    def __init__(self, k: int, dim: int, largest: bool) -> None:
        self.k = k
        self.dim = dim
        self.largest = largest

    def forward(self, ctx: Ctx, x: Array) -> tuple[Array, Array]:
        xp = array_module(x)
        if x.ndim == 0:
            x = x.reshape(1)
            ctx.single = True
        else:
            ctx.single = False
        (axis,) = normalised_axes(self.dim, x.ndim)
        n = x.shape[axis]
        if not 0 <= self.k <= n:
            raise ShapeError(f"k from 0 to {n}, the size of axis {axis} of x with shape {x.shape}", f"k={self.k}")
        if self.largest:  # backwards twice, so that a stable sort leaves the first of equals first
            order = xp.flip(n - 1 - xp.flip(x, axis).argsort(axis=axis, kind="stable"), axis)
        else:
            order = x.argsort(axis=axis, kind="stable")
        index = xp.ascontiguousarray(xp.take(order, xp.arange(self.k), axis))
        ctx.axis, ctx.index, ctx.shape = axis, index, x.shape
        y = xp.take_along_axis(x, index, axis)
        return (y.reshape(()), index.reshape(())) if ctx.single and self.k else (y, index)

    def backward(self, ctx: Ctx, delta: tuple[Array | None, None]) -> Array | None:
        delta_y, _ = delta
        if delta_y is None:
            return None
        xp = array_module(delta_y)
        delta_x = xp.zeros(ctx.shape, delta_y.dtype)
        xp.put_along_axis(delta_x, ctx.index, delta_y.reshape(ctx.index.shape), ctx.axis)
        return delta_x.reshape(()) if ctx.single else delta_x


class CumulativeSum(Operation):
    """Sums of the first 1, 2, … numbers along one axis.

        y = Σⱼ xⱼ, up to each i

        ∂J/∂x = Σᵢ δᵢ, from each j on

    Raises:
        ShapeError: no such axis.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def forward(self, ctx: Ctx, x: Array) -> Array:
        axes = normalised_axes(self.dim, x.ndim)
        ctx.axes = axes
        return x.cumsum(axis=axes[0]) if axes else x.copy()

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        if not ctx.axes:
            return delta
        xp, (axis,) = array_module(delta), ctx.axes
        return xp.flip(xp.flip(delta, axis).cumsum(axis=axis), axis)


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _deviation(x: Array, axes: tuple[int, ...], correction: float) -> tuple[Array, float]:
    """x - x̄, and n - correction."""
    _expect_floating(x)
    n = _size(tuple(x.shape[axis] for axis in axes))
    if n - correction <= 0:
        raise ShapeError(f"more than {correction} numbers to take the deviation of", f"{n}", "correction=0")
    return x - x.mean(axis=axes, keepdims=True), n - correction


def _expect_floating(x: Array) -> None:
    if not is_floating(x):
        raise DtypeError("floating-point numbers, since the result is no integer", describe(x), "x.float() first")


def _expect_some(x: Array, n: Any) -> None:
    if not n:
        raise ShapeError("at least one number to choose from", describe(x), "check for empty batches")
