"""Losses of margins, likelihoods, embeddings and sequences."""

from __future__ import annotations

import numpy as np
from contract import RNG, Example, numbers

from numnet import nn


def signs(*shape: int) -> np.ndarray:
    return RNG.choice([-1, 1], shape)


def rates(*shape: int) -> np.ndarray:
    return 0.2 + np.abs(numbers(*shape))


def log_probabilities(*shape: int) -> np.ndarray:
    return np.log(RNG.uniform(0.1, 0.9, shape))


THREE = numbers(4, 3), numbers(4, 3), numbers(4, 3)
CLASSES = np.array([[2, 0, -1], [1, -1, 0], [-1, 2, 2], [0, 2, 1]])
LENGTHS = np.array([4, 3]), np.array([2, 1])

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.L1Loss: [
        Example(nn.L1Loss, (numbers(4, 3), numbers(4, 3) + 0.1)),
        Example(lambda: nn.L1Loss(reduction="none"), (numbers(4), numbers(4) + 0.1)),
    ],
    nn.SmoothL1Loss: [
        Example(nn.SmoothL1Loss, (numbers(4, 3), numbers(4, 3) + 0.1)),
        Example(lambda: nn.SmoothL1Loss(beta=0.3, reduction="sum"), (numbers(6), numbers(6) + 0.1)),
        Example(lambda: nn.SmoothL1Loss(beta=0.0), (numbers(6), numbers(6) + 0.1)),
    ],
    nn.HuberLoss: [
        Example(nn.HuberLoss, (numbers(4, 3), numbers(4, 3) + 0.1)),
        Example(lambda: nn.HuberLoss("none", 0.3), (numbers(6), numbers(6) + 0.1)),
    ],
    nn.KLDivLoss: [
        Example(lambda: nn.KLDivLoss(reduction="batchmean"), (log_probabilities(4, 3), rates(4, 3))),
        Example(lambda: nn.KLDivLoss(log_target=True), (log_probabilities(4, 3), log_probabilities(4, 3))),
    ],
    nn.PoissonNLLLoss: [
        Example(lambda: nn.PoissonNLLLoss(full=True), (numbers(4, 3), 2 * rates(4, 3))),
        Example(lambda: nn.PoissonNLLLoss(False, True, reduction="none"), (rates(5), 2 * rates(5))),
    ],
    nn.GaussianNLLLoss: [
        Example(nn.GaussianNLLLoss, (numbers(4, 3), numbers(4, 3), rates(4, 3))),
        Example(lambda: nn.GaussianNLLLoss(full=True, reduction="none"), (numbers(4, 3), numbers(4, 1), rates(4))),
    ],
    nn.HingeEmbeddingLoss: [
        Example(nn.HingeEmbeddingLoss, (numbers(4, 3), signs(4, 3))),
        Example(lambda: nn.HingeEmbeddingLoss(0.3, reduction="none"), (numbers(5), signs(5).astype(float))),
    ],
    nn.MarginRankingLoss: [
        Example(nn.MarginRankingLoss, (numbers(4, 3), numbers(4, 3) + 0.1, signs(4, 3))),
        Example(lambda: nn.MarginRankingLoss(0.7, reduction="sum"), (numbers(5), numbers(5) + 0.1, signs(5))),
    ],
    nn.SoftMarginLoss: [
        Example(nn.SoftMarginLoss, (numbers(4, 3), signs(4, 3))),
        Example(lambda: nn.SoftMarginLoss(reduction="none"), (numbers(5), signs(5))),
    ],
    nn.MultiMarginLoss: [
        Example(nn.MultiMarginLoss, (numbers(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.MultiMarginLoss(2, 0.7, np.array([1.0, 2.0, 0.5]), reduction="none"),
            (numbers(4, 3), np.array([0, 2, 1, 2])),
        ),
    ],
    nn.MultiLabelMarginLoss: [
        Example(nn.MultiLabelMarginLoss, (numbers(4, 3), CLASSES)),
        Example(lambda: nn.MultiLabelMarginLoss(reduction="none"), (numbers(4, 3), CLASSES[::-1].copy())),
    ],
    nn.MultiLabelSoftMarginLoss: [
        Example(nn.MultiLabelSoftMarginLoss, (numbers(4, 3), RNG.random((4, 3)))),
        Example(
            lambda: nn.MultiLabelSoftMarginLoss(np.array([1.0, 2.0, 0.5]), reduction="none"),
            (numbers(4, 3), RNG.integers(0, 2, (4, 3)).astype(float)),
        ),
    ],
    nn.CosineEmbeddingLoss: [
        Example(nn.CosineEmbeddingLoss, (*THREE[:2], np.array([1, -1, -1, 1]))),
        Example(lambda: nn.CosineEmbeddingLoss(-0.5, reduction="none"), (*THREE[:2], signs(4))),
    ],
    nn.TripletMarginLoss: [
        Example(nn.TripletMarginLoss, THREE),
        Example(lambda: nn.TripletMarginLoss(4.0, 3.0, swap=True, reduction="none"), THREE),
        Example(lambda: nn.TripletMarginLoss(4.0, np.inf, swap=True), THREE),
    ],
    nn.PairwiseDistance: [
        Example(nn.PairwiseDistance, THREE[:2]),
        Example(lambda: nn.PairwiseDistance(1.0, keepdim=True), THREE[:2]),
    ],
    nn.CosineSimilarity: [
        Example(nn.CosineSimilarity, THREE[:2]),
        Example(lambda: nn.CosineSimilarity(dim=-1), THREE[:2]),
    ],
    nn.CTCLoss: [
        Example(nn.CTCLoss, (log_probabilities(4, 2, 3), np.array([[1, 1], [2, 0]]), *LENGTHS)),
        Example(
            lambda: nn.CTCLoss(2, "none", zero_infinity=True),
            (log_probabilities(4, 2, 3), np.array([0, 1, 1]), *LENGTHS),
        ),
        Example(
            lambda: nn.CTCLoss(reduction="sum"),
            (log_probabilities(4, 3), np.array([2, 1]), np.array(4), np.array(2)),
        ),
    ],
}
