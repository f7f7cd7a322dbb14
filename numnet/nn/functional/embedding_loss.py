"""Losses of embeddings, and their distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..distance import CosineSimilarity, PairwiseDistance
from ..embedding_loss import CosineEmbeddingLoss, TripletMarginLoss, TripletMarginWithDistanceLoss
from ..reduction import Reduction
from .run import Input, run

__all__ = [
    "cosine_embedding_loss",
    "cosine_similarity",
    "pairwise_distance",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


def pairwise_distance(x1: Input, x2: Input, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """Distance of each row from the same row of another array: :class:`~numnet.nn.PairwiseDistance`."""
    return run(PairwiseDistance(p, eps, keepdim), x1, x2)


def cosine_similarity(x1: Input, x2: Input, dim: int = 1, eps: float = 1e-8) -> Any:
    """Cosine of the angle along an axis: :class:`~numnet.nn.CosineSimilarity`."""
    return run(CosineSimilarity(dim, eps), x1, x2)


def cosine_embedding_loss(
    input1: Input, input2: Input, target: Input, margin: float = 0.0, *, reduction: Reduction = "mean"
) -> Any:
    """Angles of pairs: :class:`~numnet.nn.CosineEmbeddingLoss`."""
    return run(CosineEmbeddingLoss(margin, reduction=reduction), input1, input2, target)


def triplet_margin_loss(
    anchor: Input,
    positive: Input,
    negative: Input,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: Reduction = "mean",
) -> Any:
    """Closer to the positive than to the negative: :class:`~numnet.nn.TripletMarginLoss`."""
    return run(TripletMarginLoss(margin, p, eps, swap, reduction=reduction), anchor, positive, negative)


def triplet_margin_with_distance_loss(
    anchor: Input,
    positive: Input,
    negative: Input,
    *,
    distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: Reduction = "mean",
) -> Any:
    """The same with a distance of your own: :class:`~numnet.nn.TripletMarginWithDistanceLoss`."""
    loss = TripletMarginWithDistanceLoss(
        distance_function=distance_function, margin=margin, swap=swap, reduction=reduction
    )
    return loss(anchor, positive, negative)
