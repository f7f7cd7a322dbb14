"""Losses that compare x and y element by element."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DomainError, DtypeError, ShapeError, describe
from ..tensor import Tensor
from .expect import expect_floating, expect_same_shape
from .reduction import Reduced, Reduction, cure_for_weights, refuse, weighted

__all__ = ["BCELoss", "BCEWithLogitsLoss", "MSELoss"]


class _Elementwise(Reduced):
    """Abstract: x and y of one shape and one dtype; nothing broadcasts but the weights."""

    def _expect(self, x: Array, y: Array, **weights: Array | None) -> None:
        expect_floating(x)
        if not is_array(y) or y.dtype != x.dtype:
            raise DtypeError(f"y of {x.dtype}, as x is", describe(y), f"y.astype(np.{x.dtype})")
        expect_same_shape("y", x, y)
        for name, w in weights.items():
            if w is None:
                continue
            axes = zip(w.shape[::-1], x.shape[::-1], strict=False)
            if w.ndim > x.ndim or any(n not in (1, size) for n, size in axes):
                cure = "give one weight per element, per last axis, or per sample as (N, 1)"
                raise ShapeError(f"{name} that broadcasts to x of shape {x.shape}", f"shape {w.shape}", cure)
            if w.dtype != x.dtype:
                raise DtypeError(f"{name} of {x.dtype}, as x is", describe(w), cure_for_weights(x))


class MSELoss(_Elementwise):
    """Mean squared error.

        J = Σ (x - y)² / n

        ∂J/∂x = 2 δ (x - y) / n        ∂J/∂y = -∂J/∂x

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805, appendix.
    """

    def __init__(self, *, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y)
        r = ctx.r = x - y
        return self._reduced(ctx, r * r, x.size, x, y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        delta_x = 2 * self._spread(ctx, delta, ctx.r.shape) * ctx.r
        return delta_x, -delta_x if ctx.needs_input_grad[1] else None


class BCELoss(_Elementwise):
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
        J = -(y * _log(x) + (1 - y) * _log(1 - x))
        return self._reduced(ctx, weighted(J, self.weight), x.size, x, y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y = ctx.x, ctx.y
        d = weighted(self._spread(ctx, delta, x.shape), self.weight)
        delta_x = d * (x - y) / array_module(x).maximum(x * (1 - x), 1e-12)
        return delta_x, d * (_log(1 - x) - _log(x)) if ctx.needs_input_grad[1] else None

    def _find_fault(self, x: Array, y: Array) -> None:
        super()._find_fault(x, y)
        cure = "put nn.Sigmoid() before this loss, or give the scores to nn.BCEWithLogitsLoss instead"
        refuse(DomainError, "probabilities from 0 to 1 in x", "x", x, (x < 0) | (x > 1), cure)


class BCEWithLogitsLoss(_Elementwise):
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
        J = (1 - y) * x + self._positive(y) * _softplus(-x)
        return self._reduced(ctx, weighted(J, self.weight), x.size, x, y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y, v = ctx.x, ctx.y, self.pos_weight
        d = weighted(self._spread(ctx, delta, x.shape), self.weight)
        delta_x = d * ((1 - y) - self._positive(y) * kernels.sigmoid(-x))
        if not ctx.needs_input_grad[1]:
            return delta_x, None
        return delta_x, d * (-x if v is None else (v - 1) * _softplus(-x) - x)

    def _positive(self, y: Array) -> Array | int:
        """1 + (v - 1) y: the factor of log (1 + e⁻ˣ)."""
        return 1 if self.pos_weight is None else 1 + (self.pos_weight - 1) * y


def _log(p: Array) -> Array:
    """log p, no less than -100: a certainty that is wrong costs 100 and not infinity. NaN for a negative p."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return array_module(p).maximum(array_module(p).log(p), -100)


def _softplus(x: Array) -> Array:
    """log (1 + eˣ) = max(x, 0) + log (1 + e^-|x|), whose exponential cannot overflow."""
    xp = array_module(x)
    return xp.maximum(x, 0) + xp.log1p(xp.exp(-abs(x)))
