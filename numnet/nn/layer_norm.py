"""Layer, group and root-mean-square normalisation: every row of values by itself, in training and evaluation alike."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..tensor import Parameter
from .expect import expect_floating
from .layer import Layer

__all__ = ["GroupNorm", "LayerNorm", "RMSNorm"]


class _RowNorm(Layer):
    """Abstract: x̂ of every row by a kernel or formula of the subclass, then y = γ x̂ + β.

    γ and β go along the middle one of three axes (A, P, B) into which the subclass folds x.
    """

    weight: Parameter | None  # γ, P numbers
    bias: Parameter | None  # β, P numbers
    eps: float | None

    def forward(self, ctx: Ctx, x: Array) -> Array:
        gamma, beta = (None if p is None else p.array for p in (self.weight, self.bias))
        expect_floating(x, None if gamma is None else gamma.dtype)
        rows, ctx.folds = self._layout(x)
        y = self._normalised(ctx, x.reshape(rows)).reshape(ctx.folds)  # x̂, an array of our own
        if gamma is not None:
            y *= gamma.reshape(-1, 1)
        if beta is not None:
            y += beta.reshape(-1, 1)
        return y.reshape(x.shape)

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        gamma, beta = self.weight, self.bias
        d = delta.reshape(ctx.folds)  # (A, P, B)
        if gamma is not None and gamma.requires_grad:
            terms = self._x_hat(ctx).reshape(ctx.folds)
            terms *= d
            gamma.accumulate(terms.sum(axis=(0, 2)).reshape(gamma.shape))
        if beta is not None and beta.requires_grad:
            beta.accumulate(d.sum(axis=(0, 2)).reshape(beta.shape))
        if not ctx.needs_input_grad[0]:
            return None
        if gamma is not None:
            d = d * gamma.array.reshape(-1, 1)
        return self._delta_x(ctx, d.reshape(ctx.x.shape)).reshape(delta.shape)

    def _layout(self, x: Array) -> tuple[tuple[int, int], tuple[int, int, int]]:
        """The shapes (rows, M) and (A, P, B) that x is read in, once it is known to fit."""
        raise NotImplementedError

    def _normalised(self, ctx: Ctx, x: Array) -> Array:
        """x̂ (rows, M), a fresh array; saves x and the statistics of each row."""
        raise NotImplementedError

    def _x_hat(self, ctx: Ctx) -> Array:
        """x̂ (rows, M) from what was saved, a fresh array."""
        raise NotImplementedError

    def _delta_x(self, ctx: Ctx, delta: Array) -> Array:
        """∂J/∂x from ∂J/∂x̂, both (rows, M)."""
        raise NotImplementedError


class _CentredNorm(_RowNorm):
    """Abstract: x̂ = (x - μ) / √(σ² + ε) of every row; to the kernels of batch norm, each row is a channel."""

    eps: float

    def _normalised(self, ctx: Ctx, x: Array) -> Array:
        ctx.x = x
        x_hat, ctx.mean, _, ctx.inv_std = kernels.batch_norm_train(x[None], None, None, self.eps)
        return x_hat[0]

    def _x_hat(self, ctx: Ctx) -> Array:
        return kernels.batch_norm_eval(ctx.x[None], ctx.mean, ctx.inv_std, None, None)[0]

    def _delta_x(self, ctx: Ctx, delta: Array) -> Array:
        needs = (True, False, False)
        delta_x, _, _ = kernels.batch_norm_train_backward(ctx.x[None], delta[None], None, ctx.mean, ctx.inv_std, needs)
        assert delta_x is not None  # it was asked for
        return delta_x[0]


class LayerNorm(_CentredNorm):
    """The last axes of every sample with mean β and standard deviation γ, number by number.

        x̂ = (x - μ) / √(σ² + ε)        y = γ ⊙ x̂ + β        μ and σ² over the M values of the last axes

        ∂J/∂γ = Σ δ ⊙ x̂        ∂J/∂β = Σ δ        d = γ ⊙ δ
        ∂J/∂x = (d - Σd / M - x̂ Σ(d ⊙ x̂) / M) / √(σ² + ε)

    Σ over the M values for d, over all else for γ and β. Training and evaluation mode do the same.

    Shapes: x, y and δ (…, *normalized_shape); γ = ``weight`` and β = ``bias`` of ``normalized_shape``.

    Args:
        normalized_shape: the sizes of the last axes, or the one size of the last axis.
        eps: ε, added to the variance.
        elementwise_affine: whether there are γ and β.
        bias: whether there is a β, if ``elementwise_affine``.

    Raises:
        ShapeError: x does not end in ``normalized_shape``.
        DtypeError: x is not of the parameters' dtype.
        OptionError: an empty ``normalized_shape``.

    Source: Ba, Kiros and Hinton, Layer normalization, 2016, equation 4.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        shape = self.normalized_shape = _shape(normalized_shape)
        self.eps = float(eps)
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(np.ones(shape, np.float32)) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape, np.float32)) if elementwise_affine and bias else None

    def _layout(self, x: Array) -> tuple[tuple[int, int], tuple[int, int, int]]:
        return _last_axes(x, self.normalized_shape, self)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class GroupNorm(_CentredNorm):
    """Every group of channels of every sample with mean 0 and variance 1; then γ and β for each channel.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the M values of a group

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        d = γ δ
        ∂J/∂x = (d - Σd / M - x̂ Σ(d x̂) / M) / √(σ² + ε)

    Σ over a group for d, over a channel of all samples for γ and β. One group is layer normalisation but for γ and β;
    as many groups as channels is instance normalisation. Training and evaluation mode do the same.

    Shapes: x, y and δ (N, C, …), with M = C / G times the product of the rest; γ = ``weight`` and β = ``bias`` (C,).

    Args:
        num_groups: G.
        num_channels: C, a multiple of G.
        eps: ε, added to the variance.
        affine: whether there are γ and β.
        bias: whether there is a β, if ``affine``.

    Raises:
        ShapeError: x has other channels, or there is only one value in all of a group's batch.
        DtypeError: x is not of the parameters' dtype.
        OptionError: C is not a multiple of G.

    Source: Wu and He, Group normalization, 2018, equations 1, 2 and 7.
    """

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *, bias: bool = True
    ) -> None:
        super().__init__()
        if num_groups < 1 or num_channels % num_groups:
            cure = "choose a divisor of the number of channels"
            got = f"num_groups={num_groups}, num_channels={num_channels}"
            raise OptionError("num_channels as a multiple of num_groups", got, cure)
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = float(eps)
        self.affine = affine
        self.weight = Parameter(np.ones(num_channels, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_channels, np.float32)) if affine and bias else None

    def _layout(self, x: Array) -> tuple[tuple[int, int], tuple[int, int, int]]:
        C, G = self.num_channels, self.num_groups
        if x.ndim < 2 or x.shape[1] != C:
            cure = "make num_channels of this layer the number of channels of x"
            raise ShapeError(f"x of shape (N, C={C}, …)", f"shape {x.shape}", cure)
        N, S = x.shape[0], prod(x.shape[2:])
        if N * (C // G) * S == 1:
            cure = "fewer groups, so that each has more than one value"
            raise ShapeError("more than one value in a group, to take a variance of", f"x of shape {x.shape}", cure)
        return (N * G, C // G * S), (N, C, S)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_RowNorm):
    """The last axes of every sample divided by their root mean square: layer normalisation without μ and β.

        x̂ = x / √(Σx² / M + ε)        y = γ ⊙ x̂        Σ over the M values of the last axes

        ∂J/∂γ = Σ δ ⊙ x̂        d = γ ⊙ δ
        ∂J/∂x = (d - x̂ Σ(d ⊙ x̂) / M) / √(Σx² / M + ε)

    Training and evaluation mode do the same.

    Shapes: x, y and δ (…, *normalized_shape); γ = ``weight`` of ``normalized_shape``.

    Args:
        normalized_shape: the sizes of the last axes, or the one size of the last axis.
        eps: ε; the distance from 1 to the next number of x's dtype (1.2e-7 in float32) if ``None``.
        elementwise_affine: whether there is a γ.

    Raises:
        ShapeError: x does not end in ``normalized_shape``.
        DtypeError: x is not of the parameters' dtype.
        OptionError: an empty ``normalized_shape``.

    Source: Zhang and Sennrich, Root mean square layer normalization, 2019, equation 4.
    """

    bias = None

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        super().__init__()
        shape = self.normalized_shape = _shape(normalized_shape)
        self.eps = None if eps is None else float(eps)
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(np.ones(shape, np.float32)) if elementwise_affine else None

    def _layout(self, x: Array) -> tuple[tuple[int, int], tuple[int, int, int]]:
        return _last_axes(x, self.normalized_shape, self)

    def _normalised(self, ctx: Ctx, x: Array) -> Array:
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        ctx.x = x
        ctx.inv_rms = 1 / array_module(x).sqrt((x * x).mean(axis=1, keepdims=True) + eps)  # (rows, 1)
        return x * ctx.inv_rms

    def _x_hat(self, ctx: Ctx) -> Array:
        return ctx.x * ctx.inv_rms

    def _delta_x(self, ctx: Ctx, delta: Array) -> Array:
        x_hat = self._x_hat(ctx)
        return (delta - x_hat * (delta * x_hat).mean(axis=1, keepdims=True)) * ctx.inv_rms

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    shape = (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    if not shape:
        raise OptionError("normalized_shape with at least one axis", f"{normalized_shape}", "LayerNorm(x.shape[-1])")
    return shape


def _last_axes(x: Array, shape: tuple[int, ...], layer: Any) -> tuple[tuple[int, int], tuple[int, int, int]]:
    n = len(shape)
    if tuple(x.shape[max(x.ndim - n, 0) :]) != shape:
        expected = f"x of shape ({', '.join(['…', *map(str, shape)])})"
        cure = f"make normalized_shape of this {type(layer).__name__} the last axes of x"
        raise ShapeError(expected, f"shape {tuple(x.shape)}", cure)
    rows, M = prod(x.shape[: x.ndim - n]), prod(shape)
    return (rows, M), (rows, M, 1)
