"""Operations between one product of all heads and the attention of each."""

from __future__ import annotations

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import ShapeError
from .operation import Operation

__all__ = ["MergeHeads", "SplitHeads"]


class SplitHeads(Operation):
    """Every vector of a batch of sequences cut into P parts of H heads: into queries, keys and values if P = 3.

        y = y₀, y₁, …        yₚ[n, h, l] = x[n, l, D (p H + h) … D (p H + h + 1)]

        ∂J/∂x = [δ₀, δ₁, …], each number where it came from, with 0 for a part that nobody used

    Shapes: x (N, L, P · H · D), or (L, N, P · H · D) without ``batch_first``, where x[l, n] is meant; yₚ and δₚ
    (N, H, L, D).

    Raises:
        ShapeError: x has other axes, or vectors that cannot be cut so.
    """

    def __init__(self, parts: int, heads: int, batch_first: bool) -> None:
        self.parts = parts
        self.heads = heads
        self.batch_first = batch_first

    @property
    def order(self) -> tuple[int, ...]:
        """The axes (P, N, H, L, D) among those of x once its vectors are cut."""
        return (2, 0, 3, 1, 4) if self.batch_first else (2, 1, 3, 0, 4)

    def forward(self, ctx: Ctx, x: Array) -> tuple[Array, ...]:
        count = self.parts * self.heads
        if x.ndim != 3 or x.shape[2] % count:
            raise ShapeError(f"three axes, and vectors of {self.parts} · {self.heads} · D numbers", f"shape {x.shape}")
        ctx.shape = x.shape
        ctx.cut = (*x.shape[:2], self.parts, self.heads, x.shape[2] // count)
        return tuple(x.reshape(ctx.cut).transpose(self.order))

    def backward(self, ctx: Ctx, deltas: tuple[Array | None, ...]) -> Array:
        first = next(delta for delta in deltas if delta is not None)
        delta_x = kernels.empty_like(first, ctx.shape)
        for part, delta in zip(delta_x.reshape(ctx.cut).transpose(self.order), deltas, strict=True):
            part[...] = 0 if delta is None else delta
        return delta_x


class MergeHeads(Operation):
    """The vectors of all heads, one behind the other: what :class:`SplitHeads` cut into one part.

        y = [x₀, x₁, …]        y[n, l, D h … D (h + 1)] = x[n, h, l]

        ∂J/∂x = δ, each number where it came from

    Shapes: x (N, H, L, D); y and δ (N, L, H · D), or (L, N, H · D) without ``batch_first``, where y[l, n] is meant.

    Raises:
        ShapeError: x has other axes.
    """

    def __init__(self, batch_first: bool) -> None:
        self.batch_first = batch_first

    def forward(self, ctx: Ctx, x: Array) -> Array:
        if x.ndim != 4:
            raise ShapeError("x of shape (N, H, L, D)", f"shape {x.shape}")
        N, H, L, D = ctx.shape = x.shape
        merged = kernels.contiguous(x.transpose(0, 2, 1, 3) if self.batch_first else x.transpose(2, 0, 1, 3))
        return merged.reshape((N, L, H * D) if self.batch_first else (L, N, H * D))

    def backward(self, ctx: Ctx, delta: Array) -> Array:
        N, H, L, D = ctx.shape
        if self.batch_first:
            return delta.reshape(N, L, H, D).transpose(0, 2, 1, 3)
        return delta.reshape(L, N, H, D).transpose(1, 2, 0, 3)
