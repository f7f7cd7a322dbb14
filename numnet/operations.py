"""The formulas behind Tensor arithmetic: each a forward and a backward, as a layer has them, without parameters.

    ctx.x, delta and the returned ∂J/∂x are arrays; shapes follow NumPy's broadcasting, whose adjoint is a sum.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import kernels
from .arrays import Array, array_module
from .call import Ctx
from .errors import DtypeError, ShapeError

__all__: list[str] = []


def broadcast_back(delta: Array, shape: tuple[int, ...]) -> Array:
    """∂J/∂x for an ``x`` of ``shape`` that broadcasting stretched: δ summed over the axes added or stretched."""
    if delta.shape == shape:
        return delta
    added = delta.ndim - len(shape)
    axes = tuple(range(added)) + tuple(added + i for i, n in enumerate(shape) if n == 1 and delta.shape[added + i] != 1)
    return delta.sum(axis=axes, keepdims=True).reshape(shape)


class Operation:
    """Abstract: the pair of formulas of one Tensor operation; settings in the constructor, nothing else on it."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({settings})"


class Add(Operation):
    """Sum of two arrays, with broadcasting.

        y = a + b

        ∂J/∂a = δ        ∂J/∂b = δ        (summed over broadcast axes)
    """

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        ctx.shapes = a.shape, b.shape
        return a + b

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array]:
        a_shape, b_shape = ctx.shapes
        return broadcast_back(delta, a_shape), broadcast_back(delta, b_shape)


class Multiply(Operation):
    """Hadamard product of two arrays, with broadcasting.

        y = a ⊙ b

        ∂J/∂a = δ ⊙ b        ∂J/∂b = δ ⊙ a        (summed over broadcast axes)
    """

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        ctx.a, ctx.b = a, b
        return a * b

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        a, b = ctx.a, ctx.b
        needs_a, needs_b = ctx.needs_input_grad
        return (
            broadcast_back(delta * b, a.shape) if needs_a else None,
            broadcast_back(delta * a, b.shape) if needs_b else None,
        )


class MatMul(Operation):
    """Matrix product, batched over leading axes with broadcasting; vectors as in NumPy.

        y = a b

        ∂J/∂a = δ bᵀ        ∂J/∂b = aᵀ δ        (summed over broadcast axes)

    Shapes: a (…, n, m), b (…, m, p), y (…, n, p); a vector a counts as (1, m), a vector b as (m, 1), both dropped in y.
    """

    def forward(self, ctx: Ctx, a: Array, b: Array) -> Array:
        inner_a, inner_b = a.shape[-1:], b.shape[-2:-1] or b.shape
        if a.ndim == 0 or b.ndim == 0 or inner_a != inner_b:
            raise ShapeError(
                "matrices a (…, n, m) and b (…, m, p) with the same m",
                f"shapes {a.shape} and {b.shape}",
                "transpose one of them, or check which axis is the batch",
            )
        ctx.a, ctx.b = a, b
        return _product(a, b)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array | None, Array | None]:
        a = ctx.a if ctx.a.ndim > 1 else ctx.a[None, :]  # (…, n, m)
        b = ctx.b if ctx.b.ndim > 1 else ctx.b[:, None]  # (…, m, p)
        if ctx.b.ndim == 1:
            delta = delta[..., None]
        if ctx.a.ndim == 1:
            delta = delta[..., None, :]  # (…, n, p)
        needs_a, needs_b = ctx.needs_input_grad
        return (
            broadcast_back(_product(delta, b.swapaxes(-1, -2)), a.shape).reshape(ctx.a.shape) if needs_a else None,
            broadcast_back(_product(a.swapaxes(-1, -2), delta), b.shape).reshape(ctx.b.shape) if needs_b else None,
        )


def _product(a: Array, b: Array) -> Array:
    return kernels.matmul(a, b) if a.ndim == b.ndim == 2 else a @ b


class Sum(Operation):
    """Sum over axes.

        y = Σ x

        ∂J/∂x = δ, repeated along the axes summed over
    """

    def __init__(self, axis: int | tuple[int, ...] | None, keepdims: bool) -> None:
        self.axis = axis
        self.keepdims = keepdims

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape = x.shape
        return x.sum(axis=self.axis, keepdims=self.keepdims)

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        if self.axis is not None and not self.keepdims:
            axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
            delta = array_module(delta).expand_dims(delta, tuple(a % len(ctx.shape) for a in axes))
        return array_module(delta).broadcast_to(delta, ctx.shape)


class Reshape(Operation):
    """The same numbers in another shape.

        y = x, reshaped

        ∂J/∂x = δ, shaped as x
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape = x.shape
        try:
            return x.reshape(self.shape)
        except ValueError as error:
            known = int(np.prod([n for n in self.shape if n != -1]))
            raise ShapeError(
                f"a shape for {x.size} numbers, since x has shape {x.shape}",
                f"{self.shape}, which holds {'a multiple of ' if -1 in self.shape else ''}{known}",
                "let one axis be -1 and numnet works it out",
            ) from error

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return delta.reshape(ctx.shape)


class Index(Operation):
    """Elements chosen by integers, slices, masks or integer arrays.

        y = x[key]

        ∂J/∂x = 0, with δ added at key, once for each time an element was chosen
    """

    def __init__(self, key: Any) -> None:
        self.key = key

    def forward(self, ctx: Ctx, x: Array) -> Array:
        ctx.shape, ctx.dtype = x.shape, x.dtype
        return x[self.key]

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        xp = array_module(delta)
        delta_x = xp.zeros(ctx.shape, ctx.dtype)
        xp.add.at(delta_x, self.key, delta)
        return delta_x


