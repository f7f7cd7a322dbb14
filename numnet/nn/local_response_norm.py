"""Local response normalisation: channels that hold their neighbours down."""

from __future__ import annotations

from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from .expect import expect_floating
from .layer import Layer

__all__ = ["LocalResponseNorm"]


class LocalResponseNorm(Layer):
    """Every number divided by the size of its neighbours in other channels.

        s_c = k + α / n Σⱼ x_j²        y_c = x_c / s_c^β        Σ over the n channels j from c - ⌊n/2⌋ to c + ⌊(n-1)/2⌋

        ∂J/∂x_j = δ_j / s_j^β - 2 α β / n x_j Σ_c δ_c x_c / s_c^(β+1)        Σ over the c whose sum has j

    Channels beyond the first and the last count as 0; n stays in the divisor.

    Shapes: x, y and δ (N, C, …) with at least three axes.

    Args:
        size: n.
        alpha: α.
        beta: β, the exponent.
        k: the constant in s.

    Raises:
        ShapeError: x has fewer than three axes. DtypeError: x does not hold floating-point numbers.
        OptionError: ``size`` below 1.

    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012,
    section 3.3, where α stands without 1 / n.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        if size < 1:
            raise OptionError("a size of at least 1", f"size={size}", "LocalResponseNorm(5)")
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, ctx: Ctx, x: Array) -> Array:
        expect_floating(x)
        if x.ndim < 3:
            raise ShapeError("x of shape (N, C, …) with at least three axes", f"shape {x.shape}", "x[None]")
        before, after = self.size // 2, (self.size - 1) // 2
        ctx.x = x
        ctx.s = self.k + self.alpha / self.size * _sum_of_neighbours(x * x, before, after)
        return x / ctx.s**self.beta

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        x, s = ctx.x, ctx.s
        before, after = self.size // 2, (self.size - 1) // 2
        d = delta / s**self.beta
        through_s = _sum_of_neighbours(d * x / s, after, before)  # who is in my sum has me in theirs, seen from there
        return d - 2 * self.alpha * self.beta / self.size * x * through_s

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _sum_of_neighbours(a: Array, before: int, after: int) -> Array:
    """Σ over the channels c - before … c + after of (N, C, …)."""
    C = a.shape[1]
    padded = array_module(a).zeros((a.shape[0], before + C + after, *a.shape[2:]), a.dtype)
    padded[:, before : before + C] = a
    total = padded[:, :C].copy()
    for offset in range(1, before + after + 1):
        total += padded[:, offset : offset + C]
    return total
