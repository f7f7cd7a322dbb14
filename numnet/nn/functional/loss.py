"""Losses."""

from __future__ import annotations

from typing import Any

from ..cross_entropy import CrossEntropyLoss, NLLLoss
from ..loss import BCELoss, BCEWithLogitsLoss, MSELoss
from ..reduction import Reduction
from .run import Input, run

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "mse_loss", "nll_loss"]


def mse_loss(input: Input, target: Input, *, reduction: Reduction = "mean") -> Any:
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
