"""Layer, group and root-mean-square normalisation: every row of values by itself, in training and evaluation alike."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from .. import kernels
from ..arrays import Array
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..tensor import Parameter
from .expect import expect_floating
from .layer import Layer

__all__ = ["GroupNorm", "LayerNorm", "RMSNorm"]


class _CentredNorm(Layer):
    """Abstract: y = γ (x - μ) / √(σ² + ε) + β with μ and σ² of groups of channels of every sample.

    The subclass folds x into (A, P, B), where γ and β go along P, and says in how many groups P falls.
    """

    weight: Parameter | None  # γ, P numbers
    bias: Parameter | None  # β, P numbers
    eps: float

    def forward(self, ctx: Ctx, x: Array) -> Array:
        gamma, beta = _flat(self.weight), _flat(self.bias)
        expect_floating(x, None if gamma is None else gamma.dtype)
        ctx.x = x.reshape(self._folds(x))  # (A, P, B)
        y, ctx.mean, ctx.inv_std = kernels.group_norm(ctx.x, gamma, beta, self._groups(), self.eps)
        return y.reshape(x.shape)

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        gamma = _flat(self.weight)
        needs_gamma, needs_beta = (p is not None and p.requires_grad for p in (self.weight, self.bias))
        needs = (ctx.needs_input_grad[0], needs_gamma, needs_beta)
        d = delta.reshape(ctx.x.shape)
        deltas = kernels.group_norm_backward(ctx.x, d, gamma, self._groups(), ctx.mean, ctx.inv_std, needs)
        for parameter, gradient in zip((self.weight, self.bias), deltas[1:], strict=True):
            if parameter is not None and gradient is not None:
                parameter.accumulate(gradient.reshape(parameter.shape))
        return None if deltas[0] is None else deltas[0].reshape(delta.shape)

    def _folds(self, x: Array) -> tuple[int, int, int]:
        """(A, P, B), once x is known to fit."""
        raise NotImplementedError

    def _groups(self) -> int:
        raise NotImplementedError


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

    def _folds(self, x: Array) -> tuple[int, int, int]:
        return *_last_axes(x, self.normalized_shape, self), 1

    def _groups(self) -> int:
        return 1

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

    def _folds(self, x: Array) -> tuple[int, int, int]:
        C, G = self.num_channels, self.num_groups
        if x.ndim < 2 or x.shape[1] != C:
            cure = "make num_channels of this layer the number of channels of x"
            raise ShapeError(f"x of shape (N, C={C}, …)", f"shape {x.shape}", cure)
        N, S = x.shape[0], prod(x.shape[2:])
        if N * (C // G) * S == 1:
            cure = "fewer groups, so that each has more than one value"
            raise ShapeError("more than one value in a group, to take a variance of", f"x of shape {x.shape}", cure)
        return N, C, S

    def _groups(self) -> int:
        return self.num_groups

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(Layer):
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

    def __init__(
        self, normalized_shape: int | Sequence[int], eps: float | None = None, elementwise_affine: bool = True
    ) -> None:
        super().__init__()
        shape = self.normalized_shape = _shape(normalized_shape)
        self.eps = None if eps is None else float(eps)
        self.elementwise_affine = elementwise_affine
        self.weight = Parameter(np.ones(shape, np.float32)) if elementwise_affine else None

    def forward(self, ctx: Ctx, x: Array) -> Array:
        gamma = _flat(self.weight)
        expect_floating(x, None if gamma is None else gamma.dtype)
        eps = float(np.finfo(x.dtype).eps) if self.eps is None else self.eps
        ctx.x = x.reshape(_last_axes(x, self.normalized_shape, self))  # (rows, M)
        y, ctx.inv_rms = kernels.rms_norm(ctx.x, gamma, eps)
        return y.reshape(x.shape)

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        W = self.weight
        gamma = _flat(W)
        needs = (ctx.needs_input_grad[0], W is not None and W.requires_grad)
        delta_x, d_gamma = kernels.rms_norm_backward(ctx.x, delta.reshape(ctx.x.shape), gamma, ctx.inv_rms, needs)
        if W is not None and d_gamma is not None:
            W.accumulate(d_gamma.reshape(W.shape))
        return None if delta_x is None else delta_x.reshape(delta.shape)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


def _flat(p: Parameter | None) -> Array | None:
    return None if p is None else p.array.reshape(-1)


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    shape = (normalized_shape,) if isinstance(normalized_shape, int | np.integer) else tuple(normalized_shape)
    if not shape:
        raise OptionError("normalized_shape with at least one axis", f"{normalized_shape}", "LayerNorm(x.shape[-1])")
    return shape


def _last_axes(x: Array, shape: tuple[int, ...], layer: Layer) -> tuple[int, int]:
    """(rows, M), the numbers of all other axes and of the last ones, once x is known to end in ``shape``."""
    n = len(shape)
    if tuple(x.shape[max(x.ndim - n, 0) :]) != shape:
        expected = f"x of shape ({', '.join(['…', *map(str, shape)])})"
        cure = f"make normalized_shape of this {type(layer).__name__} the last axes of x"
        raise ShapeError(expected, f"shape {tuple(x.shape)}", cure)
    return prod(x.shape[: x.ndim - n]), prod(shape)
