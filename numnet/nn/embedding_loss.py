"""Losses of embeddings: what is alike is to lie close together, what is not, apart."""

from __future__ import annotations

from collections.abc import Callable

from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..functions import where
from ..tensor import Tensor
from .distance import PairwiseDistance, expect_alike, expect_order, norm, norm_slope
from .expect import expect_same_shape
from .margin import MarginRankingLoss, expect_signs
from .module import Module
from .reduction import Reduced, Reduction

__all__ = ["CosineEmbeddingLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss"]


class CosineEmbeddingLoss(Reduced):
    """Angles of pairs: alike ones (y = 1) are to point one way, others (y = -1) apart.

        s = x₁·x₂ / √(q₁ q₂)        q = ‖x‖² + 10⁻¹²
        J = Σ l(s, y) / N        l(s, 1) = 1 - s        l(s, -1) = max(0, s - m)

        ∂J/∂x₁ = δ l′ (x₂ / √(q₁ q₂) - s x₁ / q₁) / N        ∂J/∂x₂ = δ l′ (x₁ / √(q₁ q₂) - s x₂ / q₂) / N
        l′(s, 1) = -1        l′(s, -1) = [s - m ≥ 0]

    Shapes: x₁ and x₂ (N, D) or (D,), the same; y (N,) or (); J one number, or as y with ``reduction="none"``.

    Args:
        margin: m, -1 … 1.
        reduction: ``"mean"``; ``"sum"``, without the division by N; ``"none"``, without the sum.

    Raises:
        ShapeError: x₁ and x₂ differ in shape, y has not one number for each row, or an empty batch has no mean.
        DtypeError: x₁ and x₂ differ in dtype or are not floating-point, or y is neither of their dtype nor of integers.
        DomainError: y is neither 1 nor -1.
        NonFiniteError: NaN in x₁, x₂ or y.
        OptionError: no such reduction.

    Source: Mobahi, Collobert and Weston, Deep learning from temporal coherence in video, 2009, equation 2, with angles.
    """

    differentiable_inputs = 2

    def __init__(self, margin: float = 0.0, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = float(margin)

    def forward(self, ctx: Ctx, x1: Array, x2: Array, y: Array) -> Array:
        expect_alike(x1=x1, x2=x2)
        if x1.ndim > 2:
            raise ShapeError("x1 of shape (N, D) or (D,)", f"shape {x1.shape}", "x1.reshape(-1, x1.shape[-1]), and x2")
        alike = expect_signs(y, x1) == 1
        xp = array_module(x1)
        q1, q2 = ((x * x).sum(axis=-1, keepdims=True) + 1e-12 for x in (x1, x2))  # (N, 1)
        expect_same_shape("y", q1[..., 0], y)
        root = xp.sqrt(q1) * xp.sqrt(q2)  # (N, 1)
        s = (x1 * x2).sum(axis=-1, keepdims=True) / root  # (N, 1)
        over = s[..., 0] - self.margin  # (N,)
        J = xp.where(alike, 1 - s[..., 0], xp.maximum(over, 0))
        ctx.slope = xp.where(alike, -1, (over >= 0).astype(x1.dtype))  # (N,)
        ctx.x1, ctx.x2, ctx.q1, ctx.q2, ctx.root, ctx.s = x1, x2, q1, q2, root, s
        return self._reduced(ctx, J, y.size, x1=x1, x2=x2)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None, None]:
        x1, x2, root, s = ctx.x1, ctx.x2, ctx.root, ctx.s
        d = (self._spread(ctx, delta, ctx.slope.shape) * ctx.slope)[..., None]  # (N, 1)
        delta_x1 = d * (x2 / root - s * x1 / ctx.q1)
        return delta_x1, d * (x1 / root - s * x2 / ctx.q2) if ctx.needs_input_grad[1] else None, None


