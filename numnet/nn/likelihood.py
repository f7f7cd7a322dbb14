"""Losses that are a negative log-likelihood, or a divergence, of a distribution for every element."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from ..arrays import Array, array_module, is_array
from ..call import Ctx
from ..errors import DomainError, DtypeError, OptionError, ShapeError, describe
from ..operations.operation import broadcast_back
from .expect import conversion, expect_floating
from .reduction import Elementwise, Reduced, Reduction, refuse

__all__ = ["GaussianNLLLoss", "KLDivLoss", "PoissonNLLLoss"]


class KLDivLoss(Elementwise):
    """Kullback-Leibler divergence of probabilities y from log-probabilities x.

        J = Σ y (log y - x) / n        J = Σ eʸ (y - x) / n

        ∂J/∂x = -δ y / n        ∂J/∂x = -δ eʸ / n

    On the right with ``log_target``; 0 log 0 counts as 0. ∂J/∂y = δ (log y + 1 - x) / n, and δ eʸ (y - x + 1) / n. The
    divergence of the textbooks, whose terms of one distribution are added, is ``"batchmean"``: ``"mean"`` divides it by
    the number of classes too.

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements, and
    the length of the first axis with ``reduction="batchmean"``.

    Args:
        reduction: ``"mean"``; ``"batchmean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.
        log_target: whether y are log-probabilities too.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        DomainError: y below 0; or x is the output of a softmax, without its logarithm.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Kullback and Leibler, On information and sufficiency, 1951, equation 2.4.
    """

    _reductions = ("mean", "batchmean", "sum", "none")

    def __init__(
        self, *, reduction: Literal["mean", "batchmean", "sum", "none"] = "mean", log_target: bool = False
    ) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y)
        if x.size and bool((x > 0).all() and (x <= 1).all()):
            cure = "use nn.LogSoftmax(dim=1) in the place of nn.Softmax(dim=1)"
            refuse(DomainError, "log-probabilities in x", "x", x, x > 0, cure, ": x looks like probabilities")
        xp = array_module(x)
        ctx.x, ctx.y = x, y
        J = xp.exp(y) * (y - x) if self.log_target else y * _log_or_0(y) - y * x
        return self._reduced(ctx, J, len(x) if self.reduction == "batchmean" and x.ndim else x.size, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y = ctx.x, ctx.y
        xp = array_module(x)
        d = self._spread(ctx, delta, x.shape)
        p = xp.exp(y) if self.log_target else y
        delta_x = -d * p
        if not ctx.needs_input_grad[1]:
            return delta_x, None
        with np.errstate(divide="ignore"):
            return delta_x, d * (p * (y - x + 1) if self.log_target else xp.log(y) + 1 - x)

    def _find_fault(self, *, x: Array, y: Array) -> None:
        super()._find_fault(x=x, y=y)
        if not self.log_target:
            cure = "give probabilities, or say log_target=True if y are log-probabilities"
            refuse(DomainError, "probabilities in y, none below 0", "y", y, y < 0, cure)


class PoissonNLLLoss(Elementwise):
    """Negative log-likelihood of counts y with the Poisson distribution of rate eˣ, or of rate x.

        J = Σ (eˣ - y x) / n        J = Σ (x - y log (x + ε)) / n

        ∂J/∂x = δ (eˣ - y) / n        ∂J/∂x = δ (1 - y / (x + ε)) / n

    On the left with ``log_input``, on the right without. ``full`` adds Stirling's y log y - y + ½ log 2πy ≈ log y!
    where y > 1. ∂J/∂y = -δ x / n or -δ log (x + ε) / n, and with ``full``, where y > 1, δ (log y + 1/2y) / n beside it.

    Shapes: x and y any, but the same; J one number, or as x with ``reduction="none"``; n is the number of elements.

    Args:
        log_input: whether x is the logarithm of the rate.
        full: whether to add Stirling's approximation of log y!, which is constant in x.
        eps: ε, which keeps the logarithm of a rate of 0 finite.
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: x and y differ in shape (nothing broadcasts), or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        DomainError: a rate x below 0.
        NonFiniteError: NaN in x or y.
        OptionError: no such reduction.

    Source: Cameron and Trivedi, Regression analysis of count data, 1998, equation 3.4.
    """

    def __init__(
        self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        self.log_input = log_input
        self.full = full
        self.eps = float(eps)

    def forward(self, ctx: Ctx, x: Array, y: Array) -> Array:
        self._expect(x, y)
        ctx.x, ctx.y = x, y
        xp = array_module(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            J = xp.exp(x) - y * x if self.log_input else x - y * xp.log(x + self.eps)
        if self.full:
            m = xp.maximum(y, 1)
            J = J + (y > 1) * (m * xp.log(m) - m + 0.5 * xp.log(2 * math.pi * m))
        return self._reduced(ctx, J, x.size, x=x, y=y)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None]:
        x, y = ctx.x, ctx.y
        xp = array_module(x)
        d = self._spread(ctx, delta, x.shape)
        delta_x = d * (xp.exp(x) - y if self.log_input else 1 - y / (x + self.eps))
        if not ctx.needs_input_grad[1]:
            return delta_x, None
        slope = -x if self.log_input else -xp.log(x + self.eps)
        if self.full:
            m = xp.maximum(y, 1)
            slope = slope + (y > 1) * (xp.log(m) + 0.5 / m)
        return delta_x, d * slope

    def _find_fault(self, *, x: Array, y: Array) -> None:
        super()._find_fault(x=x, y=y)
        if not self.log_input:
            cure = "end the network with nn.Softplus(), or say log_input=True if x is the logarithm of the rate"
            refuse(DomainError, "rates in x, none below 0", "x", x, x < 0, cure)


class GaussianNLLLoss(Reduced):
    """Negative log-likelihood of y with the normal distribution of mean x and variance v.

        J = Σ (log v + (x - y)² / v) / 2n        v = max(var, ε)

        ∂J/∂x = δ (x - y) / v / n        ∂J/∂y = -∂J/∂x        ∂J/∂var = δ (1 - (x - y)² / v) / 2v / n

    ``full`` adds the constant ½ log 2π to every element. As in PyTorch the maximum is not differentiated: a variance
    below ε still has the slope at ε. Where var or y is one number for several of x, their slopes add.

    Shapes: x any; y as x, or with one axis of size 1; var as x, or with one axis of size 1, or without the last axis;
    J one number, or as x with ``reduction="none"``; n is the number of elements of x.

    Args:
        full: whether to add the constant.
        eps: ε, the smallest variance.
        reduction: ``"mean"``; ``"sum"``, without the division by n; ``"none"``, without the sum.

    Raises:
        ShapeError: y or var does not fit x, or an empty batch has no mean.
        DtypeError: they differ in dtype, or are not floating-point.
        DomainError: a variance below 0.
        NonFiniteError: NaN in x, y or var.
        OptionError: no such reduction, or ε not above 0.

    Source: Nix and Weigend, Estimating the mean and variance of the target probability distribution, 1994, equation 1.
    """

    differentiable_inputs = 3

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: Reduction = "mean") -> None:
        super().__init__(reduction)
        if not eps > 0:
            raise OptionError("GaussianNLLLoss with eps > 0", f"eps={eps!r}", "eps=1e-6 is usual")
        self.full = full
        self.eps = float(eps)

    def forward(self, ctx: Ctx, x: Array, y: Array, var: Array) -> Array:
        _expect_gaussian(x, y, var)
        cure = "make it positive in the network: nn.Softplus(), or the exponential of its output"
        refuse(DomainError, "variances in var, none below 0", "var", var, var < 0, cure)
        xp = array_module(x)
        v = ctx.v = xp.maximum(_aligned(var, x), self.eps)
        r = ctx.r = x - y
        ctx.shapes = y.shape, var.shape
        J = 0.5 * (xp.log(v) + r * r / v)
        if self.full:
            J = J + 0.5 * math.log(2 * math.pi)
        return self._reduced(ctx, J, x.size, x=x, y=y, var=var)

    def backward(self, ctx: Ctx, delta: Array) -> tuple[Array, Array | None, Array | None]:
        r, v, (y_shape, var_shape) = ctx.r, ctx.v, ctx.shapes
        d = self._spread(ctx, delta, r.shape)
        delta_x = d * r / v
        delta_y = -broadcast_back(delta_x, y_shape) if ctx.needs_input_grad[1] else None
        if not ctx.needs_input_grad[2]:
            return delta_x, delta_y, None
        delta_v = broadcast_back(0.5 * d * (1 - r * r / v) / v, v.shape)
        return delta_x, delta_y, delta_v.reshape(var_shape)


def _expect_gaussian(x: Array, y: Array, var: Array) -> None:
    expect_floating(x)
    for name, a in (("y", y), ("var", var)):
        if not is_array(a) or a.dtype != x.dtype:
            raise DtypeError(f"{name} of {x.dtype}, as x is", describe(a), conversion(name, a, x.dtype))
        if a.shape == x.shape or (name == "var" and a.shape == x.shape[:-1]):
            continue
        differ = [n for n, size in zip(a.shape, x.shape, strict=False) if n != size]
        if a.ndim != x.ndim or differ != [1]:
            cure = f"{name}.reshape({x.shape})" if a.size == x.size else "check which samples belong together"
            expected = f"{name} of the input's shape {x.shape}, or with one axis of size 1"
            raise ShapeError(expected, f"shape {a.shape}", cure)


def _aligned(var: Array, x: Array) -> Array:
    """var with as many axes as x."""
    return var[..., None] if var.ndim < x.ndim else var


def _log_or_0(p: Array) -> Array:
    """log p, and 0 for p = 0, where p log p is 0. NaN for a negative p."""
    xp = array_module(p)
    with np.errstate(invalid="ignore"):
        return xp.log(xp.where(p == 0, p.dtype.type(1), p))
