"""Layers that change the shape of an array, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError, ShapeError
from .layer import Layer

__all__ = ["Flatten", "Identity", "Unflatten"]


class Identity(Layer):
    """What comes in goes out.

        y = x

        ∂J/∂x = δ

    Shapes: any. Arguments are taken and ignored, so that it can stand in for any layer.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__()

    def forward(self, ctx: Ctx, x: Array) -> Array:
        return x

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta


class Flatten(Layer):
    """Axes ``start_dim`` … ``end_dim`` become one; the batch stays.

        y = x, reshaped

        ∂J/∂x = δ, shaped as x

    Shapes: x (N, C, H, W), y and δ (N, C · H · W), by default.

    Raises:
        ShapeError: x has no such axes.
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, ctx: Ctx, x: Array) -> Array:
        start, end = self.start_dim, self.end_dim
        start, end = start + x.ndim if start < 0 else start, end + x.ndim if end < 0 else end
        if not 0 <= start <= end < x.ndim:
            expected = f"x with axes {self.start_dim} … {self.end_dim}"
            raise ShapeError(expected, f"shape {x.shape}", "flatten a batch: x[None] makes a batch of one")
        ctx.shape = x.shape
        return x.reshape((*x.shape[:start], prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.reshape(ctx.shape)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Layer):
    """One axis becomes several; it undoes :class:`Flatten`.

        y = x, reshaped

        ∂J/∂x = δ, shaped as x

    Shapes: x (…, n₁ · n₂ · …, …), y and δ (…, n₁, n₂, …, …).

    Args:
        dim: the axis that is taken apart.
        unflattened_size: n₁, n₂, …; one of them may be -1, which is worked out.

    Raises:
        OptionError: no sizes, or more than one -1.
        ShapeError: x has no such axis, or of another size.
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        sizes = tuple(unflattened_size)
        if not sizes or sizes.count(-1) > 1 or min(sizes) < -1:
            expected = "Unflatten with the sizes that an axis falls into, at most one of them -1"
            raise OptionError(expected, f"unflattened_size={unflattened_size!r}", "Unflatten(1, (3, 8, 8))")
        self.dim = dim
        self.unflattened_size = sizes

    def forward(self, ctx: Ctx, x: Array) -> Array:
        if not -x.ndim <= self.dim < x.ndim:
            cure = "choose dim among the axes of x"
            raise ShapeError(f"x with an axis {self.dim}", f"shape {tuple(x.shape)}", cure)
        ctx.shape = x.shape
        axis = self.dim % x.ndim
        n, known = x.shape[axis], prod(size for size in self.unflattened_size if size != -1)
        free = -1 in self.unflattened_size
        if (known == 0 or n % known) if free else n != known:
            expected = f"x with {'a multiple of ' if free else ''}{known} numbers along axis {self.dim}"
            raise ShapeError(expected, f"shape {tuple(x.shape)}", "the product of unflattened_size is that number")
        sizes = [n // known if size == -1 else size for size in self.unflattened_size]
        return x.reshape(*x.shape[:axis], *sizes, *x.shape[axis + 1 :])

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.reshape(ctx.shape)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
