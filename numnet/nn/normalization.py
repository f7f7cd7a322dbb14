"""Batch normalisation, written once for every number of spatial axes."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import ShapeError
from ..tensor import Parameter
from .expect import expect_floating, expect_shape
from .layer import Layer

__all__ = ["BatchNorm1d", "BatchNorm2d"]


class _BatchNorm(Layer):
    """Abstract: batch normalisation. A subclass says which shapes it takes; its docstring has the formulas."""

    shapes: ClassVar[tuple[str, ...]]
    running_mean: Array  # (C,); these three are None where nothing is tracked
    running_var: Array  # (C,)
    num_batches_tracked: Array  # ()

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = float(eps)
        self.momentum = None if momentum is None else float(momentum)
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_features, np.float32)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, np.float32) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, np.float32) if tracked else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if tracked else None)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        gamma, beta = (None if p is None else p.data for p in (self.weight, self.bias))
        self._expect(x, gamma)
        shape = x.shape
        x = ctx.x = x.reshape(*shape[:2], prod(shape[2:]))  # (N, C, S)
        ctx.by_batch = self.training or self.running_mean is None
        if ctx.by_batch:
            M = x.shape[0] * x.shape[2]
            if M < 2:
                cure = "a larger batch (DataLoader's drop_last=True), or net.eval(), which uses the running statistics"
                raise ShapeError("more than one value per channel, to take a variance of", f"x of shape {shape}", cure)
            y, ctx.mean, var, ctx.inv_std = kernels.batch_norm_train(x, gamma, beta, self.eps)
            if self.training and self.running_mean is not None:
                self._track(ctx.mean, var * (M / (M - 1)))  # the unbiased variance
        else:
            ctx.mean = self.running_mean.copy()  # ours: a call in training mode changes the buffer in place
            ctx.inv_std = 1 / array_module(x).sqrt(self.running_var + self.eps)
            y = kernels.batch_norm_eval(x, ctx.mean, ctx.inv_std, gamma, beta)
        return y.reshape(shape)

    def backward(self, ctx: Ctx, delta: Array) -> Array | None:
        gamma, beta = self.weight, self.bias
        needs_gamma, needs_beta = (p is not None and p.requires_grad for p in (gamma, beta))
        needs = (ctx.needs_input_grad[0], needs_gamma, needs_beta)
        d = delta.reshape(ctx.x.shape)  # (N, C, S)
        W = None if gamma is None else gamma.data
        if ctx.by_batch:
            deltas = kernels.batch_norm_train_backward(ctx.x, d, W, ctx.mean, ctx.inv_std, needs)
        else:
            deltas = kernels.batch_norm_eval_backward(ctx.x, d, ctx.mean, ctx.inv_std, W, needs)
        for parameter, gradient in zip((gamma, beta), deltas[1:], strict=True):
            if parameter is not None and gradient is not None:
                parameter.accumulate(gradient)
        return None if deltas[0] is None else deltas[0].reshape(delta.shape)

    def _track(self, mean: Array, var: Array) -> None:
        """Move the running statistics towards those of this batch, in place."""
        counted: Any = self.num_batches_tracked
        if counted is not None:  # functional.batch_norm does not count
            counted += 1
        m = 1 / int(counted) if self.momentum is None else self.momentum
        self.running_mean *= 1 - m
        self.running_mean += m * mean
        self.running_var *= 1 - m
        self.running_var += m * var

    def _expect(self, x: Array, gamma: Array | None) -> None:
        like = self.running_mean if gamma is None else gamma
        expect_floating(x, None if like is None else like.dtype)
        letters = next((shape for shape in self.shapes if len(shape.split()) == x.ndim), self.shapes[-1])
        cure = "make num_features of this layer the number of channels of x"
        if x.ndim not in (len(shape.split()) for shape in self.shapes):
            cure = f"{type(self).__name__} takes ({') or ('.join(self.shapes)}); x[None] makes a batch of one"
        expect_shape(x, letters, {"C": self.num_features}, cure)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """Every feature of a batch with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the M values of a feature

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - ∂J/∂β / M - x̂ ∂J/∂γ / M)

    In evaluation mode μ and σ² are the running statistics, which are constants: ∂J/∂x = γ / √(σ² + ε) δ. A forward in
    training mode moves these: running ← (1 - momentum) running + momentum · (μ, or the unbiased σ² M / (M - 1)).

    Shapes: x, y and δ (N, C) or (N, C, L); γ = ``weight``, β = ``bias``, μ and σ² (C,).

    Args:
        num_features: C.
        eps: ε, added to the variance.
        momentum: the weight of the newest batch in the running statistics; their plain average if ``None``.
        affine: whether there are γ and β.
        track_running_stats: whether there are running statistics. Without, evaluation mode takes the batch's own.
        bias: whether there is a β, if ``affine``.

    Raises:
        ShapeError: x has another number of axes or features, or in training mode a single value per feature.
        DtypeError: x is not of the parameters' dtype.

    Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training, 2015, algorithms 1 and 2.
    """

    shapes = ("N C", "N C L")


class BatchNorm2d(_BatchNorm):
    """Every channel of a batch of images with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the M = N · H · W values of a channel

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - ∂J/∂β / M - x̂ ∂J/∂γ / M)

    In evaluation mode μ and σ² are the running statistics, which are constants: ∂J/∂x = γ / √(σ² + ε) δ. A forward in
    training mode moves these: running ← (1 - momentum) running + momentum · (μ, or the unbiased σ² M / (M - 1)).

    Shapes: x, y and δ (N, C, H, W); γ = ``weight``, β = ``bias``, μ and σ² (C,).

    Args:
        num_features: C.
        eps: ε, added to the variance.
        momentum: the weight of the newest batch in the running statistics; their plain average if ``None``.
        affine: whether there are γ and β.
        track_running_stats: whether there are running statistics. Without, evaluation mode takes the batch's own.
        bias: whether there is a β, if ``affine``.

    Raises:
        ShapeError: x has another number of axes or channels, or in training mode a single value per channel.
        DtypeError: x is not of the parameters' dtype.

    Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training, 2015, section 3.2.
    """

    shapes = ("N C H W",)
