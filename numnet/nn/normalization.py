"""Batch and instance normalisation: the statistics of a channel, for every number of spatial axes written once."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Literal

import numpy as np

from .. import kernels
from ..arrays import Array, array_module
from ..call import Ctx
from ..errors import OptionError, ShapeError
from ..tensor import Parameter
from .expect import expect_floating, expect_shape, warn_if_predicting
from .layer import Layer

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]

MomentumConvention = Literal["torch", "keras"]


class _ChannelNorm(Layer):
    """Abstract: every channel normalised over the batch, or in each sample by itself, or by running statistics.

    A subclass says which shapes it takes; its docstring has the formulas.
    """

    shapes: ClassVar[tuple[str, ...]]
    by_sample: ClassVar[bool]
    """Whether each sample has statistics of its own, as if it were a batch of one."""
    too_few: ClassVar[str]
    """The cure for a channel of a single value."""
    running_mean: Array  # (C,); these three are None where nothing is tracked
    running_var: Array  # (C,)
    num_batches_tracked: Array  # ()

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        affine: bool,
        track_running_stats: bool,
        bias: bool,
        momentum_convention: MomentumConvention,
    ) -> None:
        super().__init__()
        if momentum_convention not in ("torch", "keras"):
            got = f"momentum_convention={momentum_convention!r}"
            raise OptionError('momentum_convention "torch" or "keras"', got, "choose one of these")
        self.num_features = num_features
        self.eps = float(eps)
        self.momentum = None if momentum is None else float(momentum)
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.momentum_convention = momentum_convention
        self.weight = Parameter(np.ones(num_features, np.float32)) if affine else None
        self.bias = Parameter(np.zeros(num_features, np.float32)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", np.zeros(num_features, np.float32) if tracked else None)
        self.register_buffer("running_var", np.ones(num_features, np.float32) if tracked else None)
        self.register_buffer("num_batches_tracked", np.zeros((), np.int64) if tracked else None)

    def forward(self, ctx: Ctx, x: Array) -> Array:
        gamma, beta = (None if p is None else p.array for p in (self.weight, self.bias))
        letters = self._expect(x, gamma)
        shape = x.shape
        N, C = (shape[0] if letters.startswith("N") else 1), self.num_features
        ctx.measured = self.training or self.running_mean is None
        copies = N if self.by_sample and ctx.measured else 1  # a sample with statistics of its own: channels of its own
        S = prod(shape[letters.split().index("C") + 1 :])
        x = ctx.x = x.reshape(1 if copies == N else N, copies * C, S)
        gamma, beta = (_repeated(a, copies) for a in (gamma, beta))
        if ctx.measured:
            M = x.shape[0] * x.shape[2]
            if M < 2:
                expected = "more than one value per channel, to take a variance of"
                raise ShapeError(expected, f"x of shape {shape}", self.too_few)
            y, ctx.mean, var, ctx.inv_std = kernels.batch_norm_train(x, gamma, beta, self.eps)
            if self.training and self.running_mean is not None and copies:
                warn_if_predicting(self, "it goes by this batch, and moves its running statistics")
                unbiased = var * (M / (M - 1))
                self._track(_summed(ctx.mean, copies, C) / copies, _summed(unbiased, copies, C) / copies)
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
        copies = ctx.x.shape[1] // self.num_features
        W = None if gamma is None else _repeated(gamma.array, copies)
        if ctx.measured:
            deltas = kernels.batch_norm_train_backward(ctx.x, d, W, ctx.mean, ctx.inv_std, needs)
        else:
            deltas = kernels.batch_norm_eval_backward(ctx.x, d, ctx.mean, ctx.inv_std, W, needs)
        for parameter, gradient in zip((gamma, beta), deltas[1:], strict=True):
            if parameter is not None and gradient is not None:
                parameter.accumulate(_summed(gradient, copies, self.num_features))
        return None if deltas[0] is None else deltas[0].reshape(delta.shape)

    def _track(self, mean: Array, var: Array) -> None:
        """Move the running statistics towards those of this batch, in place."""
        m = self._newest()
        self.running_mean *= 1 - m
        self.running_mean += m * mean
        self.running_var *= 1 - m
        self.running_var += m * var

    def _newest(self) -> float:
        """The weight of this batch in the running statistics."""
        raise NotImplementedError

    def _expect(self, x: Array, gamma: Array | None) -> str:
        """The letters of the shape of x."""
        like = self.running_mean if gamma is None else gamma
        expect_floating(x, None if like is None else like.dtype)
        letters = next((shape for shape in self.shapes if len(shape.split()) == x.ndim), self.shapes[-1])
        cure = "make num_features of this layer the number of channels of x"
        if x.ndim not in (len(shape.split()) for shape in self.shapes):
            cure = f"{type(self).__name__} takes ({') or ('.join(self.shapes)}); x[None] makes a batch of one"
        expect_shape(x, letters, {"C": self.num_features}, cure)
        return letters

    def extra_repr(self) -> str:
        convention = "" if self.momentum_convention == "torch" else f", momentum_convention={self.momentum_convention}"
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}{convention}"
        )


def _repeated(a: Array | None, times: int) -> Array | None:
    """The numbers of every channel for every sample."""
    return a if a is None or times == 1 else array_module(a).tile(a, times)


def _summed(a: Array, times: int, channels: int) -> Array:
    """The way back: the numbers of every channel added up over the samples."""
    return a if times == 1 else a.reshape(times, channels).sum(axis=0)


class _BatchNorm(_ChannelNorm):
    """Abstract: the statistics of a channel are those of the batch."""

    by_sample = False
    too_few = "leave out a last batch of one sample; or net.eval(), which uses the running statistics"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        momentum_convention: MomentumConvention = "torch",
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, momentum_convention)

    def _newest(self) -> float:
        counted: Any = self.num_batches_tracked
        if counted is not None:  # functional.batch_norm does not count
            counted += 1
        if self.momentum is None:
            return 1 / int(counted)
        return 1 - self.momentum if self.momentum_convention == "keras" else self.momentum


class BatchNorm1d(_BatchNorm):
    """Every feature of a batch with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the M values of a feature

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - ∂J/∂β / M - x̂ ∂J/∂γ / M)

    In evaluation mode μ and σ² are the running statistics, which are constants: ∂J/∂x = γ / √(σ² + ε) δ. A forward in
    training mode moves these: running ← (1 - momentum) running + momentum · (μ, or the unbiased σ² M / (M - 1)).

    Keras turns the word round: its momentum weighs the *old* value. From 0, after one batch with μ = 10:

        momentum=0.1: 0.9 · 0 + 0.1 · 10 = 1        momentum=0.9, momentum_convention="keras": 0.9 · 0 + 0.1 · 10 = 1

    and ``momentum=0.99`` in a network from Keras is 0.01 here. (Keras also has ε = 0.001 by default and keeps the
    biased σ².)

    Shapes: x, y and δ (N, C) or (N, C, L); γ = ``weight``, β = ``bias``, μ and σ² (C,).

    Args:
        num_features: C.
        eps: ε, added to the variance.
        momentum: the weight of the newest batch in the running statistics; their plain average if ``None``.
        affine: whether there are γ and β.
        track_running_stats: whether there are running statistics. Without, evaluation mode takes the batch's own.
        bias: whether there is a β, if ``affine``.
        momentum_convention: ``"torch"``, or ``"keras"`` where ``momentum`` is the weight of the old value.

    Raises:
        ShapeError: x has another number of axes or features, or in training mode a single value per feature.
        DtypeError: x is not of the parameters' dtype.
        OptionError: another ``momentum_convention``.

    Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training, 2015, algorithms 1 and 2.
    """

    shapes = ("N C", "N C L")


class BatchNorm2d(_BatchNorm):
    """Every channel of a batch of images with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the M = N · H · W values of a channel

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - ∂J/∂β / M - x̂ ∂J/∂γ / M)

    Shapes: x, y and δ (N, C, H, W); γ = ``weight``, β = ``bias``, μ and σ² (C,).

    Running statistics, Args and Raises: those of :class:`BatchNorm1d`.

    Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training, 2015, section 3.2.
    """

    shapes = ("N C H W",)


class BatchNorm3d(_BatchNorm):
    """Every channel of a batch of volumes with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the M = N · D · H · W values of a channel

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - ∂J/∂β / M - x̂ ∂J/∂γ / M)

    Shapes: x, y and δ (N, C, D, H, W); γ = ``weight``, β = ``bias``, μ and σ² (C,).

    Running statistics, Args and Raises: those of :class:`BatchNorm1d`.

    Source: Ioffe and Szegedy, Batch normalization: accelerating deep network training, 2015, section 3.2.
    """

    shapes = ("N C D H W",)


class _InstanceNorm(_ChannelNorm):
    """Abstract: the statistics of a channel are those of each sample."""

    by_sample = True
    too_few = "normalise before the spatial axes have shrunk to one value"

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
        momentum_convention: MomentumConvention = "torch",
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias, momentum_convention)

    def _newest(self) -> float:
        if self.momentum is None:
            return 0.0  # as in PyTorch, which counts no batches here
        return 1 - self.momentum if self.momentum_convention == "keras" else self.momentum


class InstanceNorm1d(_InstanceNorm):
    """Every channel of every sequence by itself with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the L values of a channel of one sample

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - Σₗ δ / L - x̂ Σₗ δ x̂ / L)

    In evaluation mode it does the same, unless it tracks: then μ and σ² are the running statistics, constants, and
    ∂J/∂x = γ / √(σ² + ε) δ. A forward in training mode moves these by the average over the samples: running ←
    (1 - momentum) running + momentum · (mean of μ, or of the unbiased σ² L / (L - 1)).

    Shapes: x, y and δ (N, C, L) or (C, L); γ = ``weight`` and β = ``bias`` (C,).

    Args:
        num_features: C.
        eps: ε, added to the variance.
        momentum: the weight of the newest batch in the running statistics, which stand still if it is ``None``.
        affine: whether there are γ and β; not by default.
        track_running_stats: whether there are running statistics; not by default.
        bias: whether there is a β, if ``affine``.
        momentum_convention: as for :class:`BatchNorm1d`.

    Raises:
        ShapeError: x has another number of axes or channels, or channels of a single value.
        DtypeError: x is not of the parameters' dtype.
        OptionError: another ``momentum_convention``.

    Source: Ulyanov, Vedaldi and Lempitsky, Instance normalization: the missing ingredient for fast stylization, 2016.
    """

    shapes = ("C L", "N C L")


class InstanceNorm2d(_InstanceNorm):
    """Every channel of every image by itself with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the S = H · W values of a channel of one sample

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - Σₛ δ / S - x̂ Σₛ δ x̂ / S)

    Shapes: x, y and δ (N, C, H, W) or (C, H, W); γ = ``weight`` and β = ``bias`` (C,).

    Running statistics, Args and Raises: those of :class:`InstanceNorm1d`.

    Source: Ulyanov, Vedaldi and Lempitsky, Instance normalization: the missing ingredient for fast stylization, 2016.
    """

    shapes = ("C H W", "N C H W")


class InstanceNorm3d(_InstanceNorm):
    """Every channel of every volume by itself with mean β and standard deviation γ.

        x̂ = (x - μ) / √(σ² + ε)        y = γ x̂ + β        μ and σ² over the S = D · H · W values of a channel

        ∂J/∂γ = Σ δ x̂        ∂J/∂β = Σ δ        ∂J/∂x = γ / √(σ² + ε) (δ - Σₛ δ / S - x̂ Σₛ δ x̂ / S)

    Shapes: x, y and δ (N, C, D, H, W) or (C, D, H, W); γ = ``weight`` and β = ``bias`` (C,).

    Running statistics, Args and Raises: those of :class:`InstanceNorm1d`.

    Source: Ulyanov, Vedaldi and Lempitsky, Instance normalization: the missing ingredient for fast stylization, 2016.
    """

    shapes = ("C D H W", "N C D H W")