class TripletMarginLoss(Reduced):
    """An anchor is to lie closer to its positive than to its negative, by the margin.

        J = Σ max(0, m + d(a, p) - d(a, n)) / N        d(u, v) = (Σᵢ |uᵢ - vᵢ + ε|^k)^(1/k)

        ∂J/∂a = δ h (∇d(a, p) - ∇d(a, n)) / N        ∂J/∂p = -δ h ∇d(a, p) / N        ∂J/∂n = δ h ∇d(a, n) / N
        h = [m + d(a, p) - d(a, n) ≥ 0]        ∇d(u, v) = sign(r) (|r| / d)^(k-1)        r = u - v + ε

    With ``swap``, d(a, n) becomes the smaller of d(a, n) and d(p, n), and its gradient goes to a, or p, and n.

    Shapes: a, p and n (…, D), the same; J one number, or (…,) with ``reduction="none"``; N is the number of rows.

    Args:
        margin: m > 0.
        p: k, the order of the norm.
        eps: ε.
        swap: whether the negative is to keep away from the positive too.
        reduction: ``"mean"``; ``"sum"``, without the division by N; ``"none"``, without the sum.

    Raises:
        ShapeError: a, p and n differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in a, p or n.
        OptionError: no such reduction, or m or k not above 0.

    Source: Schroff, Kalenichenko and Philbin, FaceNet, 2015, equation 3, without the squares; swap: Balntas et al.,
    Learning local feature descriptors with triplets and shallow convolutional neural networks, 2016, section 3.3.
    """

    differentiable_inputs = 3

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        *,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin = _expect_margin(self, margin)
        self.p = expect_order(self, p)
        self.eps = float(eps)
        self.swap = swap

    def forward(self, ctx: Ctx, anchor: Array, positive: Array, negative: Array) -> Array:
        expect_alike(anchor=anchor, positive=positive, negative=negative)
        xp = array_module(anchor)
        pairs = [(anchor, positive), (anchor, negative)] + ([(positive, negative)] if self.swap else [])
        r = ctx.r = [u - v + self.eps for u, v in pairs]  # (…, D)
        d = ctx.d = [norm(u, self.p) for u in r]  # (…, 1)
        apart = xp.minimum(d[1], d[2]) if self.swap else d[1]  # (…, 1)
        short = self.margin + d[0] - apart  # (…, 1)
        ctx.h = (short >= 0).astype(anchor.dtype)  # (…, 1)
        J = xp.maximum(short, 0)[..., 0]  # (…,)
        return self._reduced(ctx, J, J.size, anchor=anchor, positive=positive, negative=negative)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array, Array]:
        d, h = ctx.d, ctx.h
        h = self._spread(ctx, delta, h.shape[:-1])[..., None] * h  # (…, 1)
        ap, an, *pn = [norm_slope(r, d, self.p) for r, d in zip(ctx.r, d, strict=True)]  # (…, D)
        if not self.swap:
            return h * (ap - an), -h * ap, h * an
        one = h.dtype.type(1)
        share = 0.5 * ((d[1] < d[2]) * one + (d[1] <= d[2]) * one)  # (…, 1): 1 for d(a, n), 0 for d(p, n), ½ for both
        an, pn = share * an, (1 - share) * pn[0]
        return h * (ap - an), -h * (ap + pn), h * (an + pn)


class TripletMarginWithDistanceLoss(Module):
    """:class:`TripletMarginLoss` with a distance of your own.

        J = Σ max(0, m + d(a, p) - d(a, n)) / N

        ∂J/∂a, ∂J/∂p, ∂J/∂n: through :class:`MarginRankingLoss`, and the record of what d did

    With ``swap``, d(a, n) becomes the smaller of d(a, n) and d(p, n).

    Shapes: a, p and n as d takes them; J one number, or as d gives with ``reduction="none"``; N is the number of
    distances.

    Args:
        distance_function: d, a module or a function of two Tensors; ``PairwiseDistance()`` if ``None``.
        margin: m > 0.
        swap: whether the negative is to keep away from the positive too.
        reduction: ``"mean"``; ``"sum"``, without the division by N; ``"none"``, without the sum.

    Raises:
        OptionError: no such reduction, or m not above 0. And whatever d and :class:`MarginRankingLoss` refuse.

    Source: as :class:`TripletMarginLoss`.
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.ranking = MarginRankingLoss(_expect_margin(self, margin), reduction=reduction)
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        d = self.distance_function
        together, apart = d(anchor, positive), d(anchor, negative)
        if self.swap:
            other = d(positive, negative)
            apart = where(apart < other, apart, other)
        J: Tensor = self.ranking(apart, together, array_module(apart.array).ones(apart.shape, apart.dtype))
        return J


def _expect_margin(loss: object, margin: float) -> float:
    if not margin > 0:
        raise OptionError(f"{type(loss).__name__} with margin > 0", f"margin={margin!r}", "margin=1.0 is usual")
    return float(margin)
