"""Operations that change the shape of an array and none of its numbers; the results share memory where they can."""

from __future__ import annotations

import math

from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import ShapeError
from .operation import Operation, broadcast_back, normalised_axes

__all__ = ["Broadcast", "Permute", "Reshape"]


class Reshape(Operation):
    """The same numbers in another shape.

        y = x, reshaped

        ∂J/∂x = δ, shaped as x

    Raises:
        ShapeError: the shape holds another number of numbers.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape = x.shape
        try:
            return x.reshape(self.shape)
        except ValueError:
            known = math.prod(n for n in self.shape if n != -1)
            raise ShapeError(
                f"a shape for {x.size} numbers, since x has shape {x.shape}",
                f"{self.shape}, which holds {'a multiple of ' if -1 in self.shape else ''}{known}",
                "let one axis be -1 and numnet works it out",
            ) from None

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.reshape(ctx.shape)


class Permute(Operation):
    """The axes in another order: axis i of y is axis dims[i] of x.

        y = x, its axes permuted

        ∂J/∂x = δ, its axes permuted back

    Raises:
        ShapeError: ``dims`` does not name every axis once.
    """

    def __init__(self, dims: tuple[int, ...]) -> None:
        self.dims = dims

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.axes = axes = normalised_axes(self.dims, x.ndim)
        if len(axes) != x.ndim:
            raise ShapeError(f"each of the {x.ndim} axes of x once", f"dims={self.dims}")
        return x.transpose(axes)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.transpose([ctx.axes.index(axis) for axis in range(delta.ndim)])


class Broadcast(Operation):
    """Numbers repeated along new axes in front and along axes of size 1; -1 leaves the size of an axis.

        y = x, repeated

        ∂J/∂x = δ, summed over the repetitions

    Raises:
        ShapeError: an axis that would have to change and is not of size 1.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape = x.shape
        added = len(self.shape) - x.ndim
        shape = tuple([x.shape[i - added] if n == -1 and i >= added else n for i, n in enumerate(self.shape)])
        try:
            return array_module(x).broadcast_to(x, shape)
        except ValueError:
            expected = f"a shape that x of shape {x.shape} broadcasts to"
            raise ShapeError(expected, f"{self.shape}", "only axes of size 1 can be repeated") from None

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return broadcast_back(delta, ctx.shape)
