"""Distance and similarity of two rows of numbers: the layers, and the formulas that the losses of embeddings share."""

from __future__ import annotations

import numpy as np

from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DtypeError, OptionError, ShapeError, describe
from .expect import conversion, expect_floating, expect_same_shape
from .layer import Layer

__all__ = ["CosineSimilarity", "PairwiseDistance", "expect_alike", "expect_order", "norm", "norm_slope"]


def expect_alike(**rows: Array) -> None:
    """All arrays are of one shape (…, D) and one floating dtype.

    Raises:
        ShapeError, DtypeError: they are not.
    """
    (first, x), *others = rows.items()
    expect_floating(x)
    if x.ndim == 0:
        raise ShapeError(f"{first} of shape (…, D)", "shape ()", f"{first}.reshape(1)")
    for name, a in others:
        if not is_array(a) or a.dtype != x.dtype:
            raise DtypeError(f"{name} of {x.dtype}, as {first} is", describe(a), conversion(name, a, x.dtype))
        expect_same_shape(name, x, a)


def expect_order(layer: object, p: float) -> float:
    """p is the order of a norm, a number above 0 or infinity.

    Raises:
        OptionError: it is not.
    """
    if not p > 0:
        raise OptionError(f"{type(layer).__name__} with p > 0", f"p={p!r}", "p=2 is the length, p=1 the sum of |r|")
    return float(p)


def norm(r: Array, p: float) -> Array:
    """(Σᵢ |rᵢ|ᵖ)^(1/p) along the last axis, or the largest |rᵢ| for p = ∞; the axis stays, with size 1."""
    xp, a = array_module(r), abs(r)
    if p == 1:
        return a.sum(axis=-1, keepdims=True)
    if p == 2:
        return xp.sqrt((r * r).sum(axis=-1, keepdims=True))
    if p == np.inf:
        return a.max(axis=-1, keepdims=True)
    return (a**p).sum(axis=-1, keepdims=True) ** (1 / p)


def norm_slope(r: Array, d: Array, p: float) -> Array:
    """∂d/∂r of d = norm(r, p): sign(r) (|r| / d)ᵖ⁻¹, and 0 where r is 0. Equal maxima share the slope for p = ∞."""
    xp, a = array_module(r), abs(r)
    if p == 1:
        return xp.sign(r)
    if p == np.inf:
        largest = (a == d).astype(r.dtype)
        return xp.sign(r) * largest / largest.sum(axis=-1, keepdims=True)
    one = r.dtype.type(1)
    some = xp.where(r == 0, one, a) / xp.where(d == 0, one, d)  # where r is 0 the sign makes it 0
    return xp.sign(r) * some ** (p - 1)


class PairwiseDistance(Layer):
    """Distance of each row of x₁ from the same row of x₂.

        d = (Σᵢ |rᵢ|ᵖ)^(1/p)        r = x₁ - x₂ + ε

        ∂J/∂x₁ = δ sign(r) (|r| / d)ᵖ⁻¹        ∂J/∂x₂ = -∂J/∂x₁

    Where r is 0 the slope is taken as 0; for p = ∞, d is the largest |rᵢ|, and equal ones share its slope.

    Shapes: x₁ and x₂ (…, D), the same; d (…,), or (…, 1) with ``keepdim``.

    Args:
        p: the order of the norm.
        eps: ε, which keeps the slope of equal rows away from 0 / 0.
        keepdim: whether the last axis stays, with size 1.

    Raises:
        ShapeError: x₁ and x₂ differ in shape (nothing broadcasts).
        DtypeError: they differ in dtype, or are not floating-point.
        OptionError: p not above 0.

    Source: Minkowski, Geometrie der Zahlen, 1896.
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = expect_order(self, p)
        self.eps = float(eps)
        self.keepdim = keepdim

    def forward(self, ctx: Ctx, x1: Array, x2: Array) -> Array:
        expect_alike(x1=x1, x2=x2)
        r = ctx.r = x1 - x2 + self.eps
        d = ctx.d = norm(r, self.norm)  # (…, 1)
        return d if self.keepdim else d[..., 0]

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        d = delta if self.keepdim else delta[..., None]
        delta_x1 = d * norm_slope(ctx.r, ctx.d, self.norm)
        return delta_x1, -delta_x1 if ctx.needs_input_grad[1] else None


class CosineSimilarity(Layer):
    """Cosine of the angle between x₁ and x₂ along an axis.

        s = Σ x₁ x₂ / (n₁ n₂)        n₁ = max(‖x₁‖, ε)        n₂ = max(‖x₂‖, ε)

        ∂J/∂x₁ = δ (x₂ / n₂ - s x₁ / ‖x₁‖) / n₁        ∂J/∂x₂ = δ (x₁ / n₁ - s x₂ / ‖x₂‖) / n₂

    As in PyTorch the maximum is not differentiated: ∂n/∂x is x / ‖x‖ below ε too, and 0 for x = 0.

    Shapes: x₁ and x₂ any with the axis, the same; s without it.

    Args:
        dim: the axis.
        eps: ε, the least length of a vector.

    Raises:
        ShapeError: x₁ and x₂ differ in shape (nothing broadcasts), or have no such axis.
        DtypeError: they differ in dtype, or are not floating-point.

    Source: Salton, Wong and Yang, A vector space model for automatic indexing, 1975, section 1.
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = float(eps)

    def forward(self, ctx: Ctx, x1: Array, x2: Array) -> Array:
        expect_alike(x1=x1, x2=x2)
        if not -x1.ndim <= self.dim < x1.ndim:
            raise ShapeError(
                f"x1 with an axis {self.dim}", f"shape {x1.shape}", "CosineSimilarity(dim=-1) takes the last"
            )
        xp = array_module(x1)
        n1, n2 = (xp.sqrt((x * x).sum(axis=self.dim, keepdims=True)) for x in (x1, x2))
        one = x1.dtype.type(1)
        ctx.slopes = x1 / xp.where(n1 == 0, one, n1), x2 / xp.where(n2 == 0, one, n2)
        ctx.n = n1, n2 = xp.maximum(n1, self.eps), xp.maximum(n2, self.eps)
        ctx.units = u1, u2 = x1 / n1, x2 / n2
        s = ctx.s = (u1 * u2).sum(axis=self.dim, keepdims=True)
        return s.squeeze(self.dim)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        (u1, u2), (n1, n2), (slope1, slope2) = ctx.units, ctx.n, ctx.slopes
        d = array_module(delta).expand_dims(delta, self.dim)
        delta_x1 = d * (u2 - ctx.s * slope1) / n1
        return delta_x1, d * (u1 - ctx.s * slope2) / n2 if ctx.needs_input_grad[1] else None
