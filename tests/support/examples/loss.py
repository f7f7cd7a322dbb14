"""Losses, and the distances that some of them take."""

from __future__ import annotations

import numpy as np
from contract import RNG, Example, numbers

from numnet import nn


def probabilities(*shape: int) -> np.ndarray:
    return 0.05 + 0.9 * RNG.random(shape)


def labels(*shape: int, classes: int) -> np.ndarray:
    return RNG.integers(0, classes, shape)


def one_hot_mix(n: int, classes: int) -> np.ndarray:
    p = RNG.random((n, classes))
    return p / p.sum(1, keepdims=True)


def log_probabilities(*shape: int) -> np.ndarray:
    z = numbers(*shape)
    return z - np.log(np.exp(z).sum(1, keepdims=True))


def signs(*shape: int) -> np.ndarray:
    return RNG.choice([-1, 1], shape)


def rates(*shape: int) -> np.ndarray:
    return 0.2 + np.abs(numbers(*shape))


def negatives(*shape: int) -> np.ndarray:
    return np.log(RNG.uniform(0.1, 0.9, shape))


# Scaled and shifted apart, whatever was drawn: no difference is 0, and no two in a row are equal.
THREE = numbers(4, 3), 1.1 * numbers(4, 3) + 0.13, 0.9 * numbers(4, 3) - 0.19
CLASSES = np.array([[2, 0, -1], [1, -1, 0], [-1, 2, 2], [0, 2, 1]])
LENGTHS = np.array([4, 3]), np.array([2, 1])

EXAMPLES: dict[type[nn.Layer], list[Example]] = {
    nn.MSELoss: [
        Example(nn.MSELoss, (numbers(4, 3), numbers(4, 3))),
        Example(lambda: nn.MSELoss(reduction="none"), (numbers(4), numbers(4))),
    ],
    nn.CrossEntropyLoss: [
        Example(nn.CrossEntropyLoss, (numbers(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.CrossEntropyLoss(weight=np.array([1.0, 2.0, 0.5]), label_smoothing=0.2, ignore_index=1),
            (numbers(4, 3), np.array([0, 2, 1, 2])),
        ),
        Example(lambda: nn.CrossEntropyLoss(reduction="sum"), (numbers(4, 3), one_hot_mix(4, 3))),
        Example(nn.CrossEntropyLoss, (numbers(2, 3, 2, 2), labels(2, 2, 2, classes=3))),
    ],
    nn.NLLLoss: [
        Example(nn.NLLLoss, (log_probabilities(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.NLLLoss(np.array([1.0, 2.0, 0.5]), reduction="none"),
            (log_probabilities(4, 3), labels(4, classes=3)),
        ),
    ],
    nn.BCELoss: [
        Example(nn.BCELoss, (probabilities(4, 2), probabilities(4, 2))),
        Example(lambda: nn.BCELoss(reduction="sum"), (probabilities(5), RNG.integers(0, 2, 5).astype(float))),
    ],
    nn.BCEWithLogitsLoss: [
        Example(nn.BCEWithLogitsLoss, (numbers(4, 2), probabilities(4, 2))),
        Example(
            lambda: nn.BCEWithLogitsLoss(weight=np.array([1.0, 0.5]), pos_weight=np.array([3.0, 2.0])),
            (numbers(4, 2), probabilities(4, 2)),
        ),
    ],
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
        Example(lambda: nn.KLDivLoss(reduction="batchmean"), (negatives(4, 3), rates(4, 3))),
        Example(lambda: nn.KLDivLoss(log_target=True), (negatives(4, 3), negatives(4, 3))),
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
        Example(nn.MultiMarginLoss, (1.1 * numbers(4, 3), np.array([0, 2, 1, 2]))),
        Example(
            lambda: nn.MultiMarginLoss(2, 0.7, np.array([1.0, 2.0, 0.5]), reduction="none"),
            (numbers(4, 3), np.array([0, 2, 1, 2])),
        ),
    ],
    nn.MultiLabelMarginLoss: [
        Example(nn.MultiLabelMarginLoss, (1.1 * numbers(4, 3), CLASSES)),  # no two scores are 1, the margin, apart
        Example(lambda: nn.MultiLabelMarginLoss(reduction="none"), (1.1 * numbers(4, 3), CLASSES[::-1].copy())),
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
        Example(nn.CTCLoss, (negatives(4, 2, 3), np.array([[1, 1], [2, 0]]), *LENGTHS)),
        Example(
            lambda: nn.CTCLoss(2, "none", zero_infinity=True),
            (negatives(4, 2, 3), np.array([0, 1, 1]), *LENGTHS),
        ),
        Example(
            lambda: nn.CTCLoss(reduction="sum"),
            (negatives(4, 3), np.array([2, 1]), np.array(4), np.array(2)),
        ),
    ],
}
