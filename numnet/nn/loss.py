"""Losses that compare x and y element by element: of their difference, and of two classes."""

from __future__ import annotations

from typing import Literal

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import DomainError, OptionError
from ..tensor import Tensor
from .reduction import Elementwise, Reduction, refuse, softplus, weighted

__all__ = ["BCELoss", "BCEWithLogitsLoss", "HuberLoss", "L1Loss", "MAELoss", "MSELoss", "SmoothL1Loss"]


class _OfDifference(Elementwise):
    """Abstract: J = Σ ρ(x - y), and so ∂J/∂y = -∂J/∂x."""

    def _cost(self, r: Array) -> Array:
        """ρ(r)."""
        raise NotImplementedError

    def _sum(self, r: Array) -> Array:
        """Σ ρ(r)."""
        return self._cost(r).sum()

    def _slope(self, r: Array) -> Array:
        """ρ′(r)."""
        raise NotImplementedError

    def _times_slope(self, c: Array | float, r: Array) -> Array:
        """c ρ′(r), of one number c for all elements, or one for each."""
        return kernels.scaled(self._slope(r), c) if isinstance(c, float) else c * self._slope(r)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y)
        r = ctx.r = kernels.subtract(x, y)
        total = 2 if self.reduction == "half_sum" else x.size
        if self.reduction == "none":
            return self._reduced(ctx, self._cost(r), total, x=x, y=y)
        sum_ = self._sum(r)[()]  # a scalar, which NumPy divides faster than an array
        return self._averaged(ctx, sum_, total, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        delta_x = self._times_slope(self._share(ctx, delta), ctx.r)
        return delta_x, -delta_x if ctx.needs_input_grad[1] else None


class L1Loss(_OfDifference):
    """Mean absolute error.

        J = Σ |x - y| / n

        ∂J/∂x = δ sign(x - y) / n        ∂J/∂y = -∂J/∂x

    Where x = y the slope is taken as 0.

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Bishop, Pattern recognition and machine learning, 2006, equation 1.91 with q = 1.
    """

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def _cost(self, r: Array) -> Array:
        return abs(r)

    def _sum(self, r: Array) -> Array:
        return kernels.absolute_sum(r)

    def _slope(self, r: Array) -> Array:
        return kernels.sign(r, 1.0)

    def _times_slope(self, c: Array | float, r: Array) -> Array:
        return kernels.sign(r, c) if isinstance(c, float) else super()._times_slope(c, r)


MAELoss = L1Loss
"""The name that textbooks have for it: the mean absolute error."""


class MSELoss(_OfDifference):
    """Mean squared error.

        J = Σ (x - y)² / n

        ∂J/∂x = 2 δ (x - y) / n        ∂J/∂y = -∂J/∂x

    Many books have J = ½ Σ (x - y)², whose gradient is x - y itself: ``reduction="half_sum"``, which has n = 2. Of the
    differences 1, 2 and 3::

        mean: J = 14/3, ∂J/∂x = 2/3, 4/3, 2        sum: J = 14, ∂J/∂x = 2, 4, 6        half_sum: J = 7, ∂J/∂x = 1, 2, 3

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"half_sum"``, with 2 for n; ``"none"``, without
            the sum.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805, appendix.
    """

    _reductions = ("mean", "sum", "half_sum", "none")

    def __init__(self, *, reduction: Literal["mean", "sum", "half_sum", "none"] = "mean") -> None:
        super().__init__(reduction)

    def _cost(self, r: Array) -> Array:
        return r * r

    def _sum(self, r: Array) -> Array:
        return kernels.square_sum(r)

    def _slope(self, r: Array) -> Array:
        return 2 * r

    def _times_slope(self, c: Array | float, r: Array) -> Array:
        return kernels.scaled(r, 2 * c) if isinstance(c, float) else c * self._slope(r)


class SmoothL1Loss(_OfDifference):
    """Absolute error, rounded to a parabola near 0.

        J = Σ ρ(x - y) / n        ρ(r) = r² / 2β if |r| < β, else |r| - β/2

        ∂J/∂x = δ clip((x - y) / β, -1, 1) / n        ∂J/∂y = -∂J/∂x

    :class:`HuberLoss` divided by its c = β; with β = 0, :class:`L1Loss`.

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.
        beta: β ≥ 0, where the parabola ends.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction, or β < 0.

    Source: Girshick, Fast R-CNN, 2015, equation 3.
    """

    def __init__(self, *, reduction: Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        if not beta >= 0:
            raise OptionError("SmoothL1Loss with beta ≥ 0", f"beta={beta!r}", "beta=1.0 is usual, 0 is L1Loss")
        self.beta = float(beta)

    def _cost(self, r: Array) -> Array:
        return abs(r) if self.beta == 0 else kernels.huber(r, self.beta) / self.beta

    def _sum(self, r: Array) -> Array:
        return kernels.absolute_sum(r) if self.beta == 0 else kernels.huber_sum(r, self.beta) / self.beta

    def _slope(self, r: Array) -> Array:
        if self.beta == 0:
            return kernels.sign(r, 1.0)
        return kernels.huber_backward(r, 1 / self.beta, self.beta)

    def _times_slope(self, c: Array | float, r: Array) -> Array:
        if not isinstance(c, float):
            return super()._times_slope(c, r)
        if self.beta == 0:
            return kernels.sign(r, c)
        return kernels.huber_backward(r, c / self.beta, self.beta)


class HuberLoss(_OfDifference):
    """Squared error near 0, absolute error far from it.

        J = Σ ρ(x - y) / n        ρ(r) = r² / 2 if |r| ≤ c, else c (|r| - c/2)

        ∂J/∂x = δ clip(x - y, -c, c) / n        ∂J/∂y = -∂J/∂x

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.
        delta: c > 0, where the parabola ends. The name is PyTorch's; it has nothing to do with δ.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction, or ``delta`` not above 0.

    Source: Huber, Robust estimation of a location parameter, 1964, equation 2.1 and example (iii).
    """

    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        if not delta > 0:
            raise OptionError("HuberLoss with delta > 0", f"delta={delta!r}", "delta=1.0 is usual")
        self.delta = float(delta)

    def _cost(self, r: Array) -> Array:
        return kernels.huber(r, self.delta)

    def _sum(self, r: Array) -> Array:
        return kernels.huber_sum(r, self.delta)

    def _slope(self, r: Array) -> Array:
        return kernels.huber_backward(r, 1.0, self.delta)

    def _times_slope(self, c: Array | float, r: Array) -> Array:
        if not isinstance(c, float):
            return super()._times_slope(c, r)
        return kernels.huber_backward(r, c, self.delta)


class BCELoss(Elementwise):
    """Binary cross-entropy of probabilities.

        J = -Σ w (y log x + (1 - y) log (1 - x)) / n        with log ≥ -100

        ∂J/∂x = δ w (x - y) / (x (1 - x)) / n        ∂J/∂y = δ w (log (1 - x) - log x) / n        x (1 - x) ≥ 10⁻¹²

    :class:`BCEWithLogitsLoss` makes the same from scores, without rounding them to 0 or 1 first.

    Shapes: x and y any, but the same; w broadcasts to it; J one number, or as x with ``reduction="none"``.

    Args:
        weight: w, a constant; 1 if ``None``.
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x and y differ in shape, w does not broadcast, or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        DomainError: x outside 0 … 1. NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Bishop, Pattern recognition and machine learning, 2006, equation 4.90.
    """

    weight: Array | None

    def __init__(self, weight: Array | Tensor | None = None, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        self._set_weight("weight", weight)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y, weight=self.weight)
        ctx.x, ctx.y = x, y
        J = kernels.binary_cross_entropy(x, y)
        return self._reduced(ctx, weighted(J, self.weight), x.size, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y, J = ctx.x, ctx.y, kernels.binary_cross_entropy
        d = weighted(self._spread(ctx, delta, x.shape), self.weight)
        delta_x = kernels.binary_cross_entropy_backward(x, y, d)
        if not ctx.needs_input_grad[1]:
            return delta_x, None
        one, zero = (array_module(x).full_like(x, n) for n in (1, 0))
        return delta_x, d * (J(x, one) - J(x, zero))  # log (1 - x) - log x

    def _find_fault(self, *, x: Array, y: Array) -> None:
        super()._find_fault(x=x, y=y)
        cure = "put nn.Sigmoid() before this loss, or give the scores to nn.BCEWithLogitsLoss instead"
        refuse(DomainError, "probabilities from 0 to 1 in x", "x", x, (x < 0) | (x > 1), cure)


class BCEWithLogitsLoss(Elementwise):
    """Binary cross-entropy of scores: a sigmoid and :class:`BCELoss` in one, without overflow.

        J = Σ w ((1 - y) x + (1 + (v - 1) y) log (1 + e⁻ˣ)) / n

        ∂J/∂x = δ w ((1 - y) - (1 + (v - 1) y) (1 - σ(x))) / n        ∂J/∂y = δ w ((v - 1) log (1 + e⁻ˣ) - x) / n

    Shapes: x and y any, but the same; w and v broadcast to it; J one number, or as x with ``reduction="none"``.

    Args:
        weight: w, a constant; 1 if ``None``.
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.
        pos_weight: v, what a positive example counts beside a negative one; 1 if ``None``.

    Raises:
        ShapeError: x and y differ in shape, w or v does not broadcast, or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Bishop, Pattern recognition and machine learning, 2006, equations 4.90 and 4.91.
    """

    weight: Array | None
    pos_weight: Array | None

    def __init__(
        self,
        weight: Array | Tensor | None = None,
        *,
        reduction: Reduction = "mean",
        pos_weight: Array | Tensor | None = None,
    ) -> None:
        super().__init__(reduction)
        self._set_weight("weight", weight)
        self._set_weight("pos_weight", pos_weight)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y, weight=self.weight, pos_weight=self.pos_weight)
        ctx.x, ctx.y = x, y
        J = kernels.binary_cross_entropy_with_logits(x, y, self.pos_weight)
        return self._reduced(ctx, weighted(J, self.weight), x.size, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y, v = ctx.x, ctx.y, self.pos_weight
        d = weighted(self._spread(ctx, delta, x.shape), self.weight)
        delta_x = kernels.binary_cross_entropy_with_logits_backward(x, y, v, d)
        if not ctx.needs_input_grad[1]:
            return delta_x, None
        return delta_x, d * (-x if v is None else (v - 1) * softplus(-x) - x)
