"""Losses."""

from __future__ import annotations

from typing import Any, Literal

from ..cross_entropy import CrossEntropyLoss, NLLLoss
from ..loss import BCELoss, BCEWithLogitsLoss, HuberLoss, L1Loss, MSELoss, SmoothL1Loss
from ..reduction import Reduction
from .run import Input, run

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "huber_loss",
    "l1_loss",
    "mse_loss",
    "nll_loss",
    "smooth_l1_loss",
]


def l1_loss(input: Input, target: Input, *, reduction: Reduction = "mean") -> Any:
    """Mean absolute error: :class:`~numnet.nn.L1Loss`."""
    return run(L1Loss(reduction=reduction), input, target)


def smooth_l1_loss(input: Input, target: Input, *, reduction: Reduction = "mean", beta: float = 1.0) -> Any:
    """Absolute error, rounded near 0: :class:`~numnet.nn.SmoothL1Loss`."""
    return run(SmoothL1Loss(reduction=reduction, beta=beta), input, target)


def huber_loss(input: Input, target: Input, reduction: Reduction = "mean", delta: float = 1.0) -> Any:
    """Squared error near 0, absolute far from it: :class:`~numnet.nn.HuberLoss`."""
    return run(HuberLoss(reduction, delta), input, target)


def mse_loss(input: Input, target: Input, *, reduction: Literal["mean", "sum", "half_sum", "none"] = "mean") -> Any:
    """Mean squared error: :class:`~numnet.nn.MSELoss`."""
    return run(MSELoss(reduction=reduction), input, target)


def binary_cross_entropy(
    input: Input, target: Input, weight: Input | None = None, *, reduction: Reduction = "mean"
) -> Any:
    """Binary cross-entropy of probabilities: :class:`~numnet.nn.BCELoss`."""
    return run(BCELoss(weight, reduction=reduction), input, target)


def binary_cross_entropy_with_logits(
    input: Input,
    target: Input,
    weight: Input | None = None,
    *,
    reduction: Reduction = "mean",
    pos_weight: Input | None = None,
) -> Any:
    """Binary cross-entropy of scores: :class:`~numnet.nn.BCEWithLogitsLoss`."""
    return run(BCEWithLogitsLoss(weight, reduction=reduction, pos_weight=pos_weight), input, target)


def cross_entropy(
    input: Input,
    target: Input,
    weight: Input | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Cross-entropy of scores with labels or class probabilities: :class:`~numnet.nn.CrossEntropyLoss`."""
    loss = CrossEntropyLoss(weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)
    return run(loss, input, target)


def nll_loss(
    input: Input,
    target: Input,
    weight: Input | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Any:
    """Negative log-likelihood from log-probabilities: :class:`~numnet.nn.NLLLoss`."""
    return run(NLLLoss(weight, ignore_index=ignore_index, reduction=reduction), input, target)
