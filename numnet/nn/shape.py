"""Layers that change the shape of an array, or nothing at all."""

from __future__ import annotations

from typing import Any

from ..arrays import Array
from ..call import Ctx
from ..errors import ShapeError
from .layer import Layer

__all__ = ["Flatten", "Identity"]


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
        start, end = (d + x.ndim if d < 0 else d for d in (self.start_dim, self.end_dim))
        if not 0 <= start <= end < x.ndim:
            expected = f"x with axes {self.start_dim} … {self.end_dim}"
            raise ShapeError(expected, f"shape {x.shape}", "flatten a batch: x[None] makes a batch of one")
        ctx.shape = x.shape
        size = 1
        for n in x.shape[start : end + 1]:
            size *= n
        return x.reshape(*x.shape[:start], size, *x.shape[end + 1 :])

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.reshape(ctx.shape)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
