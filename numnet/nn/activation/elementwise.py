"""The frame of every elementwise activation: a = f(x) and ∂J/∂x = δ ⊙ f′(x)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...arrays import Array, array_module
from ...call import Ctx
from ..expect import expect_floating, refuse_inplace
from ..layer import Layer

__all__ = ["Elementwise", "ReadsInput", "ReadsOutput"]


class Elementwise(Layer):
    """Abstract: a = f(x), number by number. A subclass writes f as ``value`` and f′ as ``slope``, of arrays."""

    value: Callable[[Array], Array]
    """f(x)."""
    slope: Callable[[Array], Array]
    """f′(x); at a corner of f one of the two slopes there, the one that PyTorch takes."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        refuse_inplace(self, inplace)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        ctx.x = x
        return array_module(x).asarray(self.value(x))  # asarray: NumPy makes scalars of arrays without axes

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return array_module(delta).asarray(delta * self.slope(ctx.x))


class ReadsOutput(Layer):
    """Abstract: a = f(x), number by number, by the kernels of f and of its backward, which reads the output a alone.

    So x need not be kept.
    """

    kernel: Callable[[Array], Array]
    kernel_backward: Callable[[Array, Array], Array]

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        a = ctx.a = self.kernel(x)
        return a

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return self.kernel_backward(ctx.a, delta)


class ReadsInput(Elementwise):
    """Abstract: a = f(x), number by number, by the kernels of f and of its backward, which reads x.

    A subclass names the kernels.
    """

    kernel: Callable[..., Array]
    kernel_backward: Callable[..., Array]

    def options(self) -> tuple[Any, ...]:
        """What both kernels take after their arrays."""
        return ()

    def value(self, x: Array) -> Array:
        return self.kernel(x, *self.options())

    def slope(self, x: Array) -> Array:
        return self.kernel_backward(x, array_module(x).ones_like(x), *self.options())

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        return self.kernel_backward(ctx.x, delta, *self.options())
