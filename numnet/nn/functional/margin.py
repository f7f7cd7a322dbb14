"""Losses with a margin."""

from __future__ import annotations

from typing import Any

from ..margin import (
    HingeEmbeddingLoss,
    MarginRankingLoss,
    MultiLabelMarginLoss,
    MultiLabelSoftMarginLoss,
    MultiMarginLoss,
    SoftMarginLoss,
)
from ..reduction import Reduction
from .run import Input, run

__all__ = [
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
]


def hinge_embedding_loss(input: Input, target: Input, margin: float = 1.0, *, reduction: Reduction = "mean") -> Any:
    """Hinge loss of distances of pairs: :class:`~numnet.nn.HingeEmbeddingLoss`."""
    return run(HingeEmbeddingLoss(margin, reduction=reduction), input, target)


def margin_ranking_loss(
    input1: Input, input2: Input, target: Input, margin: float = 0.0, *, reduction: Reduction = "mean"
) -> Any:
    """Hinge loss of the order of two scores: :class:`~numnet.nn.MarginRankingLoss`."""
    return run(MarginRankingLoss(margin, reduction=reduction), input1, input2, target)


def soft_margin_loss(input: Input, target: Input, *, reduction: Reduction = "mean") -> Any:
    """Logistic loss of 1 and -1: :class:`~numnet.nn.SoftMarginLoss`."""
    return run(SoftMarginLoss(reduction=reduction), input, target)


def multi_margin_loss(
    input: Input,
    target: Input,
    p: int = 1,
    margin: float = 1.0,
    weight: Input | None = None,
    *,
    reduction: Reduction = "mean",
) -> Any:
    """Hinge loss of several classes: :class:`~numnet.nn.MultiMarginLoss`."""
    return run(MultiMarginLoss(p, margin, weight, reduction=reduction), input, target)


def multilabel_margin_loss(input: Input, target: Input, *, reduction: Reduction = "mean") -> Any:
    """Hinge loss with several right classes a row: :class:`~numnet.nn.MultiLabelMarginLoss`."""
    return run(MultiLabelMarginLoss(reduction=reduction), input, target)


def multilabel_soft_margin_loss(
    input: Input, target: Input, weight: Input | None = None, *, reduction: Reduction = "mean"
) -> Any:
    """Logistic loss with several right classes a row: :class:`~numnet.nn.MultiLabelSoftMarginLoss`."""
    return run(MultiLabelSoftMarginLoss(weight, reduction=reduction), input, target)
