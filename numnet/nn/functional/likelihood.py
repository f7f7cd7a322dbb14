"""Losses that are a negative log-likelihood, or a divergence."""

from __future__ import annotations

from typing import Any, Literal

from ...arrays import array_module
from ..likelihood import GaussianNLLLoss, KLDivLoss, PoissonNLLLoss
from ..reduction import Reduction
from .run import Input, array_of, run

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]


def kl_div(
    input: Input,
    target: Input,
    *,
    reduction: Literal["mean", "batchmean", "sum", "none"] = "mean",
    log_target: bool = False,
) -> Any:
    """Kullback-Leibler divergence: :class:`~numnet.nn.KLDivLoss`."""
    return run(KLDivLoss(reduction=reduction, log_target=log_target), input, target)


def poisson_nll_loss(
    input: Input,
    target: Input,
    log_input: bool = True,
    full: bool = False,
    *,
    eps: float = 1e-8,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood of counts: :class:`~numnet.nn.PoissonNLLLoss`."""
    return run(PoissonNLLLoss(log_input, full, eps=eps, reduction=reduction), input, target)


def gaussian_nll_loss(
    input: Input,
    target: Input,
    var: Input | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood with mean and variance, one number or many: :class:`~numnet.nn.GaussianNLLLoss`."""
    if isinstance(var, float | int):
        x: Any = array_of(input)
        var = array_module(x).full(x.shape, var, x.dtype)
    return run(GaussianNLLLoss(full=full, eps=eps, reduction=reduction), input, target, var)
